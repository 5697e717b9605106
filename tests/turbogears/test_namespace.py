"""gevent-socketio's programming interface, behind a TurboGears site."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.eio4client import ACK, DISCONNECT, Client
from tests.live import eventually

from .conftest import tracebacks


@pytest.fixture
def client(workshop) -> Iterator[Client]:
    with Client(workshop.port) as client:
        yield client


@pytest.fixture
def bench(client) -> Client:
    client.join('/bench')
    return client


# -- acks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('event', 'args', 'values'),
    [
        ('none', [], [None]),
        ('one', [1], [1]),
        ('one', [None], [None]),
        ('one', [{'a': [1, 'é', None]}], [{'a': [1, 'é', None]}]),
        ('two', [1, 2], [1, 2]),
        ('list', [], [[1, 2]]),
        ('no_values', [], []),
        ('defaults', [1], [[1, 'two']]),
        ('defaults', [1, 2], [[1, 2]]),
        ('keyword_only', [1], [[1, 'two']]),
        ('static', [1], [1]),
    ],
)
def test_what_a_handler_returns_is_the_ack(bench, event, args, values):
    assert bench.call('/bench', event, *args) == values


def test_an_ack_id_of_zero_is_one(bench):
    bench.emit('/bench', 'one', 'zero', number=0)
    assert bench.acknowledged('/bench', 0) == ['zero']


def test_who_asks_for_no_ack_gets_none(bench):
    bench.emit('/bench', 'one', 'value')
    bench.call('/bench', 'none')
    assert bench.heard() == []


def test_spaces_in_an_events_name_become_underscores(bench):
    assert bench.call('/bench', 'with spaces') == ['spaces']


def test_a_handler_whose_only_parameter_is_packet_gets_the_packet(bench):
    assert bench.call('/bench', 'packet', 1, 2) == [['event', 'packet', [1, 2], '/bench', 'data', True]]


# -- saying ------------------------------------------------------------------------------------------------------------


def test_emit_says_any_number_of_values(bench):
    for args in ([], [1], ['two', {'three': 3}]):
        bench.emit('/bench', 'emit', *args)
        assert bench.event('/bench', 'an event') == args


def test_emit_takes_no_keywords_but_callback(bench):
    assert 'positional' in bench.call('/bench', 'emit_keywords')[0]


@pytest.mark.parametrize('values', [[], ['one'], ['one', 2, {'three': 3}]])
def test_a_callback_gets_the_values_of_the_clients_ack_once(bench, values):
    bench.emit('/bench', 'ask', 'a', 'b')
    question = bench.event_packet('/bench', 'question')
    assert question.data[1:] == ['a', 'b']
    bench.answer('/bench', question.id, *values)
    bench.answer('/bench', question.id, *values)
    assert bench.event('/bench', 'answered') == values
    bench.call('/bench', 'none')
    assert bench.heard() == []


def test_an_answer_that_nobody_waits_for_is_ignored(bench):
    bench.answer('/bench', 12345, 'what?')
    assert bench.call('/bench', 'one', 1) == [1]


def test_send_is_the_event_message(bench):
    bench.emit('/bench', 'send', 'hi')
    assert bench.event('/bench', 'message') == ['hi']
    bench.emit('/bench', 'send_json', {'a': 1})
    assert bench.event('/bench', 'message') == [{'a': 1}]


def test_send_calls_back_as_well(bench):
    bench.emit('/bench', 'send_and_ask', 'hi')
    bench.answer('/bench', bench.event_packet('/bench', 'message').id, 'heard')
    assert bench.event('/bench', 'answered') == ['heard']


def test_a_message_arrives_at_recv_message(bench):
    assert bench.call('/bench', 'message', 'hi') == ['hi']
    assert bench.event('/bench', 'message') == [['heard', 'hi']]


def test_on_message_comes_before_recv_message(client):
    client.join('/messages')
    assert client.call('/messages', 'message', 'hi', 'there') == [['on_message', 'hi', 'there']]


def test_error_sends_name_and_message(bench):
    bench.emit('/bench', 'complain', False)
    assert bench.error('/bench') == ['too_loud', {'decibel': 120}]


def test_a_quiet_error_is_for_the_log_only(bench):
    bench.call('/bench', 'complain', True)
    assert bench.heard() == []


# -- errors by name ----------------------------------------------------------------------------------------------------

BAD_NAME = 'name must only contains alpha numerical characters'


@pytest.mark.parametrize(
    ('event', 'args', 'error'),
    [
        ('nothing', [], ['no_such_method', 'The method "on_nothing" was not found']),
        ('data', [], ['no_such_method', 'The method "on_data" was not found']),
        ('class', [], ['no_such_method', 'The method "on_class" was not found']),
        ('property', [], ['no_such_method', 'The method "on_property" was not found']),
        ('_init__', [], ['unallowed_event_name', BAD_NAME]),
        ('__class__', [], ['unallowed_event_name', BAD_NAME]),
        ('a-b', [], ['unallowed_event_name', BAD_NAME]),
        ('1st', [], ['unallowed_event_name', BAD_NAME]),
        ('', [], ['unallowed_event_name', BAD_NAME]),
        ('one\n', [1], ['unallowed_event_name', BAD_NAME]),
        ('é', [], ['unallowed_event_name', BAD_NAME]),
        ('x' * 257, [], ['unallowed_event_name', BAD_NAME]),
        ('one', [], ['invalid_method_args', '"on_one" cannot be called with 0 arguments']),
        ('one', [1, 2], ['invalid_method_args', '"on_one" cannot be called with 2 arguments']),
        ('none', [1], ['invalid_method_args', '"on_none" cannot be called with 1 arguments']),
        ('keyword_only', [1, 2], ['invalid_method_args', '"on_keyword_only" cannot be called with 2 arguments']),
    ],
)
def test_an_event_that_cannot_be_handled_is_told_so_and_acknowledged(bench, event, args, error):
    assert bench.call('/bench', event, *args) == [None]
    assert bench.error('/bench') == error


@pytest.mark.parametrize('event', ['error', 'connect_error', 'disconnecting', 'newListener', 'removeListener'])
def test_reserved_names_reach_no_handler(workshop, event):
    """Whatever a client sends under them; Node's server ends such a client, and so may we."""
    with Client(workshop.port) as client:
        client.join('/bench')
        client.emit('/bench', event, 'x')
        eventually(lambda: client.closed or client.heard())
        for packet in client.heard():
            assert packet.data == ['error', 'unallowed_event_name', f'"{event}" is reserved']
    assert 'AssertionError' not in workshop.log()


def test_a_failure_that_a_wrapper_makes_a_page_of_is_a_failure(workshop):
    before = tracebacks(workshop.log())
    with Client(workshop.port, headers=['X-Trouble: swallow']) as client:
        client.join('/bench')
        assert client.call('/bench', 'fail') == [None]
        assert client.error('/bench') == ['internal_error', 'The server failed to handle "fail"']
        assert client.call('/bench', 'one', 1) == [1]
    assert tracebacks(workshop.log()) == before + 1
    assert 'RuntimeError: a secret of the wrapped' in workshop.log()


def test_an_event_that_a_wrapper_answers_in_the_handlers_place_has_failed(workshop, bench):
    bench.call('/bench', 'trouble_begins')
    assert bench.call('/bench', 'one', 1) == [None]
    assert bench.error('/bench') == ['internal_error', 'The server failed to handle "one"']
    assert "NotHandled: An application wrapper answered in the handler's place." in workshop.log()
    with Client(workshop.port, headers=['X-Trouble: maintenance']) as client:
        assert client.refusal('/bench')['data'] == {'status': 503}


# -- state -------------------------------------------------------------------------------------------------------------


def test_initialize_runs_for_every_class_of_the_mro(bench):
    assert bench.call('/bench', 'begun') == [['bench', 'mixin']]


def test_session_is_a_dict_of_the_connection_that_its_namespaces_share(workshop, bench):
    bench.join('/other')
    bench.call('/bench', 'remember', 'name', 'ann')
    assert bench.call('/other', 'recall', 'name') == ['ann']
    with Client(workshop.port) as stranger:
        stranger.join('/bench')
        assert stranger.call('/bench', 'recall', 'name') == [None]


def test_the_clients_other_namespaces_are_found_in_its_socket(bench):
    assert bench.call('/bench', 'neighbour', '/other') == [None]
    bench.join('/other')
    assert bench.call('/bench', 'neighbour', '/other') == [['/other', True, True]]
    assert bench.event('/other', 'a call from') == ['/bench']


def test_a_namespace_knows_itself(bench):
    sid = bench.hello['sid']
    assert bench.call('/bench', 'self') == [['/bench', sid, True, True, '/socketio/bench', True, True]]


# -- ACL ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(client) -> Client:
    client.join('/listed')
    assert client.event('/listed', 'welcome') == []
    return client


def forbidden(client: Client, namespace: str, event: str, method: str | None = None) -> bool:
    assert client.call(namespace, event) == [None]
    method = method or f'on_{event}'
    return client.error(namespace) == ['method_access_denied', f'You do not have access to method "{method}"']


def test_get_initial_acl_is_all_that_a_new_client_may(listed):
    assert forbidden(listed, '/listed', 'secret')
    assert forbidden(listed, '/listed', 'not_even_there')
    assert forbidden(listed, '/listed', 'message', 'recv_message')


def test_methods_are_added_deleted_and_reset(listed):
    listed.call('/listed', 'login')
    assert listed.call('/listed', 'secret') == ['secret']
    assert forbidden(listed, '/listed', 'login')
    listed.call('/listed', 'reset')
    assert forbidden(listed, '/listed', 'secret')
    assert listed.call('/listed', 'login') == [None]
    assert listed.heard() == []


def test_restrictions_can_be_lifted(listed):
    assert listed.call('/listed', 'lift') == [[True, None]]
    assert listed.call('/listed', 'secret') == [None], 'del_acl_method raises where there is no ACL'
    assert listed.error('/listed')[0] == 'internal_error'
    assert listed.call('/listed', 'message', 'hi') == ['heard']


def test_adding_where_all_is_allowed_allows_that_alone(listed):
    assert listed.call('/listed', 'allow_only', 'on_login') == [['on_login']]
    assert forbidden(listed, '/listed', 'lift')


def test_deleting_where_all_is_allowed_is_an_error(listed):
    assert 'no ACL' in listed.call('/listed', 'delete_without')[0]


def test_an_acl_is_one_clients_own(workshop, listed):
    listed.call('/listed', 'lift')
    with Client(workshop.port) as other:
        other.join('/listed')
        assert forbidden(other, '/listed', 'secret')


def test_an_empty_acl_forbids_recv_connect_too_and_says_so_after_the_connect(client):
    client.join('/shut')
    assert client.error('/shut') == ['method_access_denied', 'You do not have access to method "recv_connect"']


# -- dispatching on one's own ------------------------------------------------------------------------------------------


def test_process_packet_can_be_overridden(client):
    client.join('/own_packets')
    assert client.call('/own_packets', 'any thing: at all', 1) == [['any thing: at all', [1], '/socketio/own_packets']]


def test_process_event_can_be_overridden(client):
    client.join('/own_events')
    assert client.call('/own_events', 'x:y', 1) == [['anything', 'x:y', 1]]
    assert client.call('/own_events', 'anything', 2) == [['anything', 2]]
    assert client.call('/own_events', 'y:z') == [None]
    assert client.error('/own_events')[0] == 'unallowed_event_name'


def test_exception_handler_decorator_is_around_handlers_and_jobs(client):
    client.join('/decorated')
    assert client.call('/decorated', 'divide', 1, 2) == [0.5]
    for event, args in (('divide', [1, 0]), ('packet', [])):
        assert client.call('/decorated', event, *args) == ['saved']
        assert client.event('/decorated', 'saved') == ['division by zero']
    client.emit('/decorated', 'divide_later', 1, 0)
    assert client.event('/decorated', 'saved') == ['division by zero']


# -- jobs --------------------------------------------------------------------------------------------------------------


def test_jobs_run_beside_the_handlers_and_die_with_the_connection(workshop, bench):
    bench.call('/bench', 'spawn', 'first job')
    for _ in range(3):
        assert bench.event('/bench', 'working') == ['first job']
    assert bench.call('/bench', 'one', 1) == [1]
    bench.close()
    workshop.wait_for_log('KILLED first job')


def test_jobs_die_when_their_namespace_is_left(workshop, bench):
    bench.join('/other')
    bench.call('/bench', 'spawn', 'second job')
    bench.call('/other', 'spawn', 'third job')
    bench.leave('/bench')
    workshop.wait_for_log('KILLED second job')
    assert 'KILLED third job' not in workshop.log()
    assert bench.event('/other', 'working') == ['third job']


def test_kill_local_jobs_kills_them_at_once(workshop, bench):
    bench.call('/bench', 'spawn', 'fourth job')
    bench.call('/bench', 'kill_local_jobs')
    workshop.wait_for_log('KILLED fourth job')
    assert bench.call('/bench', 'one', 1) == [1]


def test_a_job_that_fails_hurts_nobody(workshop, bench):
    before = tracebacks(workshop.log())
    bench.call('/bench', 'spawn_and_fail')
    workshop.wait_for_log('in a job')
    assert tracebacks(workshop.log()) == before + 1
    assert bench.call('/bench', 'one', 1) == [1]


# -- leaving -----------------------------------------------------------------------------------------------------------


def test_disconnect_ends_a_namespace_and_keeps_the_others(bench):
    bench.join('/other')
    bench.emit('/bench', 'disconnect_me')
    bench.expect(lambda p: p.kind == DISCONNECT and p.namespace == '/bench')
    assert bench.call('/other', 'neighbour', '/bench') == [None]
    assert not [p for p in bench.heard() if p.kind == ACK]
    bench.join('/bench')
    assert bench.call('/bench', 'one', 1) == [1]


def test_disconnecting_the_last_namespace_ends_the_connection(bench):
    bench.emit('/bench', 'disconnect_me')
    bench.wait_closed()
    assert [p.kind for p in bench.heard()] == [DISCONNECT]


def test_a_silent_disconnect_tells_nobody_and_keeps_the_connection(bench):
    bench.join('/other')
    bench.emit('/bench', 'disconnect_silently')
    assert bench.call('/other', 'neighbour', '/bench') == [None]
    assert bench.heard() == []


def test_a_broadcast_reaches_nobody_who_has_left(workshop, bench):
    with Client(workshop.port) as listener, Client(workshop.port) as elsewhere:
        listener.join('/bench')
        listener.join('/other')
        elsewhere.join('/other')
        bench.call('/bench', 'shout', 'one')
        assert listener.event('/bench', 'shouted') == ['one']
        listener.leave('/bench')
        assert listener.call('/other', 'neighbour', '/bench') == [None]
        bench.call('/bench', 'shout', 'two')
        listener.call('/other', 'none')
        elsewhere.call('/other', 'none')
        assert listener.heard() == elsewhere.heard() == []


# -- namespaces that know nothing of TurboGears ------------------------------------------------------------------------


def test_a_plain_namespace_has_its_connects_request_and_no_context_of_events(client):
    client.join('/plain')
    assert client.event('/plain', 'path') == ['/socketio/plain']
    assert client.call('/plain', 'echo', 1, 'two') == [1, 'two']
    assert client.call('/plain', 'context') == [None]


def test_a_plain_namespaces_failure_is_told_and_logged_alike(workshop, client):
    before = tracebacks(workshop.log())
    client.join('/plain')
    assert client.call('/plain', 'fail') == [None]
    assert client.error('/plain') == ['internal_error', 'The server failed to handle "fail"']
    assert tracebacks(workshop.log()) == before + 1


# -- while connecting --------------------------------------------------------------------------------------------------


def test_a_namespace_can_be_ended_while_it_is_connected(client):
    client.join('/bench')
    client.say('40/leaves?kick=1,')
    eventually(lambda: len(client.heard()) == 3)
    assert [p.text.partition('{')[0] for p in client.heard()] == ['40/leaves,', '42/leaves,["so long"]', '41/leaves,']
    assert client.call('/bench', 'one', 1) == [1]


def test_connecting_twice_changes_nothing(bench):
    bench.call('/bench', 'remember', 'x', 1)
    bench.say('40/bench,')
    assert bench.call('/bench', 'recall', 'x') == [1]
    time.sleep(0.05)
    assert [p for p in bench.heard() if p.kind != '0'] == []
