"""SocketIOServer: gevent.pywsgi's server, which lets go of a connection when a websocket takes it.

Any other gevent WSGI server serves the filter too; there a websocket keeps the request's greenlet and buffers until its
end.
Import this module only where gevent may be imported: it patches nothing.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

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
            environ[TAKE] = self.take
        return environ

    def take(self) -> tuple[Any, bytes]:
        """The connection leaves this handler; -> a plain non-blocking socket, and what was read beyond the request."""
        self.socket.settimeout(0.0)
        unread = self.rfile.read1(65536) or b''
        taken = _native(self.socket.detach())
        self.socket = None
        self.close_connection = True
        return taken, unread

    def _write_with_headers(self, data: bytes) -> None:
        """Head and body in one segment: a body of its own waits for the head's acknowledgement, up to 40 ms."""
        gathered: list[bytes] = []
        sendall, self._sendall = self._sendall, gathered.append
        try:
            super()._write_with_headers(data)
        finally:
            del self._sendall
        sendall(b''.join(gathered))


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
