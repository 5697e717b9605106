"""What the protocols' own test suites want to talk to, on port 3000.

    python -m tests.conformance.server engine     # docs/engine.io-protocol/v3-test-suite and v4-test-suite
    python -m tests.conformance.server socket     # docs/socket.io-protocol/v5-test-suite

The suites are in the repository socketio/socket.io; in a suite's folder: `npm ci && npx mocha test-suite.js --exit`.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import sys
from typing import Any

from tgsio_middleware import BaseNamespace
from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.middleware import EngineIOMiddleware, SocketIOMiddleware
from tgsio_middleware.packet import Packet
from tgsio_middleware.server import SocketIOServer

#: The suites' times, in seconds, and their pages' origin.
SETTINGS = {'ping_interval': 0.3, 'ping_timeout': 0.2, 'connect_timeout': 1, 'cors_allowed_origins': '*'}


class Echo(BaseNamespace):
    """An engine that sends back what it gets."""

    def recv_message(self, data: Any) -> None:
        self.send(data)


class Main(BaseNamespace):
    """What the suite of Socket.IO expects of `/` and `/custom`. Its event names are no names of methods."""

    def process_packet(self, packet: Packet) -> Any:
        if packet['type'] == 'connect':
            self.emit('auth', packet['auth'] or {})
        elif packet['type'] == 'event' and packet['name'] == 'message':
            self.emit('message-back', *packet['args'])
        elif packet['type'] == 'event' and packet['name'] == 'message-with-ack':
            return tuple(packet['args'])
        else:
            return super().process_packet(packet)
        return None


def nothing(environ: Any, start_response: Any) -> list[bytes]:
    start_response('404 Not Found', [])
    return [b'']


def engine() -> EngineIOMiddleware:
    return EngineIOMiddleware(nothing, PlainHost({'': Echo}), socketio_resource='engine.io', **SETTINGS)


def socket() -> SocketIOMiddleware:
    return SocketIOMiddleware(
        nothing, PlainHost({'': Main, '/custom': Main}), socketio_resource='socket.io', **SETTINGS
    )


if __name__ == '__main__':
    SocketIOServer(('127.0.0.1', 3000), {'engine': engine, 'socket': socket}[sys.argv[1]]()).serve_forever()
