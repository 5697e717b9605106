"""A server for tests/hostile: namespaces in a dict, a client's end told to the others, and what the process costs.

Takes the name of a JSON file: the filter's settings; `server`, which is `ours` or `stock`; `closed`: nobody may enter.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import socket
import sys
import weakref
from pathlib import Path

import gevent
from gevent.pywsgi import WSGIServer
from greenlet import greenlet

from tgsio_middleware import server as our_server
from tgsio_middleware.bus.address import Address
from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.engine.socket import Socket
from tgsio_middleware.errors import ConnectionRefused
from tgsio_middleware.middleware import SocketIOMiddleware
from tgsio_middleware.mixins import BroadcastMixin, RoomsMixin
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.server import SocketIOServer

from .program import serve, settings_from

KIB = resource.getpagesize() // 1024
filters: list[SocketIOMiddleware] = []


class Lobby(BaseNamespace, RoomsMixin, BroadcastMixin):
    def recv_disconnect(self, reason):
        if 'name' in self.session:
            self.broadcast_event_not_me('left', self.session['name'], reason, sorted(self.rooms)[:3])
        self.disconnect(silent=True)

    def on_name(self, name):
        self.session['name'] = name
        return True

    def on_echo(self, *args):
        return args

    def on_join(self, *rooms):
        for room in rooms:
            self.join(room)
        return len(self.rooms)

    def on_ask(self, count):
        """Asks, and waits for no answer."""
        for i in range(count):
            self.emit('question', i, callback=print)

    def on_tell(self, count, size):
        for i in range(count):
            self.emit('told', i, 'x' * size)

    def on_tell_others(self, first, count, size):
        for i in range(first, first + count):
            self.broadcast_event_not_me('told', i, 'x' * size)
            if i % 10 == 9:
                gevent.sleep(0)

    def on_block(self, seconds):
        gevent.sleep(seconds)

    def on_whoami(self):
        return self.environ.get('HTTP_COOKIE', '')

    def on_sid(self):
        return self.sid

    def on_ids(self):
        """What other processes are told of the clients."""
        return filters[0].exchange.describe(Address(self.ns_name))

    def on_kick(self):
        self.disconnect()

    def on_census(self):
        return census()


class Refusing(BaseNamespace):
    def recv_connect(self):
        raise ConnectionRefused('not today')


def census():
    """What is there; `memory` in KiB."""
    gc.collect()
    registry = filters[0].registry
    alive = [thing for thing in gc.get_objects() if isinstance(thing, (Socket, BaseNamespace))]
    return {
        'clients': len(registry.sockets),
        'objects': sum(not isinstance(thing, weakref.ProxyType) for thing in alive),
        'rooms': len(registry.rooms._members),
        'sids': len(registry.sids),
        'greenlets': sum(isinstance(thing, greenlet) and not thing.dead for thing in gc.get_objects()),
        'files': len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0,
        'memory': memory(),
    }


def memory():
    """Resident now, in KiB; where that is not told, the most there was."""
    try:
        return int(Path('/proc/self/statm').read_text().split()[1]) * KIB
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def page(environ, start_response):
    if environ['PATH_INFO'] == '/census':
        start_response('200 OK', [('Content-Type', 'application/json')])
        return [json.dumps(census()).encode()]
    try:
        body = environ['wsgi.input'].read() if environ['REQUEST_METHOD'] == 'POST' else b''
    except OSError:  # a site may fail by itself; here only the filter is asked
        body = b''
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'the page ' + environ['PATH_INFO'].encode('latin-1') + b' heard %d bytes' % len(body)]


def main(file: str) -> None:
    settings = settings_from(file)
    for patience in ('HEAD_PATIENCE', 'IDLE_PATIENCE'):
        setattr(our_server, patience, settings.pop(patience, 30))
    server_class = {'ours': SocketIOServer, 'stock': WSGIServer}[settings.pop('server')]
    sndbuf = settings.pop('SNDBUF', 0)
    lobby = Refusing if settings.pop('closed', False) else Lobby
    app = SocketIOMiddleware(page, PlainHost({'': lobby, '/chat': Lobby}), **settings)
    filters.append(app)
    server = server_class(('127.0.0.1', 0), app, **({'log': None} if server_class is WSGIServer else {}))
    server.init_socket()
    if sndbuf:
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)  # accepted connections inherit it
    serve(server)


if __name__ == '__main__':
    main(sys.argv[1])
