"""Depth of JSON, beside a count by hand; and that a client that nests too deep is ended, whatever stands in front."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.errors import RemoteProtocolError
from tgsio_middleware.settings import Settings
from tgsio_middleware.wire import depth, eio3, eio4, sio09
from tgsio_middleware.wire.conversation import Conversation
from tgsio_middleware.wire.depth import MAX_DEPTH, too_deep

from .samples import values


@pytest.mark.parametrize(
    ('text', 'deep'),
    [
        ('[' * MAX_DEPTH + ']' * MAX_DEPTH, False),
        ('[' * (MAX_DEPTH + 1) + ']' * (MAX_DEPTH + 1), True),
        ('{"a":[' * 101 + '1' + ']}' * 101, True),
        ('[{}' + ',[{"a":1}]' * 10_000 + ']', False),
        ('["' + '[' * 10_000 + '"]', False),
        ('["\\\\",' + '[' * MAX_DEPTH + ']' * MAX_DEPTH + ']', True),
    ],
)
def test_it_is_too_deep(text, deep):
    assert too_deep(text, [1, json.loads(text)]) is deep


def levels(value):
    boxes = value.values() if type(value) is dict else value if type(value) is list else None
    return 0 if boxes is None else 1 + max(map(levels, boxes), default=0)


@given(values, st.integers(1, 6))
def test_it_counts_as_by_hand(value, bound):
    before, depth.MAX_DEPTH = depth.MAX_DEPTH, bound
    try:
        assert too_deep(json.dumps(value), [value]) is (levels(value) > bound)
    finally:
        depth.MAX_DEPTH = before


DEEP = '[' * (MAX_DEPTH + 50) + ']' * (MAX_DEPTH + 50)


@pytest.mark.parametrize('endpoint', ['/a', '/a"', '/a"b"', '/a\\"', '/' + ']' * 250, '/' + '[' * 250])
@pytest.mark.parametrize(
    ('dialect', 'message'),
    [
        (eio4, '42%s,["x",%s]'),
        (eio4, '40%s,{"a":%s}'),
        (eio4, '43%s,1[%s]'),
        (eio4, '451-%s,["x",%s,{"_placeholder":true,"num":0}]'),
        (eio3, '44%s,%s'),
        (sio09, '5::%s:{"name":"x","args":[%s]}'),
        (sio09, '4::%s:%s'),
        (sio09, '6::%s:1+[%s]'),
    ],
)
def test_deep_json_is_refused_whatever_a_namespace_is_called(dialect, endpoint, message):
    conversation = Conversation(dialect, Settings.parse(), now=0)
    conversation.joined()
    with pytest.raises(RemoteProtocolError, match='nested deeper than 200 levels'):
        conversation.receive(message % (endpoint, DEEP))


@pytest.mark.parametrize(
    ('dialect', 'message'), [(eio3, '2"%s'), (sio09, '1::/a:?"%s'), (sio09, '7:::"%s'), (sio09, '3:::"%s')]
)
def test_what_is_no_json_is_not_deep(dialect, message):
    conversation = Conversation(dialect, Settings.parse(), now=0)
    conversation.joined()
    conversation.receive(message % DEEP)
