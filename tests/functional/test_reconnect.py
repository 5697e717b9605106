"""The server dies and comes back on its port: every client returns by itself."""

from __future__ import annotations

import pytest

from tests.functional.clients import requires_node
from tests.functional.conftest import SITE
from tests.functional.peers import pool_for
from tests.functional.table import PAIRS, covers
from tests.live import serve

pytestmark = pytest.mark.node


@pytest.fixture(scope='module')
def returning():
    """All clients, which have lost their server and see a new one now."""
    requires_node()
    with serve(SITE) as first, pool_for(first) as pool:
        peers = pool.joined(PAIRS, reconnect=True, reconnect_delay=0.1)
        for peer in peers.values():
            peer.settle()
            peer.wait('event', event='welcome')
        first.process.kill()
        for peer in peers.values():
            peer.wait('closed')
        with serve(SITE, port=first.port):
            yield peers


@covers('reconnect')
def test_a_client_comes_back_after_a_restart_of_the_server_and_talks(returning, pair):
    peer = returning[pair]
    peer.joined()
    peer.wait('event', event='welcome')
    peer.reply('question', 'é', 2)
    peer.emit('ask', 'who is there?')
    peer.wait('event', event='question', args=['who is there?'])
    peer.wait('event', event='answered', args=[['é', 2]])
    assert len(peer.history(kind='connect')) == 2
    assert len(peer.events('welcome')) == 2


@covers('reconnect', only=lambda pair: pair.transport == 'upgrade')
def test_a_client_that_came_back_moves_to_a_websocket_again(returning, pair):
    returning[pair].wait('upgraded', transport='websocket')
