"""`@require`, `allow_only`, `@validate`, hooks and wrappers do to namespaces what they do to controllers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.eio4client import Client
from tests.live import Live, serve

from .conftest import tracebacks

NOT_YOURS = 'You do not have access to method "{}"'


@pytest.fixture(scope='module')
def club() -> Iterator[Live]:
    with serve('tests.fixtureapps.club') as live:
        yield live


@pytest.fixture(scope='module')
def closed_club() -> Iterator[Live]:
    with serve('tests.fixtureapps.club', socketio_resource='closed') as live:
        yield live


def enter(live: Live, user: str | None = None, *headers: str) -> Client:
    return Client(live.port, headers=[*headers, *([f'X-User: {user}'] if user else [])])


@pytest.fixture
def checked(club):
    with enter(club, 'bob') as client:
        client.join('/checked')
        yield client


def denied(client: Client, namespace: str, event: str, *args: object) -> bool:
    """The event is refused as the ACL refuses, and acknowledged all the same."""
    assert client.call(namespace, event, *args) == [None]
    method = 'recv_message' if event == 'message' else f'on_{event}'
    return client.error(namespace) == ['method_access_denied', NOT_YOURS.format(method)]


# -- @require ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('namespace', ['/guarded', '/careless', '/trusting'])
def test_require_denies_before_anything_runs(club, namespace):
    with enter(club) as client:
        client.join(namespace)
        assert denied(client, namespace, 'members')
        assert client.call(namespace, 'calls') == [0]


@pytest.mark.parametrize('namespace', ['/guarded', '/careless', '/trusting'])
def test_require_lets_through_who_may(club, namespace):
    with enter(club, 'ann:dance') as client:
        client.join(namespace)
        assert client.call(namespace, 'members') == [1]
        assert client.call(namespace, 'dance') == [2]


@pytest.mark.parametrize(('user', 'may'), [(None, False), ('bob', False), ('bob:sing', False), ('bob:dance', True)])
def test_every_requirement_must_be_met(club, user, may):
    with enter(club, user) as client:
        client.join('/guarded')
        assert client.call('/guarded', 'dance') == [1] if may else denied(client, '/guarded', 'dance')


@pytest.mark.parametrize(
    ('user', 'hour', 'may'), [('ann', 'noon', True), ('bob', 'noon', False), (None, 'evening', True)]
)
def test_a_sites_own_predicate_sees_the_handshakes_headers(club, user, hour, may):
    with enter(club, user, f'X-Hour: {hour}') as client:
        client.join('/guarded')
        assert client.call('/guarded', 'late') == [1] if may else denied(client, '/guarded', 'late')


def test_who_may_not_learns_nothing_of_what_is_valid(club):
    with enter(club) as client:
        client.join('/guarded')
        assert denied(client, '/guarded', 'validated', 'no number')


def test_require_guards_recv_message_too(club):
    with enter(club) as client:
        client.join('/guarded')
        assert denied(client, '/guarded', 'message', 'hi')
    with enter(club, 'ann:talk') as client:
        client.join('/guarded')
        assert client.call('/guarded', 'message', 'hi') == [1]


@pytest.mark.parametrize(('user', 'status'), [(None, 401), ('bob', 403)])
def test_require_on_recv_connect_refuses(club, user, status):
    with enter(club, user) as client:
        assert client.refusal('/invited') == {'message': 'not authorized', 'data': {'status': status}}
        assert client.heard() == []
        client.join('/guarded')


def test_require_on_recv_connect_lets_in_who_may(club):
    with enter(club, 'bob:enter') as client:
        client.join('/invited')
        assert client.event('/invited', 'welcome') == []


# -- allow_only --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('namespace', ['/private', '/required', '/plain'])
@pytest.mark.parametrize(('user', 'status'), [(None, 401), ('bob', 403), ('bob:enter', None)])
def test_allow_only_on_a_namespace_guards_the_connection(club, namespace, user, status):
    with enter(club, user) as client:
        if status is None:
            client.join(namespace)
        else:
            assert client.refusal(namespace) == {'message': 'not authorized', 'data': {'status': status}}


@pytest.mark.parametrize(
    ('user', 'namespace', 'status'),
    [
        (None, '/members/lounge', 401),
        ('bob', '/members/lounge', None),
        (None, '/members/vault', 401),
        ('bob', '/members/vault', 403),
        ('bob:enter', '/members/vault', None),
    ],
)
def test_allow_only_of_every_controller_on_the_way_counts(club, user, namespace, status):
    with enter(club, user) as client:
        if status is None:
            client.join(namespace)
        else:
            assert client.refusal(namespace)['data'] == {'status': status}


@pytest.mark.parametrize(('user', 'status'), [(None, 401), ('bob', 403), ('bob:sockets', None)])
def test_allow_only_of_the_controller_at_the_resource_guards_all_of_it(closed_club, user, status):
    with Client(closed_club.port, path='/closed', headers=[f'X-User: {user}'] if user else []) as client:
        if status is None:
            client.join('/guarded')
        else:
            assert client.refusal('/guarded')['data'] == {'status': status}


def test_a_plain_namespace_behind_allow_only_works(club):
    with enter(club, 'bob:enter') as client:
        client.join('/plain')
        assert client.call('/plain', 'echo', 'hi') == ['hi']


def test_a_permission_that_is_revoked_acts_on_the_next_event(office):
    office.grant('reader', 'read')
    with office.client('reader') as client:
        client.join('/desk')
        assert client.call('/desk', 'read') == ['paper']
        office.revoke('reader', 'read')
        assert denied(client, '/desk', 'read')
        office.grant('reader', 'read')
        assert client.call('/desk', 'read') == ['paper']


def test_a_permission_that_is_revoked_acts_on_the_next_connect(office):
    office.grant('reader', 'enter')
    with office.client('reader') as client:
        client.join('/closed')
        client.leave('/closed')
        office.revoke('reader', 'enter')
        assert client.refusal('/closed')['data'] == {'status': 403}


def test_a_user_who_is_deleted_may_nothing_from_the_next_event_on(office):
    office.grant('guest', 'read')
    with office.client('guest') as client:
        client.join('/desk')
        assert client.call('/desk', 'read') == ['paper']
        office.change('delete from permissions where user = ?', 'guest')
        office.change('delete from users where name = ?', 'guest')
        assert denied(client, '/desk', 'read')


def test_a_user_whom_the_site_does_not_know_is_anonymous_in_every_event(club):
    """With `identity.allow_missing_user = false` TurboGears leaves an empty identity, which it cannot read again."""
    with enter(club, 'ghost') as client:
        client.join('/guarded')
        assert client.call('/guarded', 'calls') == [0]
        assert denied(client, '/guarded', 'members')


# -- @validate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('event', 'args', 'value'),
    [
        ('dict', ['7', 'ann'], [7, 'ann', 'other']),
        ('dict', ['7', 'ann', 'x'], [7, 'ann', 'x']),
        ('default', [], 7),
        ('default', [''], 7),
        ('default', ['8'], 8),
        ('schema', [1, 5], [1, 5, 4]),
        ('keywords', [1, 5], [1, 5, {'width': 4}]),
        ('form', ['21'], 21),
        ('hints', ['7', 'true'], [7, True, 2.0, None]),
        ('hints', [7, 'no', '0.5', 'rest'], [7, False, 0.5, 'rest']),
        ('explained', ['7', 8], [7, 8]),
        ('chained', ['7'], 7),
        ('request', ['7'], [{'n': '7'}, {'n': 7}, {}]),
        ('message', ['hi'], 'HI'),
    ],
)
def test_validators_make_the_arguments(checked, event, args, value):
    assert checked.call('/checked', event, *args) == [value]


@pytest.mark.parametrize(
    ('event', 'args', 'detail'),
    [
        ('dict', ['x', 'ann'], {'n': 'no number'}),
        ('dict', ['x', ''], {'n': 'no number', 'name': 'no name'}),
        ('dict', ['7'], {'name': 'no name'}),
        ('dict', [], {'n': 'no number', 'name': 'no name'}),
        ('dict', [[], {}], {'n': 'no number', 'name': 'no name'}),
        ('default', ['x'], {'n': 'no number'}),
        ('schema', [5, 1], {'low': 'too high', 'high': 'too low'}),
        ('blunt', [1], 'it is all wrong'),
        ('form', ['17'], {'age': 'Please enter a number that is 18 or greater'}),
        ('hints', ['x', 'true', 'y'], {'n': 'Invalid', 'factor': 'Invalid'}),
        ('dict', [1, 2, 3, 4], '"on_dict" cannot be called with 4 arguments'),
        ('hints', [1], {'yes': 'Invalid'}),
    ],
)
def test_what_is_invalid_is_told_by_name(checked, event, args, detail):
    assert checked.call('/checked', event, *args) == [None]
    assert checked.error('/checked') == ['invalid_method_args', detail]


def test_an_error_handler_answers_in_the_handlers_place(checked):
    expected = ['not a number', 'x', ['n'], 'x', 'n: no number']
    assert checked.call('/checked', 'explained', 'x', 'more') == [expected]
    assert checked.heard() == []


def test_a_chained_error_handler_is_validated_too(checked):
    assert checked.call('/checked', 'chained', 'four') == [['measured', 4]]
    assert checked.call('/checked', 'chained', None) == [None]
    assert checked.error('/checked') == ['invalid_method_args', {'n': 'no length'}]


def test_an_unchained_error_handler_gets_the_raw_arguments(checked):
    assert checked.call('/checked', 'unchained', 'four') == [['measured', 'four']]


def test_an_error_handlers_own_requirements_count(club, checked):
    assert checked.call('/checked', 'secret', 'x') == [None]
    assert checked.error('/checked') == ['method_access_denied', NOT_YOURS.format('on_secret')]
    with enter(club, 'bob:see errors') as client:
        client.join('/checked')
        assert client.call('/checked', 'secret', 'x') == ['a secret']


# -- hooks and wrappers ------------------------------------------------------------------------------------------------


@pytest.fixture
def hooked(club):
    with enter(club, 'bob') as client:
        client.join('/hooked')
        client.call('/hooked', 'bare', 0)
        yield client


def test_hooks_validation_wrappers_and_the_handler_run_in_turbogears_order(hooked):
    assert hooked.call('/hooked', 'all', '7') == [
        [
            ['before_validate', 'of all', '7'],
            ['before_validate', 'of it', '7'],
            ['before_call', 'of all', 7],
            ['before_call', 'of it', 7],
            ['wrapper', 7],
            ['decorated', 7],
            ['handler', 7],
        ]
    ]


def test_a_handler_without_decorators_has_the_applications_hooks_and_wrappers(hooked):
    assert hooked.call('/hooked', 'bare', '7') == [
        [
            ['before_validate', 'of all', '7'],
            ['before_call', 'of all', '7'],
            ['wrapper', '7'],
            ['decorated', '7'],
            ['handler', '7'],
        ]
    ]


def test_exception_handler_decorator_can_save_a_handler(club, hooked):
    assert hooked.call('/hooked', 'divide', 0) == ['saved']
    assert hooked.call('/hooked', 'divide', 2) == [0.5]


def test_guards_never_leave_a_traceback(club):
    assert tracebacks(club.log()) == 0
