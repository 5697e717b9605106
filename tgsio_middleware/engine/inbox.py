"""Inbox: what a client said and its handlers have not heard yet. Worked off in order, one packet at a time.

Whoever brings packets works them off, unless somebody is at it already: a handler that blocks keeps the later packets
waiting, and nobody else. Who is at it is a worker, a greenlet of the pool.
"""

from __future__ import annotations

from gevent.event import Event

from ..packet import Packet
from ..settings import Settings
from .workers import workers


class Inbox:
    """A subclass says what to `handle` and what to do when all is `drained`."""

    __slots__ = ('_drained', '_waiting', 'inbox', 'paused', 'settings', 'working')

    def __init__(self, settings: Settings) -> None:
        #: the filter's
        self.settings = settings
        self.inbox: list[Packet] = []
        #: a worker is at it
        self.working = False
        #: whoever reads for this client has stopped, because it is crowded
        self.paused = False
        #: bytes that came while a worker was at it
        self._waiting = 0
        self._drained: Event | None = None

    def handle(self, packet: Packet) -> None:
        """May block. What it raises is a defect of ours."""
        raise NotImplementedError

    def broken(self) -> None:
        """`handle` has raised an exception."""
        raise NotImplementedError

    def drained(self) -> None:
        """All was worked off after reading had stopped."""
        raise NotImplementedError

    def work(self) -> None:
        """Works off the inbox; runs in a worker, and may block."""
        if self.working:
            return
        self.working = True
        try:
            while self.inbox:
                batch, self.inbox, self._waiting = self.inbox, [], 0
                if self.paused:
                    self._resume()
                for packet in batch:
                    try:
                        self.handle(packet)
                    except Exception:
                        self.broken()
                if not self.inbox:
                    self._waiting = 0  # what came meanwhile was heartbeats
                if self.paused:
                    self._resume()
        finally:
            self.working = False

    def work_later(self) -> None:
        """`work` in the next turn; for callers that may not block or are no worker."""
        if self.inbox and not self.working:
            workers().submit(self.work)

    def weigh(self, size: int) -> None:
        """So many bytes of packets come in while a worker is at it."""
        self._waiting += size

    @property
    def crowded(self) -> bool:
        """More packets than `max_pending` wait, or more bytes than `max_buffered`, besides those being worked off: read
        no more of this client now.
        """
        settings = self.settings
        return len(self.inbox) > settings.max_pending or self._waiting > settings.max_buffered

    def wait_drained(self) -> None:
        """Blocks while the inbox is crowded, or until `release`."""
        if self.crowded:
            self.paused = True
            if self._drained is None:
                self._drained = Event()
            self._drained.wait()

    def release(self) -> None:
        """Nobody needs to wait any more."""
        if self._drained is not None:
            self._drained.set()
            self._drained = None

    def _resume(self) -> None:
        if self.crowded:
            return
        self.paused = False
        self.release()
        self.drained()
