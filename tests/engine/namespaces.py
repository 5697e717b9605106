"""Namespaces that several tests here connect, and how a client emits to them."""

from __future__ import annotations

import gevent

from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

#: `emit('x', ...)` of each generation
EVENTS = {sio09: '5:::{"name":"%s"}', eio3: '42["%s"]', eio4: '42["%s"]'}


class Echo(BaseNamespace):
    def on_echo(self, *args):
        self.emit('echo', *args)
        return args

    def on_one(self, value):
        return value

    def on_none(self):
        pass

    def on_fail(self):
        raise RuntimeError('a secret of the server')

    def on_ask(self, question):
        self.emit('question', question, callback=lambda *answers: self.emit('answered', list(answers)))


class Leaving(BaseNamespace):
    def initialize(self):
        self.left = []
        self.session['name'] = 'Ann'

    def recv_disconnect(self):
        self.left.append((self.session['name'], self.ns_name in self.socket))

    def on_kick(self):
        self.disconnect()

    def on_end(self):
        self.socket.disconnect()

    def on_slow(self):
        gevent.sleep(0.01)
