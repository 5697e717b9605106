"""Nothing leaves for a namespace before its CONNECT is answered."""

from __future__ import annotations

import gevent
from gevent.event import Event

from tgsio_middleware.errors import ConnectionRefused, LocalProtocolError
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio4

from .fakes import connected, settle
from .namespaces import Echo


class Welcoming(BaseNamespace):
    def initialize(self):
        self.emit('first')

    def recv_connect(self):
        self.emit('welcome', self.ns_name)
        self.socket['']  # a namespace sees the others
        gevent.sleep(0.01)
        self.emit('ready')


def test_what_is_emitted_while_connecting_arrives_after_the_connect():
    client = connected(Welcoming)
    gevent.sleep(0.02)
    settle()
    assert client.heard == ['40', '42["first"]', '42["welcome",""]', '42["ready"]']


def test_the_other_namespaces_are_not_held():
    class Lobby(BaseNamespace):
        def on_hello(self):
            self.emit('hello')

    class Slow(BaseNamespace):
        def recv_connect(self):
            self.emit('held')
            self.socket[''].emit('not held')

    client = connected({'': Lobby, '/slow': Slow})
    client.say('40/slow')
    assert client.heard == ['40', '42["not held"]', '40/slow,', '42/slow,["held"]']


def test_a_refused_client_hears_nothing_that_was_held():
    class Refusing(BaseNamespace):
        def recv_connect(self):
            self.emit('never')
            raise ConnectionRefused('not today')

    client = connected({'': Echo, '/no': Refusing}, eio4)
    client.forget()
    client.say('40/no,')
    assert client.heard == ['44/no,{"message":"not today"}']
    assert '/no' not in client.socket


def test_what_cannot_be_sent_raises_where_it_was_emitted():
    raised = []

    class Careless(BaseNamespace):
        def recv_connect(self):
            try:
                self.emit('x', object())
            except LocalProtocolError as e:
                raised.append(e)

    client = connected(Careless)
    assert client.heard == ['40']
    assert len(raised) == 1


def test_what_is_held_has_a_bound(caplog):
    """A site whose database is gone connects nobody, and goes on talking to those who are to come."""

    class Slow(BaseNamespace):
        def recv_connect(self):
            gate.wait()

    gate = Event()
    client = connected({'': Echo, '/slow': Slow}, max_buffered=1000)
    client.say('40/slow')
    slow = client.socket['/slow']
    for _ in range(4):
        slow.emit('news', 'x' * 200)
    assert client.socket.connected
    slow.emit('news', 'x' * 200)
    assert client.transport.ended == ('max_buffered exceeded', 1008)
    gate.set()
    settle()
    assert client.socket.active_ns == {}


def test_what_was_held_once_does_not_count_for_ever():
    class Chatty(BaseNamespace):
        def recv_connect(self):
            self.emit('news', 'x' * 600)

    client = connected({'': Echo, '/a': Chatty, '/b': Chatty}, max_buffered=1000)
    client.say('40/a', '40/b')
    assert client.socket.connected


def test_a_held_value_is_sent_as_it_was_when_it_was_emitted():
    class Changing(BaseNamespace):
        def recv_connect(self):
            value = {'n': 1}
            self.emit('x', value)
            value['n'] = 2

    assert connected(Changing).heard == ['40', '42["x",{"n":1}]']


def test_what_takes_its_time_to_be_said_is_held_no_more_when_its_namespace_was_connected_meanwhile():
    """What an emit says is encoded by the site's code, which may wait for a database."""

    class Row:
        def __json__(self):
            gate.wait()
            return 'a row'

    class Early(BaseNamespace):
        def recv_connect(self):
            self.spawn(self.emit, 'news', Row())
            gevent.sleep(0)

    gate = Event()
    client = connected(Early)
    assert client.heard == ['40']
    gate.set()
    settle()
    assert client.heard == ['40', '42["news","a row"]']
