"""tgsio_middleware without a framework, as the peers are: `python -m gevent.monkey plain.py PORT [ROOMS]`.

With ROOMS, clients join ten rooms each, out of so many.
"""

from __future__ import annotations

import sys
from itertools import count

from tgsio_middleware import BaseNamespace, BroadcastMixin, RoomsMixin, SocketIOMiddleware
from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.server import SocketIOServer

ROOMS_OF_A_CLIENT = 10


class Namespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    """What the workloads ask for; see `peers`."""

    def on_ping(self, data):
        return data

    def on_fireball(self, data):
        for i in range(10):
            self.emit('pong', {'type': 'pong', 'n': i})

    def on_join(self, data):
        self.join('room')

    def on_pub(self, data):
        self.emit_to_room('room', 'news', data)


def crowded(rooms: int) -> type[Namespace]:
    """The same, in `rooms` rooms."""
    numbers = count()

    class Crowded(Namespace):
        def recv_connect(self):
            for _ in range(ROOMS_OF_A_CLIENT):
                self.join(f'one of many {next(numbers) % rooms}')

    return Crowded


def nothing(environ, start_response):
    """The application behind the filter."""
    start_response('404 Not Found', [])
    return [b'']


def main(port: str, rooms: str = '') -> None:
    namespace = crowded(int(rooms)) if rooms else Namespace
    app = SocketIOMiddleware(nothing, PlainHost({'': namespace}), socketio_resource='socket.io')
    SocketIOServer(('127.0.0.1', int(port)), app, backlog=4096).serve_forever()


if __name__ == '__main__':
    main(*sys.argv[1:])
