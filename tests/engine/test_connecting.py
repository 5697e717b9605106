"""How a client comes into its namespaces, and who is refused."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tgsio_middleware.errors import ConnectionRefused
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

from .fakes import Client, connected, serve
from .namespaces import EVENTS, Echo


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


# -- refusals ----------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize('dialect', [eio3, eio4, sio09], ids=lambda d: d.NAME)
def test_a_refusal_for_a_reason_that_is_an_exception_is_one_in_its_words(dialect, caplog):
    class Refusing(BaseNamespace):
        def recv_connect(self):
            raise ConnectionRefused(ValueError('not today'))

    client = connected({'': Echo, '/no': Refusing}, dialect)
    client.forget()
    client.say('1::/no' if dialect is sio09 else '40/no', EVENTS[dialect] % 'echo')
    assert 'not today' in client.heard[0]
    assert 'echo' in client.heard[-1]
    assert not caplog.text


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
