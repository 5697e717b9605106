"""SocketIOServer: gevent.pywsgi's server, which lets go of a connection when a websocket takes it.

Any other gevent WSGI server serves the filter too; there a websocket keeps the request's greenlet and buffers until its
end.
Import this module only where gevent may be imported: it patches nothing.
"""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import stat
from http.client import HTTPException
from time import monotonic
from typing import Any

import gevent
import gevent.socket
from gevent.pywsgi import LoggingLogAdapter, WSGIHandler, WSGIServer

from .bus.seldom import Seldom
from .engine.drain import drain, patience
from .transports.base import head
from .transports.heads import read_headers
from .transports.takeover import TAKE

log = logging.getLogger(__name__)
#: At DEBUG, a line a request. pywsgi would print them.
access_log = logging.getLogger(__name__ + '.access')
BACKLOG = 1024
#: Who has connected to a port with TLS has so long to shake hands, in seconds.
TLS_PATIENCE = 10.0
#: So long a connection may stay without a request, and a request without the end of its head, in seconds: each holds a
#: greenlet. Proxies keep theirs for 60.
IDLE_PATIENCE = 75.0
HEAD_PATIENCE = 20.0
SWITCHING = '101 Switching Protocols'


class SocketIOHandler(WSGIHandler):
    """One connection's requests."""

    socket: Any
    _sendall: Any

    def __init__(self, sock: Any, address: Any, server: Any, unread: bytes = b'') -> None:
        self._incoming = Incoming(sock, unread)
        super().__init__(sock, address, server, io.BufferedReader(self._incoming))

    def MessageClass(self, *args: Any) -> Any:
        """The headers. RFC 9112, 6.3: who frames a body twice, or in a way unknown here, may smuggle a request past a
        proxy that counts otherwise.
        """
        headers = read_headers(*args)
        codings, lengths = headers.get_all('transfer-encoding', []), headers.get_all('content-length', [])
        odd = [n for n in lengths if not re.fullmatch('[0-9]+[\t ]*', n)]
        if odd or len(codings) + len(set(lengths)) > 1 or [c for c in codings if c.lower() != 'chunked']:
            raise ValueError('a body that is framed in two ways, or in none that is known here')
        return headers

    def read_requestline(self) -> Any:
        with gevent.Timeout(IDLE_PATIENCE, TimeoutError()):
            return super().read_requestline()

    def read_request(self, raw_requestline: Any) -> Any:
        """pywsgi prints a traceback where there are too many headers, and waits for ever for the last one."""
        try:
            with gevent.Timeout(HEAD_PATIENCE, ValueError(f'no end of its head within {HEAD_PATIENCE:g} seconds')):
                return super().read_request(raw_requestline)
        except HTTPException as e:
            raise ValueError(str(e)) from None

    def log_error(self, msg: str, *args: Any) -> None:
        """What came is no HTTP: not a line for each, for it costs the sender nothing."""
        self.server.misread('%.300s', msg % args if args else msg)

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        if not hasattr(self.socket, 'do_handshake'):  # TLS stays with gevent's own socket object
            environ[TAKE] = self
        return environ

    def take(self) -> tuple[Any, bytes]:
        """The connection leaves this handler; -> a plain non-blocking socket, and what was read beyond the request."""
        left = self._incoming.leave()
        unread = (self.rfile.read1(65536) or b'') + left
        taken = _native(self.socket.family, self.socket.detach())
        self.socket = None
        self.close_connection = True
        return taken, unread

    def switch_protocols(self, start_response: Any, headers: list[tuple[str, str]]) -> bool:
        """Answers with a 101 at once, without what pywsgi does for answers that have a body; -> it did. Not where
        something between the filter and this server has a say in answers: its `start_response` is not this server's.
        """
        if start_response != self.start_response:
            return False
        data = head(SWITCHING, headers)
        sent = self.socket.send(data)
        if sent < len(data):
            self.socket.sendall(data[sent:])
        self.status = self._orig_status = SWITCHING  # for the log
        self.headers_sent = True
        return True

    def keeps_alive(self, application: Any) -> bool:
        """More requests may follow on the connection, and nothing stands between `application` and this server."""
        return self.request_version == 'HTTP/1.1' and not self.close_connection and self.application is application

    def give_back(self, sock: Any, unread: bytes) -> None:
        """A connection that was taken comes back; its next request begins with `unread`."""
        connection = gevent.socket.socket(fileno=sock.detach())
        handler = type(self)(connection, self.client_address, self.server, unread)
        gevent.spawn(handler.handle)

    def handle_one_response(self) -> None:
        self.server.responding += 1
        try:
            super().handle_one_response()
        finally:
            self.server.responding -= 1

    def log_request(self) -> None:
        """pywsgi makes the line also where nobody reads it, and for polls, which are answered elsewhere."""
        if self.server.logs_requests and self.status is not None:
            super().log_request()

    def run_application(self) -> None:
        """pywsgi reads for ever what the application has left of a body. Who falls silent in one is let go."""
        try:
            super().run_application()
        finally:
            body = self.wsgi_input
            if body.chunked_input or body.position < (body.content_length or 0):
                try:
                    with gevent.Timeout(IDLE_PATIENCE, TimeoutError()):
                        body._discard()
                except OSError:
                    self.close_connection = True
                    body._chunked_input_error = True  # pywsgi's word for: nothing more can be read

    def finalize_headers(self) -> None:
        """Says that it will close the connection: some clients use a kept one again unless they are told."""
        if self.server.draining:
            self.close_connection = True
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


class Incoming(io.RawIOBase):
    """What comes on a connection, after `unread`, which had come before."""

    def __init__(self, sock: Any, unread: bytes) -> None:
        self._sock: Any = sock
        self._unread = unread

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._unread:
            data, self._unread = self._unread[: len(buffer)], self._unread[len(buffer) :]
            buffer[: len(data)] = data
            return len(data)
        try:
            return None if self._sock is None else self._sock.recv_into(buffer)
        except BlockingIOError:
            return None

    def leave(self) -> bytes:
        """Reads no more of the connection; -> what nobody has read of `unread`."""
        self._sock = None
        left, self._unread = self._unread, b''
        return left


def _native(family: int, fd: int) -> Any:
    """The interpreter's own socket class, not gevent's: nothing here waits."""
    import _socket

    sock = _socket.socket(family, socket.SOCK_STREAM, 0, fd)  # what is not told, the kernel is asked for
    sock.setblocking(False)
    return sock


def listen_on(path: str, mode: int) -> Any:
    """A listening unix socket with these permissions. One that a dead process left behind is replaced; raises OSError
    where somebody listens there, or where anything else is in the way.
    """
    listener = gevent.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_left_over(path):
            os.unlink(path)
        before = os.umask(0o777 & ~mode)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_left_over(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False


class SocketIOServer(WSGIServer):
    """`SocketIOServer(('127.0.0.1', 8080), app)`, or with a listening socket; `keyfile` and `certfile`, or
    `ssl_context`, as gevent takes them.
    """

    handler_class = SocketIOHandler
    draining = False
    #: requests that are being answered
    responding = 0

    def __init__(self, listener: Any, application: Any, **kwargs: Any) -> None:
        self._unshaken = Seldom(log)
        self.misread = Seldom(log)
        kwargs.setdefault(
            'log', LoggingLogAdapter(access_log, level=logging.DEBUG) if access_log.isEnabledFor(10) else None
        )
        kwargs.setdefault('error_log', LoggingLogAdapter(log, level=logging.WARNING))
        if not hasattr(listener, 'accept'):
            kwargs.setdefault('backlog', BACKLOG)
        self.logs_requests = kwargs['log'] is not None
        super().__init__(listener, application, **kwargs)

    def drain(self) -> None:
        """Sends the clients away (see `engine.drain`), answers the requests under way, and stops; called twice, it
        stops at once. Returns after `drain_timeout` at the latest.
        """
        if self.draining:
            return self.stop()
        self.draining = True
        until = monotonic() + patience()
        drain(until)
        self.stop_accepting()
        self.socket.close()
        while self.responding and monotonic() < until:
            gevent.sleep(0.02)
        self.stop()

    def init_socket(self) -> None:
        super().init_socket()
        if self.socket.family in (socket.AF_INET, socket.AF_INET6):
            # Accepted connections inherit it; without it small answers wait for acknowledgements.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """TLS. Who speaks something else, or nothing, is let go; gevent would print a traceback, or wait for ever."""
        try:
            with gevent.Timeout(TLS_PATIENCE, TimeoutError(f'nothing within {TLS_PATIENCE:g} seconds')):
                connection = self.wrap_socket(client_socket, **self.ssl_args)
        except OSError as e:
            return self._unshaken('no TLS with %s: %s', address[0] if address else 'unix', e)
        with connection:
            self.handle(connection, address)
