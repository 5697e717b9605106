"""How deep JSON is nested.

A parser in C reads what a Python function cannot walk through, and no encoder can say again inside a handler: the
handler would fail, with a traceback, as often as a client likes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: Levels; Python's own bound is 1000 calls, some of which the handler's framework needs.
MAX_DEPTH = 200
#: No shorter text can be deeper.
LONG = 2 * MAX_DEPTH


def too_deep(text: str, values: Iterable[Any]) -> bool:
    """One of the values that were read from the text nests lists and dicts deeper than MAX_DEPTH."""
    if text.count('[') + text.count('{') <= MAX_DEPTH:  # nearly always
        return False
    for _ in range(MAX_DEPTH + 1):
        boxes = [value for value in values if type(value) is list or type(value) is dict]
        if not boxes:
            return False
        values = [value for box in boxes for value in (box.values() if type(box) is dict else box)]
    return True
