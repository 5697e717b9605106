"""The TCP connection below a WSGI request, taken from the server that read the request.

our server            environ['tgsio_middleware.take']   the server lets go of the connection
gunicorn              environ['gunicorn.socket']         the request's greenlet waits until we are done
stock gevent.pywsgi   environ['wsgi.input']              likewise
gevent-websocket      environ['wsgi.input']              likewise; it has opened every websocket already (see `OPENED`)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from socket import MSG_PEEK
from typing import Any

from gevent import get_hub

#: Under this key our own server shows its handler; its `take()` gives (non-blocking socket, bytes that it had read
#: already).
TAKE = 'tgsio_middleware.take'
#: Under this key gevent-websocket shows a websocket that it has shaken hands for before the application was called.
OPENED = 'wsgi.websocket'
#: In bytes. TLS must be given again what it did not take, and no less of it than before: so never more than this.
SEND_SIZE = 262_144
#: Long polling alone would be no way out: each poll would hold one of the server's threads for half a minute.
CANNOT_TAKE = (
    'this WSGI server lets nobody hold a connection: pages work, Socket.IO does not. Serve with '
    'egg:tgsio_middleware#socketio, gevent.pywsgi or gunicorn -k gevent'
)


def raw_socket(environ: dict[str, Any]) -> Any:
    """gevent's socket of the request, or None where the server shows none."""
    for key in ('gunicorn.socket', 'werkzeug.socket'):
        if key in environ:
            return environ[key]
    return getattr(getattr(_reader(environ), 'raw', None), '_sock', None)


def _reader(environ: dict[str, Any]) -> Any:
    """pywsgi's buffered reader of the connection."""
    stream = environ.get('wsgi.input')
    return getattr(stream, 'rfile', stream)


def can_take(environ: dict[str, Any]) -> bool:
    """A websocket can be opened on this server."""
    return TAKE in environ or hasattr(raw_socket(environ), 'fileno')


class EndWatch:
    """Calls `gone` in the hub when the client of a request has closed its connection, until `stop`; the server keeps
    the connection. Not under TLS, where only the server can tell an end from data.
    """

    def __init__(self, environ: dict[str, Any], gone: Callable[[], None]) -> None:
        sock = raw_socket(environ)
        self._gone = gone
        self._watcher: Any = None
        if hasattr(sock, 'fileno') and not hasattr(sock, 'do_handshake'):
            self._sock = getattr(sock, '_sock', sock)
            self._watcher = get_hub().loop.io(sock.fileno(), 1)
            self._watcher.start(self._readable)

    def _readable(self) -> None:
        try:
            more = self._sock.recv(1, MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            more = b''
        self.stop()  # after more of the client's there is no end to be seen: it is the server's to read
        if not more:
            self._gone()

    def stop(self) -> None:
        """Watches no more."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None


class Connection:
    """A non-blocking stream: `recv` and `send` raise BlockingIOError where they would block."""

    __slots__ = ('close', 'fileno', 'pending', 'recv', 'send', 'sock', 'unread')

    def __init__(self, sock: Any, unread: bytes, close: Callable[[], None]) -> None:
        self.sock = sock
        self.unread = unread
        self.close = close
        self.fileno: Callable[[], int] = sock.fileno
        #: bytes that TLS has decrypted and nobody has read: no event of the kernel will tell. None without TLS.
        self.pending: Callable[[], int] | None = getattr(sock, 'pending', None)
        if self.pending is None:
            self.recv, self.send = sock.recv, sock.send
        else:
            self.recv, self.send = self._recv_tls, self._send_tls

    def _recv_tls(self, size: int) -> bytes:
        import ssl

        try:
            return self.sock.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def _send_tls(self, data: bytes) -> int:
        import ssl

        try:
            return self.sock.send(data[:SEND_SIZE])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None


def take(environ: dict[str, Any]) -> Connection:
    """The connection, after the head of the answer was sent."""
    if TAKE in environ:
        sock, unread = environ[TAKE].take()
        return Connection(sock, unread, sock.close)
    sock = raw_socket(environ)
    sock.settimeout(0.0)
    below = sock if hasattr(sock, 'do_handshake') else getattr(sock, '_sock', sock)  # TLS stays in gevent's socket
    return Connection(below, _unread(environ), lambda: _shut(sock, environ))


def _unread(environ: dict[str, Any]) -> bytes:
    """What the server has read beyond the request: a first frame can come in the same segment."""
    unreader = getattr(getattr(environ.get('wsgi.input'), 'reader', None), 'unreader', None)
    if unreader is not None:  # gunicorn's
        data: bytes = unreader.buf.getvalue()
        unreader.buf = BytesIO()
        return data
    try:
        return _reader(environ).read1(65536) or b''
    except (OSError, AttributeError, ValueError):
        return b''


def _shut(sock: Any, environ: dict[str, Any]) -> None:
    """Before the server gets its connection back: it must not read what is left as a request, which no proxy in front
    has seen. What the kernel had received can be read after a shutdown, and after the peer's reset; so it is read here.
    """
    with suppress(OSError):
        sock.shutdown(2)
    with suppress(OSError):
        while sock.recv(65536):
            pass
    reader = _reader(environ)
    if hasattr(reader, 'raw'):  # pywsgi's buffer
        reader.close()
