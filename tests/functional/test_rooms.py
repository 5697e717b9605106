"""All generations over all transports in one room at once: everybody hears everybody else, once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.functional.table import PAIRS, Pair, covers

pytestmark = pytest.mark.node

OUTSIDER = Pair('4', 'websocket')


def barrier(peers):
    """What was on its way to any of them has arrived: an ack overtakes nothing."""
    tags = [(peer, peer.emit('ack_none', ack=True)) for peer in peers]
    for peer, tag in tags:
        peer.wait('ack', tag=tag)


@pytest.fixture(scope='module')
def party(site_pool):
    """Who heard what, after everybody had told the room and shouted, half of them still on their way to a websocket."""
    peers = site_pool.joined(PAIRS)
    outsider = site_pool.peer(OUTSIDER)
    outsider.join()
    everybody = [*peers.values(), outsider]
    for peer in peers.values():
        peer.emit('join', 'a room')
    barrier(everybody)
    for pair, peer in peers.items():
        peer.emit('tell', 'a room', f'{pair} é😀')
    barrier(everybody)
    for pair, peer in peers.items():
        peer.emit('shout', str(pair), {'nested': '你好'})
    barrier(everybody)
    for peer in peers.values():
        peer.emit('leave', 'a room')
    barrier(everybody)
    outsider.emit('tell', 'a room', 'is anybody there?')
    barrier(everybody)
    yield SimpleNamespace(
        told={pair: peer.events('told') for pair, peer in peers.items()},
        shouted={pair: peer.events('shouted') for pair, peer in peers.items()},
        outsider=outsider,
    )
    for peer in everybody:
        peer.settle()
        peer.close()


def by_text(events):
    return sorted(events, key=str)


@covers('rooms')
def test_everybody_in_a_room_hears_everybody_else_once(party, pair):
    assert by_text(party.told[pair]) == by_text([f'{other} é😀'] for other in PAIRS if other != pair)


@covers('rooms')
def test_a_broadcast_reaches_everybody_once_who_shouts_too(party, pair):
    assert by_text(party.shouted[pair]) == by_text([str(other), {'nested': '你好'}] for other in PAIRS)


def test_who_is_not_in_the_room_hears_the_broadcasts_alone(party):
    assert party.outsider.events('told') == []
    assert len(party.outsider.events('shouted')) == len(PAIRS)


@covers('rooms')
def test_a_broadcast_stays_in_its_namespace(peer, witness):
    peer.join('/admin/chat')
    peer.call('shout', 'to the admins', namespace='/admin/chat')
    peer.call('shout', 'to the players')
    witness.wait('event', event='shouted', args=['to the players'])
    assert ['to the admins'] not in witness.events('shouted')
