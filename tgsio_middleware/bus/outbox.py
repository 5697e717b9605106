"""Outbox: what is said during an event and must not leave before its transaction commits.

It belongs to the greenlet that runs the event: what other greenlets say meanwhile leaves at once.

1. While an outbox is open, emits are held, with their values as they were at that moment.
2. `commit` lets all of it go, in order; `drop` forgets it. Then the outbox is closed.
3. What must happen in either case (`always`: a disconnect) waits for its turn, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from gevent import getcurrent

from ..packet import Packet
from .plain import plain

log = logging.getLogger(__name__)

#: Open outboxes by greenlet. Empty where nobody uses them, and then asking costs one look.
OPEN: dict[Any, Outbox] = {}


class Outbox:
    """One event's; made open, in the greenlet that runs the event."""

    def __init__(self) -> None:
        self._greenlet = getcurrent()
        self._held: list[tuple[bool, Callable[..., Any], tuple[Any, ...]]] = []
        self._doomed = False
        OPEN[self._greenlet] = self

    def hold(self, what: Callable[..., Any], *args: Any, always: bool = False) -> None:
        """`what(*args)` when the event is over."""
        self._held.append((always, what, args))

    def restart(self) -> None:
        """The event runs once more, because its first transaction failed."""
        self._held.clear()
        self._doomed = False

    def doom(self) -> None:
        """The transaction was aborted without an exception: `commit` will drop."""
        self._doomed = True

    def commit(self) -> None:
        """The event is over and its transaction has committed, unless it was doomed."""
        self._finish(not self._doomed)

    def drop(self) -> None:
        """The event is over and has failed."""
        self._finish(False)

    def _finish(self, committed: bool) -> None:
        OPEN.pop(self._greenlet, None)
        held, self._held = self._held, []
        for always, what, args in held:
            if not committed and not always:
                continue
            try:
                what(*args)
            except Exception:
                log.exception('what was held until the commit could not be said')


def current() -> Outbox | None:
    """The open outbox of this greenlet's event."""
    return OPEN.get(getcurrent()) if OPEN else None


def hold_packet(socket: Any, packet: Packet, say: Callable[[Packet], None] | None = None) -> bool:
    """Holds it, if this greenlet's event has an outbox, for `say` (the socket's `send_packet`). Raises
    LocalProtocolError for what cannot be sent.
    """
    outbox = current()
    if outbox is None:
        return False
    packet = packet.copy()
    for key in ('args', 'data'):
        if key in packet:
            packet[key], *_ = plain([packet[key]], socket.host.json_default)
    socket.dialect.encode(packet)  # raises while the event can still fail
    outbox.hold(say or socket.send_packet, packet)
    return True


def postponed(what: Callable[..., Any], *args: Any) -> bool:
    """Inside an event with an outbox: `what(*args)` will happen when the event is over, committed or not."""
    outbox = current()
    if outbox is None:
        return False
    outbox.hold(what, *args, always=True)
    return True
