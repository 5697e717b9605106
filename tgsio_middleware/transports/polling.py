"""Long polling: a GET waits for what the server has to say, a POST says what the client has.

At most one of each at a time: a second GET could take what the first was to bring, so both protocols end such a client.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

from gevent.event import Event

from ..engine.socket import LEFT, RESTART
from ..engine.workers import workers
from ..errors import HandshakeRefused, RemoteProtocolError, SlowConsumer
from ..packet import Message, Packet
from ..wire.dialect import Body, Octets
from .base import Environ, Headers, StartResponse, respond
from .posting import Posting, read_body

if TYPE_CHECKING:
    from ..engine.socket import Socket
    from .keptalive import PollConnection
    from .upgrade import Upgrade

#: 0.9's server ends an empty poll with a noop after so many seconds (its `polling duration`); proxies cut longer ones.
#: Where silence may last less than twice that, sooner: the next poll must come in time to be a sign of life.
POLL_DURATION = 20.0
#: What a message that waits costs besides its characters, in bytes.
OBJECT = 64
#: Under this key the environ of a poll on an adopted connection shows that connection (see `keptalive`).
LATER = 'tgsio_middleware.later'


class Polling(Posting):
    """What waits for the client's next poll, and the poll that waits for it."""

    NAME = 'polling'

    def __init__(self, socket: Socket, octets: Octets) -> None:
        self.socket = socket
        self.octets = octets
        self._queue: list[Message] = []
        self._size = 0
        self._poll: Event | Parked | None = None
        #: the websocket that probes; every poll is answered at once while it does
        self.probe: Upgrade | None = None

    @staticmethod
    def prepare(messages: tuple[Message, ...], binary_prefix: bytes) -> tuple[Message, ...]:
        return messages

    def put_prepared(self, prepared: tuple[Message, ...]) -> None:
        self._queue += prepared
        self._size += sum(map(len, prepared)) + OBJECT * len(prepared)
        if self._poll is not None:
            self._poll.set()
        if self._size > self.socket.settings.max_buffered:
            self.socket.fail(SlowConsumer())

    def close(self, reason: str, code: int) -> None:
        if reason != LEFT and (code != RESTART or self.socket.dialect.FAREWELL is None):
            self._queue += self.socket.dialect.encode(Packet(type='close', endpoint=''), None)
        if self._poll is not None:
            self._poll.set()
        if self.probe is not None:
            self.probe.cancel()

    @property
    def takes(self) -> bool:
        return self._poll is not None

    @property
    def unsent(self) -> bool:
        return bool(self._queue) and (self.socket.connected or self._poll is not None)

    @property
    def hurried(self) -> bool:
        """The client is about to move and waits for its poll to end."""
        return self.probe is not None and self.probe.answered

    def hurry(self) -> None:
        """The probe was answered: the poll that waits returns now, the later ones at once, so that the client can
        move.
        """
        if self._poll is not None:
            self._poll.set()

    def hand_over(self) -> tuple[Message, ...]:
        """The client has moved: what waits here is to leave on the new transport."""
        messages, self._queue, self._size = tuple(self._queue), [], 0
        if self._poll is not None:
            self._poll.set()
        return messages

    def leave(self, parked: Parked) -> bool:
        """The poll waits no more; -> it did."""
        waited = self._poll is parked
        if waited:
            self._poll = None
        return waited

    def get(self, environ: Environ, start_response: StartResponse, headers: Headers) -> Iterable[bytes] | None:
        """A poll: answered when there is something to say; -> None where that is later (see `Parked`)."""
        if self._poll is not None:
            self.socket.fail(RemoteProtocolError('two polls at a time'))
            raise HandshakeRefused('bad_request', 'two polls at a time')
        self._heard()
        if not self._queue and not self.hurried and self.socket.connected:
            if LATER in environ:
                self._poll = Parked(self, environ[LATER], start_response, headers)
                return None
            self._poll = woken = Event()
            try:
                woken.wait(self._duration())
            finally:
                self._poll = None
                self._heard()
        return respond(start_response, self.take(), headers)

    def _duration(self) -> float | None:
        """How long an empty poll waits, in seconds; None: for ever."""
        settings = self.socket.settings
        if self.socket.dialect.UPGRADES:
            return None
        return min(POLL_DURATION, (settings.ping_interval + settings.ping_timeout) / 2)

    def _heard(self) -> None:
        """A poll is a sign of life where the polling transport has no heartbeat."""
        if self.socket.dialect.HEARTBEAT.streaming_only:
            self.socket.conversation.heard = monotonic()

    def take(self) -> Body:
        """All that waits, or a noop."""
        messages, self._queue, self._size = self._queue, [], 0
        if not messages:
            messages = list(self.socket.dialect.encode(Packet(type='noop', endpoint=''), None))
        return self.socket.dialect.join_payload(messages, self.octets, self.socket.memory)


class Parked:
    """A poll that waits without a greenlet; `set` as an Event's, `connection` answers when the turn ends."""

    __slots__ = ('_woken', 'connection', 'headers', 'polling', 'start_response')

    def __init__(
        self, polling: Polling, connection: PollConnection, start_response: StartResponse, headers: Headers
    ) -> None:
        self.polling = polling
        self.connection = connection
        self.start_response = start_response
        self.headers = headers
        self._woken = False
        connection.park(self)

    def set(self) -> None:
        """There is something to say."""
        if not self._woken:
            self._woken = True
            workers().flush_later(self)

    def flush(self) -> None:
        """Runs in the hub."""
        if self.polling.leave(self):
            self.connection.finish(respond(self.start_response, self.polling.take(), self.headers))

    def cut(self) -> None:
        """It cannot be answered."""
        self.connection.cut()

    def abandon(self) -> None:
        """The connection is gone, and the client with it: it cannot know what was to be said."""
        if self.polling.leave(self):
            self.polling.socket.close(LEFT)


__all__ = ['LATER', 'Parked', 'Polling', 'read_body']
