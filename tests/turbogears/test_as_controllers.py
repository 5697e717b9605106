"""What TurboGears users do with controllers works with namespaces: see the site, `fixtureapps.guild`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from tg import validate

from tests.eio4client import Client
from tests.live import Live, serve
from tgsio_middleware import SocketIOTGNamespace
from tgsio_middleware.errors import ConfigurationError

from .conftest import tracebacks


@pytest.fixture(scope='module')
def guild() -> Iterator[Live]:
    with serve('tests.fixtureapps.guild') as live:
        yield live


@pytest.fixture
def enter(guild):
    """`enter('/doors', 'ann:dance')`: a client of that user, in the namespace unless that is None."""
    clients = []

    def entered(namespace: str | None, user: str | None = None) -> Client:
        clients.append(Client(guild.port, headers=[f'X-User: {user}'] if user else []))
        if namespace:
            clients[-1].join(namespace)
        return clients[-1]

    yield entered
    for client in clients:
        client.close()


# -- @require: several, denial_handler, smart_denial -------------------------------------------------------------------


@pytest.mark.parametrize(
    ('event', 'user', 'ack'),
    [
        ('explained', None, ['denied', 'The current user must have been authenticated', 401]),
        ('strict', None, 'strictly not'),
        ('party', 'bob:dance', 'learn to sing'),
        ('party', 'bob:sing', 'learn to dance'),
    ],
)
def test_what_a_denial_handler_returns_is_the_ack_and_the_handler_does_not_run(enter, event, user, ack):
    client = enter('/doors', user)
    assert client.call('/doors', event) == [ack]
    assert client.call('/doors', 'ran') == [0]
    assert client.heard() == []


@pytest.mark.parametrize('event', ['explained', 'login', 'paid', 'smart', 'strict', 'party'])
def test_who_meets_all_requirements_is_let_in(enter, event):
    client = enter('/doors', 'ann:sing+dance')
    assert client.call('/doors', event) == ['in']
    assert client.call('/doors', 'ran') == [1]


@pytest.mark.parametrize(
    ('event', 'detail'),
    [
        ('login', {'status': 302, 'location': '/login?because=you'}),
        ('paid', {'status': 402, 'message': 'pay first'}),
    ],
)
def test_a_denial_handler_may_abort_or_redirect(enter, event, detail):
    client = enter('/doors')
    assert client.call('/doors', event) == [None]
    name, told = client.error('/doors')
    assert name == 'aborted'
    assert told.items() >= detail.items()
    assert client.call('/doors', 'ran') == [0]


@pytest.mark.parametrize('event', ['smart', 'party'])
def test_without_a_denial_handler_an_event_is_denied_by_name(enter, event):
    """smart_denial makes a page's answer data; an event's is."""
    client = enter('/doors')
    assert client.call('/doors', event) == [None]
    assert client.error('/doors') == ['method_access_denied', f'You do not have access to method "on_{event}"']


def test_what_the_acl_forbids_no_denial_handler_answers(enter):
    client = enter('/doors')
    client.call('/doors', 'close')
    assert client.call('/doors', 'listed') == [None]
    assert client.error('/doors')[0] == 'method_access_denied'


def test_what_the_namespace_itself_forbids_no_denial_handler_answers(enter):
    client = enter('/whims', 'ann')
    assert client.call('/whims', 'explained') == [None]
    assert client.error('/whims') == ['method_access_denied', 'You do not have access to method "on_explained"']


def test_an_error_handler_has_a_denial_handler_too(enter):
    client = enter('/doors')
    assert client.call('/doors', 'validated', 'x')[0][0] == 'denied'
    assert client.call('/doors', 'validated', '7') == ['in']


@pytest.mark.parametrize(
    ('namespace', 'refusal'),
    [
        ('/turned_away', {'message': 'members only', 'data': {'join': '/join'}}),
        ('/to_login', {'message': 'not authorized', 'data': {'status': 302}}),
        ('/explained', {'message': 'not authorized', 'data': {'status': 401}}),
        ('/explained_class', {'message': 'not authorized', 'data': {'status': 401}}),
    ],
)
def test_a_denial_handler_refuses_a_connection_whatever_it_does(enter, namespace, refusal):
    client = enter('/tell')
    client.call('/tell', 'notes')
    assert client.refusal(namespace) == refusal
    assert client.call('/tell', 'notes') == [[]], 'recv_connect ran'
    friend = enter(namespace, 'ann')
    assert friend.event(namespace, 'welcome') == []


@pytest.mark.parametrize(('channel', 'ack', 'error'), [('members', False, None), ('paid', None, 'aborted')])
def test_a_denial_handler_subscribes_nothing(enter, channel, ack, error):
    """What it returns is no channel."""
    client, member = enter('/channels'), enter('/channels', 'ann')
    assert client.call('/channels', 'subscribe', channel) == [ack]
    if error:
        assert client.error('/channels')[0] == error
    assert member.call('/channels', 'subscribe', channel) == [True]
    member.call('/channels', 'publish', channel)
    assert member.event('/channels', 'pubblication') == ['news']
    assert client.heard() == []


# -- @validate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('event', 'args', 'value'),
    [
        ('field', ['7'], 7),
        ('schema', ['21'], [21, 'nobody']),
        ('schema', ['21', 'ann'], [21, 'ann']),
        ('match', ['a', 'a'], 'aa'),
        ('model', ['ann', 7], ['ann', 7]),
        ('recovered', [7], 7),
        ('recovered', ['x'], ['recovered', ['x'], {'n': 'wrong'}, 'Wrong']),
        ('number', [7], 8),
        ('twice', ['abc'], 3),
        ('hints', ['7', 'yes'], [7, True, 2.0, None]),
        ('hints', ['7', 'false', '0.5', {}], [7, False, 0.5, {}]),
        ('mixed', ['7'], 7),
        ('chain', ['7'], ['number', 7]),
        ('chain', ['four'], ['length', 4]),
        ('chain', [{'a': 1}], ['length', 1]),
        ('chain', [True], ['number', 1]),
        ('chain', [[]], ['as it is', []]),
        ('thing', ['7'], 7),
    ],
)
def test_validators_make_the_arguments(enter, event, args, value):
    client = enter('/forms')
    assert client.call('/forms', event, *args) == [value]
    assert client.heard() == []


@pytest.mark.parametrize(
    ('event', 'args', 'detail'),
    [
        ('field', ['2'], {'n': 'Please enter a number that is 3 or greater'}),
        ('schema', ['17'], {'age': 'Please enter a number that is 18 or greater'}),
        ('match', ['a', 'b'], {'two': 'Fields do not match'}),
        ('model', [7, 'ann'], {'name': 'wrong', 'n': 'wrong'}),
        ('number', ['7'], {'n': 'it is wrong'}),
        ('twice', [7], {'n': 'Invalid'}),
        ('hints', ['x', 'maybe'], {'n': 'Invalid', 'yes': 'Invalid'}),
    ],
)
def test_what_is_invalid_is_told_by_name(enter, event, args, detail):
    client = enter('/forms')
    assert client.call('/forms', event, *args) == [None]
    assert client.error('/forms') == ['invalid_method_args', detail]


def test_an_error_handler_may_abort(enter):
    client = enter('/forms')
    assert client.call('/forms', 'thing', 'x') == [None]
    assert client.error('/forms') == ['aborted', {'status': 404, 'message': 'no such thing'}]


@pytest.mark.parametrize('hint', ['int | None', 'nowhere.to_be_found'])
def test_a_type_hint_that_cannot_convert_stops_the_start(hint):
    def on_event(self, n):
        return n

    on_event.__annotations__ = {'n': hint}
    with pytest.raises(ConfigurationError, match=r"on_event cannot convert 'n' by its type hint .*Convert"):
        type('Late', (SocketIOTGNamespace,), {'on_event': validate()(on_event)})


# -- hooks and wrappers ------------------------------------------------------------------------------------------------


def test_hooks_by_decorator(enter):
    client = enter('/hooked')
    assert client.call('/hooked', 'decorated', '7') == [
        [['before_validate', '7'], ['before_call', 7], ['wrapper of all', 7], ['handler', 7]]
    ]


def test_hooks_and_a_wrapper_of_one_handler(enter):
    client = enter('/hooked')
    assert client.call('/hooked', 'wrapped', '7') == [
        [
            ['before_validate', 'by name', '7'],
            ['before_call', 'by name', 7],
            ['wrapper', 7],
            ['wrapper of all', 7],
            ['handler', 7],
        ]
    ]
    assert client.call('/hooked', 'plain', '7') == [[['wrapper of all', '7'], ['handler', '7']]]


def test_a_hook_may_abort(enter):
    client = enter('/hooked')
    assert client.call('/hooked', 'closed') == [None]
    assert client.error('/hooked') == ['aborted', {'status': 503, 'message': 'closed'}]


# -- on the way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('number', [42, 43])
def test_a_namespace_reaches_the_controller_that_lookup_made(enter, number):
    name = f'/rooms/{number}/chat'
    client = enter(name)
    assert client.event(name, 'in')[0] == number
    assert client.call(name, 'where') == [[number, number, f'/socketio/rooms/{number}/chat']]


def test_two_rooms_on_one_connection_do_not_mix(enter):
    client = enter('/rooms/1/chat')
    for name in ('/rooms/2/chat', '/rooms/chat', '/houses/red/3/chat', '/houses/red/chat'):
        client.join(name)
    rooms = [
        client.call(name, 'where')[0][0]
        for name in ('/rooms/1/chat', '/rooms/2/chat', '/rooms/chat', '/houses/red/3/chat', '/houses/red/chat')
    ]
    assert rooms == [1, 2, 'all', 3, 'red']


def test_visit_and_before_and_after_run_once_a_connect(enter):
    client = enter('/tell')
    client.call('/tell', 'notes')
    client.join('/rooms/7/chat?token=abc')
    way = [['_visit of the rooms', '7', 'chat'], ['_visit of the room', 'chat'], ['_before of the room', 'abc']]
    assert client.event('/rooms/7/chat', 'in') == [7, way]
    client.call('/rooms/7/chat', 'where')
    assert client.call('/tell', 'notes') == [[[*way, ['_after of the room']]]]


def test_they_run_for_pages_beside_as_ever(guild):
    with urlopen(f'{guild.url}/socketio/rooms/7') as page:
        assert page.read().decode() == (
            "room 7 [['_visit of the rooms', '7'], ['_visit of the room'], ['_before of the room', None]]"
        )


@pytest.mark.parametrize(
    ('namespace', 'answer'),
    [
        ('/rooms/cellar/chat', {'message': 'Invalid namespace', 'data': {'status': 404}}),
        ('/rooms/7/nothing', {'message': 'Invalid namespace', 'data': {'status': 404}}),
        ('/rooms/7/chat?banned=1', {'message': 'not authorized', 'data': {'status': 403}}),
    ],
)
def test_who_is_stopped_on_the_way_is_refused(enter, namespace, answer):
    assert enter(None).refusal(namespace) == answer


# -- and in the end ----------------------------------------------------------------------------------------------------


def test_none_of_this_logged_a_traceback(guild):
    assert tracebacks(guild.log()) == 0


def test_no_context_outlives_its_event_even_where_something_cannot_be_cleaned_up(enter):
    client = enter('/tell')
    depth = client.call('/tell', 'depth')
    for _ in range(3):
        assert client.call('/tell', 'mess') == [None]
        assert client.error('/tell')[0] == 'internal_error'
        assert client.call('/tell', 'depth') == depth
