"""Conversation: the state of talking a dialect with one client. The only state machine of the package.

Rule 1: all that decides whether a packet may be said now lives here.
Rule 2: nothing here knows a clock; `now` is an argument, in seconds of any monotonic clock.
Rule 3: no packet's meaning for a namespace is known here.

Four verbs: `receive` a message, `tick` when time has passed, `joined` when a namespace was connected, `close`.
"""

from __future__ import annotations

from ..errors import Exceeded, RemoteProtocolError, Silence, TooLarge
from ..packet import Message, Packet
from ..settings import Settings
from .binary import attach
from .depth import LONG, MAX_DEPTH, too_deep
from .dialect import Dialect

# States.
SHAKEN = 'shaken'  # hands are shaken, no namespace was connected yet
TALKING = 'talking'
GATHERING = 'gathering'  # a packet waits for its attachments
CLOSED = 'closed'

# What the caller does with a received packet.
DELIVER = 'deliver'  # to its namespace
URGENT = 'urgent'  # likewise, and who waits for it inside a handler is told at once
ANSWER = 'answer'  # send the packet that comes with the verb
IGNORE = 'ignore'
EXPECT = 'expect'  # nothing yet, but `deadline` may have come nearer
END = 'end'  # the client ends the connection
# What the caller never sees.
GATHER = 'gather'  # a part of a binary packet
FORBID = 'forbid'  # RemoteProtocolError

#: A question that leaves no later than this, in seconds, is counted from when it was due: a client that does not answer
#: is ended on time. One that leaves later, because the process was busy, is not held against the client.
SLACK = 0.05
#: A client may say as much at once as `max_events_per_second` allows in so many seconds: what it kept while it was
#: offline comes in one go.
BURST = 10.0

#: state -> packet type -> verb. What is not in the table is forbidden; `upgrade` has its place in a probe only.
TRANSITIONS: dict[str, dict[str, str]] = {
    # socket.io-protocol 5: "the client must send a CONNECT packet first"; anything else closes, attachments too
    # (CVE-2026-48804).
    SHAKEN: {'connect': DELIVER, 'ping': ANSWER, 'pong': IGNORE, 'noop': IGNORE, 'close': END},
    TALKING: {
        'event': DELIVER,
        'ack': URGENT,
        'message': DELIVER,
        'json': DELIVER,
        'connect': DELIVER,
        'disconnect': URGENT,
        'error': DELIVER,
        'binary': GATHER,
        'ping': ANSWER,
        'pong': IGNORE,
        'noop': IGNORE,
        'close': END,
    },
    # The engine's own packets may stand between a packet and its attachments, Socket.IO's may not.
    GATHERING: {'attachment': GATHER, 'ping': ANSWER, 'pong': IGNORE, 'noop': IGNORE, 'close': END},
    CLOSED: {},
}
TRANSITIONS[CLOSED] = dict.fromkeys([*TRANSITIONS[TALKING], 'attachment'], IGNORE)


class Conversation:
    """One client's state; `heard` is when it last said anything, `deadline` when `tick` is next due."""

    __slots__ = (
        '_attachments',
        '_gathered',
        '_gathering_since',
        '_join_by',
        '_member',
        '_whole',
        'asked',
        'began',
        'deadline',
        'dialect',
        'heard',
        'settings',
        'state',
    )

    def __init__(self, dialect: Dialect, settings: Settings, now: float) -> None:
        self.dialect = dialect
        self.settings = settings
        self.state = TALKING if dialect.GLOBAL_UNASKED else SHAKEN
        #: a namespace was connected
        self._member = False
        self._join_by = now + settings.connect_timeout
        self.began = self.heard = now
        self.asked: float | None = None
        #: the packet that waits for attachments, those that came, and their bytes
        self._whole: Packet | None = None
        self._attachments: list[bytes] = []
        self._gathered = 0
        self._gathering_since = now
        self.deadline = now
        self._plan(now, streaming=True)

    def receive(self, message: Message) -> tuple[str, Packet]:
        """One engine message to (verb, packet). Raises RemoteProtocolError; then the connection must end."""
        packet = self.dialect.decode(message)
        if len(message) > LONG:
            _check_depth(message, packet.get('whole', packet))
        verb = TRANSITIONS[self.state].get(packet['type'], FORBID)
        if verb is DELIVER:
            return verb, packet
        if verb is ANSWER:
            return verb, Packet(type='pong', data=packet['data'])
        if verb is GATHER:
            return self._gather(packet)
        if verb is FORBID:
            raise RemoteProtocolError(f'{packet["type"]} where {self.state}')
        return verb, packet

    def _gather(self, packet: Packet) -> tuple[str, Packet]:
        """A binary packet begins, or an attachment of it arrives; -> the packet when it is whole."""
        if self._whole is None:
            if packet['count'] > self.settings.max_attachments:
                raise Exceeded('max_attachments', f'{packet["count"]} attachments')
            self._begin_gathering(packet)
        else:
            self._attachments.append(packet['data'])
            self._gathered += len(packet['data'])
            if self._gathered > self.settings.max_payload:
                raise TooLarge(f'attachments of {self._gathered} bytes')
        assert self._whole is not None
        if len(self._attachments) < self._whole['count']:
            return EXPECT if not self._attachments else IGNORE, packet
        whole = self._whole['whole']
        attach(whole['args'], self._attachments)
        self._whole, self._attachments = None, []
        self.state = TALKING
        return TRANSITIONS[TALKING][whole['type']], whole

    def _begin_gathering(self, packet: Packet) -> None:
        self._whole, self._attachments, self._gathered = packet, [], 0
        self.state = GATHERING
        self._gathering_since = self.heard
        self.deadline = min(self.deadline, self.heard + self.settings.attachment_timeout)

    def joined(self) -> None:
        """A namespace was connected: everything may be said now."""
        self._member = True
        if self.state is SHAKEN:
            self.state = TALKING

    def tick(self, now: float, streaming: bool, joining: bool = False) -> Packet | None:
        """The deadline has come: -> a packet to send, or None. Raises Silence where the client is gone, Exceeded where
        it keeps a packet incomplete.

        `streaming`: the transport in use is one (see `Heartbeat.streaming_only`).
        `joining`: the client has asked for a namespace, and the site takes its time to answer.
        """
        settings = self.settings
        if not self._member and now >= self._join_by:
            if not joining:
                raise Silence('connect timeout')
            self._join_by = now + settings.connect_timeout
        if self.state is GATHERING and now >= self._gathering_since + settings.attachment_timeout:
            raise Exceeded('attachment_timeout', 'attachments that do not come')
        if now >= self._silence_ends(streaming):
            raise Silence('ping timeout')
        due = self._question_due()
        ask = self._asks(streaming) and now >= due
        if ask:
            self.asked = due if now - due < SLACK else now
        self._plan(now, streaming)
        return Packet(type='heartbeat') if ask else None

    def excuse(self, now: float) -> None:
        """The client was not read: that it seemed silent is not its doing."""
        self.heard = self._gathering_since = now

    def _asks(self, streaming: bool) -> bool:
        rows = self.dialect.HEARTBEAT
        return rows.server_asks and (streaming or not rows.streaming_only)

    def _question_due(self) -> float:
        """Every interval, however much the client says: clients of 4.x count only questions as our sign of life."""
        if self.asked is not None and self.heard < self.asked:
            return float('inf')
        return self._next_question()

    def _next_question(self) -> float:
        return (self.began if self.asked is None else self.asked) + self.settings.ping_interval

    def _silence_ends(self, streaming: bool) -> float:
        """engine.io-protocol 4: the server closes when no pong comes within pingTimeout; 3: within pingInterval +
        pingTimeout.
        """
        settings = self.settings
        if self._asks(streaming):
            if self.asked is None or self.heard >= self.asked:
                return float('inf')
            return self.asked + settings.ping_timeout
        return self.heard + settings.ping_interval + settings.ping_timeout

    def _plan(self, now: float, streaming: bool) -> None:
        due = self._silence_ends(streaming)
        if self._asks(streaming):
            due = min(due, self._question_due())
            if self._next_question() > now:  # the last one may be answered until then, sooner than silence would end
                due = min(due, self._next_question())
        if not self._member:
            due = min(due, self._join_by)
        if self.state is GATHERING:
            due = min(due, self._gathering_since + self.settings.attachment_timeout)
        self.deadline = due

    def close(self) -> None:
        """Nothing that comes from now on means anything."""
        self.state = CLOSED
        self._whole, self._attachments = None, []

    def __repr__(self) -> str:
        return f'<Conversation {self.dialect.NAME} {self.state}>'


def _check_depth(message: Message, packet: Packet) -> None:
    """Bytes are nobody's JSON."""
    if type(message) is str and too_deep(message, packet.values()):
        raise RemoteProtocolError(f'JSON nested deeper than {MAX_DEPTH} levels')


class Metered(Conversation):
    """With `max_events_per_second`; a class of its own, for without that setting it must cost nothing."""

    __slots__ = ('_counted', '_counted_at')

    def __init__(self, dialect: Dialect, settings: Settings, now: float) -> None:
        super().__init__(dialect, settings, now)
        #: packets that were said and not made up for by time since, and when they were counted
        self._counted = 0.0
        self._counted_at = now

    def receive(self, message: Message) -> tuple[str, Packet]:
        """As ever, at the time `heard`."""
        verb, packet = super().receive(message)
        if verb is DELIVER or verb is URGENT:
            rate = self.settings.max_events_per_second
            elapsed, self._counted_at = self.heard - self._counted_at, self.heard
            self._counted = max(0.0, self._counted - elapsed * rate) + 1
            if self._counted > rate * BURST:
                raise Exceeded('max_events_per_second', f'more than {rate} packets a second')
        return verb, packet


def begin(dialect: Dialect, settings: Settings, now: float) -> Conversation:
    """A new client's."""
    return (Metered if settings.max_events_per_second else Conversation)(dialect, settings, now)


def table() -> str:
    """The table of transitions as text, a row a packet type."""
    rows = [f'{"":11}' + ''.join(f'{state:10}' for state in TRANSITIONS)]
    for kind in TRANSITIONS[CLOSED]:
        rows.append(f'{kind:11}' + ''.join(f'{verbs.get(kind, FORBID):10}' for verbs in TRANSITIONS.values()))
    return '\n'.join(row.rstrip() for row in rows)
