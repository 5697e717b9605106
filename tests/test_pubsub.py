"""PubSub over memory, in a real TurboGears site: who may listen, who hears, when it ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from tests.eio4client import Client
from tests.live import Live, serve

HALL = '/hall'


@pytest.fixture(scope='module')
def live() -> Iterator[Live]:
    with serve('tests.fixtureapps.hall', app='tm.enabled = true\ntm.attempts = 2') as live:
        yield live


@pytest.fixture
def ann(live: Live) -> Iterator[Client]:
    with Client(live.port, headers=['X-User: ann']) as client:
        client.join(HALL)
        yield client


@pytest.fixture
def guest(live: Live) -> Iterator[Client]:
    with Client(live.port) as client:
        client.join(HALL)
        yield client


def hears(client: Client, channel: str, speaker: Client, namespace: str = HALL) -> bool:
    """Whether a publication on the channel reaches the client."""
    speaker.emit(HALL, 'publish', channel, 'on the channel')
    speaker.call(HALL, 'who')  # memory has its turn
    speaker.emit(HALL, 'shout', 'after it')  # to everybody
    if namespace != HALL:
        speaker.call(HALL, 'who')
        client.call(namespace, 'who')
    else:
        client.event(HALL, 'shouted')
    publications = [p for p in client.heard() if p.kind == '2' and p.data[0] == 'pubblication']
    for packet in publications:
        client.expect(lambda p, packet=packet: p is packet)
    assert len(publications) <= 1
    return bool(publications)


@pytest.mark.parametrize(
    ('arguments', 'channel'),
    [
        (['lobby'], 'lobby'),
        (['two words'], 'two words'),
        (['room', 1], 'room-1'),
        (['number', '7'], 'number-7'),
        (['by id', 7], 7),
        (['by id', 7], '7'),
        (['members'], 'members'),
    ],
)
def test_what_may_be_subscribed(ann, guest, arguments, channel):
    assert ann.call(HALL, 'subscribe', *arguments) == [True]
    assert hears(ann, channel, guest)
    assert guest.event(HALL, 'shouted') == ['after it']
    assert guest.heard() == []


#: Arguments, the channel that must not be heard, the ack, the error.
REFUSALS = [
    ([], 'lobby', False, 'channel_not_specified'),
    (['nothing'], 'nothing', False, 'channel_not_available'),
    ([7], '7', False, 'channel_not_available'),
    ([['lobby']], 'lobby', False, 'channel_not_available'),
    (['x' * 5000], 'x' * 5000, False, 'channel_not_available'),
    (['refused'], 'refused', False, 'subscription_rejected'),
    (['members'], 'members', False, 'method_access_denied'),
    (['number', 'seven'], 'number-seven', False, 'invalid_method_args'),
    (['number'], 'number', False, 'invalid_method_args'),
    (['lobby', 'too', 'many'], 'lobby', False, 'invalid_method_args'),
    (['handled', 'seven'], 'handled', False, None),  # an error handler takes it
    (['raising'], 'raising', None, 'internal_error'),
    (['brittle'], 'brittle', None, 'internal_error'),  # its transaction does not commit
    (['odd'], 'odd', None, 'internal_error'),  # it returns no name
    (['at first'], 'at first', False, 'subscription_rejected'),  # its transaction is tried once more, and then refuses
    (['room', 'x' * 1000], 'room-' + 'x' * 1000, False, 'subscription_rejected'),  # a name without end
]
MESSAGES = {
    'channel_not_specified': 'You must specify the channel you want to subscribe',
    'channel_not_available': 'Trying to subscribe to a channel not available',
    'subscription_rejected': 'Your subscription has been rejected by server',
    'method_access_denied': 'You do not have access to method "subscribe_members"',
}


@pytest.mark.parametrize(('arguments', 'channel', 'ack', 'error'), REFUSALS)
def test_who_is_refused_never_hears(guest, ann, arguments, channel, ack, error):
    assert guest.call(HALL, 'subscribe', *arguments) == [ack]
    if error is not None:
        name, message = guest.error(HALL)
        assert name == error
        assert message == MESSAGES.get(error, message)
    assert not hears(guest, channel, ann)
    assert guest.heard() == []


def test_a_decorator_that_swallows_what_was_raised_does_not_subscribe(guest, ann):
    guest.join('/swallowing')
    assert guest.call('/swallowing', 'subscribe', 'raising') == [False]
    assert not hears(guest, 'raising', ann, '/swallowing')
    assert guest.call('/swallowing', 'subscribe', 'lobby') == [True]


def test_an_event_that_fails_ends_what_it_has_subscribed_and_nothing_else(ann):
    ann.call(HALL, 'subscribe', 'lobby')
    assert ann.call(HALL, 'fail') == [None]
    assert ann.call(HALL, 'channels') == [['lobby']]
    assert ann.call(HALL, 'subscribe', 'brittle') == [None]
    assert ann.call(HALL, 'subscribe', 'lobby') == [True]
    assert ann.call(HALL, 'channels') == [['lobby']]


def test_an_event_that_is_aborted_has_subscribed_nothing(ann):
    assert ann.call(HALL, 'subscribe_and_abort') == [None]
    assert ann.call(HALL, 'channels') == [[]]


def test_another_channel_by_the_same_name_is_not_heard_where_its_event_fails(ann):
    assert ann.call(HALL, 'subscribe', 'other every time') == [True]
    assert ann.call(HALL, 'channels') == [['one']]
    assert ann.call(HALL, 'subscribe', 'other every time') == [None]
    assert ann.call(HALL, 'channels') == [[]]


def test_a_connect_that_is_tried_once_more_hears_once(ann, guest):
    guest.join('/undecided')
    guest.call('/undecided', 'subscribe', 'lobby')
    guest.emit('/undecided', 'shout', 1)
    ann.emit(HALL, 'publish', 'lobby', 2)
    assert guest.event('/undecided', 'shouted') == [1]
    assert guest.event('/undecided', 'pubblication') == [2]
    guest.call('/undecided', 'who')
    assert guest.heard() == []


def test_nothing_is_left_of_a_connect_that_is_tried_once_more_where_the_sites_disconnect_ends_nothing(guest):
    guest.join('/clinging')
    guest.emit('/clinging', 'shout', 1)
    assert guest.event('/clinging', 'shouted') == [1]
    guest.call('/clinging', 'who')
    assert guest.heard() == []


def test_who_comes_back_hears_nothing_of_what_it_had_subscribed_where_the_sites_disconnect_ends_nothing(ann, guest):
    guest.join('/clinging')
    guest.call('/clinging', 'subscribe', 'lobby')
    guest.leave('/clinging')
    guest.join('/clinging')
    ann.call(HALL, 'publish', 'lobby', 2)
    ann.call(HALL, 'who')  # memory has its turn
    guest.call('/clinging', 'who')
    assert guest.heard() == []


def test_subscribing_twice_hears_once(ann, guest):
    for _ in range(2):
        assert ann.call(HALL, 'subscribe', 'lobby') == [True]
    assert hears(ann, 'lobby', guest)


def test_unsubscribing(ann, guest):
    ann.call(HALL, 'subscribe', 'room', 1)
    ann.call(HALL, 'subscribe', 'room', 2)
    assert ann.call(HALL, 'unsubscribe', 'room', 3) == [False]
    assert ann.call(HALL, 'unsubscribe', 'room', 1) == [True]
    assert not hears(ann, 'room-1', guest)
    assert hears(ann, 'room-2', guest)
    assert ann.call(HALL, 'unsubscribe', 'room') == [True]
    assert not hears(ann, 'room-2', guest)
    assert ann.call(HALL, 'unsubscribe', 'room') == [False]
    assert ann.call(HALL, 'unsubscribe') == [False]
    assert ann.error(HALL)[0] == 'channel_not_specified'


def test_two_names_of_one_channel(ann, guest):
    """It is heard once, and until both have ended."""
    ann.call(HALL, 'subscribe', 'number', '7')
    ann.call(HALL, 'subscribe', 'number', 7)
    assert hears(ann, 'number-7', guest)
    ann.call(HALL, 'unsubscribe', 'number', '7')
    assert hears(ann, 'number-7', guest)
    ann.emit(HALL, 'drop_channel', 'number-7')
    ann.call(HALL, 'who')
    assert not hears(ann, 'number-7', guest)


def test_all_end_at_disconnect_and_can_be_read_until_then(ann, guest):
    ann.call(HALL, 'subscribe', 'room', 1)
    ann.call(HALL, 'join', 'red')
    ann.leave(HALL)
    assert guest.event(HALL, 'left') == [['red'], ['room-1']]
    ann.join(HALL)
    assert not hears(ann, 'room-1', guest)


def test_a_client_that_vanishes(live, guest):
    client = Client(live.port)
    client.join(HALL)
    client.call(HALL, 'subscribe', 'lobby')
    client._websocket.sock.shutdown(socket.SHUT_RDWR)
    assert guest.event(HALL, 'left') == [[], ['lobby']]


def test_each_namespace_hears_for_itself(ann, guest):
    ann.join('/swallowing')
    ann.call('/swallowing', 'subscribe', 'lobby')
    guest.emit(HALL, 'publish', 'lobby', {'a': 1})
    assert ann.event('/swallowing', 'pubblication') == [{'a': 1}]
    ann.call(HALL, 'who')
    assert ann.heard() == []


def test_a_page_publishes(live, ann):
    ann.call(HALL, 'subscribe', 'lobby')
    with urlopen(f'{live.url}/publish?channel=lobby&text=%5B1%5D', timeout=10) as answer:
        assert answer.read() == b'GET'
    assert ann.event(HALL, 'pubblication') == [[1]]


def test_a_thread_that_is_not_gevents_publishes(ann):
    ann.call(HALL, 'subscribe', 'lobby')
    for number in range(3):
        ann.emit(HALL, 'publish_from_a_thread', 'lobby', number)
        assert ann.event(HALL, 'pubblication') == [number]


def test_what_is_no_json_on_a_channel_harms_nobody(live, ann, guest):
    ann.call(HALL, 'subscribe', 'lobby')
    ann.emit(HALL, 'publish_raw', 'lobby', '{')
    ann.emit(HALL, 'publish_raw', 'lobby', '"fine"')
    assert ann.event(HALL, 'pubblication') == ['fine']
    live.wait_for_log('dropped a publication')


@pytest.mark.parametrize('channel', [None, True, 1.5, ['lobby']])
def test_what_is_no_name_of_a_channel(live, ann, channel):
    assert ann.call(HALL, 'publish', channel, 1) == [None]
    assert f'{channel!r} is no name of a channel' in live.log()


def test_bytes_cannot_be_published(ann):
    ann.say('451-/hall,1["publish","lobby",{"_placeholder":true,"num":0}]')
    ann._websocket.send_binary(b'\0')
    assert ann.acknowledged(HALL, 1) == [None]
    assert ann.error(HALL)[0] == 'internal_error'


def test_who_subscribes_without_end_is_ended():
    with serve('tests.fixtureapps.hall', max_subscriptions=5) as live, Client(live.port) as client:
        client.join(HALL)
        for i in range(5):
            assert client.call(HALL, 'subscribe', 'room', i) == [True]
        assert client.call(HALL, 'subscribe', 'room', 4) == [True]
        client.emit(HALL, 'subscribe', 'room', 5)
        assert client.error(HALL)[0] == 'subscription_rejected'
        client.wait_closed()
        live.wait_for_log(r'WARNING .*client .* of 127.0.0.1: more than 5 subscriptions \(max_subscriptions\)')


@pytest.mark.parametrize(
    ('said', 'why'),
    [
        ('backend = mongodb', 'collection.insert, which pymongo has no more since 4.0; use memory, redis or amqp'),
        ('backend = nonsense', 'anypubsub.backend = nonsense'),
        ('hosts = here', 'unexpected keyword argument'),
    ],
)
def test_a_configuration_that_cannot_be_stops_the_start(said, why):
    with (
        pytest.raises(AssertionError, match='ConfigurationError') as e,
        serve('tests.fixtureapps.hall', app=f'anypubsub.{said}'),
    ):
        pass
    assert why in str(e.value)
