"""htmlfile of 0.9: an endless page, in which each packet is a script. The client posts what it says.

It holds a greenlet a client, for the browsers that need it are few. Off unless `transports` names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gevent.event import Event

from ..engine.socket import LEFT, RESTART
from ..errors import HandshakeRefused, RemoteProtocolError, SlowConsumer
from ..packet import Message, Packet
from ..wire.padding import PAGE, PREAMBLE, script
from .base import Environ, Headers, StartResponse
from .posting import Posting
from .takeover import EndWatch

if TYPE_CHECKING:
    from ..engine.socket import Socket


class HtmlFile(Posting):
    """One client's page, and what waits until it is asked for."""

    NAME = 'htmlfile'
    STREAMING = True

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._out: list[bytes] = []
        self._size = 0
        self._woken: Event | None = None
        self._ended = False

    @staticmethod
    def prepare(messages: tuple[Message, ...], binary_prefix: bytes) -> bytes:
        return b''.join(script(str(message)) for message in messages)

    def put_prepared(self, prepared: bytes) -> None:
        self._out.append(prepared)
        self._size += len(prepared)
        self._wake()
        if self._size > self.socket.settings.max_buffered:
            self.socket.fail(SlowConsumer())

    def close(self, reason: str, code: int) -> None:
        if not self._ended:
            self._ended = True
            if reason != LEFT and code != RESTART:
                self.put(self.socket.dialect.encode(Packet(type='close', endpoint=''), None))
            self._wake()

    def hand_over(self) -> tuple[Message, ...]:
        """The client has moved: the page ends, and what it was told stays there."""
        self._left()
        return ()

    @property
    def takes(self) -> bool:
        return self._woken is not None and not self._out

    @property
    def unsent(self) -> bool:
        return bool(self._out) and self._woken is not None

    def get(self, environ: Environ, start_response: StartResponse, headers: Headers) -> Iterable[bytes]:
        """The page."""
        if self._woken is not None:
            self.socket.fail(RemoteProtocolError('two pages at a time'))
            raise HandshakeRefused('bad_request', 'two pages at a time')
        self._woken = Event()
        start_response(
            '200 OK',
            [
                ('Content-Type', PAGE),
                ('Cache-Control', 'no-store'),
                ('X-Content-Type-Options', 'nosniff'),
                *headers,
            ],
        )
        return self._stream(self._woken, EndWatch(environ, self._left))

    def _left(self) -> None:
        self._ended = True
        self._wake()

    def _stream(self, woken: Event, end: EndWatch) -> Iterator[bytes]:
        try:
            yield PREAMBLE.encode()
            while True:
                woken.clear()
                data, self._out, self._size = b''.join(self._out), [], 0
                if data:
                    yield data
                elif self._ended:
                    return
                else:
                    woken.wait()
        finally:
            end.stop()
            self._woken = None
            if self.socket.transport is self:
                self.socket.close(LEFT)

    def _wake(self) -> None:
        if self._woken is not None:
            self._woken.set()
