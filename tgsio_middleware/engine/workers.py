"""Who runs what may block: a pool of greenlets, entered from the hub without a spawn.

A libev callback runs in the hub, where nothing may block: it only notes who is readable. When the loop has called all
of them, a turn begins: the hub enters an idle worker by one switch, and that reads, parses and runs handlers for one
client after another. When a handler blocks, the hub gets control back at that switch, and another worker goes on with
the others. A switch there and back costs 0.7 microseconds, a spawn and join 14.

What was written meanwhile leaves at the end of the turn, in one send a client and all sends in a row (see
`flush_later`): the other side's processor is woken once for many, and not for each. With a hundred clients that is a
third of an event's cost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from gevent import get_hub, getcurrent
from greenlet import greenlet

from .host import FAILURES, INTERRUPTIONS

log = logging.getLogger(__name__)

#: Parked workers kept for the next turn; more are let go. Each holds its stack, some 10 KiB.
MAX_IDLE = 100
#: A turn that lasts longer than this, in seconds, is cut in two: who was served first does not wait for other clients'
#: slow handlers to be told.
MAX_TURN = 0.001
LOST = 'a defect of tgsio_middleware; the connection it belongs to is lost'


class Flushable(Protocol):
    """Something that gathers what it shall send."""

    def flush(self) -> None:
        """Sends without blocking; runs in the hub."""

    def cut(self) -> None:
        """Ends the connection: `flush` has failed, and what was to be sent is lost."""


class Readable(Protocol):
    """Something that bytes come to."""

    def read(self) -> None:
        """Takes and handles what has come; runs in a worker and may block."""

    def cut(self) -> None:
        """Ends the connection: `read` has failed, and what had come is lost."""


class Workers:
    """The pool of one hub, those that are to be read in the next turn, and those that have something to send when it
    ends.
    """

    def __init__(self) -> None:
        self.hub = get_hub()
        self._idle: list[greenlet] = []
        self._ready: list[Readable] = []
        self._dirty: list[Flushable] = []
        self._in_turn = False
        self._scheduled = False
        #: `who.read()` in the next turn; for watchers' callbacks
        self.read_later: Callable[[Readable], None]
        try:
            self._before_waiting = self.hub.loop.prepare(ref=False, priority=self.hub.loop.MAXPRI)
        except TypeError:  # libuv's loop has none
            self.read_later = self._read_soon
        else:
            self._before_waiting.start(self._turn)
            self.read_later = self._ready.append

    def _read_soon(self, who: Readable) -> None:
        """Among the greenlets that the watchers have woken, so that a new connection may overtake an older one."""
        self._ready.insert(0, who)  # libuv calls watchers in order
        self.hub.loop.run_callback(self._turn)

    def _turn(self) -> None:
        """Runs in the hub, when the watchers of one pass of the loop have been called, before any greenlet that they
        have woken.
        """
        while self._ready:
            self.enter(self._read)

    def _read(self) -> None:
        ready, me, end = self._ready, getcurrent(), monotonic() + MAX_TURN
        while ready:
            who = ready.pop()  # the last one first: libev calls watchers of one kind in reverse
            try:
                who.read()
            except FAILURES:
                log.exception(LOST)
                self.submit(who.cut)
            me.gr_context = None  # the next one is another client
            if not self._in_turn or monotonic() > end:  # one that has blocked goes on between a pass's watchers
                return

    def enter(self, job: Callable[..., None], *args: Any) -> None:
        """Runs `job(*args)` in a worker; called in the hub. Returns when the job is done or has blocked; then all is
        flushed.
        """
        self._in_turn = True
        try:
            (self._idle.pop() if self._idle else self._new()).switch(job, args)
        finally:
            self._in_turn = False
        if self._dirty:
            self._flush()

    def submit(self, job: Callable[..., None], *args: Any) -> None:
        """Runs `job(*args)` in a worker, when the loop comes to it; called from anywhere in the hub's thread."""
        self.hub.loop.run_callback(self.enter, job, *args)

    def flush_later(self, who: Flushable) -> None:
        """`who.flush()` at the end of this turn; called by `who`, once, when it gets its first thing to send."""
        self._dirty.append(who)
        if not self._in_turn and not self._scheduled:
            self._scheduled = True
            self.hub.loop.run_callback(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        dirty, self._dirty = self._dirty, []
        for who in dirty:
            try:
                who.flush()
            except Exception:
                log.exception(LOST)
                self.submit(who.cut)

    def _new(self) -> greenlet:
        """A worker that waits for its first job: a greenlet keeps for its life what it was started with."""
        worker = greenlet(self._work_loop, self.hub)
        worker.switch()
        return worker

    def _work_loop(self) -> None:
        me = getcurrent()
        while True:
            try:
                job, args = self.hub.switch()
            except INTERRUPTIONS:  # a Timeout that a handler of an earlier job has left running
                continue
            try:
                job(*args)
            except FAILURES:
                log.exception(LOST)
            job = args = None
            me.gr_context = None  # the next job may be another client's
            if len(self._idle) >= MAX_IDLE:
                return
            self._idle.append(me)


_workers: Workers | None = None


def workers() -> Workers:
    """The pool of this thread's hub. One a process: Socket.IO is served by one thread, gevent's."""
    global _workers
    if _workers is None or _workers.hub is not get_hub():
        _workers = Workers()
    return _workers
