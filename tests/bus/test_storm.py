"""Many who subscribe and leave at random, some of them interrupted while they wait, and a server that comes and goes:
in the end exactly what is wanted is subscribed, and nothing is left behind.
"""

from __future__ import annotations

import random

import gevent
import pytest

from tgsio_middleware.bus import lines
from tgsio_middleware.bus.backend import make_pubsub, settings_of
from tgsio_middleware.bus.hub import Hub
from tgsio_middleware.bus.lines import MemoryLine, RedisLine, Unavailable

from .fakeredis import Server, until

CHANNELS = 'abcdefgh'


class Storm:
    """One hub, and who should be a member of what."""

    def __init__(self, make_line, seed):
        self.heard = []
        self.hub = Hub(make_line, lambda endpoint, value, members: self.heard.append(sorted(members)))
        self.members = {channel: set() for channel in CHANNELS}
        self.random = random.Random(seed)

    def rage(self):
        """Until everybody has had enough."""
        gevent.joinall([gevent.spawn(self._member, number) for number in range(8)], raise_error=True)

    def _member(self, number):
        for _ in range(60):
            channel = self.random.choice(CHANNELS)
            if number in self.members[channel]:
                self.members[channel].discard(number)
                self.hub.unsubscribe(channel, '', number)
            else:
                self._subscribe(channel, number)
            gevent.sleep(self.random.random() * 0.002)

    def _subscribe(self, channel, number):
        try:
            with gevent.Timeout(self.random.choice([None, 0.0003, 0.001])):
                self.hub.subscribe(channel, '', number)
        except gevent.Timeout:
            self.hub.unsubscribe(channel, '', number)
        except Unavailable:
            pass
        else:
            self.members[channel].add(number)

    def check(self, subscribed):
        """`subscribed(channel)`: how often the server knows it."""
        for channel, members in self.members.items():
            until(lambda channel=channel, members=members: subscribed(channel) == bool(members))
            self.heard.clear()
            self.hub.publish(channel, '1')
            if members:
                until(lambda: self.heard)
                assert self.heard == [sorted(members)]
        for channel, members in self.members.items():
            for number in members:
                self.hub.unsubscribe(channel, '', number)
            until(lambda channel=channel: not subscribed(channel))
        assert not self.hub._channels


@pytest.mark.parametrize('seed', range(3))
def test_memory(seed):
    settings = settings_of({})
    pubsub = make_pubsub(settings)
    storm = Storm(lambda received: MemoryLine(lambda: pubsub, received), seed)
    storm.rage()
    storm.check(lambda channel: len(pubsub.subscribers.get(channel, ())))
    until(lambda: not pubsub.subscribers)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('chaos', ['none', 'stops', 'stalls'])
def test_redis(seed, chaos, monkeypatch):
    monkeypatch.setattr(lines, 'PATIENCE', 0.005)  # some give up, and others come while they do
    server = Server()
    storm = Storm(lambda received: RedisLine(server.wire(), received), seed)

    def rock():
        while chaos != 'none':
            gevent.sleep(0.01)
            server.stop() if chaos == 'stops' else server.going.clear()
            gevent.sleep(0.01)
            server.start() if chaos == 'stops' else server.go_on()

    rocking = gevent.spawn(rock)
    storm.rage()
    rocking.kill()
    server.start()
    server.go_on()
    health = storm.hub.line.link.health
    storm.hub.publish('elsewhere', '1')  # who publishes finds out that it works again, too
    until(lambda: not health.ill('listening') and not health.ill('publishing'), 10)
    storm.check(lambda channel: server.subscribers(channel.encode()))
    storm.hub.line.shut()
    gevent.sleep(0)
