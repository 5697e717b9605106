"""A site of gevent-socketio's time, unmodified, and the clients of all generations that meet there."""

from __future__ import annotations

import pytest

from tests.conftest import missing
from tests.live import serve

from .clients import GENERATIONS, POLLING, Client, requires_node

pytestmark = pytest.mark.node


@pytest.fixture(scope='module')
def live():
    requires_node()
    try:
        import socketio.namespace  # noqa: F401
    except ImportError:
        missing('gevent-socketio', 'pip install gevent-socketio-hartwork')
    with serve('tests.fixtureapps.veteran') as live:
        yield live


@pytest.fixture(params=GENERATIONS)
def generation(request):
    return request.param


@pytest.fixture(params=['websocket', 'polling'])
def client(request, live, generation):
    with Client(generation, live.url) as client:
        transport = POLLING[generation] if request.param == 'polling' else 'websocket'
        client.open('/chat', transports=[transport])
        client.wait('connect', namespace='/chat')
        yield client


def test_the_chat_of_its_examples(live, client, generation):
    name = f'{generation}-é'
    client.emit('user message', 'too early', namespace='/chat')
    client.wait(
        'event', event='error', args=['method_access_denied', 'You do not have access to method "on_user_message"']
    )
    assert client.call('nickname', name, namespace='/chat') == [True, name]
    client.wait('event', event='announcement', args=[f'{name} has connected'])
    with Client('4', live.url) as other:
        other.open('/chat')
        other.wait('connect', namespace='/chat')
        assert other.call('nickname', 'other', namespace='/chat') == [True, 'other']
        other.emit('user message', 'hello', namespace='/chat')
        client.wait('event', event='msg_to_room', args=['other', 'hello'])
        other.none('event', event='msg_to_room')
        other.close()
    client.wait('event', event='announcement', args=['other has disconnected'])


def test_a_failing_handler_kills_nothing(client):
    client.emit('fail', namespace='/chat')
    client.wait('event', event='error', args=['internal_error', 'The server failed to handle "fail"'])
    assert client.call('path', namespace='/chat') == ['/socketio/chat', '/chat']


def test_allow_only_guards_it_too(live, generation):
    with Client(generation, live.url) as client:
        client.open('/members')
        client.wait('refused', namespace='/members')
