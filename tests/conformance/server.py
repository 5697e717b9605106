"""What the protocols' own test suites want to talk to, on port 3000.

    python -m tests.conformance.server engine     # docs/engine.io-protocol/v3-test-suite and v4-test-suite
    python -m tests.conformance.server socket     # docs/socket.io-protocol/v5-test-suite
    python -m tests.conformance.server websocket  # autobahntestsuite 0.8.2

The first three suites are in the repository socketio/socket.io; in the suite's folder: `npm ci && npx mocha
test-suite.js --exit`. The last wants Python 2.7 (`pip install autobahntestsuite==0.8.2`):
`wstest -m fuzzingclient -s tests/conformance/autobahn.json` writes the folder autobahn-report.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import sys
from typing import Any

from tgsio_middleware import BaseNamespace
from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.middleware import EngineIOMiddleware, SocketIOMiddleware
from tgsio_middleware.packet import Message, Packet
from tgsio_middleware.server import SocketIOServer
from tgsio_middleware.wire import bare
from tgsio_middleware.wire.negotiate import EIO4

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


class Raw(bare.Bare):
    """No engine at all: a websocket's message means itself, and nothing is said unasked."""

    def hello(self, sid: str, settings: Any, upgrades: tuple[str, ...]) -> tuple[Message, ...]:
        return ()

    def decode(self, message: Message) -> Packet:
        return {'type': 'message', 'endpoint': '', 'data': message}

    def encode(self, packet: Packet, default: Any = None) -> tuple[Message, ...]:
        return (packet['data'],) if packet['type'] == 'message' else ()


class WebSocketMiddleware(SocketIOMiddleware):
    """At `?EIO=raw&transport=websocket`."""

    ENGINES = {'raw': Raw(EIO4)}


def nothing(environ: Any, start_response: Any) -> list[bytes]:
    start_response('404 Not Found', [])
    return [b'']


def engine() -> EngineIOMiddleware:
    return EngineIOMiddleware(nothing, PlainHost({'': Echo}), socketio_resource='engine.io', **SETTINGS)


def socket() -> SocketIOMiddleware:
    return SocketIOMiddleware(
        nothing, PlainHost({'': Main, '/custom': Main}), socketio_resource='socket.io', **SETTINGS
    )


def websocket() -> WebSocketMiddleware:
    """Autobahn sends up to 16 MiB in a message, and a message of 4 MiB in 65,537 fragments (9.3.1)."""
    bounds = {'max_payload': 16 << 20, 'max_fragments': 65_537, 'max_buffered': 64 << 20, 'ping_interval': 3600}
    return WebSocketMiddleware(nothing, PlainHost({'': Echo}), **bounds)


MODES = {'engine': engine, 'socket': socket, 'websocket': websocket}

if __name__ == '__main__':
    SocketIOServer(('127.0.0.1', 3000), MODES[sys.argv[1]]()).serve_forever()
