"""Health: what the operator hears of a server that others depend on. Its loss is logged once, and counted."""

from __future__ import annotations

import logging
from time import monotonic

from gevent import Timeout

from .seldom import Seldom

#: Seconds between attempts to reach a lost server: the first, and what doubling leads to.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class Health:
    """Of one server, `name` as the operator knows it. It has parts (listening, publishing) that fail separately."""

    def __init__(self, name: str, log: logging.Logger) -> None:
        self.name = name
        #: how often it was lost, and how many messages did not reach it
        self.outages = 0
        self.lost = 0
        self._log = log
        self._refusals = Seldom(log)
        #: the parts that do not work, and the pause before each is tried again
        self._ill: dict[str, float] = {}
        #: since when it is lost, and what was lost before; None while it is well
        self._since: tuple[float, int] | None = None

    def failed(self, part: str, error: BaseException) -> float:
        """-> the pause until the part should be tried again, in seconds."""
        if self._since is None:
            self.outages += 1
            self._since = monotonic(), self.lost
            self._log.warning(
                '%s is lost: %s. Clients of this process are served on; trying to reach it', self.name, _cause(error)
            )
        pause = min(self._ill.get(part, FIRST_PAUSE / 2) * 2, LONGEST_PAUSE)
        self._ill[part] = pause
        return pause

    def recovered(self, part: str) -> None:
        """The part works (still, or again)."""
        self._ill.pop(part, None)
        if self._since is not None and not self._ill:
            since, lost = self._since
            self._since = None
            self._log.warning(
                '%s is back after %.1f s; %d messages did not reach it',
                self.name,
                monotonic() - since,
                self.lost - lost,
            )

    def forget(self, part: str) -> None:
        """The part is needed no more; what remains, or comes next, tells whether the server is back."""
        self._ill.pop(part, None)

    def refused(self, count: int, error: BaseException) -> None:
        """The server is well and will not take so many messages."""
        self.lost += count
        self._refusals('%s refuses %d messages: %s', self.name, count, _cause(error))

    def ill(self, part: str) -> bool:
        """The part failed when it was last tried."""
        return part in self._ill


def _cause(error: BaseException) -> str:
    if isinstance(error, Timeout):
        return f'no answer within {error}'
    return str(error).rstrip('.') or type(error).__name__
