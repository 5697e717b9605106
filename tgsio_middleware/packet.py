"""Packet: one thing said, in any generation.

A packet is a dict with gevent-socketio's keys, because handlers whose only parameter is named `packet` and code that
overrides `process_packet` have always seen it as one.

=============  ==========================================  =====================================================
`type`         further keys                                meaning
=============  ==========================================  =====================================================
`connect`      `qs`: str, `auth`: any JSON, `sid`: str     a namespace is asked for, or (from us) connected
`disconnect`                                               a namespace is left
`event`        `name`: str, `args`: list, `id`, `ack`      `emit`
`message`      `data`: str, `id`, `ack`                    `send`
`json`         `data`: any JSON, `id`, `ack`               `json.send` of 0.9
`ack`          `ackId`: int, `args`: list                  the answer to an `id`
`error`        `reason`, `advice` (0.9), `data`            a refusal
`heartbeat`                                                a question after the other's life
`pong`         `data`: str                                 the answer to one
`ping`         `data`: str                                 a client's question after ours (EIO3, a probe)
`upgrade`                                                  the client moves to the transport that it probed
`noop`                                                     nothing: ends a poll
`close`                                                    the whole connection ends
=============  ==========================================  =====================================================

`endpoint` is the namespace as gevent-socketio writes it: `''` for the global one, `'/chat'` for another.
`id` is the sender's number for the packet (0 is one). `ack` is `'data'` where the handler's value is asked for, `True`
where receipt alone is confirmed (0.9), and absent where nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: One engine message as a transport carries it: text or binary.
Message = str | bytes


class Packet(dict[str, Any]):
    """A dict that says what it is when printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f'Packet({dict.__repr__(self)})'


def event(endpoint: str, name: str, args: Iterable[Any]) -> Packet:
    """The packet of `emit(name, *args)`."""
    return Packet(type='event', endpoint=endpoint, name=name, args=args)


def ack(endpoint: str, ack_id: int, args: list[Any]) -> Packet:
    """The answer to the packet that the other side numbered `ack_id`."""
    return Packet(type='ack', endpoint=endpoint, ackId=ack_id, args=args)
