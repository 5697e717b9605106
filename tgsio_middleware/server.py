"""SocketIOServer: gevent.pywsgi's server, which lets go of a connection when a websocket takes it.

Any other gevent WSGI server serves the filter too; there a websocket keeps the request's greenlet and buffers until its
end.
Import this module only where gevent may be imported: it patches nothing.
"""

from __future__ import annotations

import io
import logging
import socket
from typing import Any

import gevent
import gevent.socket
from gevent.pywsgi import LoggingLogAdapter, WSGIHandler, WSGIServer

from .transports.takeover import TAKE

log = logging.getLogger(__name__)
#: At DEBUG, a line a request. pywsgi would print them.
access_log = logging.getLogger(__name__ + '.access')
BACKLOG = 1024


class SocketIOHandler(WSGIHandler):
    """One connection's requests."""

    socket: Any
    _sendall: Any

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        if not hasattr(self.socket, 'do_handshake'):  # TLS stays with gevent's own socket object
            environ[TAKE] = self
        return environ

    def take(self) -> tuple[Any, bytes]:
        """The connection leaves this handler; -> a plain non-blocking socket, and what was read beyond the request."""
        self.socket.settimeout(0.0)
        unread = self.rfile.read1(65536) or b''
        taken = _native(self.socket.detach())
        self.socket = None
        self.close_connection = True
        return taken, unread

    def keeps_alive(self, application: Any) -> bool:
        """More requests may follow on the connection, and nothing stands between `application` and this server."""
        return self.request_version == 'HTTP/1.1' and not self.close_connection and self.application is application

    def give_back(self, sock: Any, unread: bytes) -> None:
        """A connection that was taken comes back; its next request begins with `unread`."""
        connection = gevent.socket.socket(fileno=sock.detach())
        rfile = io.BufferedReader(Rewound(unread, connection))
        handler = type(self)(connection, self.client_address, self.server, rfile)
        gevent.spawn(handler.handle)

    def finalize_headers(self) -> None:
        """Says that it will close the connection: some clients use a kept one again unless they are told."""
        super().finalize_headers()
        if self.close_connection and not any(name.lower() == b'connection' for name, _ in self.response_headers):
            self.response_headers.append((b'Connection', b'close'))

    def _write_with_headers(self, data: bytes) -> None:
        """Head and body in one segment: a body of its own waits for the head's acknowledgement, up to 40 ms."""
        gathered: list[bytes] = []
        sendall, self._sendall = self._sendall, gathered.append
        try:
            super()._write_with_headers(data)
        finally:
            del self._sendall
        sendall(b''.join(gathered))


class Rewound(io.RawIOBase):
    """A connection's stream, some bytes back."""

    def __init__(self, unread: bytes, connection: Any) -> None:
        self._unread = unread
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self._unread:
            try:
                return self._connection.recv_into(buffer)  # type: ignore[no-any-return]
            except BlockingIOError:
                return None
        data, self._unread = self._unread[: len(buffer)], self._unread[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _native(fd: int) -> Any:
    """The interpreter's own socket class, not gevent's: nothing here waits."""
    import _socket

    sock = _socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock


class SocketIOServer(WSGIServer):
    """`SocketIOServer(('127.0.0.1', 8080), app)`; `keyfile` and `certfile` as gevent takes them."""

    handler_class = SocketIOHandler

    def __init__(self, listener: Any, application: Any, **kwargs: Any) -> None:
        kwargs.setdefault(
            'log', LoggingLogAdapter(access_log, level=logging.DEBUG) if access_log.isEnabledFor(10) else None
        )
        kwargs.setdefault('error_log', LoggingLogAdapter(log, level=logging.WARNING))
        kwargs.setdefault('backlog', BACKLOG)
        super().__init__(listener, application, **kwargs)

    def init_socket(self) -> None:
        super().init_socket()
        if self.socket.family in (socket.AF_INET, socket.AF_INET6):
            # Accepted connections inherit it; without it small answers wait for acknowledgements.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
