"""What the namespaces' `@validate` holds against the words of clients."""

from __future__ import annotations

import re

from tg.validation import Convert


def text(most: int, allowed: str = r'[^\x00-\x1f\x7f]', complaint: str = '') -> Convert:
    """One line of 1 to `most` characters, each of which `allowed` matches."""

    def line(value: str) -> str:
        value = value.strip()
        if not re.fullmatch(f'{allowed}{{1,{most}}}', value):
            raise ValueError
        return value

    return Convert(line, complaint or f'Please write 1 to {most} characters.')


def number(least: int, most: int, complaint: str) -> Convert:
    """A whole number between the two."""

    def within(value: str | int) -> int:
        if not least <= int(value) <= most:
            raise ValueError
        return int(value)

    return Convert(within, complaint)


NAME = text(30)
MESSAGE = text(500)
ROOM = text(20, r'[\w-]', 'Please use up to 20 letters, digits, - and _.')
TABLE = number(1, 12, 'We have the tables 1 to 12.')
