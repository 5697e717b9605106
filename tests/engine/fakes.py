"""A client in memory: its transport is a list. gevent runs, nothing is patched."""

from __future__ import annotations

import gevent

from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.engine.registry import Registry
from tgsio_middleware.engine.socket import Socket
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.settings import Settings
from tgsio_middleware.transports.base import Transport
from tgsio_middleware.wire import eio3, eio4


def settle() -> None:
    """Lets everything run that does not wait for time."""
    for _ in range(6):
        gevent.sleep(0)


class ListTransport(Transport):
    """What the server said, in `said`; what ended it, in `ended`."""

    STREAMING = True
    takes = True
    unsent = False

    def __init__(self, socket):
        self.socket = socket
        self.said = []
        self.ended = None
        self.times_drained = 0
        self.paused = False

    @staticmethod
    def prepare(messages, binary_prefix):
        return messages

    def put_prepared(self, prepared):
        self.said += prepared

    def close(self, reason, code):
        self.ended = (reason, code)

    def pause(self):
        self.paused = True

    def drained(self):
        self.times_drained += 1


class Client:
    """Says messages, and hears what `heard` holds."""

    def __init__(self, registry, host, dialect=eio3):
        self.socket = Socket(dialect, host, registry, {'REMOTE_ADDR': '127.0.0.1', 'PATH_INFO': '/socketio'})
        self.transport = ListTransport(self.socket)
        self.socket.open(self.transport)
        settle()

    @property
    def heard(self):
        """Everything but the hello."""
        return [message for message in self.transport.said if message[:1] != '0']

    def say(self, *messages):
        """As a transport does: `take` first, then `work` in a worker; returns when nothing more happens by itself."""
        self.socket.take(list(messages))
        self.socket.work_later()
        settle()

    def forget(self):
        self.transport.said.clear()


def serve(namespaces, **settings):
    """A registry and a host; `namespaces` is one class for `/`, or a dict."""
    if not isinstance(namespaces, dict):
        namespaces = {'': namespaces}
    return Registry(Settings.parse(settings)), PlainHost(namespaces)


def connected(namespaces=BaseNamespace, dialect=eio3, **settings):
    """A client that is connected to `/` and has heard so."""
    client = Client(*serve(namespaces, **settings), dialect)
    if dialect is eio4:
        client.say('40')
    return client
