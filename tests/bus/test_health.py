"""What the operator hears of a lost server: one line when it goes, one when it is back."""

from __future__ import annotations

import logging

import gevent
import pytest

from tgsio_middleware.bus.health import LONGEST_PAUSE, Health
from tgsio_middleware.bus.seldom import Seldom

log = logging.getLogger('tests.bus')


@pytest.fixture
def health(caplog):
    caplog.set_level(logging.INFO)
    return Health('redis://here', log)


def test_a_loss_is_told_once_and_its_end_once(health, caplog):
    health.failed('listening', OSError('gone.'))
    health.failed('publishing', OSError('gone, too'))
    health.failed('listening', OSError('gone still'))
    health.lost += 7
    health.recovered('listening')
    assert [r.getMessage().partition(':')[0] for r in caplog.records] == ['redis']
    assert health.ill('publishing') and not health.ill('listening')
    health.recovered('publishing')
    assert len(caplog.records) == 2
    assert 'redis://here is lost: gone.' in caplog.text
    assert 'back after' in caplog.text and '7 messages' in caplog.text
    assert health.outages == 1


def test_every_loss_is_counted(health):
    for _ in range(3):
        health.failed('listening', OSError())
        health.recovered('listening')
    assert health.outages == 3


def test_an_error_without_words_is_named(health, caplog):
    health.failed('listening', TimeoutError())
    assert 'TimeoutError' in caplog.text
    health.recovered('listening')
    health.failed('listening', gevent.Timeout(4))
    assert 'is lost: no answer within 4 seconds.' in caplog.text


def test_pauses_double_and_have_an_end(health):
    pauses = [health.failed('x', OSError()) for _ in range(10)]
    assert pauses[:3] == [0.1, 0.2, 0.4]
    assert pauses[-1] == LONGEST_PAUSE
    health.recovered('x')
    assert health.failed('x', OSError()) == 0.1


def test_a_part_that_is_forgotten_does_not_stand_in_the_way(health, caplog):
    health.failed('a channel', OSError('gone'))
    health.forget('a channel')
    assert len(caplog.records) == 1  # who knows whether it is back?
    health.failed('another', OSError('gone'))
    assert len(caplog.records) == health.outages == 1
    health.recovered('another')
    assert 'back after' in caplog.text


def test_refusals_are_counted_and_told_seldom(health, caplog):
    for _ in range(3):
        health.refused(2, PermissionError('not you'))
    assert health.lost == 6 and not health.outages
    assert [r.getMessage() for r in caplog.records] == ['redis://here refuses 2 messages: not you']


def test_a_part_that_was_well_says_nothing(health, caplog):
    health.recovered('listening')
    assert not caplog.records


class TestSeldom:
    def test_one_line_a_minute_with_the_number_of_the_others(self, caplog, monkeypatch):
        now = 100.0
        monkeypatch.setattr('tgsio_middleware.bus.seldom.monotonic', lambda: now)
        seldom = Seldom(log)
        for i in range(5):
            seldom('dropped %d', i)
        assert [r.getMessage() for r in caplog.records] == ['dropped 0']
        now += Seldom.PAUSE
        seldom('dropped %d', 5)
        assert caplog.records[-1].getMessage() == 'dropped 5 (and 4 more like it since the last such line)'
        now += Seldom.PAUSE
        seldom('dropped %d', 6)
        assert caplog.records[-1].getMessage() == 'dropped 6'
        assert seldom.count == 7
