"""Draining, with clients in memory."""

from __future__ import annotations

import logging
from itertools import pairwise
from time import monotonic

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.engine.drain import BATCH, drain, patience
from tgsio_middleware.engine.exchange import Exchange
from tgsio_middleware.errors import HandshakeRefused
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio4

from .fakes import Client, serve, settle

#: Seconds; nothing here takes so long that does not wait for it.
LONG = 30.0


class Busy(BaseNamespace):
    def initialize(self):
        self.done = Event()
        self.heard = []

    def on_wait(self):
        self.done.wait()
        return 'done'

    def on_note(self, value):
        self.heard.append(value)
        return value

    def recv_disconnect(self, reason):
        self.socket.session['left'] = (reason, list(self.heard))


@pytest.fixture
def house(monkeypatch):
    """A filter, the only one."""
    exchange = Exchange(*serve(Busy, drain_timeout=LONG))
    monkeypatch.setattr('tgsio_middleware.engine.drain.EXCHANGES', {exchange})
    return exchange


def client_of(house):
    client = Client(house.registry, house.host, eio4)
    client.say('40')
    client.namespace = client.socket['']
    client.forget()
    return client


def test_nobody_new_comes_in(house):
    house.registry.admit({})
    drain(monotonic() + LONG)
    with pytest.raises(HandshakeRefused, match='the server is shutting down') as refused:
        house.registry.admit({})
    assert refused.value.reason == 'unavailable'


def test_the_idle_are_sent_away_and_told_why(house):
    client = client_of(house)
    drain(monotonic() + LONG)
    assert client.transport.ended == ('server shutting down', 1012)
    assert client.socket.session['left'][0] == 'server shutting down'
    assert house.registry.sockets == {}


def test_handlers_finish_and_their_acks_leave_before_the_end(house):
    client = client_of(house)
    client.say('421["wait"]', '422["note",1]')
    drained = gevent.spawn(drain, monotonic() + LONG)
    settle()
    assert client.transport.ended is None
    assert client.transport.paused
    client.namespace.done.set()
    drained.get(timeout=LONG)
    assert client.heard == ['431["done"]', '432[1]']
    assert client.socket.session['left'] == ('server shutting down', [1])


def test_only_who_has_something_under_way_is_read_no_more(house):
    client = client_of(house)
    drain(monotonic() + LONG)
    assert not client.transport.paused


def test_a_handler_that_does_not_end_is_not_waited_for(house, caplog):
    client = client_of(house)
    client.say('421["wait"]')
    begun = monotonic()
    drain(begun + 0.4)
    assert monotonic() - begun > 0.1
    assert client.transport.ended == ('server shutting down', 1012)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        'drained: 1 clients were cut off in the middle of something'
    ]
    client.namespace.done.set()


def test_what_was_not_fetched_yet_is_waited_for(house):
    client = client_of(house)
    client.transport.unsent = True
    drained = gevent.spawn(drain, monotonic() + LONG)
    gevent.sleep(0.1)
    assert client.transport.ended is None
    client.transport.unsent = False
    drained.get(timeout=LONG)
    assert client.transport.ended


def test_a_few_are_told_at_a_time(house):
    clients = [client_of(house) for _ in range(5 * BATCH)]
    drained = gevent.spawn(drain, monotonic() + LONG)
    counts = []
    while not drained.dead:
        counts.append(sum(client.transport.ended is not None for client in clients))
        gevent.sleep(0.01)
    assert max(after - before for before, after in pairwise(counts)) <= BATCH
    assert all(client.transport.ended for client in clients)


def test_many_are_told_in_half_of_the_time(house):
    clients = [client_of(house) for _ in range(300)]
    begun = monotonic()
    drained = gevent.spawn(drain, begun + 4)
    gevent.sleep(0.5)
    assert 0 < sum(client.transport.ended is not None for client in clients) < 300
    drained.get(timeout=LONG)
    assert monotonic() - begun < 4
    assert all(client.transport.ended for client in clients)


def test_the_longest_drain_timeout_counts(house, monkeypatch):
    assert patience() == LONG
    monkeypatch.setattr('tgsio_middleware.engine.drain.EXCHANGES', set())
    assert patience() == 10.0
