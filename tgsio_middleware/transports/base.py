"""What every transport can: say prepared messages, end, and answer HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..packet import Message
from ..wire.dialect import Answer, Body

if TYPE_CHECKING:
    from ..engine.socket import Socket

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Headers = list[tuple[str, str]]


class Transport:
    """One client's transport. `prepare` makes messages ready once for all clients that share dialect and transport."""

    __slots__ = ()
    NAME = ''
    #: It can speak at any time; polling must wait for a poll.
    STREAMING = False

    socket: Socket

    @staticmethod
    def prepare(messages: tuple[Message, ...], binary_prefix: bytes) -> Any:
        """Engine messages to what `put_prepared` takes."""
        raise NotImplementedError

    def put_prepared(self, prepared: Any) -> None:
        """Sends, or keeps until it can be sent; never blocks. More than `max_buffered` ends the client."""
        raise NotImplementedError

    def put(self, messages: tuple[Message, ...]) -> None:
        """Sends engine messages in order."""
        if messages:
            self.put_prepared(self.prepare(messages, self.socket.dialect.BINARY_PREFIX))

    def close(self, reason: str, code: int) -> None:
        """The connection has ended; what was put before still leaves if it can. `code` is the websocket's."""
        raise NotImplementedError

    @property
    def takes(self) -> bool:
        """What is put now leaves now: nothing waits to be read by the client before it."""
        raise NotImplementedError

    @property
    def unsent(self) -> bool:
        """Something was put that has not left yet and still can."""
        raise NotImplementedError

    def pause(self) -> None:
        """Reads no more, where it reads by itself; what the client posts comes all the same."""

    def drained(self) -> None:
        """The inbox has been worked off: who stopped reading may read again."""


def head(status: str, headers: Headers) -> bytes:
    """The head of an answer that is written past the WSGI server."""
    lines = [f'{name}: {value}\r\n' for name, value in headers]
    return f'HTTP/1.1 {status}\r\n{"".join(lines)}\r\n'.encode('latin-1')


def respond(
    start_response: StartResponse, body: Body | Answer, headers: Headers, status: str = '200 OK'
) -> Iterable[bytes]:
    """A whole HTTP answer that no cache keeps and no browser guesses the type of."""
    if isinstance(body, Answer):
        status = body.status
    start_response(
        status,
        [
            ('Content-Type', body.content_type),
            ('Content-Length', str(len(body.data))),
            ('Cache-Control', 'no-store'),
            ('X-Content-Type-Options', 'nosniff'),
            *headers,
        ],
    )
    return [body.data]
