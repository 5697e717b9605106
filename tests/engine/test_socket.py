"""One client: what its handlers and the protocol may do wrong, its silence, and what it sends."""

from __future__ import annotations

import logging

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.errors import LocalProtocolError
from tgsio_middleware.mixins import BroadcastMixin
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.packet import Packet
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.negotiate import DIALECTS

from .fakes import Client, ListTransport, connected, serve, settle
from .namespaces import EVENTS, Echo, Leaving

PLACEHOLDER = '{"_placeholder":true,"num":0}'


# -- failures ----------------------------------------------------------------------------------------------------------


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


# -- breaches ----------------------------------------------------------------------------------------------------------


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


# -- silence -----------------------------------------------------------------------------------------------------------


def test_a_silent_client_is_ended():
    client = connected(Echo)
    client.socket.tick(client.socket.conversation.heard + 1000)
    assert client.transport.ended == ('ping timeout', 1000)


def test_a_client_of_eio4_is_asked():
    client = connected(Echo, eio4)
    client.forget()
    client.socket.tick(client.socket.conversation.began + 25)
    assert client.heard == ['2']


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


# -- what is sent ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('dialect', [eio3, eio4])
@pytest.mark.parametrize('name', ['connect', 'disconnect', 'connect_error', None, 7])
def test_what_no_event_may_be_called_is_not_emitted(dialect, name):
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


@pytest.mark.parametrize(
    'say',
    [
        lambda namespace, row: namespace.emit('news', row),
        lambda namespace, row: namespace.emit('news', row, callback=print),
        lambda namespace, row: namespace.broadcast_event('news', row),
    ],
    ids=['emit', 'with a callback', 'broadcast'],
)
def test_what_takes_its_time_to_be_said_leaves_on_the_transport_that_carries_the_client_by_then(say):
    """What is said is encoded by the site's code, which may wait for a database."""

    class Row:
        def __json__(self):
            gate.wait()
            return 'a row'

    class News(BaseNamespace, BroadcastMixin):
        pass

    gate = Event()
    client = connected(News)
    gevent.spawn(say, client.socket[''], Row())
    settle()
    former, client.transport = client.transport, ListTransport(client.socket)
    client.socket.transport = client.transport
    gate.set()
    settle()
    assert former.said[1:] == ['40']
    assert [message.lstrip('421') for message in client.heard] == ['["news","a row"]']


# -- small things ------------------------------------------------------------------------------------------------------


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
