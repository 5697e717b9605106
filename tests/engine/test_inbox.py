"""What a client said is handled in order, one thing at a time; who is crowded is read no more."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.engine.socket import LEFT
from tgsio_middleware.namespace import BaseNamespace

from .fakes import Client, connected, serve, settle

# -- order -------------------------------------------------------------------------------------------------------------


class Recorder(BaseNamespace):
    def initialize(self):
        self.log = []

    def on_slow(self, n):
        self.log.append(f'{n} begins')
        gevent.sleep(0.01)
        self.log.append(f'{n} ends')

    def on_fast(self, n):
        self.log.append(f'{n}')


def test_events_are_handled_one_at_a_time_and_in_order():
    client = connected(Recorder)
    log = client.socket[''].log
    client.say('42["slow",1]', '42["fast",2]')
    client.say('42["slow",3]')
    client.say('42["fast",4]')
    gevent.sleep(0.05)
    assert log == ['1 begins', '1 ends', '2', '3 begins', '3 ends', '4']


def test_a_slow_client_keeps_nobody_waiting():
    registry, host = serve(Recorder)
    slow, fast = Client(registry, host), Client(registry, host)
    slow.say('42["slow",1]')
    fast.say('42["fast",2]')
    assert fast.socket[''].log == ['2']
    assert slow.socket[''].log == ['1 begins']
    gevent.sleep(0.02)


def test_a_ping_is_answered_while_a_handler_blocks():
    client = connected(Recorder)
    client.say('42["slow",1]')
    client.say('2')
    assert client.heard == ['40', '3']
    gevent.sleep(0.02)


def test_events_before_the_end_are_still_handled():
    client = connected(Recorder)
    log = client.socket[''].log
    client.say('42["slow",1]', '42["fast",2]', '1')
    gevent.sleep(0.03)
    assert log == ['1 begins', '1 ends', '2']


# -- bounds ------------------------------------------------------------------------------------------------------------


class Blocking(BaseNamespace):
    gate = Event()

    def on_block(self):
        self.gate.wait()


@pytest.fixture
def blocked():
    """A client whose handler blocks until `gate` is set."""
    Blocking.gate = Event()
    client = connected(Blocking, max_pending=3, max_buffered=1000)
    client.say('42["block"]')
    yield client
    Blocking.gate.set()
    settle()


def test_a_crowded_inbox_is_read_no_more(blocked):
    blocked.say(*['42["block"]'] * 3)
    assert not blocked.socket.crowded
    blocked.say('42["block"]')
    assert blocked.socket.crowded
    blocked.socket.paused = True  # its transport has stopped reading
    Blocking.gate.set()
    settle()
    assert not blocked.socket.crowded
    assert not blocked.socket.paused
    assert blocked.transport.times_drained == 1


def test_nobody_is_told_to_read_again_who_never_stopped(blocked):
    blocked.say(*['42["block"]'] * 3)
    Blocking.gate.set()
    settle()
    assert blocked.transport.times_drained == 0


def test_large_packets_crowd_an_inbox_sooner(blocked):
    blocked.say('42["block","' + 'x' * 1000 + '"]')
    assert blocked.socket.crowded


def test_pings_during_a_slow_handler_do_not_crowd_for_good(blocked):
    for _ in range(20):
        blocked.say('2' + 'x' * 100)
    Blocking.gate.set()
    settle()
    assert not blocked.socket.crowded


def test_a_post_waits_until_the_inbox_is_drained(blocked):
    blocked.say(*['42["block"]'] * 4)
    waiting = gevent.spawn(blocked.socket.wait_drained)
    settle()
    assert not waiting.ready()
    Blocking.gate.set()
    settle()
    assert waiting.ready()


def test_a_post_waits_no_longer_than_its_client_lives(blocked):
    blocked.say(*['42["block"]'] * 4)
    waiting = gevent.spawn(blocked.socket.wait_drained)
    settle()
    blocked.socket.close(LEFT)
    settle()
    assert waiting.ready()


def test_a_crowded_clients_silence_is_ours(blocked):
    blocked.say(*['42["block"]'] * 4)
    long_after = blocked.socket.conversation.heard + 1000
    blocked.socket.tick(long_after)
    assert blocked.socket.connected
