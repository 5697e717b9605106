"""A Node socket.io server with @socket.io/redis-adapter, and @socket.io/redis-emitter, on our Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.eio4client import Client
from tests.functional.nodebus import NodeBus, requires_node_bus
from tests.live import Live, eventually, serve
from tests.redisserver import Redis

pytestmark = [pytest.mark.redis, pytest.mark.node]
pytest.importorskip('redis')

HALL = '/hall'


@pytest.fixture(scope='module')
def live(redis: Redis) -> Iterator[Live]:
    with serve('tests.fixtureapps.hall', bus=redis.url) as live:
        yield live


@pytest.fixture(scope='module')
def node(redis: Redis) -> Iterator[NodeBus]:
    requires_node_bus()
    with NodeBus(redis.url) as node:
        yield node


@pytest.fixture
def ours(live: Live, node: NodeBus) -> Iterator[Client]:
    with Client(live.port, headers=['X-User: ann']) as client:
        client.sid = client.join(HALL)['sid']
        yield client


@pytest.fixture
def theirs(node: NodeBus) -> Iterator[Client]:
    with Client(node.port, path='/socket.io') as client:
        client.sid = client.join(HALL)['sid']
        yield client


def both(ours: Client, theirs: Client, name: str) -> list[object]:
    """What both have heard, which must be the same."""
    heard = ours.event(HALL, name)
    assert theirs.event(HALL, name) == heard
    return heard


def test_broadcasts_go_both_ways(ours, theirs):
    ours.emit(HALL, 'shout', {'a': [1, None, 'é']})
    assert both(ours, theirs, 'shouted') == [{'a': [1, None, 'é']}]
    theirs.emit(HALL, 'shout', 2)
    assert both(ours, theirs, 'shouted') == [2]
    assert ours.heard() == theirs.heard() == []


def test_rooms_are_shared(ours, theirs):
    ours.call(HALL, 'join', 'red')
    theirs.call(HALL, 'join', 'red')
    ours.emit(HALL, 'tell', 'red', 1)
    assert theirs.event(HALL, 'told') == [1]
    theirs.emit(HALL, 'tell', 'red', 2)
    assert ours.event(HALL, 'told') == [2]
    assert ours.heard() == theirs.heard() == []


@pytest.mark.parametrize('emitter', [False, True])
def test_whom_nodes_server_and_emitter_reach(ours, theirs, node, emitter):
    ours.call(HALL, 'join', 'red')
    node.do('emit', HALL, 'x', 'all', emitter=emitter)
    node.do('emit', HALL, 'x', 'red', to=['red'], emitter=emitter)
    node.do('emit', HALL, 'x', 'red or blue', to=['red', 'blue'], emitter=emitter)
    node.do('emit', HALL, 'x', 'all but red', **{'except': ['red']}, emitter=emitter)
    node.do('emit', HALL, 'x', 'one', to=[ours.sid], emitter=emitter)
    node.do('emit', HALL, 'x', 'a user', to=['tg-user:ann'], emitter=emitter)
    node.do('emit', HALL, 'x', 'not the user', **{'except': ['tg-user:ann']}, emitter=emitter)
    node.do('emit', '/', 'x', 'elsewhere', emitter=emitter)
    node.do('emit', HALL, 'x', 'end', emitter=emitter)

    def until_end(client: Client) -> list[str]:
        heard = []
        while not heard or heard[-1] != 'end':
            heard += client.event(HALL, 'x')
        return heard

    assert until_end(ours) == ['all', 'red', 'red or blue', 'one', 'a user', 'end']
    assert until_end(theirs) == ['all', 'all but red', 'not the user', 'end']


def test_dates_are_what_nodes_own_clients_get(ours, theirs, node):
    node.do('emit', HALL, 'x', {'$date': 1075}, emitter=True)
    assert both(ours, theirs, 'x') == ['1970-01-01T00:00:01.075Z']


def test_bytes(ours, theirs, node):
    node.do('emit', HALL, 'x', {'$bytes': 'AP8='}, emitter=True)
    packet = ours.expect(lambda p: p.kind == '5')
    assert packet.text == theirs.expect(lambda p: p.kind == '5').text


def test_we_count_as_a_server_and_our_clients_are_seen(ours, theirs, node):
    assert node.do('servers', HALL) == 2
    seen = {one['id']: one for one in node.do('fetch', HALL)}
    assert set(seen) == {ours.sid, theirs.sid}
    assert seen[ours.sid] == {'id': ours.sid, 'rooms': [ours.sid, 'tg-user:ann'], 'address': '127.0.0.1'}
    ours.call(HALL, 'join', 'green')
    assert [one['id'] for one in node.do('fetch', HALL, to=['green'])] == [ours.sid]
    assert {'green', ours.sid, theirs.sid} <= set(node.do('rooms', HALL))


@pytest.mark.parametrize('emitter', [False, True])
def test_they_move_our_clients(ours, theirs, node, emitter):
    room = f'room {emitter}'
    node.do('join', HALL, rooms=[room, 'tg-user:boss'], emitter=emitter)
    eventually(lambda: len(node.do('fetch', HALL, to=[room])) == 2)
    assert [one['id'] for one in node.do('fetch', HALL, to=['tg-user:boss'])] == [theirs.sid]
    node.do('leave', HALL, to=[ours.sid], rooms=[room], emitter=emitter)
    eventually(lambda: [one['id'] for one in node.do('fetch', HALL, to=[room])] == [theirs.sid])


@pytest.mark.parametrize('emitter', [False, True])
def test_they_end_our_clients(ours, theirs, node, emitter):
    ours.join('/patient')
    node.do('disconnect', HALL, to=[ours.sid], close=False, emitter=emitter)
    assert ours.expect(lambda p: p.kind == '1').namespace == HALL
    assert ours.call('/patient', 'who')
    node.do('disconnect', HALL, to=[theirs.sid], close=True, emitter=emitter)
    theirs.wait_closed()


def test_they_close_our_clients(ours, node):
    node.do('disconnect', HALL, to=[ours.sid], close=True)
    ours.wait_closed()


def test_we_end_their_clients(ours, theirs):
    ours.emit(HALL, 'end', {'room': theirs.sid})
    theirs.wait_closed()
    assert not ours.closed


def test_they_ask_all_clients_for_an_ack(ours, theirs, node):
    def answer(client: Client, value: str) -> None:
        packet = client.event_packet(HALL, 'question')
        client.answer(HALL, packet.id, value)

    threads = [threading.Thread(target=answer, args=who) for who in ((ours, 'A'), (theirs, 'B'))]
    for thread in threads:
        thread.start()
    assert sorted(node.do('ask', HALL, 'question', 1)) == ['A', 'B']
    for thread in threads:
        thread.join()
