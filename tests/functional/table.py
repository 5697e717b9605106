"""Which client can do what over which transport: the README's table, and the cells that the tests of this folder run.

    @covers('acks')
    def test_an_ack_of_several_values(peer): ...

runs once for every cell of that row; what is not in `FEATURES` is promised to nobody. `python -m tests.readme` writes
the table into the README.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.functional.clients import GENERATIONS, HERE

TRANSPORTS = ('websocket', 'polling', 'upgrade')
MODERN = tuple(generation for generation in GENERATIONS if generation != '09')
LETTERS = {'websocket': 'W', 'polling': 'P', 'upgrade': 'U'}
LEGEND = 'W is websocket, P polling (0.9: xhr-polling), U polling that moves to a websocket.\n'


class Pair(NamedTuple):
    """A client's generation and the way it connects."""

    generation: str
    transport: str

    def __str__(self) -> str:
        return f'{self.generation}-{self.transport}'


#: 0.9 begins with a websocket and falls back; only the later ones begin with polling and move.
PAIRS = tuple(Pair(g, t) for g in GENERATIONS for t in TRANSPORTS if (g, t) != ('09', 'upgrade'))


class Feature(NamedTuple):
    """One row."""

    words: str
    generations: tuple[str, ...] = GENERATIONS
    transports: tuple[str, ...] = TRANSPORTS

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(
            pair for pair in PAIRS if pair.generation in self.generations and pair.transport in self.transports
        )


FEATURES = {
    'connect': Feature('connect; many and nested namespaces on one connection'),
    'events': Feature('events both ways'),
    'acks': Feature('acks both ways: none, one, several values'),
    'text': Feature('any Unicode text, of any length'),
    'binary': Feature('binary data both ways, nested, several in one event', MODERN),
    'messages': Feature('``send``'),
    'json': Feature('``json.send``', ('09',)),
    'errors': Feature('the event ``error``, and an ack all the same'),
    'refusals': Feature('a refused namespace, with the reason'),
    'rooms': Feature('rooms and broadcasts, all generations in one room'),
    'disconnect': Feature('``recv_disconnect``, once for each who leaves'),
    'heartbeats': Feature('heartbeats; a frozen client is noticed'),
    'reconnect': Feature('reconnects after a restart of the server'),
    'upgrade': Feature('nothing lost or twice during the upgrade', MODERN, ('upgrade',)),
    'default_path': Feature("``socketio_resource = socket.io``, the clients' default path"),
}


def covers(row: str, only: Callable[[Pair], bool] = bool) -> Callable[[Any], Any]:
    """The test proves a row: it runs once for every pair in it (`only` those), and gets it as `pair`."""

    def decorate(test: Any) -> Any:
        test = pytest.mark.parametrize('pair', tuple(filter(only, FEATURES[row].pairs)), ids=str)(test)
        return pytest.mark.feature(row)(test)

    return decorate


def versions() -> dict[str, str]:
    """Generation -> the client's exact version."""
    wanted = json.loads(Path(HERE, 'package.json').read_text())['dependencies']
    return {generation: wanted[f'sio{generation}'].rpartition('@')[2] for generation in GENERATIONS}


def rows(cells: Iterable[tuple[str, Pair]] | None = None) -> list[list[str]]:
    """The table, its head first: of `cells` (row, pair), or of all that `FEATURES` promises."""
    if cells is None:
        cells = {(row, pair) for row, feature in FEATURES.items() for pair in feature.pairs}
    done = set(cells)
    table = [['socket.io-client', *versions().values()]]
    for row, feature in FEATURES.items():
        letters = (
            ' '.join(LETTERS[t] for t in TRANSPORTS if (row, Pair(generation, t)) in done) for generation in GENERATIONS
        )
        table.append([feature.words, *(word or '–' for word in letters)])
    return table
