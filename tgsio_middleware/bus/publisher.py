"""Publisher: takes what is published without waiting; a greenlet passes it on, so that a stalled server blocks nobody.

What cannot be passed on is dropped and counted: late news of a room are worse than none, and memory has an end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import gevent
from gevent.event import Event

from .health import Health

Batch = Sequence[tuple[bytes, bytes]]
#: Messages and bytes that wait for the server: a second or two of a busy site.
MAX_WAITING, MAX_WAITING_BYTES = 20_000, 32_000_000
#: Messages in one round trip.
BATCH = 200
PART = 'publishing'


class Publisher:
    """`send(batch)` passes (channel, data) pairs on and raises where it cannot; it may block as long as it bounds that.

    `send(())` only asks whether the server is there.
    """

    def __init__(self, send: Callable[[Batch], None], health: Health) -> None:
        self._send = send
        self._health = health
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

    def _publish_loop(self) -> None:
        while True:
            while self._waiting:
                self._pass_on([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
            self._idle.set()
            self._news.clear()
            self._news.wait()

    def _pass_on(self, batch: Batch) -> None:
        self._bytes -= sum(len(data) for _, data in batch)
        try:
            self._send(batch)
        except (Exception, gevent.Timeout) as e:
            self._health.lost += len(batch) + len(self._waiting)
            pause = self._health.failed(PART, e)
            self._waiting.clear()
            self._bytes = 0
            self._idle.set()
            self._recover(pause)

    def _recover(self, pause: float) -> None:
        while True:
            gevent.sleep(pause)
            try:
                self._send(())
            except (Exception, gevent.Timeout) as e:
                pause = self._health.failed(PART, e)
            else:
                return self._health.recovered(PART)
