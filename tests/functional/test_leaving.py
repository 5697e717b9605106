"""Ends: of a namespace, of a connection, by the client, by the server, by a crash. `recv_disconnect` runs exactly once.

The fixture application's `recv_disconnect` broadcasts `left` with the name that the client has given itself.
"""

from __future__ import annotations

import pytest

from tests.functional.table import MODERN, covers

pytestmark = pytest.mark.node


def named(peer):
    """The peer, with a name that no other has."""
    peer.call('name', peer.connection)
    return peer


def left(witness, peer):
    """How often the witness has heard that the peer left."""
    return witness.events('left').count([peer.connection])


@covers('disconnect')
def test_leaving_one_namespace_keeps_the_others(pool, pair, witness):
    peer = pool.peer(pair)
    peer.join('/admin/chat')
    peer.join()
    named(peer).disconnect()
    witness.wait('event', event='left', args=[peer.connection])
    assert peer.call('ack_one', 1, namespace='/admin/chat') == [1]
    peer.settle()
    peer.close()
    assert witness.call('ack_none') == [None]
    assert left(witness, peer) == 1


@covers('disconnect', only=lambda pair: pair.generation in MODERN)
def test_a_namespace_that_was_left_can_be_connected_again(pool, pair):
    """A 0.9 client has no way to."""
    peer = pool.peer(pair)
    peer.join('/admin/chat')
    peer.join()
    peer.disconnect()
    peer.wait('disconnect', namespace='/pingpong')
    peer.connect()
    peer.joined()
    peer.wait('event', event='welcome', namespace='/pingpong')
    assert peer.call('ack_one', 'again') == ['again']
    peer.settle()
    peer.close()


@covers('disconnect')
def test_a_kicked_client_hears_of_it_and_keeps_its_other_namespaces(pool, pair, witness):
    """`disconnect()` of a handler does not call `recv_disconnect`, which is for clients that leave."""
    peer = pool.peer(pair)
    peer.join('/admin/chat')
    peer.join()
    named(peer).emit('kick_me')
    peer.wait('disconnect', namespace='/pingpong')
    assert peer.call('ack_one', 1, namespace='/admin/chat') == [1]
    peer.settle()
    peer.close()
    peer.wait('closed')
    assert witness.call('ack_none') == [None]
    assert left(witness, peer) == 0


@covers('disconnect')
def test_a_client_kicked_out_of_its_last_namespace_is_disconnected(pool, pair):
    peer = pool.peer(pair)
    peer.join('/')
    peer.settle()
    peer.emit('kick_me', namespace='/')
    peer.wait('disconnect', namespace='/')
    peer.wait('closed')


def leaves_all(peer, witness, how):
    """The peer joins two namespaces and ends its connection; -> how often the witness has heard it leave them."""
    witness.join('/admin/chat')
    peer.join('/admin/chat')
    peer.join()
    named(peer).settle()
    how()
    for namespace in '/pingpong', '/admin/chat':
        witness.wait('event', event='left', args=[peer.connection], namespace=namespace)
    assert witness.call('ack_none') == [None]
    return left(witness, peer)


@covers('disconnect')
def test_a_client_that_closes_leaves_each_of_its_namespaces_once(pool, pair, witness):
    peer = pool.peer(pair)
    assert leaves_all(peer, witness, peer.close) == 2


@covers('disconnect', only=lambda pair: pair.transport != 'polling')
def test_a_client_whose_websocket_is_cut_leaves_each_of_its_namespaces_once(pool, pair, witness):
    peer = pool.peer(pair)
    assert leaves_all(peer, witness, peer.drop) == 2
