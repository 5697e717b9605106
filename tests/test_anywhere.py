"""`tgsio_middleware.emit` and `disconnect`: from wherever somebody is."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.request import urlopen

import gevent
import pytest

import tgsio_middleware
from tests.eio4client import Client as RealClient
from tests.live import Live, serve
from tgsio_middleware import BroadcastMixin, RoomsMixin
from tgsio_middleware.bus.address import Address
from tgsio_middleware.bus.outbox import OPEN, Outbox
from tgsio_middleware.engine import exchange as module
from tgsio_middleware.engine.exchange import Exchange
from tgsio_middleware.errors import ConfigurationError, LocalProtocolError
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

from .engine.fakes import Client, settle
from .engine.fakes import serve as plain


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    left = []

    def on_join(self, room):
        self.join(room)

    def recv_disconnect(self):
        self.left.append((self.sid, sorted(self.rooms)))
        super().recv_disconnect()


@pytest.fixture(autouse=True)
def no_other_filters(monkeypatch):
    Chat.left = []
    monkeypatch.setattr('tgsio_middleware.anywhere.EXCHANGES', fresh := type(module.EXCHANGES)())
    monkeypatch.setattr(module, 'EXCHANGES', fresh)


@pytest.fixture
def exchange():
    registry, host = plain({'': Chat, '/chat': Chat})
    return Exchange(registry, host)


@pytest.fixture
def three(exchange):
    """Ann, Bob and Cid in `/chat`, each of another generation; Bob and Cid in the room red."""
    clients = [Client(exchange.registry, exchange.host, dialect) for dialect in (sio09, eio3, eio4)]
    for client, hello in zip(clients, ('1::/chat', '40/chat,', '40/chat,'), strict=True):
        client.say(hello)
    clients[1].say('42/chat,["join","red"]')
    clients[2].say('42/chat,["join","red"]')
    for client in clients:
        client.forget()
    return clients


HI = ['5::/chat:{"name":"hi","args":[1]}', '42/chat,["hi",1]', '42/chat,["hi",1]']


def who_heard(three):
    """'abc' for all of them; what they heard must be HI, once."""
    settle()
    for client, hi in zip(three, HI, strict=True):
        assert client.heard in ([], [hi])
    return ''.join(name for name, client in zip('abc', three, strict=True) if client.heard)


def sid(client):
    return client.socket['/chat'].sid


class TestWhom:
    @pytest.mark.parametrize(
        ('to', 'heard'),
        [
            (lambda t: {}, 'abc'),
            (lambda t: {'room': 'red'}, 'bc'),
            (lambda t: {'room': ['red']}, 'bc'),
            (lambda t: {'room': ['red', 'red', sid(t[1])]}, 'bc'),
            (lambda t: {'room': 'blue'}, ''),
            (lambda t: {'room': []}, ''),
            (lambda t: {'room': sid(t[0])}, 'a'),
            (lambda t: {'room': [sid(t[0]), 'red']}, 'abc'),
            (lambda t: {'skip': 'red'}, 'a'),
            (lambda t: {'skip': t[0].socket}, 'bc'),
            (lambda t: {'skip': t[0].socket['/chat']}, 'bc'),
            (lambda t: {'room': 'red', 'skip': [sid(t[1])]}, 'c'),
            (lambda t: {'user': 'ann'}, 'a'),
            (lambda t: {'user': 'ann', 'room': 'red'}, 'abc'),
            (lambda t: {'user': 'nobody'}, ''),
            (lambda t: {'user': None}, ''),
            (lambda t: {'skip': t[0].socket['']}, 'bc'),
        ],
    )
    def test_emit(self, exchange, three, to, heard):
        exchange.registry.rooms.join(three[0].socket['/chat'], '/chat', 'tg-user:ann')
        tgsio_middleware.emit('hi', 1, namespace='/chat', **to(three))
        assert who_heard(three) == heard

    def test_a_sid_is_of_one_namespace(self, three):
        tgsio_middleware.emit('hi', 1, room=sid(three[0]))
        assert who_heard(three) == ''

    def test_a_room_that_is_called_as_a_sid_holds_both(self, three):
        three[1].say(f'42/chat,["join","{sid(three[0])}"]')
        tgsio_middleware.emit('hi', 1, namespace='/chat', room=sid(three[0]))
        assert who_heard(three) == 'ab'

    def test_who_has_left_is_forgotten(self, exchange, three):
        name = sid(three[2])
        three[2].socket.close('gone')
        settle()
        assert name not in exchange.registry.sids
        tgsio_middleware.emit('hi', 1, namespace='/chat', room=name)
        assert who_heard(three) == ''

    def test_users_rooms_are_neither_seen_nor_joined_nor_left(self, exchange, three):
        namespace = three[0].socket['/chat']
        exchange.registry.rooms.join(namespace, '/chat', 'tg-user:ann')
        assert namespace.rooms == set()
        for method in (namespace.join, namespace.leave):
            with pytest.raises(LocalProtocolError):
                method('tg-user:ann')

    def test_every_client_of_4_x_knows_its_sid(self, three):
        three[2].say('40')
        assert three[2].heard == [f'40{{"sid":"{three[2].socket[""].sid}"}}']


class TestDisconnect:
    def test_whole_connections(self, three):
        tgsio_middleware.disconnect(namespace='/chat', room='red')
        settle()
        assert [client.transport.ended is not None for client in three] == [False, True, True]
        assert three[2].heard == ['41/chat,']
        assert [rooms for _, rooms in Chat.left if rooms] == [['red'], ['red']]

    def test_the_namespace_only(self, three):
        three[2].say('40')
        three[2].forget()
        tgsio_middleware.disconnect(namespace='/chat', room=sid(three[2]), close=False)
        settle()
        assert three[2].heard == ['41/chat,']
        assert '/chat' not in three[2].socket and '' in three[2].socket
        assert three[2].transport.ended is None
        assert len(Chat.left) == 1

    def test_the_last_namespace_ends_the_connection(self, three):
        tgsio_middleware.disconnect(namespace='/chat', room=sid(three[2]), close=False)
        settle()
        assert three[2].transport.ended is not None
        assert len(Chat.left) == 1


class TestWhence:
    def test_a_thread_that_is_not_gevents(self, three):
        threads = [threading.Thread(target=tgsio_middleware.emit, args=('hi', 1), kwargs={'namespace': '/chat'})]
        for thread in threads:
            thread.start()
            thread.join()
        assert not any(client.heard for client in three)  # it left it to the clients' own thread
        gevent.sleep(0.01)
        assert who_heard(three) == 'abc'

    def test_what_cannot_be_sent_is_raised_where_it_was_said(self, three):
        with pytest.raises(LocalProtocolError):
            tgsio_middleware.emit('hi', object(), namespace='/chat')

    @pytest.mark.parametrize('name', ['connect', 'disconnect', 'newListener', None, 5, b'hi'])
    def test_names_on_which_clients_end_the_connection(self, three, name):
        emitter = tgsio_middleware.Emitter('redis://nowhere')
        for emit in (tgsio_middleware.emit, emitter.emit):
            with pytest.raises(LocalProtocolError, match='no event may be called'):
                emit(name, 1, namespace='/chat')
        assert who_heard(three) == ''

    def test_no_filter(self):
        for call in (lambda: tgsio_middleware.emit('hi'), tgsio_middleware.disconnect):
            with pytest.raises(ConfigurationError, match=r'no filter egg:tgsio_middleware#socketio.*loadapp.*Emitter'):
                call()

    def test_a_filter_in_a_process_that_is_not_patched(self, exchange):
        """And that has never served a client, as a script's or another server's."""
        exchange.registry.home = None
        for call in (lambda: tgsio_middleware.emit('hi'), tgsio_middleware.disconnect):
            with pytest.raises(ConfigurationError, match=r'not patched.*serve the site with.*Emitter'):
                call()

    def test_a_filter_that_is_gone_hears_nothing(self):
        registry, host = plain(Chat)
        Exchange(registry, host)
        gc.collect()
        with pytest.raises(ConfigurationError, match='no filter'):
            tgsio_middleware.emit('hi')

    def test_two_filters_are_both_reached(self, exchange, three):
        registry, host = plain({'': Chat, '/chat': Chat})
        second = Exchange(registry, host)
        other = Client(registry, host, eio4)
        other.say('40/chat,')
        other.forget()
        tgsio_middleware.emit('hi', 1, namespace='/chat')
        settle()
        assert other.heard == [HI[2]]
        assert who_heard(three) == 'abc'
        assert second.occupied('/chat', None)

    def test_on_commit_outside_of_a_request_says_what_is_missing(self, three):
        with pytest.raises(ConfigurationError, match=r'on_commit=True without a transaction.*tm.enabled'):
            tgsio_middleware.emit('hi', 1, namespace='/chat', on_commit=True)

    def test_without_tg_or_redis_it_costs_no_import(self):
        program = 'import tgsio_middleware, sys; tgsio_middleware.emit; print(*sys.modules)'
        done = subprocess.run([sys.executable, '-c', program], check=True, capture_output=True, text=True)
        assert not {'tg', 'redis', 'msgpack'} & set(done.stdout.split())


class TestOutbox:
    @pytest.fixture
    def outbox(self):
        box = Outbox()
        yield box
        OPEN.clear()

    def test_it_is_held_with_its_values_as_they_were(self, three, outbox):
        value = [1]
        tgsio_middleware.emit('hi', *value, namespace='/chat', on_commit=True)
        value[0] = 2
        assert who_heard(three) == ''
        outbox.commit()
        assert who_heard(three) == 'abc'

    def test_what_cannot_be_sent_is_raised_where_it_is_said(self, three, outbox):
        ann, *others = (client.socket['/chat'] for client in three)
        for options in ({}, {'callback': print}):
            with pytest.raises(LocalProtocolError, match='binary'):
                ann.emit('hi', b'bytes', **options)
            for other in others:
                other.emit('hi', b'bytes', **options)
        outbox.commit()
        assert [bool(client.heard) for client in three] == [False, True, True]

    @pytest.mark.parametrize('end', ['commit', 'drop'])
    def test_a_question_is_asked_when_it_leaves_and_not_at_all_when_it_does_not(self, three, outbox, end):
        answers, failures = [], []
        namespace = three[2].socket['/chat']
        asked = {'callback': answers.append, 'on_failure': failures.append, 'timeout': 0.05}
        namespace.emit('ready?', **asked)
        with pytest.raises(ValueError, match='no option'):
            namespace.emit('ready?', nonsense=1)
        gevent.sleep(0.1)
        getattr(outbox, end)()
        settle()
        assert three[2].heard == (['42/chat,1["ready?"]'] if end == 'commit' else [])
        three[2].say('43/chat,1["yes"]')
        gevent.sleep(0.1)
        assert (answers, failures) == ((['yes'], []) if end == 'commit' else ([], []))

    def test_a_disconnect_waits_and_happens(self, three, outbox):
        tgsio_middleware.disconnect(namespace='/chat')
        three[0].socket['/chat'].disconnect()
        three[1].socket.disconnect()
        settle()
        assert not any(client.transport.ended for client in three)
        outbox.drop()
        settle()
        assert all(client.transport.ended for client in three)


class TestBus:
    """What passes to other processes; the bus itself is another's."""

    @pytest.fixture
    def bus(self, exchange, three):
        class Bus:
            said = []

            def emit(self, *said):
                self.said.append(said)

            def disconnect(self, *said):
                self.said.append(said)

        exchange.registry.bus = Bus()
        Bus.said = []
        return exchange.registry.bus

    def test_emit_and_disconnect(self, bus, three):
        tgsio_middleware.emit('hi', 1, namespace='/chat', room='x', skip='y')
        tgsio_middleware.disconnect(namespace='/chat', user=7, close=False)
        to = Address('/chat', ('x',), ('y',))
        assert bus.said == [(to, 'hi', [1]), (Address('/chat', ('tg-user:7',)), False)]

    def test_a_namespace_is_occupied_while_its_first_client_waits_for_the_bus(self):
        """Or it could be given up as idle meanwhile."""
        there = []
        registry, host = plain({'/chat': Chat})
        exchange = Exchange(registry, host)
        registry.bus = SimpleNamespace(enter=lambda endpoint: there.append(exchange.occupied(endpoint, None)))
        Client(registry, host, eio4).say('40/chat,')
        assert there == [True]

    def test_rooms_and_broadcasts(self, bus, three):
        ann = three[0].socket['/chat']
        ann.emit_to_room('red', 'hi', 1)
        ann.broadcast_event('hi', 1)
        ann.broadcast_event_not_me('hi', (1,))
        assert bus.said == [
            (Address('/chat', ('red',), (ann.sid,)), 'hi', [1]),
            (Address('/chat'), 'hi', [1]),
            (Address('/chat', (), (ann.sid,)), 'hi', [[1]]),
        ]

    def test_what_others_say_is_not_passed_on(self, exchange, bus, three):
        exchange.tell(Address('/chat'), 'hi', [1])
        exchange.dismiss(Address('/chat'), close=False)
        exchange.move(Address('/chat'), ['x'], [])
        settle()
        assert three[0].heard
        assert bus.said == []


class TestOrdersOfOtherProcesses:
    def test_moving(self, exchange, three):
        exchange.move(Address('/chat', ('red',)), ['blue', 'green'], ['red', 'none'])
        assert [client.socket['/chat'].rooms for client in three] == [set(), {'blue', 'green'}, {'blue', 'green'}]

    def test_describing(self, exchange, three):
        bob = three[1].socket['/chat']
        assert exchange.describe(Address('/chat', (bob.sid,))) == [
            {
                'id': bob.sid,
                'handshake': {'address': '127.0.0.1', 'headers': {}, 'query': {}},
                'rooms': [bob.sid, 'red'],
                'data': {},
            }
        ]
        assert set(exchange.rooms('/chat')) == {'red', *map(sid, three)}

    def test_asking_what_one_generation_cannot_hear(self, exchange, three):
        """It is left out, as of a broadcast; who asks does not wait for it."""
        assert exchange.ask(Address('/chat'), 'q', [b'bytes'], print) == 2
        assert [bool(client.heard) for client in three] == [False, True, True]
        assert three[0].socket.pop_ack(1) is None

    def test_asking(self, exchange, three):
        answers = []
        assert exchange.ask(Address('/chat', ('red',)), 'q', [1], answers.append) == 2
        settle()
        assert three[2].heard == ['42/chat,1["q",1]']
        three[2].say('43/chat,1["a","b"]')
        three[1].say('43/chat,1[]')
        assert answers == ['a', None]


@pytest.fixture(scope='module')
def live() -> Iterator[Live]:
    with serve('tests.fixtureapps.hall', app='tm.enabled = true\ntm.attempts = 2') as live:
        yield live


@pytest.mark.parametrize('end', ['commit', 'fail', 'doom', 'brittle'])
class TestTransactions:
    @pytest.fixture
    def client(self, live) -> Iterator[RealClient]:
        with RealClient(live.port) as client:
            client.join('/hall')
            client.join('/patient')
            client.call('/patient', 'subscribe', 'lobby')
            yield client

    def heard(self, client):
        """Everything until now; errors by name."""
        client.call('/hall', 'who')
        return [p.data[1] if p.data[0] == 'error' else p.data[0] for p in client.heard() if p.kind == '2']

    def test_of_an_event(self, client, end):
        """In order, before the ack, and all or nothing."""
        ack = client.call('/patient', 'all', end)
        client.call('/hall', 'who')  # memory has its turn
        if end == 'commit':
            assert ack == ['ack']
            assert self.heard(client) == ['one', 'message', 'three', 'six', 'pubblication']
            one = client.event('/patient', 'one')
            assert one == [['as it was']]
        elif end == 'doom':
            assert (ack, self.heard(client)) == (['ack'], [])
        else:
            assert (ack, self.heard(client)) == ([None], ['internal_error'])

    def test_of_a_page(self, live, client, end):
        try:
            with urlopen(f'{live.url}/say?end={end}&on_commit=1&text=later', timeout=10) as answer:
                answer.read()
        except OSError:
            assert end in ('fail', 'brittle')
        assert self.heard(client) == (['heard'] if end == 'commit' else [])

    def test_at_once_where_it_was_not_asked_for(self, live, client, end):
        try:
            with urlopen(f'{live.url}/say?end={end}&text=now', timeout=10) as answer:
                answer.read()
        except OSError:
            pass
        assert self.heard(client) == ['heard']

    def test_a_good_bye_is_heard_before_the_end(self, client, end):
        client.emit('/patient', 'bye', end)
        client.expect(lambda p: p.kind == '1' and p.namespace == '/patient')
        assert ('bye' in self.heard(client)) is (end == 'commit')

    def test_the_rest(self, client, end):
        """What a job says is not held; a second try leaves one; what cannot be said is raised where it is said."""
        client.call('/patient', 'job')
        client.call('/patient', 'twice')
        assert client.call('/patient', 'unsayable') == [2]
        assert self.heard(client) == ['from a job', 'from the event', 'try']
        assert client.event('/patient', 'try') == [2]

    def test_threads_and_greenlets(self, client, end):
        client.emit('/hall', 'native_thread', end)
        client.emit('/hall', 'greenlet', end)
        for _ in range(3):
            assert client.event('/hall', 'heard') == [end]
