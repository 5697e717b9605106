"""Conversation: the state of talking a dialect with one client. The only state machine of the package.

Rule 1: all that decides whether a packet may be said now lives here.
Rule 2: nothing here knows a clock; `now` is an argument, in seconds of any monotonic clock.
Rule 3: no packet's meaning for a namespace is known here.

Five verbs: `receive` a message, `binary` data belongs to a packet under way (called by `receive`), `tick` when time has
passed, `joined` when a namespace was connected, `close`.
"""

from __future__ import annotations

from typing import Any

from ..errors import RemoteProtocolError, Silence, TooLarge
from ..packet import Message, Packet
from ..settings import Settings
from .binary import attach
from .dialect import Dialect

# States.
SHAKEN = 'shaken'  # hands are shaken, no namespace was connected yet
TALKING = 'talking'
CLOSED = 'closed'

# What the caller does with a received packet.
DELIVER = 'deliver'  # to its namespace
ANSWER = 'answer'  # send the packet that comes with the verb
IGNORE = 'ignore'
END = 'end'  # the client ends the connection
FORBID = 'forbid'  # RemoteProtocolError

#: (state, packet type) -> verb. What is not in the table is forbidden; `upgrade` has its place in a probe only.
TRANSITIONS: dict[tuple[str, str], str] = {
    (state, kind): verb
    for state, kinds in {
        SHAKEN: {
            # socket.io-protocol 5: "the client must send a CONNECT packet first"; anything else closes.
            'connect': DELIVER,
            'ping': ANSWER,
            'pong': IGNORE,
            'noop': IGNORE,
            'close': END,
        },
        TALKING: {
            'connect': DELIVER,
            'disconnect': DELIVER,
            'event': DELIVER,
            'message': DELIVER,
            'json': DELIVER,
            'ack': DELIVER,
            'error': DELIVER,
            'ping': ANSWER,
            'pong': IGNORE,
            'noop': IGNORE,
            'close': END,
        },
        CLOSED: dict.fromkeys(
            ('connect', 'disconnect', 'event', 'message', 'json', 'ack', 'error', 'ping', 'pong', 'noop', 'close'),
            IGNORE,
        ),
    }.items()
    for kind, verb in kinds.items()
}


class Conversation:
    """One client's state; `heard` is when it last said anything, `deadline` when `tick` is next due."""

    __slots__ = ('asked', 'assembly', 'began', 'deadline', 'dialect', 'heard', 'settings', 'state')

    def __init__(self, dialect: Dialect, settings: Settings, now: float) -> None:
        self.dialect = dialect
        self.settings = settings
        self.state = TALKING if dialect.GLOBAL_UNASKED else SHAKEN
        self.began = self.heard = now
        self.asked: float | None = None
        self.assembly: tuple[Packet, list[bytes], int] | None = None
        self.deadline = now
        self._plan(now, streaming=True)

    def receive(self, message: Message) -> tuple[str, Packet]:
        """One engine message to (verb, packet). Raises RemoteProtocolError; then the connection must end."""
        packet = self.dialect.decode(message)
        kind = packet['type']
        if self.assembly is not None or kind == 'attachment' or 'attachments' in packet:
            whole = self.binary(packet)
            if whole is None:
                return IGNORE, packet
            packet, kind = whole, whole['type']
        verb = TRANSITIONS.get((self.state, kind), FORBID)
        if verb is ANSWER:
            return ANSWER, Packet(type='pong', data=packet['data'])
        if verb is FORBID:
            raise RemoteProtocolError(f'{kind} where {self.state}')
        return verb, packet

    def binary(self, packet: Packet) -> Packet | None:
        """A packet with attachments begins, or bytes for one under way arrive; -> the packet when it is whole."""
        if self.assembly is None:
            return self._begin(packet)
        if packet['type'] in ('ping', 'pong'):  # the engine's own packets may stand between
            return packet
        if packet['type'] != 'attachment':
            raise RemoteProtocolError('text where an attachment is due')
        whole, attachments, size = self.assembly
        size += len(packet['data'])
        if size > self.settings.max_payload:
            raise TooLarge('attachments of more than max_payload')
        attachments.append(packet['data'])
        self.assembly = (whole, attachments, size)
        if len(attachments) < whole['attachments']:
            return None
        self.assembly = None
        return self._assemble(whole, attachments)

    def _begin(self, packet: Packet) -> Packet | None:
        if packet['type'] == 'attachment':
            raise RemoteProtocolError('binary data that belongs to nothing')
        # Only once a namespace is connected (CVE-2026-48804: attachments gathered before that).
        if self.state is SHAKEN or not packet['attachments'] <= self.settings.max_attachments:
            raise RemoteProtocolError('too many attachments')
        if packet['attachments']:
            self.assembly = (packet, [], 0)
            return None
        return self._assemble(packet, [])

    @staticmethod
    def _assemble(packet: Packet, attachments: list[bytes]) -> Packet:
        del packet['attachments']
        attach(packet['args'], attachments)
        return packet

    def joined(self) -> None:
        """A namespace was connected: everything may be said now."""
        if self.state is SHAKEN:
            self.state = TALKING

    def tick(self, now: float, streaming: bool) -> Packet | None:
        """The deadline has come: -> a packet to send, or None. Raises Silence where the client is gone.

        `streaming`: the transport in use is one (see `Heartbeat.streaming_only`).
        """
        settings = self.settings
        if self.state is SHAKEN and now >= self.began + settings.connect_timeout:
            raise Silence('connect timeout')
        if now >= self._silence_ends(streaming):
            raise Silence('ping timeout')
        ask = self._asks(streaming) and now >= self._question_due()
        if ask:
            self.asked = now
        self._plan(now, streaming)
        return Packet(type='heartbeat') if ask else None

    def _asks(self, streaming: bool) -> bool:
        rows = self.dialect.HEARTBEAT
        return rows.server_asks and (streaming or not rows.streaming_only)

    def _question_due(self) -> float:
        """Every interval, however much the client says: clients of 4.x count only questions as our sign of life."""
        if self.asked is not None and self.heard < self.asked:
            return float('inf')
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
        if self.state is SHAKEN:
            due = min(due, self.began + self.settings.connect_timeout)
        self.deadline = due

    def close(self) -> None:
        """Nothing that comes from now on means anything."""
        self.state = CLOSED
        self.assembly = None

    def __repr__(self) -> str:
        return f'<Conversation {self.dialect.NAME} {self.state}>'


def table() -> str:
    """The table of transitions as text, a row a packet type."""
    states = (SHAKEN, TALKING, CLOSED)
    kinds: dict[str, Any] = dict.fromkeys(kind for _, kind in TRANSITIONS)
    rows = [f'{"":11}' + ''.join(f'{state:9}' for state in states)]
    rows += [
        f'{kind:11}' + ''.join(f'{TRANSITIONS.get((state, kind), FORBID):9}' for state in states) for kind in kinds
    ]
    return '\n'.join(row.rstrip() for row in rows)
