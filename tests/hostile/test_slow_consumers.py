"""The small form of `slow_consumers`: who does not read costs its bound and its connection; nobody else notices."""

from __future__ import annotations

import os

import pytest

from .slow_consumers import BOUND, run


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='memory is read from /proc')
def test_the_deaf_are_ended_and_nobody_else_notices():
    result = run(clients=60, deaf=6, broadcasts=3000, size=200)
    assert (result['readers'], result['ended'], result['left']) == (54, 6, 55)
    assert 0 < result['cut_after'] < 3000
    # Each of the deaf may hold its bound, and once more while it is joined; so may the batch under way.
    assert result['grown'] < 3 * 6 * BOUND // 1024 + 10_000
