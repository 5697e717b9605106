"""Publisher: takes what is published without waiting; a greenlet passes it on, so that a stalled server blocks nobody.

What cannot be passed on is dropped and counted: late news of a room are worse than none, and memory has an end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gevent
from gevent.event import Event

from .health import Health

Batch = Sequence[tuple[bytes, bytes]]
#: Seconds that a batch may take, connecting included.
PATIENCE = 4.0
#: Messages and bytes that wait for the server: a second or two of a busy site.
MAX_WAITING, MAX_WAITING_BYTES = 20_000, 32_000_000
#: Messages in one round trip.
BATCH = 200
PART = 'publishing'


class Carrier(Protocol):
    """The way to a server; `connection.Sender` is one. Its verbs may block."""

    def reach(self) -> None:
        """Connects, unless it is connected. Raises where it cannot; then nothing has left."""

    def send(self, batch: Batch) -> Sequence[Any]:
        """Passes (channel, data) pairs on; exceptions among its answers are refusals of single ones. An empty batch
        only asks whether the server is there. Raises where it is not known what has arrived.
        """

    def close(self) -> None:
        """Never blocks."""


def forget(batch: Batch) -> None:
    """News of which nobody needs to hear any more."""


class Publisher:
    """`undelivered(batch)` gets, in order, what surely did not reach the server; it must not block."""

    def __init__(self, carrier: Carrier, health: Health, undelivered: Callable[[Batch], None] = forget) -> None:
        self._carrier = carrier
        self._health = health
        self._undelivered = undelivered
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self._news = Event()
        self._idle = Event()
        self._idle.set()
        self._greenlet: gevent.Greenlet | None = None

    def put(self, channel: bytes, data: bytes) -> bool:
        """Never blocks; -> False where the server is known to be lost, or too much waits for it."""
        if self._health.ill(PART) or len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES:
            self._health.lost += 1
            return False
        self._waiting.append((channel, data))
        self._bytes += len(data)
        self._idle.clear()
        self._news.set()
        if not self._greenlet:
            self._greenlet = gevent.spawn(self._publish_loop)
        return True

    def drain(self, seconds: float) -> bool:
        """Waits until all has left, so long at most; -> whether it has."""
        return bool(self._idle.wait(seconds))

    def close(self) -> None:
        """What waits is lost."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
        self._carrier.close()

    def _publish_loop(self) -> None:
        while True:
            while self._waiting:
                self._pass_on([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
            self._idle.set()
            self._news.clear()
            self._news.wait()

    def _pass_on(self, batch: Batch) -> None:
        self._bytes -= sum(len(data) for _, data in batch)
        reached = False
        try:
            with gevent.Timeout(PATIENCE):
                self._carrier.reach()
                reached = True
                answers = self._carrier.send(batch)
        except (Exception, gevent.Timeout) as e:
            self._lost(batch, reached, e)
        else:
            self._health.recovered(PART)
            refused = [(said, e) for said, e in zip(batch, answers, strict=False) if isinstance(e, Exception)]
            if refused:
                self._health.refused(len(refused), refused[0][1])
                self._undelivered([said for said, _ in refused])

    def _lost(self, batch: Batch, reached: bool, error: BaseException) -> None:
        """Of the batch on its way some may have arrived, of those that wait for their turn none has."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        pause = self._health.failed(PART, error)
        self._health.lost += len(batch) + len(waiting)
        self._idle.set()
        self._undelivered(waiting if reached else [*batch, *waiting])
        self._recover(pause)

    def _recover(self, pause: float) -> None:
        while True:
            gevent.sleep(pause)
            try:
                with gevent.Timeout(PATIENCE):
                    self._carrier.reach()
                    self._carrier.send(())
            except (Exception, gevent.Timeout) as e:
                pause = self._health.failed(PART, e)
            else:
                return self._health.recovered(PART)
