"""Node's Redis adapter's messages: the bytes that Node sends and takes, and whatever else may be on the bus."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.bus import adapter
from tgsio_middleware.bus.adapter import Emitted, Garbage
from tgsio_middleware.bus.address import Address, raw
from tgsio_middleware.errors import LocalProtocolError

msgpack = pytest.importorskip('msgpack')

#: What @socket.io/redis-emitter 5.1.0 publishes for `io.of('/hall').to('r').emit('hi', 1, null)`, recorded.
FROM_NODE = bytes.fromhex(
    '93a7656d697474657283a47479706502a46461746193a2686901c0a36e7370a52f68616c6c'
    '83a5726f6f6d7391a172a5666c61677380a665786365707490'
)

CHANNELS = [
    (Address(''), b'socket.io#/#'),
    (Address('/hall'), b'socket.io#/hall#'),
    (Address('/hall', ('r',)), b'socket.io#/hall#r#'),
    (Address('/hall', ('r', 's')), b'socket.io#/hall#'),
    (Address('', ('é',)), b'socket.io#/#\xc3\xa9#'),
]


@pytest.mark.parametrize(('to', 'channel'), CHANNELS)
def test_the_room_stands_in_the_channel_where_there_is_one(to, channel):
    assert adapter.channel(to) == channel


def test_the_other_channels():
    assert adapter.request_channel('') == b'socket.io-request#/#'
    assert adapter.response_channel('/a/b') == b'socket.io-response#/a/b#'


def test_a_pattern_matches_its_namespace_only():
    assert adapter.pattern('/hall') == b'socket.io#/hall#*'
    assert adapter.pattern('/a*[b]?^-\\') == b'socket.io#/a\\*\\[b\\]\\?\\^\\-\\\\#*'


def test_an_event_as_node_says_it():
    assert adapter.read_emission('/hall', FROM_NODE) == Emitted(Address('/hall', ('r',)), 'hi', [1, None])


def test_an_event_as_node_takes_it():
    data = adapter.emission('uid', Address('', ('r',), ('x',)), 'hi', [1, b'\0', {'a': None}])
    assert msgpack.unpackb(data) == [
        'uid',
        {'type': 2, 'data': ['hi', 1, b'\0', {'a': None}], 'nsp': '/'},
        {'rooms': ['r'], 'except': ['x'], 'flags': {}},
    ]
    assert data.startswith(adapter.beginning('uid'))
    assert not data.startswith(adapter.beginning('ui'))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.from_regex(r'(/[a-z]+)?', fullmatch=True),
    st.lists(st.text()),
    st.lists(st.text()),
    st.text(),
    st.lists(PLAIN),
)
def test_what_is_said_is_what_is_read(endpoint, rooms, skipped, name, args):
    to = Address(endpoint, tuple(rooms), tuple(skipped))
    assert adapter.read_emission(endpoint, adapter.emission('uid', to, name, args)) == Emitted(to, name, args)


@pytest.mark.parametrize(('number', 'read'), [(2**64, 2.0**64), (-(10**20), -1e20), (10**400, None), (2**63, 2**63)])
def test_numbers_beyond_64_bits_are_javascripts(number, read):
    """A client's `1e20` arrives as a whole number."""
    data = adapter.emission('uid', Address(''), 'x', [{'n': number}])
    assert adapter.read_emission('', data).args == [{'n': read}]


def test_lone_surrogates_pass():
    to = Address('', ('\ud800',))
    assert adapter.read_emission('', adapter.emission('uid', to, 'x', ['\udfff'])) == Emitted(to, 'x', ['\udfff'])


@pytest.mark.parametrize('value', [{1, 2}, object(), 1j])
def test_what_cannot_be_sent_is_the_sites_fault(value):
    with pytest.raises(LocalProtocolError):
        adapter.emission('uid', Address(''), 'x', [value])


def message(packet=None, opts=None, uid='uid'):
    return [uid, {'type': 2, 'data': ['x'], 'nsp': '/'} if packet is None else packet, {} if opts is None else opts]


@pytest.mark.parametrize(
    'value',
    [
        None,
        1,
        {},
        [],
        ['uid', {}],
        message(uid=7),
        message(packet=[]),
        message(packet={}),
        message(packet={'type': 3, 'data': ['x'], 'nsp': '/'}),
        message(packet={'type': 2, 'data': ['x'], 'nsp': '/other'}),
        message(packet={'type': 2, 'data': [], 'nsp': '/'}),
        message(packet={'type': 2, 'data': 'x', 'nsp': '/'}),
        message(packet={'type': 2, 'data': ['disconnect', 'x'], 'nsp': '/'}),
        message(packet={'type': 2, 'data': [{'toString': 1}], 'nsp': '/'}),
        message(opts=[]),
        message(opts={'rooms': 'r'}),
        message(opts={'rooms': [['r']]}),
        message(opts={'except': {}}),
    ],
)
def test_what_node_never_says_is_garbage(value):
    with pytest.raises(Garbage):
        adapter.read_emission('', msgpack.packb(value))


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'\xc1',
        b'\x93',
        b'{"method": "emit"}',
        b'\x91' * 5000,
        b'\xdd\xff\xff\xff\xff',
        pickle.dumps(['uid', {'type': 2, 'data': ['x'], 'nsp': '/'}, {}]),
        pickle.dumps(['uid', {}, {}], protocol=0),
        msgpack.packb(message()) + b'\0',
        msgpack.packb(message(packet={'type': 2, 'data': ['x', msgpack.ExtType(5, b'x')], 'nsp': '/'})),
        b'\x93\xa3uid\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80',
    ],
)
def test_bytes_that_are_no_message_are_garbage(data):
    with pytest.raises(Garbage):
        adapter.read_emission('', data)
    with pytest.raises(Garbage):
        adapter.read_request(data)


@given(st.binary())
def test_any_bytes_are_a_message_or_garbage(data):
    for read in (lambda: adapter.read_emission('', data), lambda: adapter.read_request(data)):
        try:
            read()
        except Garbage:
            pass


def test_the_namespace_may_be_missing_where_it_is_the_global_one():
    """Older emitters leave it out."""
    assert adapter.read_packet('', {'type': 5, 'data': ['x', 1]}) == ('x', [1])


def test_rooms_of_node_may_be_numbers():
    assert adapter.names([1, 'a']) == ('1', 'a')
    assert adapter.names(None) == ()


def test_dates_become_what_nodes_own_clients_get():
    stamp = bytes.fromhex('d6ff00000000')  # new Date(0)
    fine = bytes.fromhex('d7ff11e1a30000000001')  # new Date(1075)
    data = b'\x93\xa3uid' + b'\x83\xa4type\x02\xa4data\x93\xa1x' + stamp + b'\x81\xa1d\x91' + fine + b'\xa3nsp\xa1/\x80'
    assert adapter.read_emission('', data).args == [
        '1970-01-01T00:00:00.000Z',
        {'d': ['1970-01-01T00:00:01.075Z']},
    ]


def test_undefined_of_older_notepack_is_null():
    assert adapter.unpack(b'\xd4\x00\x00') is None


def test_a_request():
    data = adapter.request('uid', adapter.DISCONNECT, Address('/x', ('r',), ('s',)), close=True)
    assert data[:1] == b'{'  # by which Node tells JSON from msgpack
    assert json.loads(data) == {'uid': 'uid', 'type': 4, 'opts': {'rooms': ['r'], 'except': ['s']}, 'close': True}
    assert adapter.read_request(data) == json.loads(data)


def test_a_request_in_msgpack():
    assert adapter.read_request(msgpack.packb({'type': 7, 'uid': 'u'})) == {'type': 7, 'uid': 'u'}


@pytest.mark.parametrize('data', [b'{', b'{}', b'{"type": "4"}', b'{"type": true}', b'{"type"' + b':[' * 9999, b'\xc0'])
def test_requests_that_are_garbage(data):
    with pytest.raises(Garbage):
        adapter.read_request(data)


def test_surrogates_in_names():
    assert raw('\ud800') == b'\xed\xa0\x80'
