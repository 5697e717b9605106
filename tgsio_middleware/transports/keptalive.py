"""Long polling without a WSGI request for each poll.

pywsgi reads the first poll of a TCP connection; then our server lets go of the connection and it is served here, by a
watcher and no greenlet, for as long as the requests on it are plain polls. Whatever else comes, a page of the site or
an oddity that a full HTTP reader should judge, goes back to pywsgi with every byte of it unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from time import time
from typing import Any, Protocol

from gevent.pywsgi import format_date_time

from ..engine.workers import workers
from ..errors import RemoteProtocolError
from ..settings import Settings
from .base import Environ, Headers, StartResponse, head
from .idle import IDLE
from .plainpolls import MAX_HEAD, NotPlain, Reader
from .polling import LATER, Parked, read_body
from .stream import Stream
from .takeover import TAKE, Connection, take

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

    def keeps_alive(self, application: object) -> bool:
        """The connection may serve more requests, and nothing stands between the filter and the server: what an outer
        middleware does to a request (a proxy's headers, access control) it must do to every one.
        """

    def give_back(self, sock: Any, unread: bytes) -> None:
        """A connection that was taken: its next request, which begins with `unread`, is the server's."""


def adoptable(environ: Environ, application: object, settings: Settings) -> bool:
    """The poll came through our server, directly and whole, and more may follow on its connection."""
    if TAKE not in environ or LATER in environ or not environ[TAKE].keeps_alive(application):
        return False
    if environ['REQUEST_METHOD'] == 'POST':
        return _gather(environ, settings)
    # The body of anything else would be read as the next request.
    return environ.get('CONTENT_LENGTH') in (None, '', '0') and 'HTTP_TRANSFER_ENCODING' not in environ


def _gather(environ: Environ, settings: Settings) -> bool:
    """A POST's body, read while the server still has the connection; -> it could be."""
    try:
        body = read_body(environ, settings)
    except RemoteProtocolError as e:
        environ['wsgi.input'] = Unreadable(e)
        return False
    environ.update({'wsgi.input': BytesIO(body), 'CONTENT_LENGTH': str(len(body))})
    return True


class Unreadable:
    """In a body's place: why it could not be read, for whoever tries again."""

    def __init__(self, error: RemoteProtocolError) -> None:
        self._error = error

    def read(self, size: int = -1) -> bytes:
        """Raises it."""
        raise self._error


def adopt(environ: Environ, serve: Serve, max_body: int) -> Iterable[bytes]:
    """Takes the connection of a poll and serves this request and the next ones on it; -> WSGI's empty answer."""
    connection = PollConnection(environ, serve, max_body)
    connection.answer(environ)
    connection.start()
    return []


class PollConnection(Stream):
    """One TCP connection on which a client polls, one request at a time."""

    __slots__ = (
        '_base',
        '_buffer',
        '_busy',
        '_handler',
        '_head',
        '_max_body',
        '_missing',
        '_parked',
        '_pieces',
        '_reader',
        '_seen',
        '_serve',
    )

    def __init__(self, environ: Environ, serve: Serve, max_body: int) -> None:
        self._handler: Handler = environ[TAKE]
        super().__init__(take(environ))
        self._base = {key: environ[key] for key in OF_CONNECTION if key in environ}
        path = (environ.get('SCRIPT_NAME', '') + environ['PATH_INFO']).rstrip('/')
        self._reader = Reader(path.encode('latin-1'), max_body)
        self._serve = serve
        self._max_body = max_body
        self._buffer = b''
        #: how much of a body is still to come, and what has come of it after the buffer
        self._missing = 0
        self._pieces: list[bytes] = []
        #: a request is being answered; the next one waits in the buffer. None: no, and `is_idle` has seen so
        self._busy: bool | None = False
        self._seen = 0
        self._parked: Parked | None = None
        self._head = b''
        IDLE.watch(self)

    # -- Stream ------------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
            self._pieces.append(data)
            if self._missing > 0:  # nothing is joined for each piece (CVE-2020-36049)
                return
            data, self._missing = b''.join(self._pieces), 0
            self._pieces.clear()
        self._buffer += data
        if len(self._buffer) > 2 * (MAX_HEAD + self._max_body):  # and it does not read our answers
            return self.cut()
        self._next()

    def lost(self) -> None:
        if self._parked is not None:
            self._parked.abandon()

    def flush(self) -> None:
        super().flush()
        self._go_on()

    def _writable(self, connection: Connection) -> None:
        super()._writable(connection)
        self._go_on()

    def _go_on(self) -> None:
        """The answer may have left: the request that waited for that is next."""
        if self._buffer and not self._busy and not self._rest:
            workers().submit(self._next)

    def choked(self, waiting: int) -> bool:
        """Never: an answer is not longer than what may wait for a client, and the next request waits until it left."""
        return False

    def detach(self) -> Connection | None:
        """As ever."""
        IDLE.forget(self)
        return super().detach()

    def is_idle(self) -> bool:
        """No request was answered and no byte of an answer left since this was last asked; half a request is none."""
        idle = self._busy is None and self._seen == len(self._rest)
        self._seen = len(self._rest)
        if not self._busy:
            self._busy = None
        return idle

    # -- requests ----------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        while self._buffer and not self._busy and not self._out and not self._rest and self.alive:
            try:
                size, environ = self._reader.read(self._buffer)
            except NotPlain:
                return self._give_back()
            if not size:
                self._missing = max(0, self._reader.wanted - len(self._buffer))
                return
            self._buffer = self._buffer[size:]
            self.answer({**self._base, **environ})

    def answer(self, environ: Environ) -> None:
        """Serves one request, at once or, where it is a poll that waits, later."""
        self._busy = True
        environ[LATER] = self
        try:
            body = self._serve(environ, self._start_response)
        except BaseException:
            self.cut()
            raise
        if body is not None:
            self._send(body)

    def park(self, parked: Parked) -> None:
        """The poll under way waits for something to say."""
        self._parked = parked

    def finish(self, body: Iterable[bytes]) -> None:
        """The poll that waited is answered; runs in the hub."""
        self._parked = None
        self._send(body)

    def _start_response(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        self._head = head(status, [('Date', _date()), *headers])

    def _send(self, body: Iterable[bytes]) -> None:
        self.write(self._head + b''.join(body))
        self._busy = False

    def _give_back(self) -> None:
        unread, self._buffer = self._buffer, b''
        connection = self.detach()
        if connection is not None:
            self._handler.give_back(connection.sock, unread)


_of_second: tuple[int, str] = (0, '')


def _date() -> str:
    """The Date header's value; it changes once a second."""
    global _of_second
    second = int(time())
    if second != _of_second[0]:
        _of_second = (second, format_date_time(second).decode())
    return _of_second[1]
