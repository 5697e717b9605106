"""Publishing never waits, keeps the order, and forgets what a lost server did not take."""

from __future__ import annotations

import logging

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.bus import publisher
from tgsio_middleware.bus.health import Health
from tgsio_middleware.bus.publisher import PART, Publisher


class Server:
    """A carrier. `error` is raised when it is sent to, with `down` when it is reached; `going` holds it up."""

    def __init__(self):
        self.batches = []
        self.error = None
        self.down = False
        self.refuses = b''
        self.going = Event()
        self.going.set()
        self.closed = False

    def reach(self):
        if self.down:
            raise self.error

    def send(self, batch):
        self.going.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(list(batch))
        return [PermissionError('no') if data == self.refuses else 1 for _, data in batch]

    def close(self):
        self.closed = True

    @property
    def taken(self):
        return [data for batch in self.batches for _, data in batch]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def handed_back():
    return []


@pytest.fixture
def post(server, handed_back):
    post = Publisher(server, Health('server', logging.getLogger('tests.bus')), handed_back.extend)
    yield post
    post.close()
    assert server.closed


def test_all_arrive_in_order_and_in_few_batches(server, post):
    for i in range(500):
        assert post.put(b'c', b'%d' % i)
    assert post.drain(2)
    assert server.taken == [b'%d' % i for i in range(500)]
    assert [len(batch) for batch in server.batches] == [200, 200, 100]


def test_it_goes_on_after_it_was_idle(server, post):
    for data in (b'1', b'2'):
        post.put(b'c', data)
        assert post.drain(2)
    assert server.taken == [b'1', b'2']


def test_a_stalled_server_makes_nobody_wait_and_memory_has_an_end(server, post, monkeypatch):
    monkeypatch.setattr(publisher, 'MAX_WAITING', 10)
    server.going.clear()
    assert post.put(b'c', b'first')
    gevent.sleep(0)  # it is on its way now
    assert [post.put(b'c', b'x') for _ in range(12)] == [True] * 10 + [False] * 2
    assert post._health.lost == 2
    assert not post.drain(0.01)
    server.going.set()
    assert post.drain(2)
    assert len(server.taken) == 11


def test_bytes_have_an_end_too(server, post, monkeypatch):
    monkeypatch.setattr(publisher, 'MAX_WAITING_BYTES', 100)
    server.going.clear()
    assert post.put(b'c', b'x' * 100)
    assert not post.put(b'c', b'x')
    server.going.set()
    assert post.drain(2)
    assert post.put(b'c', b'x')


def test_what_a_lost_server_did_not_take_is_forgotten_and_counted(server, post):
    server.error = OSError('gone')
    for _ in range(300):
        post.put(b'c', b'x')
    assert post.drain(2)
    assert post._health.ill(PART)
    assert post._health.lost == 300
    assert not post.put(b'c', b'late')
    assert post._health.lost == 301
    server.error = None
    for _ in range(100):
        gevent.sleep(0.01)
        if not post._health.ill(PART):
            break
    assert post.put(b'c', b'news')
    assert post.drain(2)
    assert server.taken == [b'news']


def test_what_surely_did_not_leave_is_handed_back_in_order(server, post, handed_back, monkeypatch, caplog):
    monkeypatch.setattr(publisher, 'BATCH', 2)
    server.error = OSError('gone')
    for data in (b'1', b'2', b'3'):
        post.put(b'c', data)
    assert post.drain(2)
    assert handed_back == [(b'c', b'3')]  # the batch on its way may have arrived
    assert post._health.lost == 3
    server.error = None
    while post._health.ill(PART):
        gevent.sleep(0.01)
    assert '3 messages did not reach it' in caplog.text


def test_a_server_that_cannot_be_reached_has_taken_nothing(server, post, handed_back):
    server.error, server.down = OSError('refused'), True
    for data in (b'1', b'2'):
        post.put(b'c', data)
    assert post.drain(2)
    assert handed_back == [(b'c', b'1'), (b'c', b'2')]


def test_a_stalled_server_is_given_up(server, post, handed_back, monkeypatch):
    monkeypatch.setattr(publisher, 'PATIENCE', 0.02)
    server.going.clear()
    post.put(b'c', b'1')
    gevent.sleep(0)
    post.put(b'c', b'2')
    assert post.drain(2)
    assert post._health.ill(PART)
    assert handed_back == [(b'c', b'2')]


def test_what_the_server_refuses_is_no_loss_of_it(server, post, handed_back, caplog):
    server.refuses = b'2'
    for _ in range(3):
        for data in (b'1', b'2', b'3'):
            post.put(b'c', data)
        assert post.drain(2)
    assert handed_back == [(b'c', b'2')] * 3
    assert post._health.lost == 3 and not post._health.outages
    assert [r.getMessage() for r in caplog.records] == ['server refuses 1 messages: no']


def test_it_tries_again_with_pauses(server, post, monkeypatch):
    pauses = []
    sleep = gevent.sleep
    monkeypatch.setattr(publisher.gevent, 'sleep', lambda seconds: (pauses.append(seconds), sleep(0)))
    server.error = gevent.Timeout(0)
    post.put(b'c', b'x')
    while len(pauses) < 4:
        sleep(0)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
