"""The wire to a Redis that stops, restarts, stalls and refuses. (A real one: tests/functional/test_bus.py.)"""

from __future__ import annotations

import logging
import subprocess
import sys

import gevent
import pytest

from tgsio_middleware.bus import link as module
from tgsio_middleware.bus import publisher
from tgsio_middleware.bus.link import Link, Message, Name

from .fakeredis import Server, until

CHANNEL, PATTERN = Name(b'c'), Name(b'p*', True)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def heard():
    return []


@pytest.fixture
def link(server, heard, caplog):
    caplog.set_level(logging.INFO)
    link = Link(server.wire(), heard.append)
    yield link
    link.close()
    gevent.sleep(0)


def test_nothing_is_connected_before_it_is_needed(server, link):
    gevent.sleep(0.01)
    assert server.attempts == 0


def test_channels_and_patterns_are_heard(server, link, heard):
    assert link.subscribe([CHANNEL, PATTERN], 1)
    server.publish(b'c', b'1')
    server.publish(b'pq', b'2')
    server.publish(b'x', b'3')
    until(lambda: len(heard) == 2)
    assert heard == [Message(b'c', b'1', None), Message(b'pq', b'2', b'p*')]


def test_a_flood_leaves_everybody_else_a_turn(server, link, heard):
    link.subscribe([CHANNEL], 1)
    for _ in range(5000):
        server.publish(b'c', b'x')
    gevent.sleep(0)
    gevent.sleep(0)
    assert 0 < len(heard) < 1000
    until(lambda: len(heard) == 5000)


def test_two_connections_whatever_the_number_of_channels(server, link):
    for i in range(50):
        assert link.subscribe([Name(b'%d' % i)], 1)
        link.publish(b'c', b'x')
    assert link.drain(1)
    assert server.attempts == 2


def test_subscribing_twice_is_one_subscription(server, link):
    assert link.subscribe([CHANNEL], 1)
    assert link.subscribe([CHANNEL], 1)
    assert server.commands.count(('SUBSCRIBE', b'c')) == 1


def test_two_that_subscribe_at_once_both_wait_for_the_confirmation(server, link):
    greenlets = [gevent.spawn(link.subscribe, [CHANNEL], 1) for _ in range(3)]
    assert [g.get() for g in greenlets] == [True] * 3
    assert server.commands.count(('SUBSCRIBE', b'c')) == 1


def test_the_last_of_several_subscriptions_of_one_name_is_the_one_that_counts(server, link):
    """Between the answers to the first two, the server does not listen."""
    server.going.clear()
    link.subscribe([CHANNEL], 0.01)
    until(lambda: link._listening)
    connection = link._listening
    link.unsubscribe([CHANNEL])
    second = gevent.spawn(link.subscribe, [CHANNEL], 3)
    gevent.sleep(0.01)
    for _ in range(2):
        assert not second.ready()
        connection.answers.put([b'subscribe', CHANNEL.name, 1])
        gevent.sleep(0.01)
    assert second.get() is True


def test_a_link_that_wants_nothing_is_well_when_it_is_answered(server, link):
    link.subscribe([CHANNEL], 1)
    server.stop()
    until(lambda: link.health.ill('listening'))
    link.unsubscribe([CHANNEL])
    server.start()
    until(lambda: not link.health.ill('listening'))
    assert link.subscribe([CHANNEL], 1)


def test_unsubscribing(server, link, heard):
    link.subscribe([CHANNEL, PATTERN], 1)
    link.unsubscribe([CHANNEL, PATTERN, Name(b'never')])
    assert server.commands[-2:] == [('UNSUBSCRIBE', b'c'), ('PUNSUBSCRIBE', b'p*')]
    assert server.publish(b'c', b'1') == 0
    assert link.subscribe([CHANNEL], 1)


def test_published_is_published(server, link):
    assert link.publish(b'c', b'1')
    assert link.drain(1)
    assert server.commands == [('PUBLISH', b'c', b'1')]


def test_subscriptions_come_back_and_messages_flow_again(server, link, heard, caplog):
    link.subscribe([CHANNEL, PATTERN], 1)
    server.stop()
    until(lambda: link.health.ill('listening'))
    assert not link.subscribe([Name(b'new')], 5)  # at once: it is known to be lost
    server.start()
    until(lambda: not link.health.ill('listening'))
    assert [server.subscribers(name) for name in (b'c', b'p*', b'new')] == [1, 1, 1]
    server.publish(b'new', b'1')
    until(lambda: heard)
    assert [r.getMessage().split(' ')[2] for r in caplog.records] == ['lost:', 'back']
    assert link.health.outages == 1


def test_a_server_that_is_not_there_at_the_start(server, link):
    server.stop()
    with gevent.Timeout(3):  # nobody waits until the end of his patience
        assert not link.subscribe([CHANNEL], 60)
    server.start()
    until(lambda: server.subscribers(b'c'))


def test_a_stalled_server_is_noticed_by_who_listens(server, link, monkeypatch, caplog):
    monkeypatch.setattr(module, 'SILENCE', 0.02)
    link.subscribe([CHANNEL], 1)
    gevent.sleep(0.1)  # several questions, all answered
    assert ('PING',) in server.commands and not link.health.outages
    server.going.clear()
    until(lambda: link.health.ill('listening'))
    assert 'does not answer' in caplog.text
    server.going.set()
    until(lambda: not link.health.ill('listening'))


def test_a_stalled_server_is_noticed_by_who_publishes(server, link, monkeypatch):
    monkeypatch.setattr(publisher, 'PATIENCE', 0.02)
    server.going.clear()
    assert link.publish(b'c', b'1')
    until(lambda: link.health.ill('publishing'))
    assert link.health.lost == 1
    assert not link.publish(b'c', b'2')
    server.going.set()
    until(lambda: not link.health.ill('publishing'))
    assert link.publish(b'c', b'3') and link.drain(1)


def test_waiting_for_a_stalled_server_has_an_end(server, link):
    server.going.clear()
    assert not link.subscribe([CHANNEL], 0.02)


def test_a_defect_of_the_receiver_is_no_end(server, caplog):
    """Whoever receives guards itself; if it does not, the link comes back."""
    heard = []

    def received(message):
        heard.append(message.data)
        if message.data == b'1':
            raise RuntimeError('a defect')

    link = Link(server.wire(), received)
    link.subscribe([CHANNEL], 1)
    server.publish(b'c', b'1')
    until(lambda: link.health.ill('listening'))
    until(lambda: not link.health.ill('listening'))
    server.publish(b'c', b'2')
    until(lambda: heard == [b'1', b'2'])
    link.close()


def test_closing_ends_both_connections(server, link):
    link.subscribe([CHANNEL], 1)
    link.publish(b'c', b'1')
    link.drain(1)
    link.close()
    until(lambda: not server.subscribers(b'c'))


def test_without_msgpack_installed_the_error_says_what_to_install():
    program = "import sys; sys.modules['msgpack'] = None\nfrom tgsio_middleware import Emitter"
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert 'pip install tgsio_middleware[redis]' in done.stderr


@pytest.mark.parametrize('package', ['redis', 'msgpack'])
def test_the_command_says_so_too_in_one_line(package):
    program = (
        f"import sys; sys.modules['{package}'] = None; sys.argv[1:] = ['emit', 'x', '--bus', 'redis://h']\n"
        "import runpy; runpy.run_module('tgsio_middleware', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'pip install tgsio_middleware[redis]' in done.stderr
    assert done.stderr.count('\n') == 1


def test_a_filter_without_a_bus_needs_neither():
    program = (
        "import sys; sys.modules['redis'] = sys.modules['msgpack'] = None\n"
        'from tgsio_middleware.middleware import SocketIOMiddleware\n'
        'from tgsio_middleware.engine.host import PlainHost\n'
        'SocketIOMiddleware(None, PlainHost({}))'
    )
    subprocess.run([sys.executable, '-c', program], check=True)
