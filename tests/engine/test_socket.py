"""One client's life: order, holds, acks, refusals, bounds, and its end."""

from __future__ import annotations

import json
import logging
from datetime import date

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.engine.socket import LEFT
from tgsio_middleware.errors import ConnectionRefused, LocalProtocolError, RemoteProtocolError
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.packet import Packet
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.negotiate import DIALECTS

from .fakes import Client, connected, serve, settle

PLACEHOLDER = '{"_placeholder":true,"num":0}'
#: `emit('x', ...)` of each generation
EVENTS = {sio09: '5:::{"name":"%s"}', eio3: '42["%s"]', eio4: '42["%s"]'}


class Echo(BaseNamespace):
    def on_echo(self, *args):
        self.emit('echo', *args)
        return args

    def on_one(self, value):
        return value

    def on_none(self):
        pass

    def on_fail(self):
        raise RuntimeError('a secret of the server')

    def on_ask(self, question):
        self.emit('question', question, callback=lambda *answers: self.emit('answered', list(answers)))


# -- the beginning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(('dialect', 'heard'), [(sio09, ['1::']), (eio3, ['40']), (eio4, [])])
def test_what_a_new_client_hears(dialect, heard):
    assert Client(*serve(Echo), dialect).heard == heard


def test_the_hello_comes_first_and_holds_the_sid():
    client = Client(*serve(Echo), eio3)
    assert json.loads(client.transport.said[0][1:])['sid'] == client.socket.sessid


def test_a_client_of_eio4_asks_for_the_global_namespace():
    client = Client(*serve(Echo), eio4)
    client.say('40')
    sid = json.loads(client.heard[0][2:])['sid']
    assert len(sid) >= 20
    assert sid != client.socket.sessid


def test_every_namespace_of_eio4_has_a_sid_of_its_own():
    client = Client(*serve({'': Echo, '/chat': Echo}), eio4)
    client.say('40', '40/chat,')
    assert json.loads(client.heard[0][2:])['sid'] != json.loads(client.heard[1][len('40/chat,') :])['sid']


@pytest.mark.parametrize('dialect', [sio09, eio3])
def test_old_clients_are_connected_though_there_is_no_global_namespace(dialect):
    """They take its CONNECT for the connection's."""
    client = Client(*serve({'/chat': Echo}), dialect)
    assert client.heard == ['1::' if dialect is sio09 else '40']
    assert client.socket.active_ns == {}


def test_new_clients_are_told_that_there_is_no_global_namespace():
    client = Client(*serve({'/chat': Echo}), eio4)
    client.say('40')
    assert client.heard == ['44{"message":"Invalid namespace"}']


def test_connecting_twice_is_connecting_once():
    client = connected({'': Echo, '/chat': Echo})
    client.say('40/chat', '40/chat', '40')
    assert client.heard == ['40', '40/chat,']


# -- holds -----------------------------------------------------------------------------------------------------------


class Welcoming(BaseNamespace):
    def initialize(self):
        self.emit('first')

    def recv_connect(self):
        self.emit('welcome', self.ns_name)
        self.socket['']  # a namespace sees the others
        gevent.sleep(0.01)
        self.emit('ready')


def test_what_is_emitted_while_connecting_arrives_after_the_connect():
    client = connected(Welcoming)
    gevent.sleep(0.02)
    settle()
    assert client.heard == ['40', '42["first"]', '42["welcome",""]', '42["ready"]']


def test_the_other_namespaces_are_not_held():
    class Lobby(BaseNamespace):
        def on_hello(self):
            self.emit('hello')

    class Slow(BaseNamespace):
        def recv_connect(self):
            self.emit('held')
            self.socket[''].emit('not held')

    client = connected({'': Lobby, '/slow': Slow})
    client.say('40/slow')
    assert client.heard == ['40', '42["not held"]', '40/slow,', '42/slow,["held"]']


def test_a_refused_client_hears_nothing_that_was_held():
    class Refusing(BaseNamespace):
        def recv_connect(self):
            self.emit('never')
            raise ConnectionRefused('not today')

    client = connected({'': Echo, '/no': Refusing}, eio4)
    client.forget()
    client.say('40/no,')
    assert client.heard == ['44/no,{"message":"not today"}']
    assert '/no' not in client.socket


def test_what_cannot_be_sent_raises_where_it_was_emitted():
    raised = []

    class Careless(BaseNamespace):
        def recv_connect(self):
            try:
                self.emit('x', object())
            except LocalProtocolError as e:
                raised.append(e)

    client = connected(Careless)
    assert client.heard == ['40']
    assert len(raised) == 1


@pytest.mark.parametrize('dialect', [eio3, eio4])
@pytest.mark.parametrize('name', ['connect', 'disconnect', 'connect_error'])
def test_a_name_that_clients_keep_to_themselves_is_not_emitted(dialect, name):
    """A client of 4.x takes such an event for a parse error, and leaves."""
    client = connected(Echo, dialect)
    client.forget()
    for options in ({}, {'callback': print}):
        with pytest.raises(LocalProtocolError, match=f'no event may be called {name!r}'):
            client.socket[''].emit(name, 1, **options)
    assert client.heard == []


def test_0_9_takes_them_as_ever():
    client = connected(Echo, sio09)
    client.forget()
    client.socket[''].emit('connect', 1)
    assert client.heard == ['5:::{"name":"connect","args":[1]}']


def test_what_is_held_has_a_bound(caplog):
    """A site whose database is gone connects nobody, and goes on talking to those who are to come."""

    class Slow(BaseNamespace):
        def recv_connect(self):
            gate.wait()

    gate = Event()
    client = connected({'': Echo, '/slow': Slow}, max_buffered=1000)
    client.say('40/slow')
    slow = client.socket['/slow']
    for _ in range(4):
        slow.emit('news', 'x' * 200)
    assert client.socket.connected
    slow.emit('news', 'x' * 200)
    assert client.transport.ended == ('max_buffered exceeded', 1008)
    gate.set()
    settle()
    assert client.socket.active_ns == {}


def test_what_was_held_once_does_not_count_for_ever():
    class Chatty(BaseNamespace):
        def recv_connect(self):
            self.emit('news', 'x' * 600)

    client = connected({'': Echo, '/a': Chatty, '/b': Chatty}, max_buffered=1000)
    client.say('40/a', '40/b')
    assert client.socket.connected


def test_a_held_value_is_sent_as_it_was_when_it_was_emitted():
    class Changing(BaseNamespace):
        def recv_connect(self):
            value = {'n': 1}
            self.emit('x', value)
            value['n'] = 2

    assert connected(Changing).heard == ['40', '42["x",{"n":1}]']


# -- order -----------------------------------------------------------------------------------------------------------


class Recorder(BaseNamespace):
    def initialize(self):
        self.log = []

    def on_slow(self, n):
        self.log.append(f'{n} begins')
        gevent.sleep(0.01)
        self.log.append(f'{n} ends')

    def on_fast(self, n):
        self.log.append(f'{n}')


def test_events_are_handled_one_at_a_time_and_in_order():
    client = connected(Recorder)
    log = client.socket[''].log
    client.say('42["slow",1]', '42["fast",2]')
    client.say('42["slow",3]')
    client.say('42["fast",4]')
    gevent.sleep(0.05)
    assert log == ['1 begins', '1 ends', '2', '3 begins', '3 ends', '4']


def test_a_slow_client_keeps_nobody_waiting():
    registry, host = serve(Recorder)
    slow, fast = Client(registry, host), Client(registry, host)
    slow.say('42["slow",1]')
    fast.say('42["fast",2]')
    assert fast.socket[''].log == ['2']
    assert slow.socket[''].log == ['1 begins']
    gevent.sleep(0.02)


def test_a_ping_is_answered_while_a_handler_blocks():
    client = connected(Recorder)
    client.say('42["slow",1]')
    client.say('2')
    assert client.heard == ['40', '3']
    gevent.sleep(0.02)


# -- acks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('event', 'answer'),
    [
        ('420["one",1]', '430[1]'),
        ('427["one",[1,2]]', '437[[1,2]]'),
        ('427["none"]', '437[null]'),
        ('427["fail"]', '437[null]'),
        ('427["nope"]', '437[null]'),
        ('427["one"]', '437[null]'),
    ],
)
def test_an_ack(event, answer):
    client = connected(Echo)
    client.say(event)
    assert client.heard[-1] == answer


def test_a_tuple_is_several_values():
    client = connected(Echo)
    client.say('427["echo",1,[2]]')
    assert client.heard == ['40', '42["echo",1,[2]]', '437[1,[2]]']


def test_without_an_id_there_is_no_ack():
    client = connected(Echo)
    client.say('42["one",1]')
    assert client.heard == ['40']


def test_0_9_is_told_of_the_receipt_before_the_handler_has_run():
    client = connected(Echo, sio09)
    client.say('5:3::{"name":"echo","args":[1]}')
    assert client.heard == ['1::', '6:::3', '5:::{"name":"echo","args":[1]}']


def test_0_9_is_told_the_values_it_asks_for():
    client = connected(Echo, sio09)
    client.say('5:3+::{"name":"one","args":[1]}')
    assert client.heard == ['1::', '6:::3+[1]']


@pytest.mark.parametrize(
    ('dialect', 'ask', 'question', 'answer', 'answered'),
    [
        (
            sio09,
            '5:::{"name":"ask","args":["?"]}',
            '5:1+::{"name":"question","args":["?"]}',
            '6:::1+[1,2]',
            '5:::{"name":"answered","args":[[1,2]]}',
        ),
        (eio3, '42["ask","?"]', '421["question","?"]', '431[1,2]', '42["answered",[1,2]]'),
        (eio4, '42["ask","?"]', '421["question","?"]', '431[1,2]', '42["answered",[1,2]]'),
    ],
    ids=['sio09', 'eio3', 'eio4'],
)
def test_the_server_asks_and_the_client_answers(dialect, ask, question, answer, answered):
    client = connected(Echo, dialect)
    client.forget()
    client.say(ask)
    assert client.heard == [question]
    client.say(answer)
    client.say(answer)
    assert client.heard == [question, answered]


def test_an_answer_that_nobody_waits_for_is_ignored():
    client = connected(Echo)
    client.say('4399[1]', '430[]')
    assert client.heard == ['40']
    assert client.socket.connected


def test_only_so_many_answers_are_waited_for():
    client = connected(Echo, max_acks=2)
    client.say('42["ask",1]', '42["ask",2]', '42["ask",3]')
    client.forget()
    client.say('431["too old"]', '432["b"]', '433["c"]')
    assert client.heard == ['42["answered",["b"]]', '42["answered",["c"]]']


# -- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('dialect', DIALECTS, ids=lambda d: d.NAME)
def test_a_handler_that_fails_ends_nothing_and_tells_no_secret(dialect, caplog):
    client = connected(Echo, dialect)
    client.forget()
    client.say(EVENTS[dialect] % 'fail', EVENTS[dialect] % 'echo')
    assert len(client.heard) == 2
    assert 'internal_error' in client.heard[0]
    assert 'secret' not in client.heard[0]
    assert 'echo' in client.heard[1]
    assert 'a secret of the server' in caplog.text


def test_a_return_value_that_cannot_be_sent_fails_like_a_handler(caplog):
    class Odd(BaseNamespace):
        def on_x(self):
            return object()

    client = connected(Odd)
    client.say('427["x"]')
    assert client.heard == ['40', '42["error","internal_error","The server failed to handle \\"x\\""]', '437[null]']


def test_a_callback_that_fails_ends_nothing(caplog):
    class Asking(BaseNamespace):
        def on_ask(self):
            self.emit('question', callback=lambda: 1 / 0)

    client = connected(Asking)
    client.say('42["ask"]', '431[]', '42["ask"]')
    assert client.heard[-1] == '422["question"]'
    assert client.socket.connected


def test_connecting_fails_without_a_secret(caplog):
    class Failing(BaseNamespace):
        def recv_connect(self):
            raise RuntimeError('a secret of the server')

    client = connected({'': Echo, '/fails': Failing}, eio4)
    client.forget()
    client.say('40/fails,', '42["echo"]')
    assert client.heard == ['44/fails,{"message":"internal error"}', '42["echo"]']
    assert 'a secret of the server' in caplog.text


@pytest.mark.parametrize('dialect', [eio3, eio4, sio09], ids=lambda d: d.NAME)
@pytest.mark.parametrize('data', [date(2000, 1, 1), b'bytes', object()], ids=['date', 'bytes', 'object'])
def test_a_refusal_whose_data_cannot_be_sent_is_still_a_refusal(dialect, data, caplog):
    class Refusing(BaseNamespace):
        def recv_connect(self):
            raise ConnectionRefused('not today', data)

    client = connected({'': Echo, '/no': Refusing}, dialect)
    client.forget()
    client.say('1::/no' if dialect is sio09 else '40/no', EVENTS[dialect] % 'echo')
    assert 'not today' in client.heard[0]
    assert 'echo' in client.heard[-1]
    assert '/no' not in client.socket


def test_a_defect_of_ours_ends_the_client_and_still_runs_its_disconnect(caplog, monkeypatch):
    left = []

    class Leaving(BaseNamespace):
        def recv_disconnect(self):
            left.append(self)

    client = connected(Leaving)
    monkeypatch.setattr(type(client.socket), '_stray', lambda *args: 1 / 0)
    client.say('42/no,["x"]', '42/no,["y"]')
    assert not client.socket.connected
    assert len(left) == 1
    assert caplog.text.count('ZeroDivisionError') == 2


def test_a_defect_in_reading_ends_the_client_with_one_traceback(caplog, monkeypatch):
    client = connected(Echo)
    monkeypatch.setattr(eio3, 'decode', lambda message: 1 / 0)
    client.say('42["x"]', '42["y"]')
    assert client.transport.ended == ('server error', 1011)
    assert caplog.text.count('a defect') == 1


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('dialect', 'asked', 'heard'),
    [
        (eio4, '40/nope,', ['44/nope,{"message":"Invalid namespace"}']),
        (eio3, '40/nope', ['44/nope,"Invalid namespace"']),
        (
            sio09,
            '1::/nope',
            [
                '5::/nope:{"name":"error","args":["no_such_namespace",'
                '"The endpoint you tried to connect to doesn\'t exist: /nope"]}'
            ],
        ),
    ],
    ids=['eio4', 'eio3', 'sio09'],
)
def test_an_unknown_namespace(dialect, asked, heard):
    client = connected(Echo, dialect)
    client.forget()
    client.say(asked)
    assert client.heard == heard
    assert client.socket.connected


def test_only_so_many_namespaces():
    client = connected({'': Echo, '/a': Echo, '/b': Echo}, eio4, max_namespaces=2)
    client.forget()
    client.say('40/a,', '40/b,')
    assert client.heard[1] == '44/b,{"message":"too many namespaces"}'
    assert client.transport.ended == ('max_namespaces exceeded', 1008)


def test_an_event_before_its_namespace_ends_a_client_of_eio4(caplog):
    client = connected({'': Echo, '/chat': Echo}, eio4)
    client.say('42/chat,["echo"]')
    assert client.transport.ended == ('parse error', 1002)
    assert client.socket.reason == 'parse error'


@pytest.mark.parametrize(
    ('dialect', 'said', 'answer'),
    [
        (eio3, '42/chat,["x"]', ['42/chat,["error","no_such_namespace","The endpoint doesn\'t exist: /chat"]']),
        (
            eio3,
            '42/chat,7["x"]',
            ['42/chat,["error","no_such_namespace","The endpoint doesn\'t exist: /chat"]', '43/chat,7[null]'],
        ),
        (
            sio09,
            '5::/chat:{"name":"x"}',
            ['5::/chat:{"name":"error","args":["no_such_namespace","The endpoint doesn\'t exist: /chat"]}'],
        ),
    ],
)
def test_an_event_before_its_namespace_is_an_error_to_older_clients(dialect, said, answer):
    client = connected(Echo, dialect)
    client.forget()
    client.say(said)
    assert client.heard == answer
    assert client.socket.connected


@pytest.mark.parametrize('stray', ['41/chat,', '43/chat,1[]', '44/chat,"x"'])
@pytest.mark.parametrize('dialect', [eio3, eio4], ids=lambda d: d.NAME)
def test_what_may_cross_our_own_disconnect_is_ignored(dialect, stray):
    client = connected(Echo, dialect)
    client.forget()
    client.say(stray)
    assert client.heard == []
    assert client.socket.connected


@pytest.mark.parametrize(
    ('message', 'code'),
    [('nonsense', 1002), ('42["x"', 1002), ('451-["x"]', None), (b'\x04stray', 1002), ('45x-["x"]', 1002)],
)
def test_who_breaks_the_protocol_is_ended_with_one_line(message, code, caplog):
    caplog.set_level(logging.WARNING)
    client = connected(Echo)
    client.say(message)
    if code is None:
        assert client.socket.connected
        return
    assert client.transport.ended == ('parse error', code)
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.records[0].exc_info is None


def test_nothing_after_the_breach_is_heard():
    client = connected(Echo)
    client.forget()
    client.say('42["echo",1]', 'nonsense', '42["echo",2]')
    client.say('42["echo",3]')
    assert '42["echo",2]' not in client.heard
    assert '42["echo",3]' not in client.heard


# -- bounds ----------------------------------------------------------------------------------------------------------


class Blocking(BaseNamespace):
    gate = Event()

    def on_block(self):
        self.gate.wait()


@pytest.fixture
def blocked():
    """A client whose handler blocks until `gate` is set."""
    Blocking.gate = Event()
    client = connected(Blocking, max_pending=3, max_buffered=1000)
    client.say('42["block"]')
    yield client
    Blocking.gate.set()
    settle()


def test_a_crowded_inbox_is_read_no_more(blocked):
    blocked.say(*['42["block"]'] * 3)
    assert not blocked.socket.crowded
    blocked.say('42["block"]')
    assert blocked.socket.crowded
    blocked.socket.paused = True  # its transport has stopped reading
    Blocking.gate.set()
    settle()
    assert not blocked.socket.crowded
    assert not blocked.socket.paused
    assert blocked.transport.times_drained == 1


def test_nobody_is_told_to_read_again_who_never_stopped(blocked):
    blocked.say(*['42["block"]'] * 3)
    Blocking.gate.set()
    settle()
    assert blocked.transport.times_drained == 0


def test_large_packets_crowd_an_inbox_sooner(blocked):
    blocked.say('42["block","' + 'x' * 1000 + '"]')
    assert blocked.socket.crowded


def test_pings_during_a_slow_handler_do_not_crowd_for_good(blocked):
    for _ in range(20):
        blocked.say('2' + 'x' * 100)
    Blocking.gate.set()
    settle()
    assert not blocked.socket.crowded


def test_a_post_waits_until_the_inbox_is_drained(blocked):
    blocked.say(*['42["block"]'] * 4)
    waiting = gevent.spawn(blocked.socket.wait_drained)
    settle()
    assert not waiting.ready()
    Blocking.gate.set()
    settle()
    assert waiting.ready()


def test_a_post_waits_no_longer_than_its_client_lives(blocked):
    blocked.say(*['42["block"]'] * 4)
    waiting = gevent.spawn(blocked.socket.wait_drained)
    settle()
    blocked.socket.close(LEFT)
    settle()
    assert waiting.ready()


def test_a_crowded_clients_silence_is_ours(blocked):
    blocked.say(*['42["block"]'] * 4)
    long_after = blocked.socket.conversation.heard + 1000
    blocked.socket.tick(long_after)
    assert blocked.socket.connected


def test_a_silent_client_is_ended():
    client = connected(Echo)
    client.socket.tick(client.socket.conversation.heard + 1000)
    assert client.transport.ended == ('ping timeout', 1000)


def test_a_client_of_eio4_is_asked():
    client = connected(Echo, eio4)
    client.forget()
    client.socket.tick(client.socket.conversation.began + 25)
    assert client.heard == ['2']


# -- the end ---------------------------------------------------------------------------------------------------------


class Leaving(BaseNamespace):
    def initialize(self):
        self.left = []
        self.session['name'] = 'Ann'

    def recv_disconnect(self):
        self.left.append((self.session['name'], self.ns_name in self.socket))

    def on_kick(self):
        self.disconnect()

    def on_end(self):
        self.socket.disconnect()

    def on_slow(self):
        gevent.sleep(0.01)


@pytest.mark.parametrize(
    'end',
    [
        lambda client: client.say('1'),
        lambda client: client.say('41'),
        lambda client: client.say('41', '1'),
        lambda client: client.say('nonsense'),
        lambda client: client.say('1', '1', '41'),
        lambda client: client.socket.close(LEFT),
        lambda client: (client.socket.close(LEFT), client.socket.close('again')),
        lambda client: client.socket.disconnect(),
        lambda client: client.socket.kill(),
        lambda client: client.say('42["end"]'),
        lambda client: client.say('42["slow"]', '1'),
        lambda client: client.socket.tick(client.socket.conversation.heard + 1000),
        lambda client: client.socket.fail(RemoteProtocolError('no')),
        lambda client: client.say('4599-["x"]'),
    ],
)
def test_the_disconnect_handler_runs_exactly_once_while_all_can_be_read(end):
    client = connected(Leaving)
    namespace = client.socket['']
    end(client)
    gevent.sleep(0.02)
    settle()
    client.socket.close('later')
    settle()
    assert namespace.left == [('Ann', True)]
    assert client.socket.active_ns == {}


class CleaningUp(Leaving):
    """As gevent-socketio's documentation tells: what must run at every end stands in `disconnect`."""

    def disconnect(self, *args, **kwargs):
        self.session.setdefault('cleaned', []).append(self.ns_name)
        super().disconnect(*args, **kwargs)


@pytest.mark.parametrize('recv_disconnect', [True, False], ids=['and recv_disconnect calls it', 'alone'])
@pytest.mark.parametrize(
    ('end', 'left'),
    [
        (lambda client: client.say('1'), 1),
        (lambda client: client.say('41'), 1),
        (lambda client: client.say('nonsense'), 1),
        (lambda client: client.say('42["end"]'), 1),
        (lambda client: client.socket.close(LEFT), 1),
        (lambda client: client.socket.dismiss(client.socket[''], close=False), 1),
        (lambda client: client.socket.dismiss(client.socket[''], close=True), 1),
        (lambda client: client.say('42["kick"]'), 0),
    ],
    ids=['close', 'leave', 'breach', 'socket.disconnect', 'lost', 'dismissed', 'ended', 'disconnect'],
)
def test_disconnect_runs_once_at_every_end_and_recv_disconnect_where_the_site_did_not_call_it(
    end, left, recv_disconnect
):
    class Site(CleaningUp):
        def recv_disconnect(self):
            super().recv_disconnect()
            if recv_disconnect:
                self.disconnect(silent=True)

    client = connected(Site)
    namespace = client.socket['']
    end(client)
    settle()
    client.socket.close('later')
    settle()
    assert client.socket.session['cleaned'] == ['']
    assert len(namespace.left) == left


def test_the_first_reason_is_the_reason():
    client = connected(Echo)
    client.socket.close('first', 1001)
    client.socket.close('second')
    assert client.socket.reason == 'first'
    assert client.transport.ended == ('first', 1001)


def test_who_is_gone_is_gone_everywhere():
    registry, host = serve({'': Echo, '/chat': Echo})
    client = Client(registry, host)
    client.say('40/chat')
    registry.rooms.join(client.socket['/chat'], '/chat', 'room')
    client.say('1')
    assert registry.sockets == {}
    assert list(registry.rooms.members('/chat')) == []
    assert list(registry.rooms.members('/chat', 'room')) == []
    assert registry.rooms.rooms_of(client) == set()


def test_events_before_the_end_are_still_handled():
    client = connected(Recorder)
    log = client.socket[''].log
    client.say('42["slow",1]', '42["fast",2]', '1')
    gevent.sleep(0.03)
    assert log == ['1 begins', '1 ends', '2']


def test_nothing_is_said_after_the_end():
    client = connected(Echo)
    namespace = client.socket['']
    client.socket.close(LEFT)
    client.forget()
    namespace.emit('late')
    settle()
    assert client.heard == []


def test_leaving_one_namespace_leaves_the_others():
    client = connected({'': Leaving, '/chat': Echo})
    client.say('40/chat', '41')
    assert set(client.socket.active_ns) == {'/chat'}
    client.forget()
    client.say('42/chat,["echo"]')
    assert client.heard == ['42/chat,["echo"]']


def test_the_server_ends_a_namespace():
    client = connected({'': Leaving, '/chat': Echo})
    client.say('40/chat', '42["kick"]')
    assert client.heard[-1] == '41'
    assert set(client.socket.active_ns) == {'/chat'}
    assert client.socket.connected


def test_the_last_namespace_that_the_server_ends_ends_the_connection():
    client = connected(Leaving)
    client.say('42["kick"]')
    assert client.heard == ['40', '41']
    assert client.transport.ended == ('server namespace disconnect', 1000)


def test_a_disconnect_handler_that_fails_leaves_nothing_behind(caplog):
    class Failing(BaseNamespace):
        def recv_disconnect(self):
            raise RuntimeError

    registry, host = serve({'': Failing, '/chat': Leaving})
    client = Client(registry, host)
    client.say('40/chat')
    other = client.socket['/chat']
    client.say('1')
    assert other.left == [('Ann', True)]
    assert client.socket.active_ns == {}
    assert list(registry.rooms.members('')) == []


@pytest.mark.parametrize('calls_super', [False, True])
def test_a_disconnect_of_the_sites_that_fails_leaves_nothing_behind(calls_super, caplog):
    class Failing(BaseNamespace):
        def recv_disconnect(self):
            pass

        def disconnect(self, silent=False):
            if calls_super:
                super().disconnect(silent)
            raise ZeroDivisionError

    registry, host = serve({'': Failing, '/chat': Leaving})
    client = Client(registry, host)
    client.say('40/chat')
    job = client.socket[''].spawn(gevent.sleep, 60)
    other = client.socket['/chat']
    client.say('1')
    assert other.left == [('Ann', True)]
    assert client.socket.active_ns == registry.sids == {}
    assert list(registry.rooms.members('')) == []
    assert job.dead
    assert 'a defect' not in caplog.text


def test_who_is_refused_by_a_namespace_whose_disconnect_fails_lives(caplog):
    class Refusing(BaseNamespace):
        def recv_connect(self):
            raise ConnectionRefused('not today')

        def disconnect(self, silent=False):
            raise ZeroDivisionError

    client = connected({'': Echo, '/no': Refusing})
    client.say('40/no')
    assert client.heard[-1] == '44/no,"not today"'
    assert client.socket.connected
    assert '/no' not in client.socket


def test_jobs_end_with_the_client():
    ended = []

    def job():
        try:
            gevent.sleep(60)
        finally:
            ended.append(True)

    client = connected(Echo)
    client.socket.spawn(job)
    client.socket[''].spawn(job)
    settle()
    client.say('1')
    assert ended == [True, True]


def test_a_slow_connect_is_not_the_clients_silence():
    class Slow(BaseNamespace):
        def recv_connect(self):
            gate.wait()

    gate = Event()
    client = Client(*serve(Slow, ping_timeout=100), eio4)
    client.say('40')
    client.socket.tick(client.socket.conversation.began + 50)
    gate.set()
    settle()
    client.socket.tick(client.socket.conversation.began + 100)
    assert client.socket.connected


def test_a_client_that_goes_while_it_connects():
    left = []

    class Slow(BaseNamespace):
        def recv_connect(self):
            gevent.sleep(0.01)

        def recv_disconnect(self):
            left.append(self.ns_name)

    client = connected({'': Echo, '/slow': Slow})
    client.forget()
    client.say('40/slow', '42["echo"]')
    client.say('1')
    gevent.sleep(0.02)
    settle()
    assert left == ['/slow']
    assert client.heard == []


# -- small things ----------------------------------------------------------------------------------------------------


def test_a_packet_of_gevent_socketios_is_a_dict():
    client = connected(Echo)
    client.socket.send_packet({'type': 'event', 'name': 'x', 'args': [1], 'endpoint': ''})
    client.socket.send_packet(Packet(type='message', data='hi', endpoint='/chat'))
    assert client.heard == ['40', '42["x",1]', '42/chat,["message","hi"]']


def test_an_error_can_be_quiet():
    client = connected(Echo)
    client.socket.error('name', 'words', quiet=True)
    client.socket.error('name', {'field': 'words'}, endpoint='/chat', msg_id=3)
    assert client.heard == ['40', '42/chat,["error","name",{"field":"words"}]']


def test_bytes_reach_a_handler_and_come_back():
    client = connected(Echo)
    client.forget()
    client.say(f'451-["echo",{PLACEHOLDER}]')
    client.say(b'\x04\x01')
    assert client.heard == [f'451-["echo",{PLACEHOLDER}]', b'\x01']


def test_bytes_for_a_0_9_client_fail_in_its_handler_only(caplog):
    class Binary(BaseNamespace):
        def on_x(self):
            self.emit('y', b'')

    client = connected(Binary, sio09)
    client.say('5:::{"name":"x"}')
    assert 'internal_error' in client.heard[-1]


def test_it_prints_as_who_it_is():
    client = connected(Echo)
    assert repr(client.socket) == f'eio3 client {client.socket.sessid[:6]}… of 127.0.0.1'


def test_the_session_is_shared_by_namespaces_and_by_nobody_else():
    registry, host = serve({'': Leaving, '/chat': Echo})
    one, other = Client(registry, host), Client(registry, host)
    one.say('40/chat')
    one.socket['/chat'].session['name'] = 'Bob'
    assert one.socket[''].session == {'name': 'Bob'}
    assert other.socket[''].session == {'name': 'Ann'}
