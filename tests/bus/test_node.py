"""The bus: what Node's adapters and emitters ask, and the answers. (Node itself: tests/functional/test_node_bus.py.)"""

from __future__ import annotations

import json
import logging
import os
import pickle

import gevent
import pytest

msgpack = pytest.importorskip('msgpack')

from tgsio_middleware.bus import adapter, node  # noqa: E402
from tgsio_middleware.bus.address import Address  # noqa: E402
from tgsio_middleware.bus.link import Message  # noqa: E402
from tgsio_middleware.bus.node import NodeBus  # noqa: E402

from .fakeredis import Server, until  # noqa: E402

HALL = Address('/hall')
ANSWERS = b'socket.io-response#/hall#'


class Local:
    """Writes down what it was told; `there` is who is there."""

    def __init__(self):
        self.told = []
        self.there = {('/hall', None), ('/hall', 'red'), ('/hall', 'ann')}

    def occupied(self, endpoint, room):
        return (endpoint, room) in self.there

    def tell(self, to, name, args):
        self.told.append(('tell', to, name, args))

    def ask(self, to, name, args, answer):
        self.told.append(('ask', to, name, args))
        self.answer = answer
        return 2

    def move(self, to, join, leave):
        self.told.append(('move', to, list(join), list(leave)))

    def dismiss(self, to, close):
        self.told.append(('dismiss', to, close))

    def describe(self, to):
        self.told.append(('describe', to))
        return [{'id': 'ann', 'handshake': {}, 'rooms': ['ann', 'red'], 'data': {}}]

    def rooms(self, endpoint):
        return ['ann', 'red']


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def local():
    return Local()


@pytest.fixture
def bus(server, local):
    bus = NodeBus(server.wire(), local)
    bus.enter('/hall')
    yield bus
    bus.link.close()
    gevent.sleep(0)


def published(server):
    return [command[1:] for command in server.commands if command[0] == 'PUBLISH']


def settle(bus):
    gevent.sleep(0.005)
    assert bus.link.drain(1)


def test_a_namespace_is_subscribed_as_node_does(server, bus):
    """The request channel's subscribers are what Node counts as servers."""
    assert server.subscribers(b'socket.io#/hall#*') == 1
    assert server.subscribers(b'socket.io-request#/hall#') == 1


def test_who_comes_later_does_not_wait(server, bus):
    server.going.clear()
    with gevent.Timeout(1):
        bus.enter('/hall')


def test_who_comes_while_the_first_one_waits_waits_too(server, bus):
    server.going.clear()
    clients = [gevent.spawn(bus.enter, '/other') for _ in range(3)]
    gevent.sleep(0.01)
    assert not any(client.ready() for client in clients)
    for kind, name in ((b'psubscribe', b'socket.io#/other#*'), (b'subscribe', b'socket.io-request#/other#')):
        bus.link._listening.answers.put([kind, name, 1])
    gevent.joinall(clients, timeout=1, raise_error=True)
    assert all(client.ready() for client in clients)


def test_a_stalled_redis_holds_no_client_up_for_long(server, bus, monkeypatch):
    monkeypatch.setattr(node, 'PATIENCE', 0.02)
    server.going.clear()
    with gevent.Timeout(1):
        bus.enter('/other')


def test_idle_namespaces_have_an_end(server, bus, local, monkeypatch):
    monkeypatch.setattr(node, 'MAX_IDLE', 5)
    for i in range(50):
        bus.enter(f'/{i}')
    assert sum(len(c.channels) for c in server.connections) <= 6
    assert server.subscribers(b'socket.io-request#/hall#') == 1  # somebody is there
    assert server.subscribers(b'socket.io-request#/49#') == 1


def test_a_room_of_any_text(server, bus, local):
    local.there.add(('/hall', 'a#b*\ud800'))
    to = Address('/hall', ('a#b*\ud800',))
    message = Message(adapter.channel(to), adapter.emission('other', to, 'hi', [1]), adapter.pattern('/hall'))
    bus._received(message)
    assert local.told == [('tell', to, 'hi', [1])]
    bus._received(message._replace(channel=b'socket.io#/hall#\xff#'))
    assert bus.garbage.count == 1


def test_processes_that_were_forked_have_names_of_their_own(server, local):
    bus = NodeBus(server.wire(), local)
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, bus.uid.encode())
        os._exit(0)
    assert os.read(reading, 100).decode() != bus.uid
    os.wait()


def test_an_event_of_another_process(server, bus, local):
    server.publish(b'socket.io#/hall#', adapter.emission('other', Address('/hall', (), ('x',)), 'hi', [1]))
    settle(bus)
    assert local.told == [('tell', Address('/hall', (), ('x',)), 'hi', [1])]


def test_an_event_for_a_room(server, bus, local):
    server.publish(b'socket.io#/hall#red#', adapter.emission('other', Address('/hall', ('red',)), 'hi', [1]))
    settle(bus)
    assert local.told == [('tell', Address('/hall', ('red',)), 'hi', [1])]


def test_a_room_with_nobody_here_is_not_even_unpacked(server, bus, local):
    server.publish(b'socket.io#/hall#blue#', b'garbage')
    settle(bus)
    assert local.told == [] and bus.garbage.count == 0


def test_its_own_events_come_back_and_are_ignored(server, bus, local):
    bus.emit(HALL, 'hi', [1])
    settle(bus)
    assert len(published(server)) == 1
    assert local.told == []


def test_each_process_has_a_name_of_its_own(server, local):
    names = {NodeBus(server.wire(), local).uid for _ in range(100)}
    assert len(names) == 100 and {len(name) for name in names} == {6}


@pytest.mark.parametrize('channel', [b'socket.io#/hall#', b'socket.io-request#/hall#'])
def test_garbage_is_dropped_with_one_line(server, bus, local, caplog, channel):
    caplog.set_level(logging.WARNING)
    for data in (b'', b'garbage', pickle.dumps(['x', {}, {}]), b'{"type":', msgpack.packb([1, 2, 3])):
        server.publish(channel, data)
    settle(bus)
    assert local.told == []
    assert bus.garbage.count == 5
    assert len(caplog.records) == 1
    server.publish(b'socket.io#/hall#', adapter.emission('other', HALL, 'hi', []))
    settle(bus)
    assert local.told


def test_a_value_that_cannot_be_delivered_is_garbage(server, bus, local, monkeypatch):
    from tgsio_middleware.errors import LocalProtocolError

    def tell(*args):
        raise LocalProtocolError('NaN')

    monkeypatch.setattr(local, 'tell', tell)
    server.publish(b'socket.io#/hall#', adapter.emission('other', HALL, 'hi', [float('nan')]))
    settle(bus)
    assert bus.garbage.count == 1


def test_a_defect_ends_nothing(server, bus, local, caplog, monkeypatch):
    monkeypatch.setattr(local, 'tell', lambda *args: 1 / 0)
    server.publish(b'socket.io#/hall#', adapter.emission('other', HALL, 'hi', []))
    settle(bus)
    assert 'ZeroDivisionError' in caplog.text
    assert not bus.link.health.outages


def request(server, bus, **fields):
    """A request as Node's adapter sends it; -> the answers."""
    before = len(published(server))
    server.publish(b'socket.io-request#/hall#', json.dumps(fields).encode())
    settle(bus)
    return [(channel, json.loads(data)) for channel, data in published(server)[before:]]


OPTS = {'rooms': ['red'], 'except': ['x']}
RED = Address('/hall', ('red',), ('x',))


@pytest.mark.parametrize(
    ('fields', 'told'),
    [
        ({'type': 2, 'opts': OPTS, 'rooms': ['blue']}, ('move', RED, ['blue'], [])),
        ({'type': 3, 'opts': OPTS, 'rooms': ['red']}, ('move', RED, [], ['red'])),
        ({'type': 4, 'opts': OPTS, 'close': True}, ('dismiss', RED, True)),
        ({'type': 4, 'opts': OPTS, 'close': 'no'}, ('dismiss', RED, False)),
        ({'type': 4, 'opts': {'rooms': [], 'except': []}}, ('dismiss', HALL, False)),
        ({'type': 2, 'opts': OPTS, 'rooms': ['tg-user:boss', 'blue']}, ('move', RED, ['blue'], [])),
    ],
)
def test_what_wants_no_answer(server, bus, local, fields, told):
    assert request(server, bus, **fields) == []
    assert local.told == [told]


@pytest.mark.parametrize(
    ('fields', 'told'),
    [
        ({'type': 2, 'sid': 'ann', 'room': 'blue'}, ('move', Address('/hall', ('ann',)), ['blue'], [])),
        ({'type': 3, 'sid': 'ann', 'room': 'red'}, ('move', Address('/hall', ('ann',)), [], ['red'])),
        ({'type': 4, 'sid': 'ann', 'close': True}, ('dismiss', Address('/hall', ('ann',)), True)),
    ],
)
def test_older_adapters_wait_for_the_process_that_has_the_client(server, bus, local, fields, told):
    assert request(server, bus, requestId='r', **fields) == [(ANSWERS, {'requestId': 'r'})]
    assert local.told == [told]
    assert request(server, bus, requestId='r', **{**fields, 'sid': 'cid'}) == []


@pytest.mark.parametrize(
    ('fields', 'answer'),
    [
        ({'type': 0, 'rooms': ['red']}, {'sockets': ['ann']}),
        ({'type': 1}, {'rooms': ['ann', 'red']}),
        ({'type': 5, 'opts': OPTS}, {'sockets': [{'id': 'ann', 'handshake': {}, 'rooms': ['ann', 'red'], 'data': {}}]}),
    ],
)
def test_what_wants_an_answer(server, bus, fields, answer):
    assert request(server, bus, requestId='r', **fields) == [(ANSWERS, {'requestId': 'r', **answer})]
    assert request(server, bus, **fields) == []  # to whom?


def test_an_event_that_asks_for_acks(server, bus, local):
    """Node sends it in msgpack, and waits for the number of clients and then for as many answers."""
    packet = {'type': 2, 'data': ['q', 1], 'nsp': '/hall'}
    fields = {'type': 7, 'uid': 'other', 'requestId': 'r', 'opts': OPTS, 'packet': packet}
    server.publish(b'socket.io-request#/hall#', msgpack.packb(fields))
    settle(bus)
    assert local.told == [('ask', RED, 'q', [1])]
    local.answer({'a': b'bytes'})
    settle(bus)
    count, ack = [data for channel, data in published(server) if channel == ANSWERS]
    assert json.loads(count) == {'requestId': 'r', 'type': 8, 'clientCount': 2}
    assert msgpack.unpackb(ack) == {'requestId': 'r', 'type': 9, 'packet': {'a': b'bytes'}}


@pytest.mark.parametrize('kind', [6, 8, 9, 10, -1])
def test_what_is_for_others_is_ignored(server, bus, local, kind):
    assert request(server, bus, type=kind, requestId='r', data=['x']) == []
    assert local.told == [] and bus.garbage.count == 0


def test_its_own_requests_are_ignored(server, bus, local):
    bus.disconnect(RED, close=True)
    settle(bus)
    assert json.loads(published(server)[0][1])['opts'] == OPTS
    assert local.told == []


@pytest.mark.parametrize(
    'fields',
    [
        {'type': 4},
        {'type': 4, 'opts': []},
        {'type': 4, 'opts': {'rooms': 7}},
        {'type': 4, 'sid': 7},
        {'type': 2, 'opts': OPTS, 'rooms': 'red'},
        {'type': 2, 'sid': 'ann'},
        {'type': 7, 'opts': OPTS},
        {'type': 7, 'opts': OPTS, 'packet': {'type': 2, 'data': [], 'nsp': '/hall'}},
        {'type': 0, 'rooms': {}},
    ],
)
def test_malformed_requests_do_nothing(server, bus, local, fields):
    assert request(server, bus, requestId='r', **fields) == []
    assert local.told == []
    assert bus.garbage.count == 1


def test_while_redis_is_lost_nothing_is_raised(server, bus):
    server.stop()
    until(lambda: bus.link.health.ill('listening'))
    for _ in range(3):
        bus.emit(HALL, 'hi', [])
        bus.disconnect(HALL, close=True)
        gevent.sleep(0.01)
    bus.enter('/new')
    server.start()
    until(lambda: server.subscribers(b'socket.io-request#/new#'))
