"""Packet: one thing said, in any generation.

A packet is a dict with gevent-socketio's keys, because handlers whose only parameter is named `packet` and code that
overrides `process_packet` have always seen it as one.

=============  ==========================================  =====================================================
`type`         further keys                                meaning
=============  ==========================================  =====================================================
`connect`      `qs`: str, `auth`: any JSON, `sid`: str     a namespace is asked for, or (from us) connected
`disconnect`   `reason`: str, if the server ends it        a namespace is left
`event`        `name`: str, `args`: list, `id`, `ack`      `emit`
`message`      `data`: str, `id`, `ack`                    `send`
`json`         `data`: any JSON, `id`, `ack`               `json.send` of 0.9
`ack`          `ackId`: int, `args`: list                  the answer to an `id`
`ack`          `callback`, `whose`: namespace, `args`      our own: a callback that waits for its turn
`error`        `reason`, `advice` (0.9), `data`            a refusal
`heartbeat`                                                a question after the other's life
`pong`         `data`: str                                 the answer to one
`ping`         `data`: str                                 a client's question after ours (EIO3, a probe)
`binary`       `whole`: a packet, `count`: int             a packet that waits for its attachments
`attachment`   `data`: bytes                               one of them
`upgrade`                                                  the client moves to the transport that it probed
`noop`                                                     nothing: ends a poll
`close`                                                    the whole connection ends
=============  ==========================================  =====================================================

`endpoint` is the namespace as gevent-socketio writes it: `''` for the global one, `'/chat'` for another.
`id` is the sender's number for the packet (0 is one). `ack` is `'data'` where the handler's value is asked for, `True`
where receipt alone is confirmed (0.9), and absent where nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from .errors import LocalProtocolError

#: Names that mean something to a client's own life: a Node server refuses to emit such an event, and clients of 4.x
#: end the connection on which one comes. To those of 0.9 they are names like others, as they were to sites of its time.
UNSAYABLE = frozenset(('connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'))
#: One engine message as a transport carries it: text or binary.
Message = str | bytes


class Packet(TypedDict, total=False):
    """A plain dict at run time; the keys are gevent-socketio's and stand in the table above."""

    type: str
    endpoint: str
    name: str
    args: Sequence[Any]
    data: Any
    id: int
    ack: Any
    ackId: int
    qs: str
    auth: Any
    sid: str
    reason: str
    advice: str
    whole: Any
    count: int
    whose: Any
    callback: Callable[..., Any]


def sayable(name: Any) -> str:
    """The name, if clients of all generations take an event of it. Raises LocalProtocolError."""
    if not isinstance(name, str) or name in UNSAYABLE:
        reserved = ', '.join(sorted(UNSAYABLE))
        raise LocalProtocolError(f'no event may be called {name!r:.60}: allowed is text but {reserved}')
    return name


def event(endpoint: str, name: str, args: Sequence[Any]) -> Packet:
    """The packet of `emit(name, *args)`."""
    return {'type': 'event', 'endpoint': endpoint, 'name': name, 'args': args}


def ack(endpoint: str, ack_id: int, args: Sequence[Any]) -> Packet:
    """The answer to the packet that the other side numbered `ack_id`."""
    return {'type': 'ack', 'endpoint': endpoint, 'ackId': ack_id, 'args': args}
