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
    """Takes batches; `error` is raised, `stalled` holds it up."""

    def __init__(self):
        self.batches = []
        self.error = None
        self.going = Event()
        self.going.set()

    def __call__(self, batch):
        self.going.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(list(batch))

    @property
    def taken(self):
        return [data for batch in self.batches for _, data in batch]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def post(server):
    post = Publisher(server, Health('server', logging.getLogger('tests.bus')))
    yield post
    post.close()


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


def test_it_tries_again_with_pauses(server, post, monkeypatch):
    pauses = []
    sleep = gevent.sleep
    monkeypatch.setattr(publisher.gevent, 'sleep', lambda seconds: (pauses.append(seconds), sleep(0)))
    server.error = gevent.Timeout(0)
    post.put(b'c', b'x')
    while len(pauses) < 4:
        sleep(0)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
