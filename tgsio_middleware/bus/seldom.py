"""Log lines about what others send: counted each, written once in a while."""

from __future__ import annotations

import logging
from time import monotonic


class Seldom:
    """`seldom('dropped %s', what)` writes at most one line a minute, with the number of those in between."""

    #: seconds
    PAUSE = 60.0

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._next = 0.0
        self._unwritten = 0
        #: all of them, written or not
        self.count = 0

    def __call__(self, message: str, *args: object) -> None:
        self.count += 1
        now = monotonic()
        if now < self._next:
            self._unwritten += 1
            return
        self._next = now + self.PAUSE
        if self._unwritten:
            message += ' (and %d more like it since the last such line)'
            args = (*args, self._unwritten)
            self._unwritten = 0
        self._log.warning(message, *args)
