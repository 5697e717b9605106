"""What packets say: no JSON and no name makes more of a client than a client, or less of the server.

CVE-2022-2421, CVE-2023-32695 (socket.io-parser): placeholders and event names that are no strings. CVE-2024-38355
(socket.io): the reserved event `error`. And `on_` + name with getattr, which reached whatever there was.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.wire.samples import values
from tgsio_middleware.dispatch import RESERVED

from .peers import PEERS, Peer, serve

#: Of the namespace's own and Python's, and of what a getattr would find.
NAMES = """__init__ __class__ __dict__ disconnect recv_disconnect recv_connect emit socket session add_acl_method
lift_acl_restrictions allowed_methods process_packet spawn leave environ initialize broadcast_event
get_initial_acl exception_handler_decorator call_method rooms on_echo Echo ECHO toString constructor __proto__ _
1 ../echo echo.__call__ echo() prepared"""
REACHING = [*NAMES.split(), ' echo', 'echo ', 'ec ho', 'echo\x00', 'echo\n', 'éecho', '', ' ', 'x' * 257]


@pytest.fixture(scope='module')
def live():
    with serve() as live:
        yield live


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
def test_no_name_reaches_anything_but_a_handler(live, generation, transport):
    peer = Peer(live.port, generation, transport)
    for name in REACHING:
        peer.emit(name, 'argument')
        error = peer.events('error')[0]
        assert error in ('unallowed_event_name', 'no_such_method'), (name, error)
    assert peer.call('echo', 'still one client') == ['still one client']
    peer.close()


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
@pytest.mark.parametrize('name', sorted(RESERVED))
def test_reserved_names(live, generation, transport, name):
    peer = Peer(live.port, generation, transport)
    peer.emit(name, 'argument')
    assert peer.events('error') == ['unallowed_event_name', f'"{name}" is reserved']
    assert peer.call('echo', 1) == [1]
    peer.close()


NO_EVENTS = [
    '["toString"]',
    '[["echo"]]',
    '[{"toString":"echo"}]',
    '[1]',
    '[null]',
    '[]',
    '{"0":"echo"}',
    '"echo"',
    '[true]',
]


@pytest.mark.parametrize('said', NO_EVENTS)
@pytest.mark.parametrize('generation', ['1.x, 2.x', '3.x, 4.x'])
def test_events_whose_name_is_no_name(live, generation, said):
    peer = Peer(live.port, generation)
    peer.say('42' + said)
    if said == '["toString"]':
        assert peer.events('error')[0] == 'no_such_method'
    else:
        peer.wait_ended()
        assert (peer.code, peer.reason) == (1002, 'parse error')
    peer.close()


NO_PLACEHOLDERS = [
    '-1',
    '1',
    '0.5',
    '1e400',
    '"0"',
    'null',
    'true',
    '{"toString":0}',
    '[0]',
    '0,"num":1',
    '99999999999999999999',
]


@pytest.mark.parametrize('number', NO_PLACEHOLDERS)
@pytest.mark.parametrize('generation', ['1.x, 2.x', '3.x, 4.x'])
def test_placeholders_of_no_attachment(live, generation, number):
    peer = Peer(live.port, generation)
    prefix = b'\x04' if peer.eio == 3 else b''
    peer.say(f'451-["echo",{{"_placeholder":true,"num":{number}}}]', prefix + b'data')
    peer.wait_ended()
    assert peer.code == 1002
    peer.close()


def says(peer, kind, value):
    """A packet with any JSON in it."""
    text = json.dumps(value)
    if peer.eio is None:
        return f'{kind[1]}:1+::{text}'
    return f'4{kind[0]}{text}'


KINDS = st.sampled_from(['25', '31', '04', '16', '43', '57', '63', '25', '25'])


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
@given(said=st.lists(st.tuples(KINDS, values | st.lists(values | st.just('echo')).map(list)), max_size=4))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@example(said=[('25', ['echo', [[[]]]])])
def test_any_json_in_any_packet_is_heard_or_refused(live, generation, transport, said):
    """On the wire: the server tells of it, or ends the client; the next one is served."""
    peer = Peer(live.port, generation, transport)
    for kind, value in said:
        try:
            peer.say(says(peer, kind, value))
        except OSError:
            break
    peer.close()
    other = Peer(live.port, generation)
    assert other.call('echo', 1) == [1]
    other.close()


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_json_too_deep_for_any_handler(live, generation):
    """An echo could not be encoded: the handler failed, with a traceback, as often as a client liked."""
    peer = Peer(live.port, generation)
    deep = '[' * 900 + ']' * 900
    peer.say(f'5:1+::{{"name":"echo","args":[{deep}]}}' if peer.eio is None else f'421["echo",{deep}]')
    peer.wait_ended()
    assert peer.code == 1002
    peer.close()
    peer = Peer(live.port, generation)
    fine = json.loads('[' * 150 + ']' * 150)
    assert peer.call('echo', fine) == [fine]
    peer.close()
