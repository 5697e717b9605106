"""A plugin of tests/conftest.py: at the end of a run, the table of what passed, whichever process ran it."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.functional import table
from tests.readme import rst

#: (row, pair) -> whether each test of it passed
CELLS: dict[tuple[str, table.Pair], list[bool]] = defaultdict(list)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    row = item.get_closest_marker('feature')
    if row and (call.when == 'call' or not report.passed):
        report.user_properties.append(('cell', [row.args[0], *item.callspec.params['pair']]))
    return report


def pytest_runtest_logreport(report):
    for name, value in report.user_properties:
        if name == 'cell':
            row, *pair = value
            CELLS[row, table.Pair(*pair)].append(report.passed)


def pytest_terminal_summary(terminalreporter):
    """Nothing where only a part of the rows was run, or Node is missing."""
    passed = [cell for cell, results in CELLS.items() if all(results)]
    if passed and {row for row, _ in CELLS} == set(table.FEATURES):
        terminalreporter.section(f'{len(passed)} of {len(CELLS)} cells passed')
        terminalreporter.write(rst(table.rows(passed)))
