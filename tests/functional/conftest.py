"""One server and one Node process a pair for the whole folder; a Redis for each module that asks."""

from __future__ import annotations

import pytest

from tests.functional import table
from tests.functional.clients import requires_node
from tests.functional.peers import pool_for
from tests.live import serve
from tests.redisserver import Redis

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


@pytest.fixture(scope='module')
def redis():
    with Redis() as redis:
        yield redis
