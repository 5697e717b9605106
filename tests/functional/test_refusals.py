"""What the server does not do, and how each client learns of it."""

from __future__ import annotations

import pytest

from tests.functional.table import GENERATIONS, covers

pytestmark = pytest.mark.node

ODD = 'name must only contains alpha numerical characters'

#: event, arguments, name and detail of the error
ERRORS = [
    ('number', ['x'], 'invalid_method_args', {'n': 'Invalid'}),
    ('secret', [], 'method_access_denied', 'You do not have access to method "on_secret"'),
    ('nothing', [1], 'no_such_method', 'The method "on_nothing" was not found'),
    ('fail', [], 'internal_error', 'The server failed to handle "fail"'),
    ('ack_one', [], 'invalid_method_args', '"on_ack_one" cannot be called with 0 arguments'),
    ('ack_one', [1, 2], 'invalid_method_args', '"on_ack_one" cannot be called with 2 arguments'),
    ('recv_connect', [], 'no_such_method', 'The method "on_recv_connect" was not found'),
    ('constructor', [], 'no_such_method', 'The method "on_constructor" was not found'),
    ('a-b', [], 'unallowed_event_name', ODD),
    ('__init__', [], 'unallowed_event_name', ODD),
    ('1up', [], 'unallowed_event_name', ODD),
    ('über', [], 'unallowed_event_name', ODD),
    ('', [], 'unallowed_event_name', ODD),
    ('x' * 257, [], 'unallowed_event_name', ODD),
]
#: Reserved names, and the clients that let an application emit them all the same.
RESERVED = {
    'connect': ['09'],
    'disconnect': ['09'],
    'error': ['09', '3', '4'],
    'newListener': ['09', '1', '2'],
    'connect_error': ['09'],
    'disconnecting': ['09', '1', '2'],
}


@covers('errors')
@pytest.mark.parametrize('event, args, name, detail', ERRORS, ids=[f'{e[0][:20]}-{len(e[1])}' for e in ERRORS])
def test_an_error_is_an_event_and_the_ack_comes_all_the_same(peer, event, args, name, detail):
    assert peer.call(event, *args) == [None]
    assert peer.events('error') == [[name, detail]]
    assert peer.call('ack_one', 'still here') == ['still here']


@covers('errors')
def test_reserved_names_are_told_so(peer, pair):
    names = [name for name, generations in RESERVED.items() if pair.generation in generations]
    for name in names:
        assert peer.call(name) == [None]
    assert peer.events('error') == [['unallowed_event_name', f'"{name}" is reserved'] for name in names]
    assert peer.call('ack_one', 'still here') == ['still here']


@covers('errors')
def test_nothing_of_a_failure_leaves_the_server(peer, pool):
    peer.call('fail')
    assert 'a secret of the server' not in str(peer.history())
    assert 'RuntimeError: a secret of the server' in pool.live.log()


#: namespace -> generation -> native name of the client's happening, its message, its data
REFUSALS = {
    '/refusing': {
        '09': ('connect_failed', 'unauthorized', 'unauthorized'),
        '1': ('error', None, {'retry': 'tomorrow', 'snow': '❄'}),
        '2': ('error', None, {'retry': 'tomorrow', 'snow': '❄'}),
        '3': ('connect_error', 'not today', {'retry': 'tomorrow', 'snow': '❄'}),
        '4': ('connect_error', 'not today', {'retry': 'tomorrow', 'snow': '❄'}),
    },
    '/guarded': {
        '09': ('connect_failed', 'unauthorized', 'unauthorized'),
        '1': ('error', None, {'status': 401}),
        '2': ('error', None, {'status': 401}),
        '3': ('connect_error', 'not authorized', {'status': 401}),
        '4': ('connect_error', 'not authorized', {'status': 401}),
    },
    '/nowhere/at/all': {
        '1': ('error', 'Invalid namespace', 'Invalid namespace'),
        '2': ('error', 'Invalid namespace', 'Invalid namespace'),
        '3': ('connect_error', 'Invalid namespace', {'status': 404}),
        '4': ('connect_error', 'Invalid namespace', {'status': 404}),
    },
}
#: What the event `error` tells a 0.9 client, whose own word for a refusal has no room for a reason.
TOLD_09 = {
    '/refusing': ['connection_refused', {'message': 'not today', 'data': {'retry': 'tomorrow', 'snow': '❄'}}],
    '/guarded': ['connection_refused', {'message': 'not authorized', 'data': {'status': 401}}],
    '/nowhere/at/all': ['no_such_namespace', "The endpoint you tried to connect to doesn't exist: /nowhere/at/all"],
}


@covers('refusals')
@pytest.mark.parametrize('namespace', REFUSALS)
def test_a_refused_namespace_is_told_why_and_the_others_go_on(peer, pair, namespace):
    peer.open(namespace)
    if pair.generation == '09':
        assert peer.wait('event', namespace=namespace, event='error')['args'] == TOLD_09[namespace]
    if pair.generation in REFUSALS[namespace]:
        refused = peer.wait('refused', namespace=namespace)
        told = (refused['native'], refused['message'], refused['data'])
        assert told == REFUSALS[namespace][pair.generation]
    assert peer.call('ack_one', 'still here') == ['still here']
    assert not peer.history(kind='connect', namespace=namespace)
    assert not peer.events('never')


def test_every_generation_is_in_the_tables():
    assert {g for table in REFUSALS.values() for g in table} == set(GENERATIONS)
