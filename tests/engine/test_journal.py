"""One line a connection, one a disconnection, and nothing that a client says can forge one."""

from __future__ import annotations

import logging
import re

import pytest

from tgsio_middleware.engine import journal
from tgsio_middleware.errors import ConnectionRefused
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

from .fakes import Client, connected, serve, settle


class Chat(BaseNamespace):
    def on_leave(self):
        self.disconnect()

    def on_work(self):
        return 1


class Refusing(BaseNamespace):
    def recv_connect(self):
        raise ConnectionRefused('no')


class Fleeting(BaseNamespace):
    def recv_connect(self):
        self.disconnect()


@pytest.fixture(autouse=True)
def told(caplog):
    """The lines so far, without ids and times."""
    caplog.set_level(logging.INFO, journal.log.name)

    def lines():
        said = [record.getMessage() for record in caplog.records if record.name == 'tgsio_middleware.connections']
        return [re.sub(r'[\w-]{27}', 'ID', re.sub(r'after \d+\.\d s', 'after T', line)) for line in said]

    return lines


def client_of_chat(dialect=eio4, **handshake):
    client = Client(*serve({'/chat': Chat}), dialect)
    client.transport.NAME = 'websocket'
    client.socket.handshake.update(handshake)
    client.say({eio4: '40/chat', eio3: '40/chat', sio09: '1::/chat'}[dialect])
    return client


@pytest.mark.parametrize(
    ('dialect', 'generations'), [(sio09, '0.9'), (eio3, '1.x/2.x'), (eio4, '3.x/4.x')], ids=['0.9', 'EIO3', 'EIO4']
)
def test_who_comes_and_who_goes(told, dialect, generations):
    client = client_of_chat(dialect)
    facts = f"'/chat': {generations} by websocket from 127.0.0.1, user None, ID"
    assert told() == [f'connect {facts}']
    client.socket.close('ping timeout')
    settle()
    assert told() == [f'connect {facts}', f'disconnect {facts}, after T: ping timeout']


@pytest.mark.parametrize(
    ('leaves', 'reason'),
    [
        (lambda client: client.say('41/chat'), 'client namespace disconnect'),
        (lambda client: client.say('42/chat,["leave"]'), 'server namespace disconnect'),
        (lambda client: client.socket['/chat'].disconnect(), 'server namespace disconnect'),
        (lambda client: client.socket.dismiss(client.socket['/chat'], False), 'server namespace disconnect'),
        (lambda client: client.socket.close('transport close'), 'transport close'),
        (lambda client: client.say('4!'), 'parse error'),
    ],
    ids=['client', 'handler', 'server', 'dismissed', 'lost', 'nonsense'],
)
def test_a_disconnection_is_told_once_with_its_reason(told, leaves, reason):
    client = client_of_chat()
    leaves(client)
    settle()
    client.socket.close('transport close')
    settle()
    assert [line.rpartition(': ')[2] for line in told() if line.startswith('disconnect')] == [reason]


def test_the_user_is_the_one_that_the_site_knows(told):
    client_of_chat(REMOTE_USER='ann')
    client = client_of_chat(REMOTE_USER='ann')
    client.socket['/chat'].environ['repoze.who.identity'] = {'repoze.who.userid': 7}
    client.say('41/chat')
    assert "user 'ann'" in told()[0]
    assert 'user 7' in told()[-1]


def test_whoever_has_no_address_came_over_a_unix_socket(told):
    client_of_chat(REMOTE_ADDR='')
    assert ' from unix, ' in told()[0]


def test_nothing_is_told_of_packets_of_the_refused_and_of_who_left_while_connecting(told):
    client = connected({'': BaseNamespace, '/refusing': Refusing, '/fleeting': Fleeting}, eio4)
    client.say('40/refusing', '40/fleeting', '40/nowhere', '420["x"]')
    assert [line.partition(': ')[0] for line in told()] == ["connect '/'"]


def test_a_client_cannot_write_a_line_of_its_own(told):
    client = Client(*serve({'/a\nb': Chat}), eio4)
    client.socket.handshake['REMOTE_USER'] = 'ann\ndisconnect'
    client.say('40/a\nb')
    assert len(told()) == 1
    assert '\n' not in told()[0]


def test_where_nobody_reads_it_nothing_is_kept(told, caplog):
    caplog.set_level(logging.WARNING, journal.log.name)
    client = client_of_chat()
    assert client.socket['/chat'] not in journal._since
    caplog.set_level(logging.INFO, journal.log.name)
    client.say('41/chat')
    assert told() == []


def test_what_is_kept_of_a_client_goes_with_it(told):
    client = client_of_chat()
    namespace = client.socket['/chat']
    assert namespace in journal._since
    client.say('41/chat')
    assert namespace not in journal._since
