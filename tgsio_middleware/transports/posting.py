"""What the client says by POST, while something else carries what it hears."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gevent

from ..errors import HandshakeRefused, RemoteProtocolError, TooLarge
from ..settings import Settings
from ..wire.dialect import Body
from .base import Environ, Headers, StartResponse, Transport, respond

if TYPE_CHECKING:
    from ..engine.socket import Socket


#: int() of some thousand digits raises.
MAX_DIGITS = 15
NOTHING: AbstractContextManager[None] = nullcontext()


class Posting(Transport):
    """A transport whose client posts, one body at a time."""

    socket: Socket
    _posting = False

    def post(self, environ: Environ, start_response: StartResponse, headers: Headers) -> Iterable[bytes]:
        """What the client says. Confirmed when it is in the inbox, not when its handlers are done."""
        socket, failure = self.socket, None
        try:
            self._read(environ)
        except RemoteProtocolError as e:
            socket.fail(e)
            failure = e
        failure = socket.failure or failure
        if failure is not None:
            raise HandshakeRefused('too_large' if failure.status == 413 else 'bad_request', str(failure))
        return respond(start_response, socket.dialect.POSTED, headers)

    def _read(self, environ: Environ) -> None:
        if self._posting:
            raise RemoteProtocolError('two posts at a time')
        socket = self.socket
        self._posting = True
        try:
            body = self.payload(environ)
            socket.take(socket.dialect.split_payload(body.data, body.content_type, socket.memory))
            socket.work_later()
            if socket.connected:
                socket.wait_drained()
        finally:
            self._posting = False

    def payload(self, environ: Environ) -> Body:
        """The request's body. Raises RemoteProtocolError."""
        return Body(environ.get('CONTENT_TYPE', ''), read_body(environ, self.socket.settings))


def read_body(environ: Environ, settings: Settings) -> bytes:
    """The request's body; raises RemoteProtocolError where it is longer than `max_payload`, ends too early, or takes so
    long that the client would count as silent.
    """
    limit, patience = settings.max_payload, settings.ping_interval + settings.ping_timeout
    declared = environ.get('CONTENT_LENGTH') or ''
    if declared and (not declared.isascii() or not declared.isdigit()):
        raise RemoteProtocolError('a Content-Length that is no number')
    if len(declared) > MAX_DIGITS or int(declared or 0) > limit:
        raise TooLarge(f'a body of {declared[:MAX_DIGITS]} bytes')
    stream: Any = environ['wsgi.input']
    there = isinstance(stream, BytesIO)  # nothing to wait for: an adopted connection's
    try:
        with NOTHING if there else gevent.Timeout(patience, RemoteProtocolError('a body that does not end')):
            body: bytes = stream.read(int(declared)) if declared else _read_chunked(environ, stream, limit)
    except OSError:
        raise RemoteProtocolError('a body that ends too early') from None
    if len(body) > limit:
        raise TooLarge(f'a body of more than {limit} bytes')
    if declared and len(body) < int(declared):
        raise RemoteProtocolError('a body that ends too early')
    return body


def _read_chunked(environ: Environ, stream: Any, limit: int) -> bytes:
    """A body without a length can be read only where the server marks its end."""
    return stream.read(limit + 1) if environ.get('wsgi.input_terminated') else b''
