"""A connection in the hub's care: a pair of sockets, and the greenlets of this process."""

from __future__ import annotations

import socket
import time

import gevent
import pytest
from gevent import get_hub

from tgsio_middleware.transports.stream import Stream
from tgsio_middleware.transports.takeover import Connection

from .client import PATIENCE


class Listener(Stream):
    def __init__(self, unread=b''):
        self.peer, ours = socket.socketpair()
        ours.setblocking(False)
        self.heard = []
        super().__init__(Connection(ours, unread, ours.close))

    def received(self, data):
        self.heard.append(data)

    def lost(self):
        self.peer.close()


@pytest.fixture
def busy():
    """Callbacks wait for the loop: more than it calls before it looks who is readable."""
    for _ in range(500):
        get_hub().loop.run_callback(time.sleep, 0.0002)


def test_what_came_with_the_request_is_heard_before_what_came_after_it(busy):
    listener = Listener(b'with the request')
    listener.peer.send(b', after it')
    listener.start()
    with gevent.Timeout(PATIENCE):
        while len(listener.heard) < 2:
            gevent.sleep(0.01)
    assert listener.heard == [b'with the request', b', after it']
    listener.cut()
