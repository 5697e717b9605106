"""What is held until the commit, and by whom."""

from __future__ import annotations

import logging

import gevent
import pytest

from tgsio_middleware.bus.outbox import OPEN, Outbox, current, postponed


@pytest.fixture
def outbox():
    box = Outbox()
    yield box
    OPEN.clear()


def test_all_leaves_in_order_at_the_commit(outbox):
    said = []
    for i in range(3):
        outbox.hold(said.append, i)
    assert said == []
    outbox.commit()
    assert said == [0, 1, 2]
    assert not OPEN


def test_nothing_leaves_when_dropped_but_what_always_happens(outbox):
    said = []
    outbox.hold(said.append, 1)
    outbox.hold(said.append, 2, always=True)
    outbox.drop()
    assert said == [2]
    assert not OPEN


def test_what_always_happens_keeps_its_place(outbox):
    said = []
    outbox.hold(said.append, 1)
    outbox.hold(said.append, 2, always=True)
    outbox.hold(said.append, 3)
    outbox.commit()
    assert said == [1, 2, 3]


def test_a_doomed_one_is_dropped_by_its_commit(outbox):
    said = []
    outbox.hold(said.append, 1)
    outbox.doom()
    outbox.commit()
    assert said == []


def test_a_second_try_begins_with_nothing(outbox):
    said = []
    outbox.hold(said.append, 1)
    outbox.doom()
    outbox.restart()
    outbox.hold(said.append, 2)
    outbox.commit()
    assert said == [2]


def test_it_is_of_the_greenlet_that_runs_the_event(outbox):
    assert current() is outbox
    assert gevent.spawn(current).get() is None


def test_what_is_said_while_it_leaves_is_not_held_again(outbox):
    seen = []
    outbox.hold(lambda: seen.append(current()))
    outbox.commit()
    assert seen == [None]


def test_one_failure_does_not_keep_the_rest_back(outbox, caplog):
    said = []
    outbox.hold(lambda: 1 / 0)
    outbox.hold(said.append, 2)
    with caplog.at_level(logging.ERROR):
        outbox.commit()
    assert said == [2]
    assert 'ZeroDivisionError' in caplog.text


def test_what_is_postponed(outbox):
    said = []
    assert postponed(said.append, 1)
    outbox.drop()
    assert said == [1]
    assert not postponed(said.append, 2)
