"""What a handler can ask and be told, with the real clients of all generations."""

from __future__ import annotations

import pytest

from tests.live import serve

from .clients import GENERATIONS, POLLING, Client, requires_node

pytestmark = pytest.mark.node


@pytest.fixture(scope='module')
def live():
    requires_node()
    with serve('tests.fixtureapps.talkative') as live:
        yield live
        assert 'Traceback' not in live.log(), live.log()


@pytest.fixture(params=GENERATIONS)
def generation(request):
    return request.param


def opened(client, transport='websocket', namespace='/talk', **options):
    name = POLLING[client.generation] if transport == 'polling' else transport
    client.open(namespace, transports=[name], **options)
    client.wait('connect', namespace=namespace)


@pytest.mark.parametrize('transport', ['websocket', 'polling'])
def test_a_conversation(live, generation, transport):
    with Client(generation, live.url) as client:
        opened(client, transport)
        client.reply('question', 'answer', {'a': 1}, namespace='/talk')
        assert client.call('ask', 'why?', namespace='/talk') == [[['answer', {'a': 1}], True]]
        client.wait('event', event='question', args=['why?'])
        assert client.call('ask in vain', namespace='/talk') == ['no answer within 0.2 seconds']
        client.emit('ask later', namespace='/talk')
        client.wait('event', event='failed', args=['AnswerTimeout', '/socketio/talk'])
        assert client.call('any:thing at-all', 1, namespace='/talk') == [['any:thing at-all', 1]]
        assert client.call('volatile', namespace='/talk') == ['said']
        if transport == 'websocket':
            assert client.events('number') == [[0], [1], [2]]


def test_the_query_of_the_connection(live, generation):
    with Client(generation, live.url) as client:
        opened(client, query={'token': 'é+1'})
        assert client.call('auth', namespace='/talk') == [{'token': 'é+1'}]


@pytest.mark.parametrize('generation', ['3', '4'])
def test_the_payload(live, generation):
    with Client(generation, live.url) as client:
        opened(client, auth={'token': [1, {'a': None}]}, query={'token': 'less', 'lang': 'it'})
        assert client.call('auth', namespace='/talk') == [{'token': [1, {'a': None}], 'lang': 'it'}]


def test_a_refusal_in_each_ones_words(live, generation):
    with Client(generation, live.url) as client:
        client.open('/talk', query={'token': 'bad'})
        refused = client.wait('refused', namespace='/talk')
        if generation in ('3', '4'):
            assert (refused['message'], refused['data']) == ('not with this token', {'token': 'bad'})


@pytest.mark.parametrize('how', ['disconnect', 'close', 'drop'])
def test_why_a_client_has_left(live, generation, how):
    with Client('4', live.url) as witness, Client(generation, live.url) as client:
        opened(witness)
        opened(client)
        if how == 'disconnect':
            client.disconnect(namespace='/talk')
        else:
            getattr(client, how)()
        left = witness.wait('event', event='left')
        assert set(left['args']) <= {'client namespace disconnect', 'transport close'}
