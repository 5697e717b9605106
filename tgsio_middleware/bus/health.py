"""Health: what the operator hears of a server that others depend on. Its loss is logged once, and counted."""

from __future__ import annotations

import logging
from time import monotonic

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
        self._ill: dict[str, float] = {}
        self._since = 0.0
        self._lost_before = 0

    def failed(self, part: str, error: BaseException) -> float:
        """-> the pause until the part should be tried again, in seconds."""
        if not self._ill:
            self.outages += 1
            self._since, self._lost_before = monotonic(), self.lost
            self._log.warning(
                '%s is lost: %s. Clients of this process are served on; trying to reach it', self.name, _cause(error)
            )
        pause = min(self._ill.get(part, FIRST_PAUSE / 2) * 2, LONGEST_PAUSE)
        self._ill[part] = pause
        return pause

    def recovered(self, part: str) -> None:
        """The part works (still, or again)."""
        if self._ill and self._ill.pop(part, None) is not None and not self._ill:
            self._log.warning(
                '%s is back after %.1f s; %d messages did not reach it',
                self.name,
                monotonic() - self._since,
                self.lost - self._lost_before,
            )

    def ill(self, part: str) -> bool:
        """The part failed when it was last tried."""
        return part in self._ill


def _cause(error: BaseException) -> str:
    return str(error) or type(error).__name__
