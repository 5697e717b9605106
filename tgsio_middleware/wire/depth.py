"""How deep JSON is nested.

A parser in C reads what a Python function cannot walk through, and no encoder can say again inside a handler: the
handler would fail, with a traceback, as often as a client likes.
"""

from __future__ import annotations

import re
from itertools import accumulate

#: Levels; Python's own bound is 1000 calls, some of which the handler's framework needs.
MAX_DEPTH = 200
#: No shorter text can be deeper.
LONG = 2 * MAX_DEPTH

_BUT_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^][{}"]+', re.DOTALL)
_STEP = {'[': 1, '{': 1, ']': -1, '}': -1}


def too_deep(text: str) -> bool:
    """A text that holds one valid JSON value, after a head without brackets, nests it deeper than MAX_DEPTH."""
    if text.count('[') + text.count('{') <= MAX_DEPTH:  # nearly always
        return False
    brackets = _BUT_BRACKETS.sub('', text)
    return max(accumulate(map(_STEP.__getitem__, brackets))) > MAX_DEPTH
