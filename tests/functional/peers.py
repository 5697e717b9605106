"""Real clients for a test: `Pool` keeps a Node process for every pair, `Peer` is one connection of such a process."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.functional.clients import POLLING, Client
from tests.functional.table import Pair
from tests.live import PATIENCE, Live

#: Where the fixture application's PingPong is, besides '/'.
NAMESPACE = '/pingpong'
#: What `Client` does about a namespace.
ABOUT_A_NAMESPACE = ('emit', 'send', 'call', 'reply', 'burst', 'count', 'counted', 'disconnect', 'connect')
#: What has a time-out: the tests' common one.
WAITS = ('wait', 'call')


class Peer:
    """One connection of a real client. All else that it can do is `Client`'s, about this connection and `NAMESPACE`
    unless told otherwise: `peer.call('echo', 1)`, `peer.emit('shout', namespace='/')`.
    """

    numbers = itertools.count(1)

    def __init__(self, client: Client, pair: Pair) -> None:
        self.client = client
        self.pair = pair
        self.generation, self.transport = pair
        self.connection = f'{pair}-{next(self.numbers)}'

    def open(self, namespace: str = NAMESPACE, **options: Any) -> None:
        """Asks for a namespace, over the pair's transport."""
        polling = POLLING[self.generation]
        transports = {'websocket': ['websocket'], 'polling': [polling], 'upgrade': [polling, 'websocket']}[
            self.transport
        ]
        self.client.open(namespace, self.connection, transports=transports, **options)

    def join(self, namespace: str = NAMESPACE, **options: Any) -> dict[str, Any]:
        """`open`, and waits until it is connected."""
        self.open(namespace, **options)
        return self.joined(namespace)

    def joined(self, namespace: str = NAMESPACE) -> dict[str, Any]:
        """Waits until a namespace is connected."""
        return self.wait('connect', namespace=namespace)

    def settle(self) -> None:
        """Waits until it talks over the transport where its pair ends."""
        if self.transport == 'upgrade' and not self.history(kind='upgraded'):
            self.wait('upgraded', transport='websocket')

    def history(self, **match: Any) -> list[dict[str, Any]]:
        """All that happened to this connection so far and has these fields, waited for or not, in its order."""
        match['connection'] = self.connection
        return [one for one in self.client.seen if all(one.get(key) == value for key, value in match.items())]

    def __getattr__(self, verb: str) -> Any:
        about: dict[str, Any] = {'connection': self.connection}
        if verb in ABOUT_A_NAMESPACE:
            about['namespace'] = NAMESPACE
        if verb in WAITS:
            about['timeout'] = PATIENCE
        return partial(getattr(self.client, verb), **about)

    def __repr__(self) -> str:
        return self.connection


class Pool:
    """The clients of one server; a pair's process starts when it is first asked for."""

    def __init__(self, live: Live, path: str | None = 'socketio') -> None:
        self.live = live
        self.path = path
        self._clients: dict[Pair, Client] = {}

    def peer(self, pair: Pair) -> Peer:
        """A new connection, not opened yet."""
        client = self._clients.get(pair)
        if client is None or not client.usable:
            if client is not None:
                client.stop()
            client = self._clients[pair] = Client(pair.generation, self.live.url, self.path)
        return Peer(client, pair)

    def joined(self, pairs: Iterable[Pair], **options: Any) -> dict[Pair, Peer]:
        """A connected peer of each pair; they start side by side."""
        peers = {pair: self.peer(pair) for pair in pairs}
        for peer in peers.values():
            peer.open(**options)
        for peer in peers.values():
            peer.joined()
        return peers

    def stop(self) -> None:
        for client in self._clients.values():
            client.stop()


@contextmanager
def pool_for(live: Live, path: str | None = 'socketio') -> Iterator[Pool]:
    """A pool that ends with the block."""
    pool = Pool(live, path)
    try:
        yield pool
    finally:
        pool.stop()
