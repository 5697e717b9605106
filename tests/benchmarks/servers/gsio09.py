"""gevent-socketio, whose programming interface ours is, in the fork that runs on Python 3:
`python -m gevent.monkey gsio09.py PORT`.
"""

from __future__ import annotations

import inspect
import sys
from collections import namedtuple

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from socketio.server import SocketIOServer

if not hasattr(inspect, 'getargspec'):  # gone since Python 3.11; gevent-socketio calls it for every event
    ArgSpec = namedtuple('ArgSpec', 'args varargs keywords defaults')
    inspect.getargspec = lambda function: ArgSpec(*inspect.getfullargspec(function)[:4])


class Namespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    """What the workloads ask for; see `peers`."""

    def recv_connect(self):
        pass

    def get_initial_acl(self):
        return None

    def on_ping(self, data):
        return data

    def on_fireball(self, data):
        for i in range(10):
            self.emit('pong', {'type': 'pong', 'n': i})

    def on_join(self, data):
        self.join('room')
        return True

    def on_pub(self, data):
        self.emit_to_room('room', 'news', data)


def app(environ, start_response):
    if environ['PATH_INFO'].startswith('/socket.io'):
        socketio_manage(environ, {'': Namespace})
        return []
    start_response('404 Not Found', [])
    return [b'']


if __name__ == '__main__':
    address = ('127.0.0.1', int(sys.argv[1]))
    SocketIOServer(address, app, resource='socket.io', policy_server=False, log=None, backlog=4096).serve_forever()
