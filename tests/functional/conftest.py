"""One server and one Node process a pair for the whole folder, and at the end the table of what passed."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.functional import table
from tests.functional.clients import requires_node
from tests.functional.peers import pool_for
from tests.live import serve
from tests.readme import rst

#: (row, pair) -> whether each test of it passed
CELLS = pytest.StashKey[dict]()
SITE = 'tests.fixtureapps.pingpong'


@pytest.fixture(scope='session')
def site_pool():
    requires_node()
    with serve(SITE) as live, pool_for(live) as pool:
        yield pool


@pytest.fixture
def pool(site_pool):
    """A module whose server has other settings has a `pool` of its own."""
    return site_pool


@pytest.fixture
def peer(pool, pair):
    """A client of the pair in /pingpong; at the end it must be on the pair's own transport."""
    peer = pool.peer(pair)
    peer.join()
    yield peer
    peer.settle()
    peer.close()


@pytest.fixture
def witness(pool):
    """Somebody else in /pingpong."""
    peer = pool.peer(table.Pair('4', 'websocket'))
    peer.join()
    yield peer
    peer.close()


def pytest_configure(config):
    config.stash[CELLS] = defaultdict(list)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    row = item.get_closest_marker('feature')
    if row and (call.when == 'call' or not report.passed):
        item.config.stash[CELLS][row.args[0], item.callspec.params['pair']].append(report.passed)
    return report


def pytest_terminal_summary(terminalreporter, config):
    """Nothing where only a part of the rows was run."""
    cells = config.stash[CELLS]
    if {row for row, _ in cells} == set(table.FEATURES):
        passed = [cell for cell, results in cells.items() if all(results)]
        terminalreporter.section(f'{len(passed)} of {len(cells)} cells passed')
        terminalreporter.write(rst(table.rows(passed)))
