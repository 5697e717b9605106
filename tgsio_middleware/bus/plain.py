"""Values as the clients will see them: a copy of plain JSON types and bytes, which nobody changes any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..wire.binary import attach, serialise
from ..wire.javascript import loads


def plain(args: Iterable[Any], default: Callable[[Any], Any] | None = None) -> list[Any]:
    """`default` turns what JSON has no word for into something it has. Raises LocalProtocolError."""
    text, attachments = serialise(list(args), default)
    value: list[Any] = loads(text)
    return attach(value, attachments) if attachments else value
