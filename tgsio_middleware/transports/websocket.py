"""Websocket: opened inside the filter, on a connection taken from the WSGI server.

A libev watcher wakes a worker when the client has sent something; no greenlet belongs to a client. Frames that are put
while one read is worked off leave in one send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import gevent
from gevent import get_hub
from gevent.event import Event

from ..engine.socket import LEFT
from ..engine.workers import workers
from ..errors import HandshakeRefused, RemoteProtocolError
from ..packet import Message
from ..wire import frames
from .base import Environ, Headers, StartResponse, Transport
from .takeover import TAKE, Connection, can_take, take

if TYPE_CHECKING:
    from ..engine.socket import Socket

READ, WRITE = 1, 2
READ_SIZE = 65536
#: A client that was told good-bye has so long to read it, in seconds.
LINGER = 5.0


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
    write = start_response(
        '101 Switching Protocols',
        [('Upgrade', 'websocket'), ('Connection', 'Upgrade'), ('Sec-WebSocket-Accept', accept), *headers],
    )
    write(b'')
    return take(environ)


class WebSocket(Transport):
    """The frames of one client. `on_messages` gets what it said; by default its socket does."""

    NAME = 'websocket'
    STREAMING = True
    __slots__ = ('_connection', '_out', '_reader', '_rest', '_watcher', '_write_watcher', 'finished', 'on_messages')

    def __init__(self, socket: Socket, connection: Connection) -> None:
        super().__init__(socket)
        self.on_messages: Callable[[list[Message]], None] = self._to_socket
        self.finished: Event | None = None
        self._connection: Connection | None = connection
        self._reader = frames.Reader(socket.settings.max_payload)
        self._out: list[bytes] = []
        self._rest = b''
        self._watcher: Any = get_hub().loop.io(connection.fileno(), READ)
        self._write_watcher: Any = None

    def start(self) -> None:
        """Begins to read, what came with the request first."""
        connection = self._connection
        if connection is None:
            return
        self._watcher.start(workers().enter, self._readable)
        unread, connection.unread = connection.unread, b''
        if unread:
            workers().submit(self._received, unread)

    # -- reading: in a worker ----------------------------------------------------------------------------------------

    def _readable(self) -> None:
        connection = self._connection
        while connection is not None:
            try:
                data = connection.recv(READ_SIZE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b''
            if not connection.pending():
                return self._received(data)
            self._received(data)
            connection = self._connection

    def _received(self, data: bytes) -> None:
        """All that does not block comes first: a handler that does must not delay a pong or a close."""
        if not data:
            return self._lost()
        reader = self._reader
        messages = reader.feed(data)
        if messages:
            self.on_messages(messages)
        if reader.pings or reader.error is not None or reader.closed is not None:
            self._control()
        if self.socket.crowded and self._watcher is not None:
            self._watcher.stop()
        self.socket.work()

    def _to_socket(self, messages: list[Message]) -> None:
        self.socket.take(messages)

    def _control(self) -> None:
        reader = self._reader
        pings, reader.pings = reader.pings, []
        for payload in pings:
            self.put_prepared(frames.frame(payload, frames.PONG))
        if reader.error is not None:
            self._end(reader.error.close_code, str(reader.error))
            if self._carries():
                self.socket.fail(reader.error)
        elif reader.closed is not None:
            self._end(1000 if reader.closed == 1005 else reader.closed)
            self._lost()

    def _lost(self) -> None:
        """The connection is gone, and with it the client if this was its transport."""
        self._shut()
        if self._carries():
            self.socket.close(LEFT)

    def _carries(self) -> bool:
        return self.socket.transport is self

    def drained(self) -> None:
        watcher = self._watcher
        if watcher is not None and not watcher.active and not self.socket.crowded:
            watcher.start(workers().enter, self._readable)

    # -- writing: anywhere -------------------------------------------------------------------------------------------

    prepare = staticmethod(frames.message_frames)

    def put(self, messages: tuple[Message, ...]) -> None:
        if messages:
            if not self._out:
                self._announce()
            self._out.append(frames.message_frames(messages, self.socket.dialect.BINARY_PREFIX))

    def put_prepared(self, prepared: bytes) -> None:
        if not self._out:
            self._announce()
        self._out.append(prepared)

    def _announce(self) -> None:
        workers().flush_later(self)

    def flush(self) -> None:
        """Runs in the hub."""
        out = self._out
        if not out:
            return
        data = out[0] if len(out) == 1 else b''.join(out)
        out.clear()
        connection = self._connection
        if connection is None:
            return
        if self._rest:
            self._rest += data
        else:
            try:
                sent = connection.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                return self._lost()
            if sent == len(data):
                return
            self._rest = data[sent:]
            self._wait_writable(connection)
        if len(self._rest) > self.socket.settings.max_buffered:
            self._rest = b''
            self._shut()
            self.socket.close('slow consumer')

    def _wait_writable(self, connection: Connection) -> None:
        if self._write_watcher is None:
            self._write_watcher = get_hub().loop.io(connection.fileno(), WRITE)
        if not self._write_watcher.active:
            self._write_watcher.start(self._writable)

    def _writable(self) -> None:
        """Runs in the hub."""
        rest, self._rest = self._rest, b''
        if self._write_watcher is not None:
            self._write_watcher.stop()
        self._out.insert(0, rest)
        self.flush()

    def close(self, reason: str, code: int) -> None:
        if self.socket.dialect.FAREWELL is not None and self._connection is not None:
            self.put(self.socket.dialect.encode(self.socket.dialect.FAREWELL, None))
        self._end(code, reason)

    def _end(self, code: int, reason: str = '') -> None:
        """Says a close frame and shuts the connection once it has left, or has had the time to."""
        if self._connection is None:
            return
        if self._watcher is not None:
            self._watcher.stop()
        self.put_prepared(frames.close_frame(code, reason))
        get_hub().loop.run_callback(self._shut_when_sent, 0)

    def _shut_when_sent(self, waited: float) -> None:
        """Looks a few times at most."""
        if (self._out or self._rest) and waited < LINGER:
            gevent.spawn_later(0.1, self._shut_when_sent, waited + 0.1)
            return
        self._shut()

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        for watcher in (self._watcher, self._write_watcher):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._write_watcher = None
        self._rest = b''
        connection.close()
        if self.finished is not None:
            self.finished.set()


def hold(transport: WebSocket, environ: Environ) -> Iterable[bytes]:
    """The WSGI answer of a websocket: nothing more; at once on our server, after the websocket's end on others."""
    if TAKE not in environ:
        transport.finished = Event()
        transport.start()
        if transport._connection is not None:
            transport.finished.wait()
    else:
        transport.start()
    return []
