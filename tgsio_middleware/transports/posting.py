"""What the client says by POST, while something else carries what it hears."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import HandshakeRefused, RemoteProtocolError
from ..wire.dialect import Body
from .base import Environ, Headers, StartResponse, Transport, respond

if TYPE_CHECKING:
    from ..engine.socket import Socket


class Posting(Transport):
    """A transport whose client posts, one body at a time."""

    socket: Socket
    _posting = False

    def post(self, environ: Environ, start_response: StartResponse, headers: Headers) -> Iterable[bytes]:
        """What the client says. Confirmed when it is in the inbox, not when its handlers are done."""
        socket = self.socket
        if self._posting:
            socket.fail(RemoteProtocolError('two posts at a time'))
            raise HandshakeRefused('bad_request', 'two posts at a time')
        self._posting = True
        try:
            body = self.payload(environ)
            messages = socket.dialect.split_payload(body.data, body.content_type, socket.memory)
            socket.take(messages)
            socket.work_later()
            if socket.connected:
                socket.wait_drained()
        except RemoteProtocolError as e:
            socket.fail(e)
            raise HandshakeRefused('too_large' if e.status == 413 else 'bad_request', str(e)) from None
        except HandshakeRefused as e:
            socket.close('parse error')
            raise e
        finally:
            self._posting = False
        if socket.reason == 'parse error':
            raise HandshakeRefused('bad_request', 'a packet that is not allowed')
        return respond(start_response, socket.dialect.POSTED, headers)

    def payload(self, environ: Environ) -> Body:
        """The request's body. Raises HandshakeRefused, RemoteProtocolError."""
        return Body(environ.get('CONTENT_TYPE', ''), read_body(environ, self.socket.settings.max_payload))


def read_body(environ: Environ, limit: int) -> bytes:
    """The request's body; raises HandshakeRefused where it is longer than `limit` or ends too early."""
    declared = environ.get('CONTENT_LENGTH') or ''
    if declared and (not declared.isascii() or not declared.isdigit()):
        raise HandshakeRefused('bad_request', 'a Content-Length that is no number')
    if declared and int(declared) > limit:
        raise HandshakeRefused('too_large', f'a body of {declared} bytes')
    stream: Any = environ['wsgi.input']
    try:
        body: bytes = stream.read(int(declared)) if declared else _read_chunked(environ, stream, limit)
    except OSError:
        raise HandshakeRefused('bad_request', 'a body that ends too early') from None
    if len(body) > limit:
        raise HandshakeRefused('too_large', 'a body of more than max_payload')
    if declared and len(body) < int(declared):
        raise HandshakeRefused('bad_request', 'a body that ends too early')
    return body


def _read_chunked(environ: Environ, stream: Any, limit: int) -> bytes:
    """A body without a length can be read only where the server marks its end."""
    return stream.read(limit + 1) if environ.get('wsgi.input_terminated') else b''
