"""Channels: one subscription whatever the number of members, and no subscription without a member."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.bus.hub import Hub
from tgsio_middleware.bus.lines import Unavailable
from tgsio_middleware.errors import LocalProtocolError


class FakeLine:
    def __init__(self, received):
        self.received = received
        self.opened = []
        self.closed = []
        self.going = Event()
        self.going.set()
        self.failure = None

    def open(self, channel):
        self.opened.append(channel)
        self.going.wait()
        if self.failure is not None:
            raise self.failure

    def close(self, channel):
        self.closed.append(channel)

    def publish(self, channel, text):
        self.received(channel, text)


@pytest.fixture
def delivered():
    return []


@pytest.fixture
def hub(delivered):
    return Hub(FakeLine, lambda endpoint, value, members: delivered.append((endpoint, value, list(members))))


def say(hub, channel, value):
    hub.publish(channel, hub.publication(value))


def test_a_thousand_members_are_one_subscription_and_one_delivery(hub, delivered):
    for i in range(1000):
        hub.subscribe('a', '/chat', i)
    say(hub, 'a', {'x': 1})
    assert hub.line.opened == ['a']
    assert delivered == [('/chat', {'x': 1}, list(range(1000)))]


def test_one_delivery_an_endpoint(hub, delivered):
    for endpoint, member in (('/chat', 'ann'), ('/game', 'bob'), ('/chat', 'cid')):
        hub.subscribe('a', endpoint, member)
    say(hub, 'a', 1)
    assert delivered == [('/chat', 1, ['ann', 'cid']), ('/game', 1, ['bob'])]


def test_subscribing_twice_is_once(hub, delivered):
    hub.subscribe('a', '', 'ann')
    hub.subscribe('a', '', 'ann')
    say(hub, 'a', 1)
    assert delivered == [('', 1, ['ann'])]


def test_who_unsubscribes_hears_no_more(hub, delivered):
    hub.subscribe('a', '', 'ann')
    hub.subscribe('a', '', 'bob')
    hub.unsubscribe('a', '', 'ann')
    say(hub, 'a', 1)
    assert delivered == [('', 1, ['bob'])]
    assert hub.line.closed == []


def test_the_last_one_ends_the_subscription(hub, delivered):
    hub.subscribe('a', '', 'ann')
    hub.unsubscribe('a', '', 'ann')
    assert hub.line.closed == ['a']
    say(hub, 'a', 1)
    assert delivered == []
    hub.subscribe('a', '', 'ann')
    assert hub.line.opened == ['a', 'a']


@pytest.mark.parametrize(('channel', 'endpoint', 'member'), [('b', '', 'ann'), ('a', '/x', 'ann'), ('a', '', 'bob')])
def test_unsubscribing_what_is_not_subscribed(hub, channel, endpoint, member):
    hub.subscribe('a', '', 'ann')
    hub.unsubscribe(channel, endpoint, member)
    assert hub.line.closed == []


def test_all_wait_until_the_backend_has_subscribed(hub, delivered):
    hub.line.going.clear()
    greenlets = [gevent.spawn(hub.subscribe, 'a', '', i) for i in range(3)]
    gevent.sleep(0)
    say(hub, 'a', 'too early')
    assert not any(greenlets[i].ready() for i in range(3))
    hub.line.going.set()
    gevent.joinall(greenlets, raise_error=True)
    say(hub, 'a', 1)
    assert hub.line.opened == ['a']
    assert [(value, sorted(members)) for _, value, members in delivered] == [(1, [0, 1, 2])]


def test_who_is_killed_while_waiting_takes_nobody_along(hub, delivered):
    hub.line.going.clear()
    first, second = (gevent.spawn(hub.subscribe, 'a', '', name) for name in ('ann', 'bob'))
    gevent.sleep(0)
    first.kill()
    hub.line.going.set()
    second.get()
    say(hub, 'a', 1)
    assert delivered == [('', 1, ['bob'])]


def test_what_is_being_opened_is_closed_when_it_is_open_and_not_before(hub):
    """A close that overtakes its open would end what the next one opens."""
    hub.line.going.clear()
    first = gevent.spawn(hub.subscribe, 'a', '', 'ann')
    gevent.sleep(0)
    first.kill()
    assert hub.line.closed == []
    second = gevent.spawn(hub.subscribe, 'a', '', 'bob')
    gevent.sleep(0)
    second.kill()
    assert (hub.line.opened, hub.line.closed) == (['a'], [])
    hub.line.going.set()
    gevent.sleep(0.001)
    assert hub.line.closed == ['a']
    hub.subscribe('a', '', 'cid')
    assert hub.line.opened == ['a', 'a']


def test_the_last_one_leaves_while_another_waits(hub, delivered):
    hub.subscribe('a', '', 'ann')
    hub.line.going.clear()
    waiting = gevent.spawn(hub.subscribe, 'a', '', 'bob')
    hub.unsubscribe('a', '', 'ann')
    hub.line.going.set()
    waiting.get()
    say(hub, 'a', 1)
    assert delivered == [('', 1, ['bob'])]


def test_a_backend_that_cannot_fails_all_who_wait_and_the_next_tries_again(hub, delivered):
    hub.line.failure = Unavailable('gone')
    hub.line.going.clear()
    greenlets = [gevent.spawn(hub.subscribe, 'a', '', i) for i in range(2)]
    gevent.sleep(0)
    hub.line.going.set()
    gevent.joinall(greenlets)
    assert [type(g.exception) for g in greenlets] == [Unavailable] * 2
    hub.line.failure = None
    hub.subscribe('a', '', 'ann')
    say(hub, 'a', 1)
    assert delivered == [('', 1, ['ann'])]


@pytest.mark.parametrize('message', ['', '{', b'\xff', b'\x80\x04K\x01.', 'NaN', 7, None])
def test_what_is_no_json_is_dropped_with_one_line(hub, delivered, caplog, message):
    hub.subscribe('a', '', 'ann')
    for _ in range(3):
        hub.line.received('a', message)
    say(hub, 'a', 1)
    assert delivered == [('', 1, ['ann'])]
    assert len(caplog.records) == 1 and 'no JSON' in caplog.text
    assert hub.garbage.count == 3


@pytest.mark.parametrize('message', ['{"a":1}', b'{"a":1}', bytearray(b'{"a": 1}'), memoryview(b'{"a":1}')])
def test_backends_give_text_or_bytes(hub, delivered, message):
    hub.subscribe('a', '', 'ann')
    hub.line.received('a', message)
    assert delivered == [('', {'a': 1}, ['ann'])]


def test_one_endpoint_that_fails_does_not_keep_the_others_back(caplog):
    delivered = []

    def deliver(endpoint, value, members):
        if endpoint == '/bad':
            raise RuntimeError('a defect')
        delivered.append(endpoint)

    hub = Hub(FakeLine, deliver)
    for endpoint in ('/bad', '/good'):
        hub.subscribe('a', endpoint, 'ann')
    say(hub, 'a', 1)
    assert delivered == ['/good']
    assert 'could not be delivered to /bad' in caplog.text


@pytest.mark.parametrize('value', [b'bytes', {'deep': [b'']}, float('nan'), object()])
def test_what_json_cannot_say_is_the_publishers_fault(hub, value):
    with pytest.raises(LocalProtocolError):
        hub.publication(value)


def test_default_turns_values_into_json(delivered):
    hub = Hub(FakeLine, lambda endpoint, value, members: delivered.append(value), default=str)
    hub.subscribe('a', '', 'ann')
    say(hub, 'a', {'x': frozenset()})
    assert delivered == [{'x': 'frozenset()'}]
