"""Our server, with the application of oracle.js. Takes the name of a JSON file with the filter's settings."""

from __future__ import annotations

import sys
from typing import Any

import gevent

from tests.fixtureapps.program import serve, settings_from
from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.errors import ConnectionRefused
from tgsio_middleware.middleware import SocketIOMiddleware
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.server import SocketIOServer


class Peer(BaseNamespace):
    def on_echo(self, *values: Any) -> None:
        self.emit('echo', *values)

    def on_give_back(self, *values: Any) -> Any:
        return values

    def on_ask(self) -> None:
        self.emit('question', '?', callback=lambda *values: self.emit('answered', *values))

    def on_later(self, seconds: float) -> None:
        self.spawn(self._later, seconds)

    def _later(self, seconds: float) -> None:
        gevent.sleep(seconds)
        self.emit('late')

    def on_burst(self, count: int) -> None:
        for i in range(count):
            self.send(f'é😀 {i}')

    def on_leave(self) -> None:
        self.disconnect()

    def process_packet(self, packet: Any) -> Any:
        """A message is acknowledged or sent back."""
        if packet['type'] not in ('message', 'json'):
            return super().process_packet(packet)
        if packet.get('ack') == 'data':
            return packet['data']
        self.send(packet['data'], json=packet['type'] == 'json')
        return None


class Refusing(BaseNamespace):
    def recv_connect(self) -> None:
        raise ConnectionRefused('not today')


def nothing(environ: Any, start_response: Any) -> list[bytes]:
    start_response('404 Not Found', [])
    return [b'no such page']


def main(file: str) -> None:
    host = PlainHost({'': Peer, '/chat': Peer, '/other': Peer, '/refusing': Refusing})
    serve(SocketIOServer(('127.0.0.1', 0), SocketIOMiddleware(nothing, host, **settings_from(file))))


if __name__ == '__main__':
    main(sys.argv[1])
