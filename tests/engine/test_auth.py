"""What a client said of itself when it connected, in every generation's way."""

from __future__ import annotations

import pytest

from tgsio_middleware.engine.auth import MAX_FIELDS, auth_of
from tgsio_middleware.errors import Refused
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

from .fakes import Client, serve

JOINS = {
    sio09: ['1::/chat:?token=x&n=', '1::/chat?token=x&n='],
    eio3: ['40/chat?token=x&n=,', '40/chat?token=x&n='],
    eio4: ['40/chat,{"token":"x","n":""}'],
}


class Chat(BaseNamespace):
    pass


def client_of(dialect, query=''):
    client = Client(*serve({'/chat': Chat}), dialect)
    client.socket.handshake['QUERY_STRING'] = query
    return client


@pytest.mark.parametrize(('dialect', 'join'), [(dialect, join) for dialect, joins in JOINS.items() for join in joins])
def test_every_generation_says_it(dialect, join):
    client = client_of(dialect)
    client.say(join)
    assert client.socket['/chat'].auth == {'token': 'x', 'n': ''}


@pytest.mark.parametrize('dialect', JOINS)
def test_the_query_of_the_connection_counts_less(dialect):
    client = client_of(dialect, 'token=old&lang=it')
    client.say(JOINS[dialect][0])
    assert client.socket['/chat'].auth == {'token': 'x', 'lang': 'it', 'n': ''}


@pytest.mark.parametrize(('dialect', 'join'), [(sio09, '1::/chat'), (eio3, '40/chat'), (eio4, '40/chat,')])
def test_who_says_nothing(dialect, join):
    client = client_of(dialect)
    client.say(join)
    assert client.socket['/chat'].auth == {}


def test_a_payload_may_hold_any_json():
    client = client_of(eio4)
    client.say('40/chat,{"token":{"a":[1,null]}}')
    assert client.socket['/chat'].auth == {'token': {'a': [1, None]}}


def test_it_is_there_when_the_acl_is_made():
    class Guarded(BaseNamespace):
        def get_initial_acl(self):
            return {'recv_connect'} if self.auth.get('token') != 'x' else None

    client = Client(*serve({'/chat': Guarded}), eio4)
    client.say('40/chat,{"token":"x"}')
    assert client.socket['/chat'].allowed_methods is None


def test_two_namespaces_do_not_share_it():
    client = Client(*serve({'/chat': Chat, '/b': Chat}), eio4)
    client.say('40/chat,{"token":"x"}', '40/b,')
    assert client.socket['/b'].auth == {}


def test_percent_and_plus_and_the_last_of_a_name():
    assert auth_of({'QUERY_STRING': 'a=%C3%A9+b&a=c&%61=1'}, {}, 100) == {'a': '1'}
    assert auth_of({}, {'qs': 'a=%C3%A9+b'}, 100) == {'a': 'é b'}


def test_too_many_fields_refuse_the_client():
    client = client_of(eio3)
    client.say('40/chat?' + '&'.join(f'a{i}=' for i in range(MAX_FIELDS + 1)))
    assert client.heard[-1] == '44/chat,"a query of more than 100 fields"'
    with pytest.raises(Refused):
        auth_of({}, {'qs': 'a&' * 101}, 1000)


@pytest.mark.parametrize(('dialect', 'asked'), [(eio4, '40/chat,{"token":"%s"}'), (eio3, '40/chat?token=%s')])
def test_too_much_refuses_the_client(dialect, asked):
    client = Client(*serve({'/chat': Chat}, max_head=100), dialect)
    client.say(asked % ('x' * 101))
    assert 'connect data of more than 100 bytes' in client.heard[-1]
    assert client.socket.active_ns == {}
    client.say(asked % ('x' * 50))
    assert client.socket['/chat'].auth == {'token': 'x' * 50}
