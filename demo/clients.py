"""The five JavaScript clients: from `demo/node_modules` where npm puts them, else from a CDN, of the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tgsio_middleware import BaseNamespace, ConnectionRefused

NODE_MODULES = Path(__file__).parent / 'node_modules'
CDN = 'https://cdn.jsdelivr.net'


class Client(NamedTuple):
    """One generation, and its bundle for browsers."""

    name: str
    #: on npm, and so on the CDN
    version: str
    year: int
    protocol: str
    #: what a page writes to connect with it
    connect: str
    #: what is peculiar to it
    note: str
    #: of the bundle in that very package, which the CDN serves unchanged
    integrity: str
    #: the bundle in its package
    bundle: str = 'dist/socket.io.min.js'

    @property
    def package(self) -> str:
        return f'socket.io-client@{self.version}'

    @property
    def file(self) -> Path:
        return NODE_MODULES / f'socket.io-client-{self.name}' / self.bundle

    @property
    def src(self) -> str:
        """Where a page loads it from."""
        if self.file.is_file():
            return f'/files/socket.io-client-{self.name}.js'
        return f'{CDN}/npm/{self.package}/{self.bundle}'


CLIENTS = {
    client.name: client
    for client in (
        Client(
            '0.9',
            '0.9.17',
            2012,
            'Socket.IO 1',
            "io.connect('/lobby', {resource: 'socketio'})",
            'The client of the original README. It has no binary data, and never changes its transport.',
            'sha384-4Q4At0XhiBsha+rJwYJoobwTFJRNEXtUlQUGS11/JyEsmWTn5V7oEfS16hNxOrht',
        ),
        Client(
            '1.x',
            '1.7.4',
            2014,
            'Engine.IO 3',
            "io('/lobby', {path: '/socketio'})",
            'It begins by polling and moves to a websocket. The events ping and pong never leave it.',
            'sha384-zH5FpHcuyO+CiYXUIqMEJuJS6Y6dpQ3Ufvw9II/+k58r2rJjoAPNHnn4ivAbdMsm',
        ),
        Client(
            '2.x',
            '2.5.0',
            2017,
            'Engine.IO 3',
            "io('/lobby', {path: '/socketio'})",
            'It speaks as 1.x does, but for the encoding of text that is polled.',
            'sha384-tqdl9kmEvVoNmc1VEJOAh6MHoXRyDLu9H57pwBSQghqNF4NbG7DEA6Pj7oVleGOn',
            'dist/socket.io.js',
        ),
        Client(
            '3.x',
            '3.1.3',
            2020,
            'Engine.IO 4',
            "io('/lobby', {path: '/socketio'})",
            'A new protocol: the server asks for the heartbeats, and a client that connects may send data of its own.',
            'sha384-cPwlPLvBTa3sKAgddT6krw0cJat7egBga3DJepJyrLl4Q9/5WLra3rrnMcyTyOnh',
        ),
        Client(
            '4.x',
            '4.8.4',
            2021,
            'Engine.IO 4',
            "io('/lobby', {path: '/socketio'})",
            'The client of today. It speaks as 3.x does.',
            'sha384-fBrXvbDtHoeKWJ/hcA6M+YGueiDW+h45I7V6F2kD1S8bOkrF9rZYPLVkCR6BLR/1',
        ),
    )
}


def from_cdn() -> bool:
    """At least one client is not here."""
    return not all(client.file.is_file() for client in CLIENTS.values())


def client_of(namespace: BaseNamespace) -> str:
    """The generation that a page has named in its query, for 1.x and 2.x speak alike, as do 3.x and 4.x; of those who
    name none, what they may be.

    Raises ConnectionRefused.
    """
    spoken = namespace.socket.dialect.GENERATIONS
    name: str = namespace.auth.get('client', ' or '.join(spoken))
    if name not in (*spoken, ' or '.join(spoken)):
        raise ConnectionRefused('This is not how that client speaks')
    return name
