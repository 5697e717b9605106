"""Connecting is a request, an event a visit: what `tg.request` and the others are in a handler."""

from __future__ import annotations

import re
import time

import pytest

from tests.live import eventually

from .conftest import USERS, tracebacks

OVERLAP = 0.5  # seconds


@pytest.fixture
def desk(office):
    with office.client('user0') as client:
        client.join('/desk')
        yield client


def test_connecting_is_a_request_through_all_that_surrounds_the_application(office):
    with office.client('user0', query='&token=t') as client:
        client.join('/desk?more=m')
        seen = client.call('/desk', 'connected_as')[0]
    assert seen == {
        'user': 'user0',
        'credentials': 'user0',
        'path': '/socketio/desk',
        'method': 'GET',
        'query': {'token': 't', 'more': 'm'},
        'header': 'user0',
        'mark': None,
        'globals': 'paper is patient',
        'config': 'the office',
        'session': None,
        'translator': 'hello',
        'response': 200,
    }


def test_an_event_sees_what_its_connect_saw(desk):
    assert desk.call('/desk', 'who')[0] == desk.call('/desk', 'connected_as')[0]


def test_an_anonymous_client_has_no_identity(office):
    with office.client() as client:
        client.join('/desk')
        seen = client.call('/desk', 'who')[0]
    assert (seen['user'], seen['credentials'], seen['header']) == (None, None, None)


def test_a_user_whom_the_database_does_not_know_stays_one_who_is_not_there(office):
    with office.client('nobody') as client:
        client.join('/desk')
        seen = client.call('/desk', 'who')[0]
    assert seen['user'] is None


def test_the_translator_is_the_clients_language(office):
    with office.client('user0', 'Accept-Language: it') as client:
        client.join('/desk')
        assert client.call('/desk', 'who')[0]['translator'] == 'ciao'
        assert client.call('/desk', 'connected_as')[0]['translator'] == 'ciao'


def test_eight_handlers_of_eight_users_overlap_and_keep_their_contexts(office):
    """`time.sleep` of the standard library, under gearbox serve."""
    clients = [office.client(user) for user in USERS]
    try:
        for client in clients:
            client.join('/desk')
        began = time.monotonic()
        numbers = [client.send('/desk', 'overlap', OVERLAP) for client in clients]
        seen = [client.acknowledged('/desk', number)[0] for client, number in zip(clients, numbers, strict=True)]
        assert time.monotonic() - began < 3 * OVERLAP, 'they did not overlap'
    finally:
        for client in clients:
            client.close()
    for user, (before, after) in zip(USERS, seen, strict=True):
        assert before == {**after, 'mark': None, 'session': None}
        whose = (after['user'], after['credentials'], after['header'], after['mark'], after['session'])
        assert whose == (user,) * 5


def test_nothing_of_an_event_is_left_for_the_next(desk):
    desk.call('/desk', 'overlap', 0)
    assert desk.call('/desk', 'who')[0]['mark'] is None


def test_an_event_writes_into_a_request_and_environ_of_its_own(desk):
    for _ in range(2):
        assert desk.call('/desk', 'notch') == [[1, 1]]


def test_the_session_is_the_one_of_the_handshakes_cookie(office):
    mine, yours = office.session_cookie(), office.session_cookie()
    with office.client('user1', cookie=mine) as client, office.client('user1', cookie=yours) as stranger:
        client.join('/desk')
        stranger.join('/desk')
        client.call('/desk', 'keep', 'a pen')
        assert client.call('/desk', 'kept') == ['a pen']
        assert stranger.call('/desk', 'kept') == ['begun']
    with office.client('user1', cookie=mine) as again:
        again.join('/desk')
        assert again.call('/desk', 'kept') == ['a pen']


def test_a_session_that_a_connect_changes_is_saved(office):
    cookie = office.session_cookie()
    with office.client('user1', cookie=cookie) as client:
        client.join('/desk?keep=an+eraser')
        assert client.call('/desk', 'kept') == ['an eraser']


def test_an_events_request_is_an_empty_get(desk):
    assert desk.call('/desk', 'body') == [['', '', {}, '/socketio/desk', True]]


def test_no_client_keeps_its_users_objects(desk):
    """Rows of a transaction that is over; each event asks for its own."""
    desk.call('/desk', 'who')
    (known,) = desk.call('/desk', 'begins_with')
    assert 'repoze.who.userid' in known
    assert not {'user', 'groups', 'permissions'} & set(known)


def test_response_is_the_events_own(desk):
    """A status, a header and a cookie lead nowhere and hurt nobody."""
    assert desk.call('/desk', 'answer', 404) == [[404, 'yes', 'crumbs']]
    assert desk.call('/desk', 'who')[0]['response'] == 200


def test_between_events_there_is_no_context_but_the_handshakes_request(desk):
    desk.emit('/desk', 'between')
    assert desk.event('/desk', 'seen') == [None, '/socketio/desk', 'user0']


def test_two_namespaces_of_a_client_have_their_own_path_and_share_its_session_dict(office):
    with office.client('user0') as client:
        client.join('/desk')
        client.join('/annex/desk')
        assert client.call('/annex/desk', 'who')[0]['path'] == '/socketio/annex/desk'
        assert client.call('/desk', 'who')[0]['path'] == '/socketio/desk'
        assert client.call('/desk', 'connected_as')[0]['path'] == '/socketio/annex/desk'


def test_recv_disconnect_knows_rooms_identity_and_session_and_that_the_client_is_gone(office):
    with office.client('leaver', cookie=office.session_cookie()) as client:
        client.join('/desk')
        client.call('/desk', 'join', 'kitchen')
        client.call('/desk', 'overlap', 0)
    log = office.live.wait_for_log(r'LEFT leaver')
    assert re.findall('LEFT leaver.*', log) == ["LEFT leaver leaver ['kitchen'] False"]


def test_leaving_a_namespace_runs_recv_disconnect_once_and_keeps_the_connection(office):
    with office.client('mover') as client:
        client.join('/desk')
        client.join('/notes')
        client.leave('/desk')
        log = office.live.wait_for_log('LEFT mover')
        assert re.findall('LEFT mover.*', log) == ['LEFT mover None [] True']
        assert client.call('/notes', 'is_clean') == [True]
        client.join('/desk')
    eventually(lambda: office.live.log().count('LEFT mover') == 2)


def test_what_a_page_saves_while_a_handler_runs_stays(office):
    cookie = office.session_cookie()
    with office.client('user0', cookie=cookie) as client:
        client.join('/desk')
        number = client.send('/desk', 'keep_looking')
        question = client.event_packet('/desk', 'looked')
        office.page_keeps('new', cookie)
        client.answer('/desk', question.id)
        assert client.acknowledged('/desk', number) == ['begun']
        assert client.call('/desk', 'kept') == ['new']


def test_none_of_this_logged_a_traceback(office):
    with office.client('user5') as client:
        client.join('/desk')
        before = tracebacks(office.live.log())
        client.call('/desk', 'overlap', 0)
        assert tracebacks(office.live.log()) == before
