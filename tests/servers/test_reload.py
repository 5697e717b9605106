"""`gearbox serve --reload`: a changed file restarts the server, and its clients come back."""

from __future__ import annotations

import os
import time

import pytest

from tests.functional.clients import requires_node
from tests.functional.peers import pool_for
from tests.functional.table import Pair
from tests.live import GEARBOX, INI, PATIENCE, run
from tests.redisserver import free_port

PAIRS = [Pair('09', 'websocket'), Pair('4', 'upgrade')]


def change(live):
    """Changes the ini, again and again: who knows when the reloader has begun to look."""
    end = time.monotonic() + PATIENCE
    while 'reloading' not in live.log():
        assert time.monotonic() < end, live.log()
        os.utime(live.ini)
        time.sleep(0.3)


@pytest.mark.node
@pytest.mark.once
def test_a_reload_with_clients_connected_brings_them_back():
    requires_node()
    ini = INI.format(
        site='tests.fixtureapps.pingpong', port=free_port(), settings='', server='', app='', debug='false', level='INFO'
    )
    program = GEARBOX.replace('"serve", ', '"serve", "--reload", ')
    with run(ini, program) as live, pool_for(live) as pool:
        peers = pool.joined(PAIRS, reconnect=True, reconnect_delay=0.1)
        for peer in peers.values():
            peer.settle()
            peer.wait('event', event='welcome')
        change(live)
        for peer in peers.values():
            peer.wait('closed')
            peer.joined()
            peer.wait('event', event='welcome')
            assert peer.call('echo', 1) == [1]
        assert live.log().count('Serving on ') >= 2
        assert 'Traceback' not in live.log()
