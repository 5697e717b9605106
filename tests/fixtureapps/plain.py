"""A server for tests/transports: namespaces in a dict, no TurboGears, nothing patched.

Takes the name of a JSON file: the filter's settings, and `server`, which is `ours` or `stock`.
"""

from __future__ import annotations

import sys

import gevent
from gevent.pywsgi import WSGIServer

from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.errors import ConnectionRefused
from tgsio_middleware.middleware import SocketIOMiddleware
from tgsio_middleware.mixins import BroadcastMixin, RoomsMixin
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.server import SocketIOServer

from .program import serve, settings_from


class Lobby(BaseNamespace, RoomsMixin, BroadcastMixin):
    def recv_disconnect(self):
        if 'name' in self.session:
            self.broadcast_event_not_me('left', self.session['name'])
        super().recv_disconnect()

    def on_name(self, name):
        self.session['name'] = name

    def on_echo(self, *args):
        self.emit('echo', *args)

    def on_give_back(self, *args):
        return args

    def on_environ(self, *names):
        return {name: self.environ.get(name) for name in names}

    def on_later(self, seconds, *args):
        """Says something while nobody asks."""
        self.spawn(self._later, seconds, args)

    def _later(self, seconds, args):
        gevent.sleep(seconds)
        self.emit('late', *args)

    def on_burst(self, count, size):
        for i in range(count):
            self.emit('burst', i, 'x' * size)

    def on_flow(self, count):
        """Numbered events, a few at a time, so that an upgrade falls into them."""
        self.spawn(self._flow, count)

    def _flow(self, count):
        for i in range(count):
            self.emit('flow', i)
            if i % 10 == 9:
                gevent.sleep(0.001)

    def on_block(self, seconds):
        gevent.sleep(seconds)

    def on_kick(self):
        self.socket.disconnect()


class Refusing(BaseNamespace):
    def recv_connect(self):
        raise ConnectionRefused('not today', {'retry': 'tomorrow'})


def page(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    said = environ['wsgi.input'].read() if environ['REQUEST_METHOD'] == 'POST' else b'nothing'
    return [b'the page ' + environ['PATH_INFO'].encode('latin-1') + b' heard ' + said]


def front(app):
    """A filter with a say in every answer."""

    def filtered(environ, start_response):
        def respond(status, headers, *more):
            return start_response(status, [*headers, ('X-Front', 'yes')], *more)

        return app(environ, respond)

    return filtered


def main(file: str) -> None:
    settings = settings_from(file)
    kind = settings.pop('server')
    server_class = {'ours': SocketIOServer, 'fronted': SocketIOServer, 'stock': WSGIServer}[kind]
    app = SocketIOMiddleware(page, PlainHost({'': Lobby, '/chat': Lobby, '/refusing': Refusing}), **settings)
    served = front(app) if kind == 'fronted' else app
    serve(server_class(('127.0.0.1', 0), served, **({'log': None} if server_class is WSGIServer else {})))


if __name__ == '__main__':
    main(sys.argv[1])
