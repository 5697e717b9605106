"""From polling to a websocket under full load: nothing is lost, nothing comes twice, all is in order."""

from __future__ import annotations

import pytest

from tests.functional.table import covers
from tests.live import PATIENCE

pytestmark = pytest.mark.node

COUNT = 10_000
#: Events a turn of the client's event loop: few enough that the upgrade falls into them.
CHUNK = 50


@covers('upgrade')
@pytest.mark.parametrize('since', ['connect', 'upgrading'])
def test_ten_thousand_events_each_way_survive_the_upgrade(pool, pair, since):
    """The client's begin as early as they can, or in the moment in which it gives up polling; the server's with them.

    3.x and 4.x connect the namespace while they ask for the websocket: either may be first.
    """
    peer = pool.peer(pair)
    with peer.client.at_once():
        peer.open()
        peer.count('number', COUNT)
        peer.emit('stream', COUNT)
        peer.burst('numbered', COUNT, chunk=CHUNK, when=since)
    sent = peer.wait('burst', timeout=2 * PATIENCE)
    heard = peer.wait('counted', event='number', timeout=2 * PATIENCE)
    assert (sent['ended'], heard['transport']) == ('websocket', 'websocket')
    if since == 'upgrading':
        assert sent['began'] == 'polling'
    assert (heard['count'], heard['disorder']) == (COUNT, None)
    assert peer.call('numbers') == [[COUNT, True]]
    assert peer.call('echo', 'é') == ['é']
    assert peer.counted('number')['count'] == COUNT
    peer.settle()
    peer.close()
