"""A pool of greenlets that is entered from the hub without a spawn."""

from __future__ import annotations

import socket
import weakref
from contextvars import ContextVar
from time import monotonic

import gevent
import pytest
from gevent import get_hub
from gevent.event import Event
from gevent.socket import wait_read

from tgsio_middleware.engine import workers as module
from tgsio_middleware.engine.workers import MAX_IDLE, MAX_TURN, Workers, workers
from tgsio_middleware.transports.stream import Stream
from tgsio_middleware.transports.takeover import Connection

from .fakes import settle


class Flushed:
    def __init__(self):
        self.times = 0

    def flush(self):
        self.times += 1


class Client:
    """Notes in `ran` that it was read and told; `does` something when it is read."""

    def __init__(self, pool, ran, name, does=lambda: None):
        self.pool, self.ran, self.name, self.does = pool, ran, name, does

    def read(self):
        self.ran.append(f'{self.name} read')
        self.pool.flush_later(self)
        self.does()

    def flush(self):
        self.ran.append(f'{self.name} told')

    def cut(self):
        self.ran.append(f'{self.name} cut')


@pytest.fixture
def whole(monkeypatch):
    """No turn is cut, however slow the machine."""
    monkeypatch.setattr(module, 'MAX_TURN', 10)


def read(pool, *clients, how='read_later'):
    """libev calls the watchers of one pass in reverse, libuv does not."""
    in_reverse = how == 'read_later' and pool.read_later != pool._read_soon
    for client in clients[:: -1 if in_reverse else 1]:
        getattr(pool, how)(client)
    for _ in range(2):  # passes of the loop
        gevent.sleep(0.005)


def test_a_job_runs_in_the_next_turn_and_not_in_this_one():
    ran = []
    pool = Workers()
    pool.submit(ran.append, 1)
    pool.submit(ran.append, 2)
    assert ran == []
    settle()
    assert ran == [1, 2]


def test_a_job_finds_no_context_variables_of_another():
    """The next one may be another client's."""
    user = ContextVar('user', default='nobody')
    seen = []
    pool = Workers()
    pool.submit(lambda: (seen.append(gevent.getcurrent()), user.set('ann')))
    settle()
    pool.submit(lambda: seen.extend((gevent.getcurrent(), user.get())))
    settle()
    assert seen[0] is seen[1]
    assert seen[2] == 'nobody'


def test_a_job_may_block():
    gate, ran = Event(), []

    def job(n):
        ran.append(f'{n} begins')
        gate.wait()
        ran.append(f'{n} ends')

    pool = Workers()
    pool.submit(job, 1)
    pool.submit(job, 2)
    pool.submit(ran.append, 3)
    settle()
    assert ran == ['1 begins', '2 begins', 3]
    gate.set()
    settle()
    assert ran[3:] == ['1 ends', '2 ends']


def test_a_job_runs_in_no_hub_and_in_a_worker_of_its_own():
    seen = []
    pool = Workers()
    pool.submit(lambda: seen.append(gevent.getcurrent()))
    settle()
    assert seen[0] is not get_hub()
    assert seen[0] is not gevent.getcurrent()


def test_one_worker_serves_job_after_job():
    seen = set()
    pool = Workers()
    for _ in range(10):
        pool.submit(lambda: seen.add(id(gevent.getcurrent())))
    settle()
    assert len(seen) == 1


def test_only_so_many_workers_wait_for_work():
    gate = Event()
    pool = Workers()
    for _ in range(MAX_IDLE + 20):
        pool.submit(gate.wait)
    settle()
    gate.set()
    settle()
    assert len(pool._idle) == MAX_IDLE


def test_a_job_that_fails_is_one_line_for_us_and_nothing_to_others(caplog):
    ran = []
    pool = Workers()
    pool.submit(lambda: 1 / 0)
    pool.submit(ran.append, 1)
    settle()
    assert ran == [1]
    assert 'ZeroDivisionError' in caplog.text


def test_what_was_written_in_a_job_leaves_when_its_turn_ends():
    who = Flushed()
    pool = Workers()
    seen = []

    def job():
        pool.flush_later(who)
        seen.append(who.times)

    pool.submit(job)
    settle()
    assert (seen, who.times) == ([0], 1)


def test_what_was_written_before_a_job_blocks_leaves_while_it_blocks():
    who, gate = Flushed(), Event()
    pool = Workers()

    def job():
        pool.flush_later(who)
        gate.wait()
        pool.flush_later(who)

    pool.submit(job)
    settle()
    assert who.times == 1
    gate.set()
    settle()
    assert who.times == 2


def test_what_was_written_outside_of_any_job_leaves_too():
    one, other = Flushed(), Flushed()
    pool = Workers()
    pool.flush_later(one)
    pool.flush_later(other)
    assert (one.times, other.times) == (0, 0)
    settle()
    assert (one.times, other.times) == (1, 1)


def test_who_writes_while_all_is_flushed_is_flushed_next_time():
    pool = Workers()
    second = Flushed()

    class First:
        def flush(self):
            pool.flush_later(second)

    pool.flush_later(First())
    settle()
    assert second.times == 1


@pytest.mark.parametrize('how', ['read_later', '_read_soon'])
def test_all_that_came_in_one_pass_is_read_and_then_all_are_told(how, whole):
    pool, ran = Workers(), []
    read(pool, *(Client(pool, ran, name) for name in 'ab'), how=how)
    assert ran == ['a read', 'b read', 'a told', 'b told']


def test_who_spoke_first_is_read_first_and_before_greenlets_that_wake_in_the_same_pass():
    """A client that polls on one connection and posts on a new one may rely on it; see the protocol's own suite."""
    heard = []

    class Listener(Stream):
        def received(self, data):
            heard.append(data)
            gevent.spawn(heard.append, b'a greenlet of ' + data)

        def lost(self):
            pass

    pairs = [socket.socketpair() for _ in range(3)]
    for _, ours in pairs:
        ours.setblocking(False)
        Listener(Connection(ours, b'', ours.close)).start()
    other = socket.socketpair()
    newcomers = get_hub().loop.io(other[1].fileno(), 1)
    newcomers.start(lambda: (newcomers.stop(), gevent.spawn(heard.append, b'a newcomer')))
    gevent.sleep(0.01)
    for name, speaker in zip((b'1', b'2', b'3', b'4'), [pairs[0][0], pairs[1][0], other[0], pairs[2][0]], strict=True):
        speaker.send(name)
    gevent.sleep(0.1)
    assert heard == [b'1', b'2', b'4', b'a newcomer', b'a greenlet of 1', b'a greenlet of 2', b'a greenlet of 4']


def test_whose_handler_blocks_keeps_nobody_of_its_turn_waiting(whole):
    pool, ran, gate = Workers(), [], Event()
    read(pool, Client(pool, ran, 'a'), Client(pool, ran, 'b', gate.wait), Client(pool, ran, 'c'))
    assert ran == ['a read', 'b read', 'a told', 'b told', 'c read', 'c told']
    gate.set()
    read(pool, Client(pool, ran, 'd'))
    assert ran[6:] == ['d read', 'd told']
    assert len(pool._idle) == 2


def test_who_wakes_outside_of_a_turn_reads_nobody(whole):
    """Not all watchers of the pass have been called then: who spoke first may still come."""
    pool, ran = Workers(), []
    ours, theirs = socket.socketpair()

    def handler():
        wait_read(ours.fileno())
        pool.read_later(Client(pool, ran, 'b', lambda: ran.append(f'in a turn: {pool._in_turn}')))
        ran.append('a goes on')

    read(pool, Client(pool, ran, 'a', handler))
    theirs.send(b'!')
    gevent.sleep(0.1)
    assert ran == ['a read', 'a told', 'a goes on', 'b read', 'in a turn: True', 'b told']


def test_who_was_served_first_does_not_wait_for_slow_handlers_to_be_told():
    def slow():
        end = monotonic() + 2 * MAX_TURN
        while monotonic() < end:
            pass

    pool, ran = Workers(), []
    read(pool, Client(pool, ran, 'a', slow), Client(pool, ran, 'b'))
    assert ran == ['a read', 'a told', 'b read', 'b told']


def test_one_that_cannot_be_read_is_cut_and_costs_the_others_nothing(caplog, whole):
    pool, ran = Workers(), []
    read(pool, Client(pool, ran, 'a', lambda: 1 / 0), Client(pool, ran, 'b'))
    assert ran == ['a read', 'b read', 'a told', 'b told', 'a cut']
    assert 'ZeroDivisionError' in caplog.text


def test_clients_of_one_turn_find_no_context_variables_of_each_other(whole):
    user = ContextVar('user', default='nobody')
    pool, ran = Workers(), []
    read(
        pool,
        Client(pool, ran, 'a', lambda: user.set('ann')),
        Client(pool, ran, 'b', lambda: ran.append(user.get())),
    )
    assert ran == ['a read', 'b read', 'nobody', 'a told', 'b told']


def test_there_is_one_pool_a_hub(monkeypatch):
    assert workers() is workers()
    monkeypatch.setattr(module, '_workers', None)
    fresh = workers()
    assert fresh is workers()
    assert fresh.hub is get_hub()


def test_a_worker_that_waits_keeps_nothing_of_its_jobs():
    class Said:
        """What a job got."""

    pool = Workers()
    for _ in range(2):
        said = Said()
        kept = weakref.ref(said)
        pool.submit(lambda said: None, said)
        del said
        settle()
        assert kept() is None


def test_one_that_cannot_be_flushed_is_cut_and_the_others_are_flushed(caplog):
    class Broken:
        cuts = 0

        def flush(self):
            raise ZeroDivisionError

        def cut(self):
            self.cuts += 1

    broken, other = Broken(), Flushed()
    pool = Workers()
    pool.flush_later(broken)
    pool.flush_later(other)
    settle()
    assert (broken.cuts, other.times) == (1, 1)
    assert 'ZeroDivisionError' in caplog.text


def test_a_timeout_that_a_handler_left_running_costs_no_later_job():
    ran = []
    pool = Workers()
    pool.submit(lambda: gevent.Timeout(0.01).start())
    gevent.sleep(0.05)
    for n in range(3):
        pool.submit(ran.append, n)
    settle()
    assert ran == [0, 1, 2]
    assert len(pool._idle) == 1


def test_a_timeout_of_our_own_ends_its_job_only(caplog):
    ran = []
    pool = Workers()

    def job():
        gevent.Timeout(0.01).start()
        gevent.sleep(1)

    pool.submit(job)
    gevent.sleep(0.05)
    pool.submit(ran.append, 1)
    settle()
    assert ran == [1]
    assert 'a defect' in caplog.text
