"""Websocket: opened inside the filter, on a connection taken from the WSGI server.

Frames that are put in one turn leave in one send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gevent.event import Event

from ..engine.socket import LEFT, RESTART
from ..errors import HandshakeRefused, RemoteProtocolError, SlowConsumer
from ..packet import Message
from ..wire import frames
from ..wire.dialect import Answer
from .base import Environ, Headers, StartResponse, Transport
from .stream import Stream
from .takeover import OPENED, TAKE, Connection, can_take, take

if TYPE_CHECKING:
    from ..engine.socket import Socket


def opens_websocket(environ: Environ) -> bool:
    """RFC 6455, 4.2.1: the request asks for a websocket."""
    return environ.get('HTTP_UPGRADE', '').lower() == 'websocket'


def shake_hands(environ: Environ, start_response: StartResponse, headers: Headers) -> Connection:
    """101 Switching Protocols; raises HandshakeRefused."""
    if environ['REQUEST_METHOD'] != 'GET' or not opens_websocket(environ):
        raise HandshakeRefused('bad_request', 'no websocket handshake')
    if environ.get('HTTP_SEC_WEBSOCKET_VERSION') != '13':
        raise HandshakeRefused('bad_request', 'a websocket version other than 13')
    if not can_take(environ):
        raise HandshakeRefused('unavailable', 'this WSGI server cannot hold a websocket')
    try:
        accept = frames.accept(environ.get('HTTP_SEC_WEBSOCKET_KEY', ''))
    except RemoteProtocolError as e:
        raise HandshakeRefused('bad_request', str(e)) from None
    if environ.get(OPENED) is not None:
        return take(environ)
    headers = [('Upgrade', 'websocket'), ('Connection', 'Upgrade'), ('Sec-WebSocket-Accept', accept), *headers]
    if TAKE not in environ or not environ[TAKE].switch_protocols(start_response, headers):
        start_response('101 Switching Protocols', headers)(b'')
    return take(environ)


def turn_away(environ: Environ, answer: Answer) -> Iterable[bytes]:
    """Refuses a websocket that is open already: RFC 6455, 7.4.1, 1008 for what violates a policy."""
    connection = take(environ)
    try:
        connection.send(frames.close_frame(1008, answer.data.decode()))
    except OSError:
        pass
    connection.close()
    return []


class WebSocket(Stream, Transport):
    """The frames of one client. `on_messages` gets what it said; by default its socket does."""

    NAME = 'websocket'
    STREAMING = True
    __slots__ = ('_reader', 'finished', 'on_lost', 'on_messages', 'socket')

    prepare = staticmethod(frames.message_frames)

    def __init__(self, socket: Socket, connection: Connection) -> None:
        Stream.__init__(self, connection)
        self.socket = socket
        self.on_messages: Callable[[list[Message]], None] = socket.take
        self.on_lost: Callable[[], None] | None = None
        #: set at the end, where the request's greenlet waits for it
        self.finished: Event | None = None
        self._reader = frames.Reader(socket.settings.max_payload, socket.settings.max_fragments)

    # -- Stream ------------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """All that does not block comes first: a handler that does must not delay a pong or a close."""
        reader = self._reader
        messages = reader.feed(data)
        if messages:
            self.on_messages(messages)
        if reader.pings or reader.error is not None or reader.closed is not None:
            self._control()
        if not self.socket.working:
            self.socket.work()
        elif self._carries() and self.socket.crowded:  # a probe is read on: nobody would tell it to resume
            self.pause()
            self.socket.paused = True

    def _control(self) -> None:
        reader = self._reader
        pings, reader.pings = reader.pings, []
        for payload in pings:
            self.write(frames.frame(payload, frames.PONG))
        if reader.error is not None:
            self.socket.work()  # what was said before is answered before the end
            self._end(reader.error.close_code, str(reader.error))
            if self._carries():
                self.socket.fail(reader.error)
        elif reader.closed is not None:
            self._end(1000 if reader.closed == 1005 else reader.closed)
            if self._carries():
                self.socket.close(LEFT)

    def lost(self) -> None:
        """The connection is gone, and with it the client if this was its transport."""
        if self.finished is not None:
            self.finished.set()
        if self.on_lost is not None:
            self.on_lost()
        if self._carries():
            self.socket.close(LEFT)

    def _carries(self) -> bool:
        return self.socket.transport is self

    def joined(self, written: list[bytes | tuple[Message, ...]]) -> bytes:
        return frames.joined(written, self.socket.dialect.BINARY_PREFIX)

    def choked(self, waiting: int) -> bool:
        if waiting <= self.socket.settings.max_buffered:
            return False
        if self._carries():
            self.socket.fail(SlowConsumer())
        return True

    # -- Transport ---------------------------------------------------------------------------------------------------

    def put(self, messages: tuple[Message, ...]) -> None:
        if messages and not self._ending:
            if not self._out:
                self._workers.flush_later(self)
            self._out.append(messages)

    def put_prepared(self, prepared: bytes) -> None:
        if not self._ending:
            if not self._out:
                self._workers.flush_later(self)
            self._out.append(prepared)

    @property
    def takes(self) -> bool:
        return self.open and not self._rest

    @property
    def unsent(self) -> bool:
        return self.alive and bool(self._ending or self._out or self._rest)

    def drained(self) -> None:
        self.resume()

    def close(self, reason: str, code: int) -> None:
        farewell = self.socket.dialect.FAREWELL
        if farewell is not None and code != RESTART:
            self.put(self.socket.dialect.encode(farewell, None))
        self._end(code, reason)

    def _end(self, code: int, reason: str = '') -> None:
        """RFC 6455, 7.1.1: a close frame, then the end of the connection."""
        if self.open:
            self.write(frames.close_frame(code, reason))
            self.end()


def hold(transport: WebSocket, environ: Environ) -> Iterable[bytes]:
    """The WSGI answer of a websocket: nothing more; at once on our server, after the websocket's end on others."""
    if TAKE not in environ:
        transport.finished = Event()
    transport.start()
    if transport.finished is not None and transport.alive:
        transport.finished.wait()
    return []
