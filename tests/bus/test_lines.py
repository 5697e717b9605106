"""How publications come and go: one contract for every kind of backend."""

from __future__ import annotations

import sys
from types import ModuleType

import gevent
import pytest
from gevent.queue import Queue

from tgsio_middleware.bus import lines
from tgsio_middleware.bus.backend import make_pubsub, settings_of
from tgsio_middleware.bus.lines import AmqpLine, AnyLine, MemoryLine, RedisLine, Unavailable, make_line

from .fakeredis import Server, until


class FakeAmqp:
    """As anypubsub's amqp backend: what one object does, no second greenlet may disturb."""

    exchanges: dict[str, list[Queue]] = {}
    made = 0
    down = False

    def __init__(self, **kwargs):
        if FakeAmqp.down:
            raise OSError('refused')
        FakeAmqp.made += 1
        self.connection = self
        self.queue = None
        self.connected = False

    def connect(self):
        self.connected = True

    def close(self):
        for queues in self.exchanges.values():
            if self.queue in queues:
                queues.remove(self.queue)

    def subscribe(self, channel):
        assert self.queue is None
        self.queue = Queue()
        self.exchanges.setdefault(channel, []).append(self.queue)
        self.messages = Queue()
        return self

    def drain_events(self):
        message = self.queue.get()
        if message is None:
            raise OSError('connection lost')
        self.messages.put(message)

    def publish(self, channel, message):
        assert self.queue is None and (self.connected or type(self) is not FakeAmqp)
        if FakeAmqp.down:
            raise OSError('broken pipe')
        for queue in self.exchanges.get(channel, []):
            queue.put(message)

    def __iter__(self):
        raise TypeError("AbstractChannel.wait() missing 1 required positional argument: 'method'")  # py-amqp since 2.0


class AnyLineContract:
    """`open_line(received)` makes the line."""

    def open_line(self, received):
        raise NotImplementedError

    @pytest.fixture
    def heard(self):
        return []

    @pytest.fixture
    def line(self, heard):
        def received(channel, message):
            heard.append((channel, message if isinstance(message, str) else bytes(message).decode()))

        line = self.open_line(received)
        yield line
        line.shut()
        gevent.sleep(0)

    def test_what_is_published_after_opening_arrives(self, line, heard):
        line.open('a')
        line.publish('a', '"1"')
        line.publish('b', '"not here"')
        line.publish('a', '"2"')
        until(lambda: len(heard) == 2)
        assert heard == [('a', '"1"'), ('a', '"2"')]

    def test_names_of_all_characters(self, line, heard):
        line.open('räum 1*')
        line.publish('räum 1*', '1')
        until(lambda: heard == [('räum 1*', '1')])

    def test_what_is_published_after_closing_does_not(self, line, heard):
        line.open('a')
        line.open('b')
        line.close('a')
        gevent.sleep(0.01)
        line.publish('a', '1')
        line.publish('b', '2')
        until(lambda: heard)
        assert heard == [('b', '2')]

    def test_closed_and_opened_again_arrives_once(self, line, heard):
        for _ in range(3):
            line.open('a')
            line.close('a')
        line.open('a')
        line.publish('a', '1')
        until(lambda: heard)
        gevent.sleep(0.01)
        assert heard == [('a', '1')]

    def test_closing_what_is_not_open(self, line):
        line.close('never')


class TestMemoryLine(AnyLineContract):
    def open_line(self, received):
        settings = settings_of({})
        self.pubsub = make_pubsub(settings)
        line = make_line(self.pubsub, settings, received)
        assert type(line) is MemoryLine
        return line

    def test_it_is_anypubsubs_own(self, line, heard):
        line.open('a')
        self.pubsub.publish('a', 'theirs')
        until(lambda: heard == [('a', 'theirs')])

    def test_nothing_is_kept_of_channels_that_are_closed_or_were_never_open(self, line):
        """anypubsub's dict would remember each for ever, and clients may choose names."""
        for i in range(20):
            line.publish(f'never {i}', '1')
            line.open(f'{i}')
            line.close(f'{i}')
        until(lambda: not self.pubsub.subscribers)


class TestRedisLine(AnyLineContract):
    def open_line(self, received):
        self.server = Server()
        return RedisLine(self.server.wire(), received)

    def test_thousand_channels_are_one_connection(self, line):
        for i in range(1000):
            line.open(str(i))
        assert len(self.server.connections) == 1

    def test_a_lost_server_refuses_new_channels_and_serves_the_old_ones_of_this_process(self, line, heard, monkeypatch):
        line.open('a')
        line.publish('a', '0')
        until(lambda: heard)
        self.server.stop()
        until(lambda: line.link.health.ill('listening'))
        with pytest.raises(Unavailable, match='redis://fake'):
            line.open('b')
        line.publish('a', '1')  # that the server is gone is found out by it
        until(lambda: heard[-1] == ('a', '1'))
        assert line.link.health.ill('publishing')
        line.publish('a', '2')
        assert heard[-1] == ('a', '2')
        self.server.start()
        until(lambda: not line.link.health.ill('listening') and not line.link.health.ill('publishing'))
        line.publish('a', '3')
        until(lambda: heard[-1] == ('a', '3'))
        assert self.server.subscribers(b'b') == 0


class TestAmqpLine(AnyLineContract):
    @pytest.fixture(autouse=True)
    def amqp(self, monkeypatch):
        backend = ModuleType('anypubsub.backends.amqp')
        backend.backend = FakeAmqp
        monkeypatch.setitem(sys.modules, 'anypubsub.backends.amqp', backend)
        FakeAmqp.exchanges, FakeAmqp.made, FakeAmqp.down = {}, 0, False

    def open_line(self, received):
        settings = settings_of({'anypubsub.backend': 'amqp', 'anypubsub.host': 'here'})
        line = make_line(make_pubsub(settings), settings, received)
        assert type(line) is AmqpLine
        return line

    def test_a_lost_subscription_comes_back(self, line, heard):
        line.open('a')
        FakeAmqp.exchanges['a'][0].put(None)
        until(lambda: line.health.ill('channel a'))
        until(lambda: not line.health.ill('channel a'))
        line.publish('a', '1')
        until(lambda: heard == [('a', '1')])
        assert len(FakeAmqp.exchanges['a']) == 1

    def test_a_good_bye_that_nobody_answers_holds_nothing_up(self, line, heard, monkeypatch):
        monkeypatch.setattr(FakeAmqp, 'close', lambda self: gevent.sleep(60))
        line.open('a')
        line.publish('a', '1')
        until(lambda: heard)
        FakeAmqp.exchanges['a'][0].put(None)
        until(lambda: line.health.ill('channel a'))
        until(lambda: not line.health.ill('channel a'))

    def test_a_backend_that_is_down_is_unavailable(self, line, monkeypatch, caplog):
        monkeypatch.setattr(lines, 'PATIENCE', 0.02)
        FakeAmqp.down = True
        for channel in 'ab':
            with pytest.raises(Unavailable, match='amqp'):
                line.open(channel)
        FakeAmqp.down = False
        line.open('a')
        assert not line.health.ill('channel b')  # nobody waits for it any more
        assert [r.getMessage().split(' ')[5] for r in caplog.records] == ['lost:', 'back']

    def test_a_publication_that_fails_is_counted_and_the_next_connects_anew(self, line, heard):
        line.open('a')
        line.publish('a', '1')
        until(lambda: heard)
        FakeAmqp.down = True
        line.publish('a', '2')
        until(lambda: line.health.lost == 1)
        line.publish('a', '3')  # to this process's own, at once
        assert heard[-1] == ('a', '3')
        FakeAmqp.down = False
        until(lambda: not line.health.ill('publishing'))
        line.publish('a', '4')
        until(lambda: heard[-1] == ('a', '4'))


class TestAnotherBackend(AnyLineContract):
    """An entry point of somebody's: its own iterator."""

    class Backend(FakeAmqp):
        def __iter__(self):
            return iter(self.queue.get, None)

    def open_line(self, received):
        FakeAmqp.exchanges, FakeAmqp.down = {}, False
        return AnyLine(self.Backend, received, 'another')

    def test_a_subscription_that_ends_comes_back(self, line, heard):
        line.open('a')
        FakeAmqp.exchanges['a'][0].put(None)
        until(lambda: line.health.outages and not line.health.ill('channel a'))
        line.publish('a', '1')
        until(lambda: heard == [('a', '1')])
