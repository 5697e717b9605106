"""Bytes leave a JSON text as placeholders and come back into it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.errors import LocalProtocolError, RemoteProtocolError
from tgsio_middleware.wire.binary import attach, serialise
from tgsio_middleware.wire.javascript import loads

from .samples import values, with_bytes

FIRST = {'_placeholder': True, 'num': 0}
SECOND = {'_placeholder': True, 'num': 1}

# (value, text, attachments): in both directions
TABLE = [
    ([], '[]', []),
    (['b', b'\x01'], '["b",{"_placeholder":true,"num":0}]', [b'\x01']),
    ([b'a', b'b'], '[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', [b'a', b'b']),
    ([{'x': [b'']}], '[{"x":[{"_placeholder":true,"num":0}]}]', [b'']),
    ([{'_placeholder': False, 'num': 0}], '[{"_placeholder":false,"num":0}]', []),
]


class Money:
    def __init__(self, cents):
        self.cents = cents

    def __json__(self):
        return {'cents': self.cents}


@pytest.mark.parametrize(('value', 'text', 'attachments'), TABLE)
def test_bytes_leave(value, text, attachments):
    written, extracted = serialise(value)
    assert (written, list(extracted)) == (text, attachments)


@pytest.mark.parametrize(('value', 'text', 'attachments'), TABLE)
def test_bytes_come_back(value, text, attachments):
    assert attach(loads(text), attachments) == value


@pytest.mark.parametrize('data', [bytearray(b'ab'), memoryview(b'ab')])
def test_every_kind_of_bytes_is_an_attachment(data):
    assert serialise([data]) == ('[{"_placeholder":true,"num":0}]', [b'ab'])


def test_an_object_may_know_its_json():
    assert serialise([Money(5), b'x']) == ('[{"cents":5},{"_placeholder":true,"num":0}]', [b'x'])


def test_default_is_asked_about_the_rest():
    assert serialise([date(2000, 1, 2)], date.isoformat) == ('["2000-01-02"]', [])


def endless():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    'value',
    [
        object(),
        [date(2000, 1, 1)],
        [float('nan')],
        [b'', float('inf')],
        {(1, 2): 3},
        {b'key': 1},
        [b'', endless()],
        endless(),
    ],
    ids=['object', 'date', 'NaN', 'bytes and infinity', 'tuple as key', 'bytes as key', 'bytes and cycle', 'cycle'],
)
def test_what_cannot_be_said_is_the_sites_fault(value):
    with pytest.raises(LocalProtocolError, match='cannot be sent as JSON'):
        serialise(value)


@pytest.mark.parametrize(
    ('value', 'attachments'),
    [
        ([FIRST], []),
        ([SECOND], [b'a']),
        ([{'_placeholder': True, 'num': -1}], [b'a']),
        ([{'_placeholder': True, 'num': 0.0}], [b'a']),
        ([{'_placeholder': True, 'num': '0'}], [b'a']),
        ([{'_placeholder': True, 'num': False}], [b'a']),
        ([{'_placeholder': True, 'num': None}], [b'a']),
        ([{'_placeholder': True}], [b'a']),
        ([{'_placeholder': True, 'num': 10**400}], [b'a']),
        ([FIRST, FIRST], [b'a']),
        ([FIRST, FIRST], [b'a', b'b']),
        ([FIRST], [b'a', b'b']),
        ([], [b'a']),
        ([{'_placeholder': 1, 'num': 0}], [b'a']),
    ],
)
def test_every_attachment_is_named_exactly_once(value, attachments):
    with pytest.raises(RemoteProtocolError):
        attach(value, attachments)


def test_depth_is_no_matter():
    value = [FIRST]
    for _ in range(100_000):
        value = [value]
    attach(value, [b'deep'])
    while type(value) is list:
        value = value[0]
    assert value == b'deep'


@given(with_bytes.map(lambda v: [v]))
def test_what_left_comes_back(value):
    text, attachments = serialise(value)
    assert attach(loads(text), attachments) == value


@given(
    st.lists(values | st.builds(dict, _placeholder=values, num=values), max_size=3), st.lists(st.binary(), max_size=3)
)
def test_any_json_with_any_bytes_fits_or_is_the_clients_fault(value, attachments):
    try:
        attach(value, attachments)
    except RemoteProtocolError:
        pass
