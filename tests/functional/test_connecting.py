"""Connecting: namespaces, nested ones, many on one connection, and the path that clients look at by themselves."""

from __future__ import annotations

import pytest

from tests.functional.clients import POLLING, requires_node
from tests.functional.conftest import SITE
from tests.functional.peers import pool_for
from tests.functional.table import covers
from tests.live import serve

pytestmark = pytest.mark.node

#: namespace -> where TurboGears finds it below the resource
NAMESPACES = {
    '/': '/global_namespace',
    '/pingpong': '/pingpong',
    '/admin/chat': '/admin/chat',
    '/admin/größe😀/chat': '/admin/gr%C3%B6%C3%9Fe%F0%9F%98%80/chat',
}


@covers('connect')
@pytest.mark.parametrize('namespace', NAMESPACES)
def test_what_recv_connect_emits_comes_right_after_the_connect(pool, pair, namespace):
    peer = pool.peer(pair)
    peer.join(namespace)
    welcome = peer.wait('event', event='welcome', args=['/socketio' + NAMESPACES[namespace]])
    assert peer.history(namespace=namespace)[1] == welcome
    assert len(peer.events('welcome')) == 1
    peer.settle()
    peer.close()


@covers('connect')
def test_a_connection_begins_and_ends_on_the_transports_of_its_pair(peer, pair):
    polling = POLLING[pair.generation]
    began = peer.history(kind='open')[0]['transport']
    peer.settle()
    ends = {'websocket': 'websocket', 'polling': polling, 'upgrade': 'websocket'}
    assert (began, peer.client.transport(peer.connection)) == (
        'websocket' if pair.transport == 'websocket' else polling,
        ends[pair.transport],
    )


@covers('connect')
def test_many_namespaces_share_one_connection_and_do_not_mix(pool, pair):
    peer = pool.peer(pair)
    for namespace in NAMESPACES:
        peer.open(namespace)
    for namespace in NAMESPACES:
        peer.joined(namespace)
    tags = {namespace: peer.emit('echo', namespace, namespace=namespace, ack=True) for namespace in NAMESPACES}
    for namespace, tag in tags.items():
        peer.wait('event', event='echo', namespace=namespace, args=[namespace])
        assert peer.wait('ack', tag=tag)['args'] == [namespace]
    for namespace in NAMESPACES:
        assert peer.events('echo', namespace=namespace) == [[namespace]]
    assert len(peer.history(kind='open')) == 1
    peer.settle()
    peer.close()


@covers('connect')
def test_a_namespace_joined_later_is_served_too(peer):
    assert peer.call('ack_one', 1) == [1]
    peer.join('/admin/chat')
    assert peer.call('ack_one', 2, namespace='/admin/chat') == [2]
    assert peer.call('ack_one', 3) == [3]


@pytest.fixture(scope='module')
def default_path_pool():
    requires_node()
    with serve(SITE, socketio_resource='socket.io') as live, pool_for(live, path=None) as pool:
        yield pool


@covers('default_path')
def test_a_client_that_is_told_no_path_finds_socket_io(default_path_pool, pair):
    peer = default_path_pool.peer(pair)
    peer.join()
    peer.wait('event', event='welcome', args=['/socket.io/pingpong'])
    assert peer.call('echo', 'é', 2) == ['é', 2]
    peer.settle()
    peer.close()
