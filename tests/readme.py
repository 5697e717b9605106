"""The README's tables, made of what they are about. `python -m tests.readme` writes them into README.rst."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tests.live import ROOT

README = ROOT / 'README.rst'


def rst(rows: Sequence[Sequence[str]]) -> str:
    """A simple table, its head first; no first cell may be empty, RST would take its row for a continued one."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = '  '.join('=' * width for width in widths)
    lines = ['  '.join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return '\n'.join([rule, lines[0], rule, *lines[1:], rule, ''])


def clients() -> str:
    """Generations, transports, features."""
    from tests.functional import table

    return f'{table.LEGEND}\n{rst(table.rows())}'


def settings() -> str:
    """The filter's settings."""
    from tgsio_middleware.settings import OPTIONS

    rows = [[f'``{option.name}``', _words(option.default), option.unit, option.reason] for option in OPTIONS]
    return rst([['key', 'default', 'unit', 'why'], *rows])


def _words(default: object) -> str:
    """A default as one writes it in an ini."""
    if isinstance(default, tuple):
        default = ', '.join(default)
    return f'``{default:g}``' if isinstance(default, float) else f'``{default}``' if default != '' else '(empty)'


TABLES: dict[str, Callable[[], str]] = {'clients': clients, 'settings': settings}


def place(name: str) -> re.Pattern[str]:
    """Where a table is: between two comments."""
    return re.compile(rf'(^\.\. table of {name}\n\n)(.*?)(\n\.\. end of table$)', re.M | re.S)


def block(beginning: str) -> str:
    """The literal block that begins so, as one would copy it."""
    lines = README.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip().startswith(beginning))
    taken = []
    for line in lines[first:]:
        if line and not line.startswith(' '):
            break
        taken.append(line[4:])
    return '\n'.join(taken).strip() + '\n'


def written(text: str) -> str:
    """The README with all tables as they should be."""
    for name, table in TABLES.items():
        found = place(name).search(text)
        assert found, f'the README has no place for the table of {name}'
        text = text[: found.start(2)] + table() + text[found.end(2) :]
    return text


if __name__ == '__main__':
    README.write_text(written(README.read_text()))
