"""One transaction an event: committed after the handler, aborted when it fails, never open between events."""

from __future__ import annotations

import pytest

from tests.live import eventually, serve

from .conftest import Office, tracebacks

INTERNAL = 'The server failed to handle "{}"'


@pytest.fixture
def notes(office):
    office.change('delete from notes')
    with office.client('user0') as client:
        client.join('/notes')
        yield client


@pytest.fixture(scope='module')
def strict_office(tmp_path_factory):
    """Its `tm.commit_veto` vetoes what is answered with 400 and more."""
    database = tmp_path_factory.mktemp('strict') / 'office.sqlite'
    with serve('tests.fixtureapps.office', app=f'database = {database}\nveto = true') as live:
        office = Office(live, database)
        office.change('insert into users values (?)', 'user0')
        yield office


@pytest.fixture
def logged(office):
    """What was logged since the test began."""
    start = len(office.live.log())
    return lambda: office.live.log()[start:]


def test_a_row_is_there_for_others_when_the_ack_arrives(office, notes):
    assert notes.call('/notes', 'write', 'milk') == [1]
    assert office.notes() == ['milk']


def test_nothing_is_open_between_events(office, notes):
    """Another connection can write at once, again and again."""
    for i in range(5):
        notes.call('/notes', 'write', f'note {i}')
        office.change('insert into notes (text) values (?)', f'from elsewhere {i}')
    assert len(office.notes()) == 10


def test_nothing_is_open_between_events_that_only_read(office, notes):
    notes.call('/notes', 'count')
    office.change('insert into notes (text) values (?)', 'from elsewhere')
    assert notes.call('/notes', 'count') == [1]


def test_sessions_of_the_database_are_put_away_after_each_event(notes):
    """Workers are greenlets that live on: what one event leaves in its scoped session, another client's would find."""
    for _ in range(20):
        notes.call('/notes', 'unclean')
    for _ in range(20):
        assert notes.call('/notes', 'is_clean') == [True]


def test_what_a_plain_namespace_leaves_open_is_nobodys(office, notes):
    with office.client() as client:
        client.join('/plain_notes')
        for i in range(5):
            client.call('/plain_notes', 'unclean', f'left open {i}')
            assert notes.call('/notes', 'is_clean') == [True]
            client.call('/plain_notes', 'unclean', f'left open {i}')
            assert client.call('/plain_notes', 'write', f'written {i}') == [None]
    assert office.notes() == [f'written {i}' for i in range(5)]


@pytest.mark.parametrize('how', ['write_and_fail', 'write_and_time_out', 'write_and_exit'])
def test_a_failed_handler_aborts_tells_no_detail_logs_once_and_acknowledges(office, notes, logged, how):
    assert notes.call('/notes', how, 'milk') == [None]
    assert notes.error('/notes') == ['internal_error', INTERNAL.format(how)]
    assert office.notes() == []
    assert tracebacks(logged().replace('\nThe above exception was the direct cause', ' CAUSE')) == 1 + (
        how != 'write_and_fail'
    )
    assert logged().count('ERROR') == 1
    assert notes.call('/notes', 'write', 'bread') == [1], 'the connection goes on'
    assert notes.heard() == []


def test_a_failed_handler_without_ack_tells_the_error_alone(notes):
    notes.emit('/notes', 'write_and_fail', 'milk')
    assert notes.error('/notes') == ['internal_error', INTERNAL.format('write_and_fail')]
    notes.call('/notes', 'count')
    assert notes.heard() == []


def test_a_failing_commit_is_a_failed_handler(office, notes, logged):
    assert notes.call('/notes', 'fail_commit', 'milk') == [None]
    assert notes.event('/notes', 'before the commit') == ['milk']
    assert notes.error('/notes') == ['internal_error', INTERNAL.format('fail_commit')]
    assert office.notes() == []
    assert tracebacks(logged()) == 1
    assert notes.call('/notes', 'write', 'bread') == [1]
    assert office.notes() == ['bread']


def test_a_unique_constraint_that_breaks_at_commit_is_a_failed_handler(office, notes):
    office.change('insert into notes (text) values (?)', 'milk')
    assert notes.call('/notes', 'write_late', 'milk') == [None]
    assert notes.error('/notes')[0] == 'internal_error'
    assert notes.call('/notes', 'write_late', 'bread') == ['written']
    assert office.notes() == ['milk', 'bread']


def test_a_doomed_transaction_is_aborted_and_acknowledged(office, notes):
    assert notes.call('/notes', 'write_and_doom', 'milk') == ['doomed']
    assert office.notes() == []


@pytest.mark.parametrize('how', ['abort', 'redirect'])
def test_abort_and_redirect_end_an_event_as_they_end_a_controller(office, notes, logged, how):
    """An answer with a status, and a commit; no failure, and nothing in the log."""
    told = {
        'abort': {'status': 403, 'message': 'not yours'},
        'redirect': {'status': 302, 'message': 'The resource was found at', 'location': '/login'},
    }
    assert notes.call('/notes', f'write_and_{how}', 'milk') == [None]
    name, detail = notes.error('/notes')
    assert [name, detail] == ['aborted', told[how]]
    assert office.notes() == ['milk']
    assert logged() == ''
    assert notes.call('/notes', 'write', 'bread') == [1]
    assert notes.heard() == []


def test_a_value_that_only_the_transaction_can_read_reaches_the_ack(notes):
    """SQLAlchemy's rows are empty shells after the commit; TurboGears' JSON of them is made before."""
    assert notes.call('/notes', 'row', 'milk') == [{'id': 1, 'text': 'milk'}]
    assert notes.call('/notes', 'rows', 'bread') == [[{'id': 1, 'text': 'milk'}, {'id': 2, 'text': 'bread'}]]


def test_what_no_json_can_say_is_a_failed_handler_and_not_committed(office, notes):
    assert notes.call('/notes', 'write_and_return_nonsense', 'milk') == [None]
    assert notes.error('/notes')[0] == 'internal_error'
    assert office.notes() == []


@pytest.mark.parametrize('fails', [False, True])
def test_a_callback_is_an_event_with_a_transaction_of_its_own(office, notes, logged, fails):
    notes.emit('/notes', 'ask', fails)
    question = notes.event_packet('/notes', 'question')
    office.change('insert into notes (text) values (?)', 'asked')
    notes.answer('/notes', question.id, 'milk')
    if fails:
        assert notes.error('/notes') == ['internal_error', INTERNAL.format('ack')]
    else:
        eventually(lambda: 'milk' in office.notes())
    assert office.notes() == ['asked'] + ['milk'] * (not fails)
    assert tracebacks(logged()) == fails


def test_a_failing_recv_connect_refuses_aborts_tells_no_detail_and_logs_once(office, notes, logged):
    assert notes.refusal('/desk/nothing')['message'] == 'Invalid namespace'
    with office.client('user0') as client:
        assert client.refusal('/notes?refuse=exception') == {'message': 'internal error'}
        assert office.notes() == []
        assert tracebacks(logged()) == 1
        client.join('/notes')


@pytest.mark.parametrize('how', ['timeout', 'exit'])
def test_what_gevent_raises_in_recv_connect_refuses_as_well(office, notes, logged, how):
    with office.client('user0') as client:
        assert client.refusal(f'/notes?refuse={how}') == {'message': 'internal error'}
        office.change('insert into notes (text) values (?)', 'nothing is locked')
        assert office.notes() == ['nothing is locked']
        assert logged().count('ERROR') == 1
        client.join('/notes')
        assert client.call('/notes', 'count') == [1]


def test_a_connect_whose_commit_fails_is_refused(office, notes, logged):
    with office.client('user0') as client:
        assert client.refusal('/notes?refuse=commit') == {'message': 'internal error', 'data': {'status': 500}}
        assert office.notes() == []
        assert tracebacks(logged()) == 1
        client.join('/notes')


def test_recv_connect_can_refuse_with_words(office, notes, logged):
    with office.client('user0') as client:
        refused = {'message': 'come back later', 'data': {'in': 'an hour'}}
        assert client.refusal('/notes?refuse=refusal') == refused
        assert office.notes() == [], 'nothing stays of a connection that never came to be'
        client.join('/notes')
    assert tracebacks(logged()) == 0


def test_abort_ends_a_connect_as_it_ends_a_controller(office, notes, logged):
    with office.client('user0') as client:
        assert client.refusal('/notes?refuse=abort') == {'message': 'not authorized', 'data': {'status': 403}}
    assert office.notes() == ['written by a connect that ends in abort']
    assert tracebacks(logged()) == 0


def test_what_waits_for_the_commit_leaves_when_abort_commits(office, notes):
    notes.join('/patient')
    notes.call('/patient', 'say_and_abort', 'milk')
    assert [packet.data[:2] for packet in notes.heard()[-2:]] == [['said', 'milk'], ['error', 'aborted']]


@pytest.mark.parametrize('namespace', ['/notes', '/patient'])
@pytest.mark.parametrize('how', ['abort', 'redirect'])
def test_where_the_site_vetoes_by_status_abort_is_rolled_back(strict_office, namespace, how):
    """`tm.commit_veto` of TurboGears sees the status; the error is heard all the same, with `emit_on_commit` too."""
    with strict_office.client('user0') as client:
        client.join(namespace)
        assert client.call(namespace, f'write_and_{how}', f'{namespace} {how}') == [None]
        assert client.error(namespace)[0] == 'aborted'
        said = client.call(namespace, 'say_and_abort', how)
        assert said == [None] and client.error(namespace)[0] == 'aborted'
        if namespace == '/notes':
            assert client.event(namespace, 'said') == [how]
        assert client.heard() == []
    assert strict_office.notes() == [f'{namespace} {how}'] * (how == 'redirect')
    strict_office.change('delete from notes')


def test_where_the_site_vetoes_by_status_a_connects_abort_is_rolled_back(strict_office):
    with strict_office.client('user0') as client:
        assert client.refusal('/notes?refuse=abort')['data'] == {'status': 403}
    assert strict_office.notes() == []


def test_recv_disconnect_has_a_transaction_too(office, notes, logged):
    for last_words, written in (('good-bye', ['good-bye']), ('fail', [])):
        office.change('delete from notes')
        with office.client('user0') as client:
            client.join('/notes')
            client.call('/notes', 'at_the_end', last_words)
            client.leave('/notes')
            client.join('/notes')
        assert office.notes() == written
    assert tracebacks(logged()) == 1
