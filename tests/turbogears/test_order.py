"""The events of one client run in order, one at a time; one that takes long costs nobody anything."""

from __future__ import annotations

import re
import time

import pytest

from tests.eio4client import Client
from tests.live import eventually

from .conftest import tracebacks

#: Several of the server's ping intervals, and more than its ping time-out, in seconds.
LONG = 1.2
INTERVAL = 0.2


@pytest.fixture
def client(workshop):
    with Client(workshop.port) as client:
        client.join('/bench')
        yield client


def left(workshop, name: str) -> list[str]:
    return re.findall(f'LEFT {name} .*', workshop.log())


def test_events_run_in_order_and_one_at_a_time(client):
    numbers = [client.send('/bench', 'count', n, 0.01 if n % 3 == 0 else 0) for n in range(40)]
    assert [client.acknowledged('/bench', number) for number in numbers] == [[n] for n in range(40)]
    assert client.call('/bench', 'order') == [[[n, 0] for n in range(40)]]


def test_events_of_two_namespaces_of_one_client_are_one_row(client):
    client.join('/other')
    numbers = [client.send('/bench' if n % 2 else '/other', 'count', n, 0.005) for n in range(20)]
    for n, number in enumerate(numbers):
        client.acknowledged('/bench' if n % 2 else '/other', number)
    assert client.call('/bench', 'order') == [[[n, 0] for n in range(20)]]


def test_connects_and_disconnects_keep_their_place_in_the_row(client):
    client.emit('/bench', 'count', 1, 0.1)
    client.say('40/other,')
    client.emit('/other', 'count', 2, 0.05)
    client.leave('/other')
    client.emit('/bench', 'count', 3)
    assert client.call('/bench', 'order') == [[[1, 0], [2, 0], [3, 0]]]
    assert client.call('/bench', 'neighbour', '/other') == [None]


def test_a_failed_event_does_not_stop_the_next(workshop, client):
    for _ in range(3):
        client.emit('/bench', 'one')
        client.emit('/bench', 'ask', {'deep': 1})
    assert client.call('/bench', 'one', 'still here') == ['still here']


def test_a_long_handler_costs_its_client_nothing(client):
    pings = client.pings
    assert client.call('/bench', 'slow', LONG) == [True]
    assert client.pings - pings >= LONG / INTERVAL - 2, 'heartbeats go on'
    assert client.call('/bench', 'one', 1) == [1]


def test_a_long_handler_stops_nobody_else(workshop, client):
    slow = client.send('/bench', 'slow', LONG)
    with Client(workshop.port) as other:
        other.join('/bench')
        began = time.monotonic()
        for n in range(20):
            assert other.call('/bench', 'one', n) == [n]
        assert time.monotonic() - began < LONG / 2
    assert client.acknowledged('/bench', slow) == [True]


def test_a_long_recv_connect_stops_nobody_else(workshop, client):
    client.say('40/leaves?sleep=0.5,')
    with Client(workshop.port) as other:
        other.join('/bench')
        began = time.monotonic()
        assert other.call('/bench', 'one', 1) == [1]
        assert time.monotonic() - began < 0.3
    assert client.call('/bench', 'neighbour', '/leaves') == [['/leaves', True, True]]


@pytest.mark.parametrize('how', ['close', 'vanish'])
def test_who_leaves_during_a_handler_is_noticed_at_once_and_left_once(workshop, client, how):
    name = f'{how}d-early'
    client.call('/bench', 'remember', 'name', name)
    client.send('/bench', 'slow', 0.5)
    client.send('/bench', 'remember', 'name', f'{name}, too late')
    time.sleep(0.1)
    before = workshop.log().count('SLOW False')
    getattr(client, how)()
    eventually(lambda: workshop.log().count('SLOW False') == before + 1)
    workshop.wait_for_log(f'LEFT {name}')
    time.sleep(0.2)
    assert left(workshop, name) + left(workshop, f'{name}, too late') == [f'LEFT {name}, too late False']


def test_who_falls_silent_during_a_handler_is_noticed(workshop, client):
    """No heartbeat is answered: after `ping_timeout` the client is gone, though its handler still runs."""
    client.answers = False
    client.call('/bench', 'remember', 'name', 'silent')
    before = workshop.log().count('SLOW False')
    client.send('/bench', 'slow', LONG)
    client.wait_closed()
    eventually(lambda: workshop.log().count('SLOW False') == before + 1)
    workshop.wait_for_log('LEFT silent False')
    assert len(left(workshop, 'silent')) == 1


def test_who_leaves_while_it_is_connected_is_left_once(workshop):
    before = workshop.log().count('LEAVES left')
    client = Client(workshop.port)
    client.say('40/leaves?sleep=0.3,')
    time.sleep(0.1)
    client.close()
    workshop.wait_for_log('LEAVES connected False')
    eventually(lambda: workshop.log().count('LEAVES left') > before)
    time.sleep(0.1)
    assert workshop.log().count('LEAVES left') == before + 1


def test_every_namespace_is_left_once(workshop):
    with Client(workshop.port) as client:
        client.join('/bench')
        client.join('/other')
        client.call('/bench', 'remember', 'name', 'of two')
    eventually(lambda: len(left(workshop, 'of two')) == 2)
    time.sleep(0.1)
    assert len(left(workshop, 'of two')) == 2


def test_recv_disconnect_that_fails_is_logged_once_and_the_others_run(workshop):
    before = tracebacks(workshop.log())
    with Client(workshop.port) as client:
        client.join('/bench')
        client.join('/leaves?fail=1')
        client.join('/other')
        client.call('/bench', 'remember', 'name', 'with a failing neighbour')
    eventually(lambda: len(left(workshop, 'with a failing neighbour')) == 2)
    assert tracebacks(workshop.log()) == before + 1


def test_a_flood_beyond_max_pending_loses_nothing(workshop, client):
    """1,000 packets may wait; more are not read until the handler is done."""
    client.send('/bench', 'slow', 0.3)
    numbers = [client.send('/bench', 'count', n) for n in range(1500)]
    assert [client.acknowledged('/bench', number) for number in numbers[-3:]] == [[1497], [1498], [1499]]
    assert client.call('/bench', 'order') == [[[n, 0] for n in range(1500)]]
