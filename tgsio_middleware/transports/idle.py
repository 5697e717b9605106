"""Idle: connections on which no request comes any more are cut. A client may vanish without a word to anybody, and what
it leaves, an open connection with no poll on it, has no heartbeat.

One timer for all: who was found idle twice in a row goes, after one `PERIOD` at least and two at most.
"""

from __future__ import annotations

from typing import Any, Protocol

from gevent import get_hub

#: In seconds. Proxies keep a connection that nobody uses for 60.
PERIOD = 60.0


class Idler(Protocol):
    """A connection."""

    def is_idle(self) -> bool:
        """Nothing has happened on it since this was last asked."""

    def cut(self) -> None:
        """Closes it; must not block."""


class Idle:
    """Those that are watched."""

    def __init__(self) -> None:
        self._watched: set[Idler] = set()
        self._timer: Any = None

    def watch(self, connection: Idler) -> None:
        """From now on, until `forget`."""
        self._watched.add(connection)
        if self._timer is None:
            self._timer = get_hub().loop.timer(PERIOD, PERIOD, ref=False)
            self._timer.start(self._look)

    def forget(self, connection: Idler) -> None:
        """It is nobody's any more."""
        self._watched.discard(connection)

    def _look(self) -> None:
        """Runs in the hub."""
        for connection in [one for one in self._watched if one.is_idle()]:
            connection.cut()
        if not self._watched:
            self._timer.stop()
            self._timer.close()
            self._timer = None


#: One a process: Socket.IO is served by one thread, gevent's.
IDLE = Idle()
