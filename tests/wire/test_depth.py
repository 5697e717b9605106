"""Depth of JSON, beside a count by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.wire import depth
from tgsio_middleware.wire.depth import MAX_DEPTH, too_deep

from .samples import values


@pytest.mark.parametrize(
    ('text', 'deep'),
    [
        ('42' + '[' * MAX_DEPTH + ']' * MAX_DEPTH, False),
        ('42' + '[' * (MAX_DEPTH + 1) + ']' * (MAX_DEPTH + 1), True),
        ('5:::' + '{"a":[' * 101 + ']}' * 101, True),
        ('42' + '[{}' + ',[{"a":1}]' * 10_000 + ']', False),
        ('42["' + '[' * 10_000 + '"]', False),
        ('42["\\"' + '[' * 10_000 + '\\\\"]', False),
        ('42["\\\\",' + '[' * MAX_DEPTH + ']' * MAX_DEPTH + ']', True),
    ],
)
def test_it_is_too_deep(text, deep):
    assert too_deep(text) is deep


def levels(value):
    boxes = value.values() if type(value) is dict else value if type(value) is list else None
    return 0 if boxes is None else 1 + max(map(levels, boxes), default=0)


@given(values, st.integers(1, 6))
def test_it_counts_as_by_hand(value, bound):
    before, depth.MAX_DEPTH = depth.MAX_DEPTH, bound
    try:
        assert too_deep(json.dumps(value)) is (levels(value) > bound)
    finally:
        depth.MAX_DEPTH = before
