"""A guard that counts work, not seconds: no packet's road gets longer by accident.

`road.json` holds who was called, and how often, when the roads were last looked at. A road may be as long as that and a
little more, for versions of Python, TurboGears and WebOb differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RECORD = json.loads(Path(__file__).with_name('road.json').read_text())
#: What a road may be longer than its record: nothing that is called once an event, or with long roads twice.
SLACK, MORE = 1.01, 0.25


def total(road):
    return sum(road.values())


@pytest.fixture(scope='module')
def walked():
    """The roads as they are now; in a process of their own, whose TurboGears and whose clients are nobody else's."""
    done = subprocess.run([sys.executable, '-m', 'tests.benchmarks.road', '--json'], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def what_grew(road, recorded):
    """`+1.0 frames.unmask, +2.0 len()`, the most first."""
    more = {who: n - recorded.get(who, 0) for who, n in road.items()}
    grown = sorted(((n, who) for who, n in more.items() if n > 0.01), reverse=True)
    return ', '.join(f'+{n:.1f} {who}' for n, who in grown)


@pytest.mark.parametrize('name', RECORD)
def test_the_road_is_no_longer_than_it_was(name, walked):
    road, recorded = walked[name], RECORD[name]
    bound = total(recorded) * SLACK + MORE
    assert total(road) <= bound, (
        f'{name} takes {total(road):.1f} calls, {total(recorded):.1f} when it was recorded: '
        f'{what_grew(road, recorded)}. If that is meant: python -m tests.benchmarks.road --record'
    )


def test_every_road_is_recorded(walked):
    assert list(walked) == list(RECORD)


def test_what_grew_is_named():
    recorded = {'frames.feed': 1.0, 'len()': 2.0, 'inbox.work': 1.0}
    assert what_grew({'frames.feed': 2.0, 'len()': 4.5, 'frames.unmask': 1.0}, recorded) == (
        '+2.5 len(), +1.0 frames.unmask, +1.0 frames.feed'
    )
