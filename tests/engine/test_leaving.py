"""How a client goes, out of a namespace or altogether: `recv_disconnect` runs once, and nothing is left behind."""

from __future__ import annotations

import gevent
import pytest

from tgsio_middleware.engine.socket import LEFT
from tgsio_middleware.errors import RemoteProtocolError
from tgsio_middleware.namespace import BaseNamespace

from .fakes import Client, connected, serve, settle
from .namespaces import Echo, Leaving


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


# -- who has left and come back ----------------------------------------------------------------------------------------


def come_back(client):
    """Leaves /chat and connects it anew; -> the object of the first time."""
    former = client.socket['/chat']
    client.say('41/chat,', '40/chat,')
    assert client.socket['/chat'] is not former
    client.forget()
    return former


@pytest.mark.parametrize('silent', [False, True])
def test_an_object_that_was_left_ends_nobody_else(silent):
    """What a greenlet of the site's still holds, to end who has not logged in after so many seconds."""
    client = connected({'': Echo, '/chat': Echo})
    client.say('40/chat,')
    come_back(client).disconnect(silent)
    assert client.heard == []
    client.say('42/chat,["echo"]')
    assert client.heard == ['42/chat,["echo"]']


def test_an_object_that_was_left_does_not_end_a_connection_without_namespaces():
    client = connected(Echo)
    former = client.socket['']
    client.say('41')
    client.forget()
    former.disconnect()
    client.say('40')
    assert client.heard == ['40']
    assert client.socket.connected


def test_an_object_that_ends_itself_while_it_is_made_ends_the_connection():
    class Closed(Echo):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.disconnect()

    assert not connected(Closed).socket.connected
