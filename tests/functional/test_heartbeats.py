"""Heartbeats: who is silent lives, who is frozen or has crashed is noticed.

0.9 counts in whole seconds, so its clients have a server of their own, with longer intervals. The time-outs are what
fourteen Node processes on two busy cores keep; with less, clients are given up that are merely slow.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest

from tests.functional.clients import requires_node
from tests.functional.conftest import SITE
from tests.functional.peers import pool_for
from tests.functional.table import MODERN, PAIRS, Pair, covers
from tests.live import serve

pytestmark = pytest.mark.node

#: Seconds between two heartbeats, and what may pass until one is answered.
OLD, NEW = (1, 2), (0.3, 2)
#: How many heartbeats a client must be seen to live through. 0.9's five take longer than each server waits for a client
#: that says nothing.
BEATS = 5
#: A poll is a sign of life by itself: 0.9 has no heartbeat there.
WITHOUT_BEATS = Pair('09', 'polling')


@contextmanager
def idlers(pairs, interval, timeout):
    """Connected clients on a server with these heartbeats, each with a name; and a witness in a process of its own."""
    with (
        serve(SITE, ping_interval=interval, ping_timeout=timeout) as live,
        pool_for(live) as own,
        pool_for(live) as pool,
    ):
        witness = own.peer(Pair('4', 'websocket'))
        witness.join()
        yield SimpleNamespace(live=live, peers=named(pool, pairs), witness=witness)


def named(pool, pairs):
    peers = pool.joined(pairs)
    for peer in peers.values():
        peer.settle()
        peer.call('name', peer.connection)
    return peers


@pytest.fixture(scope='module')
def idle():
    """generation -> its server's clients; all have lived through some intervals."""
    requires_node()
    old, new = (tuple(p for p in PAIRS if (p.generation in MODERN) is modern) for modern in (False, True))
    with idlers(old, *OLD) as slow, idlers(new, *NEW) as quick:
        for group in slow, quick:
            for pair, peer in group.peers.items():
                for _ in range(0 if pair == WITHOUT_BEATS else BEATS):
                    peer.wait('heartbeat')
        yield {pair.generation: slow if pair in old else quick for pair in PAIRS}


@covers('heartbeats')
def test_an_idle_client_lives(idle, pair):
    peer = idle[pair.generation].peers[pair]
    assert not peer.history(kind='closed')
    assert len(peer.history(kind='connect')) == 1
    assert peer.call('ack_one', 'still here') == ['still here']


def groups(idle):
    """Each server's clients once."""
    return {id(group): group for group in idle.values()}.values()


@pytest.fixture(scope='module')
def frozen(idle):
    """All of them stop reading and answering, and their connections stay."""
    clients = [peer.client for group in groups(idle) for peer in group.peers.values()]
    for client in clients:
        client.freeze()
    yield idle
    for client in clients:
        client.thaw()


@covers('heartbeats')
def test_a_frozen_client_has_left(frozen, pair):
    group = frozen[pair.generation]
    assert times_left(group.witness, group.peers[pair]) == 1


@pytest.fixture(scope='module')
def crashed(idle):
    """Others, whose processes die without a word."""
    with ExitStack() as ends:
        gone = {}
        for group in groups(idle):
            gone.update(named(ends.enter_context(pool_for(group.live)), group.peers))
        for peer in gone.values():
            peer.client.kill()
        yield gone


@covers('heartbeats')
def test_a_client_that_crashed_has_left(idle, crashed, pair):
    assert times_left(idle[pair.generation].witness, crashed[pair]) == 1


def times_left(witness, peer):
    """Waits until the witness hears that the peer has left; -> how often it was told so."""
    witness.wait('event', event='left', args=[peer.connection])
    assert witness.call('ack_none') == [None]
    return witness.events('left').count([peer.connection])
