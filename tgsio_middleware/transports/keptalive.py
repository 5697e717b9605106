"""Long polling without a WSGI request for each poll.

pywsgi reads the first poll of a TCP connection; then our server lets go of the connection and it is served here, by a
watcher and no greenlet, for as long as the requests on it are plain polls. Whatever else comes, a page of the site or
an oddity that a full HTTP reader should judge, goes back to pywsgi with every byte of it unread.

A plain poll: HTTP/1.1, GET or POST of the resource with a sid, Content-Length or no body, and none of the headers
in `ODD`. What it means is decided by the filter, exactly as for a WSGI request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from time import time
from typing import Any, Protocol

from gevent.pywsgi import format_date_time

from ..engine.workers import workers
from .base import Environ, Headers, StartResponse
from .polling import LATER, Parked, read_body
from .stream import Stream
from .takeover import TAKE, take

#: Head of a request, in bytes; pywsgi's own bound for one line is 8 KiB.
MAX_HEAD = 65536
#: Headers that a poll's meaning depends on, by their name in lower case.
KNOWN = {
    b'origin': 'HTTP_ORIGIN',
    b'host': 'HTTP_HOST',
    b'content-type': 'CONTENT_TYPE',
    b'content-length': 'CONTENT_LENGTH',
}
ODD = frozenset((b'transfer-encoding', b'expect', b'upgrade', b'trailer', b'te'))
#: What of the first request's environ holds for all requests of the connection.
OF_CONNECTION = (
    'wsgi.url_scheme',
    'REMOTE_ADDR',
    'REMOTE_PORT',
    'SERVER_NAME',
    'SERVER_PORT',
    'SCRIPT_NAME',
    'PATH_INFO',
)

#: The filter: an environ and a start_response to a body, or None where the answer comes later.
Serve = Callable[[Environ, StartResponse], Iterable[bytes] | None]


class Handler(Protocol):
    """Our server's, as the environ shows it under `TAKE`."""

    def keeps_alive(self, start_response: StartResponse) -> bool:
        """The connection may serve more requests, and nothing stands between the filter and the server."""

    def give_back(self, sock: Any, unread: bytes) -> None:
        """A connection that was taken: its next request, which begins with `unread`, is the server's."""


def adoptable(environ: Environ, start_response: StartResponse) -> bool:
    """The poll came through our server, directly, and more may follow on its connection."""
    return TAKE in environ and LATER not in environ and environ[TAKE].keeps_alive(start_response)


def adopt(environ: Environ, serve: Serve, max_body: int) -> Iterable[bytes]:
    """Takes the connection of a poll and serves this request and the next ones on it; -> WSGI's empty answer.

    Raises HandshakeRefused for a body that cannot be; then the server still has its connection.
    """
    if environ['REQUEST_METHOD'] == 'POST':
        body = read_body(environ, max_body)
        environ.update({'wsgi.input': BytesIO(body), 'CONTENT_LENGTH': str(len(body))})
    connection = PollConnection(environ, serve, max_body)
    connection.answer(environ)
    connection.start()
    return []


class NotPlain(Exception):
    """Let pywsgi judge it."""


class Request:
    """A whole plain request at the beginning of `data`; raises NotPlain. `size` is 0 where it is not whole yet."""

    __slots__ = ('environ', 'size')

    def __init__(self, data: bytes, prefix: bytes, max_body: int) -> None:
        self.environ: Environ = {}
        self.size = 0
        end = data.find(b'\r\n\r\n')
        if end < 0:
            if len(data) > MAX_HEAD:
                raise NotPlain
            return
        lines = data[:end].split(b'\r\n')
        self._request_line(lines[0], prefix)
        for line in lines[1:]:
            self._header(line)
        length = self._length(max_body)
        if len(data) >= end + 4 + length:
            self.size = end + 4 + length
            self.environ['wsgi.input'] = BytesIO(data[end + 4 : self.size])

    def _request_line(self, line: bytes, prefix: bytes) -> None:
        parts = line.split(b' ')
        if len(parts) != 3 or parts[2] != b'HTTP/1.1' or parts[0] not in (b'GET', b'POST'):
            raise NotPlain
        path, _, query = parts[1].partition(b'?')
        if path.rstrip(b'/') != prefix or b'sid=' not in query or b'transport=polling' not in query:
            raise NotPlain
        self.environ['REQUEST_METHOD'] = parts[0].decode()
        self.environ['QUERY_STRING'] = query.decode('latin-1')

    def _header(self, line: bytes) -> None:
        name, colon, value = line.partition(b':')
        name = name.lower()
        if name in KNOWN:
            if KNOWN[name] in self.environ:
                raise NotPlain
            self.environ[KNOWN[name]] = value.strip().decode('latin-1')
            return
        closes = name == b'connection' and value.strip().lower() != b'keep-alive'
        if closes or name in ODD or not colon or name.strip() != name:
            raise NotPlain

    def _length(self, max_body: int) -> int:
        length = self.environ.get('CONTENT_LENGTH', '0' if self.environ['REQUEST_METHOD'] == 'GET' else '')
        if not length.isascii() or not length.isdigit() or len(length) > 15 or int(length) > max_body:
            raise NotPlain
        return int(length)


class PollConnection(Stream):
    """One TCP connection on which a client polls, one request at a time."""

    __slots__ = ('_base', '_buffer', '_busy', '_handler', '_head', '_max_body', '_parked', '_prefix', '_serve')

    def __init__(self, environ: Environ, serve: Serve, max_body: int) -> None:
        self._handler: Handler = environ[TAKE]
        super().__init__(take(environ))
        self._base = {key: environ[key] for key in OF_CONNECTION if key in environ}
        self._prefix = (environ.get('SCRIPT_NAME', '') + environ['PATH_INFO']).rstrip('/').encode('latin-1')
        self._serve = serve
        self._max_body = max_body
        self._buffer = b''
        #: a request is being answered; the next one waits in the buffer
        self._busy = False
        self._parked: Parked | None = None
        self._head = b''

    # -- Stream ------------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        self._buffer += data
        if self._busy and len(self._buffer) > MAX_HEAD + self._max_body:
            return self.cut()
        self._next()

    def lost(self) -> None:
        if self._parked is not None:
            self._parked.abandon()

    def choked(self, waiting: int) -> bool:
        """Never: an answer is not longer than what may wait for a client, and there is one at a time."""
        return False

    # -- requests ----------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        while self._buffer and not self._busy and self.alive:
            try:
                request = Request(self._buffer, self._prefix, self._max_body)
            except NotPlain:
                return self._give_back()
            if not request.size:
                return
            self._buffer = self._buffer[request.size :]
            self.answer({**self._base, **request.environ})

    def answer(self, environ: Environ) -> None:
        """Serves one request, at once or, where it is a poll that waits, later."""
        self._busy = True
        environ[LATER] = self
        body = self._serve(environ, self._start_response)
        if body is not None:
            self._send(body)

    def park(self, parked: Parked) -> None:
        """The poll under way waits for something to say."""
        self._parked = parked

    def finish(self, body: Iterable[bytes]) -> None:
        """The poll that waited is answered; runs in the hub."""
        self._parked = None
        self._send(body)
        if self._buffer:
            workers().submit(self._next)

    def _start_response(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        lines = [f'HTTP/1.1 {status}', f'Date: {format_date_time(time())}']
        lines += [f'{name}: {value}' for name, value in headers]
        self._head = '\r\n'.join([*lines, '', '']).encode('latin-1')

    def _send(self, body: Iterable[bytes]) -> None:
        self.write(self._head + b''.join(body))
        self._busy = False

    def _give_back(self) -> None:
        unread, self._buffer = self._buffer, b''
        if self._out or self._rest:
            self.flush()
        connection = self.detach()
        if connection is not None:
            self._handler.give_back(connection.sock, unread)
