"""Clients vanish abruptly, wherever they are, and nothing of them is left.

By hand, so many times: `python -m tests.faults.test_vanishing 10000`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import live

from . import clients
from .clients import KINDS, PLACES, WAYS, places

PROGRAM = 'import sys; from tests.faults.site import main; main(sys.argv[1])'
#: Long enough for a client that is just being made, short enough to wait for. Seconds.
SETTINGS: dict[str, object] = {
    'patience': 2.5,
    'ping_interval': 1.5,
    'ping_timeout': 2,
    'connect_timeout': 3.5,
    'upgrade_timeout': 2,
    'transports': 'websocket polling jsonp htmlfile',
}
#: Every client in every place where it can be, vanishing in every way.
ALL = [(kind, place, way) for kind in KINDS for place in places(kind) for way in WAYS]


@contextmanager
def serve(**settings: object) -> Iterator[live.Live]:
    with live.run(json.dumps({**SETTINGS, **settings}), PROGRAM) as running:
        yield running
        assert 'Traceback' not in running.log(), running.log()


def left(port: int) -> dict[str, dict[str, int]]:
    """See `site.left`."""
    return json.loads(clients.ask(port, 'GET', '/left').body)


def vanish(port: int, kind: str, place: str, way: str) -> clients.Client:
    client = KINDS[kind](port)
    PLACES[place](client)
    WAYS[way](client)
    return client


@contextmanager
def vanished(port: int, how: list[tuple[str, str, str]], patience: float = live.PATIENCE) -> Iterator[None]:
    """They come and vanish; the block begins when the server has seen all of them off. Who only fell silent keeps its
    connections open until the block's end. `patience` in seconds.
    """
    silent = [client for one in how if (client := vanish(port, *one)) and one[2] == 'silence']
    end = time.monotonic() + patience
    while left(port)['numbers']['clients']:
        assert time.monotonic() < end, left(port)
        time.sleep(0.2)
    yield
    for client in silent:
        clients.close(client)


def more(before: dict[str, dict[str, int]], now: dict[str, dict[str, int]]) -> dict[str, tuple[int, int]]:
    """What there is more of than before."""
    then = {**before['ours'], **before['numbers']}
    return {key: (then.get(key, 0), n) for key, n in {**now['ours'], **now['numbers']}.items() if n > then.get(key, 0)}


def memory(pid: int) -> str:
    """A process's resident memory; `ps` has it on Linux and macOS."""
    kib = subprocess.run(['ps', '-o', 'rss=', '-p', str(pid)], capture_output=True, text=True, check=True).stdout
    return f'{int(kib) / 1024:.1f} MiB'


def nothing_left(port: int, before: dict[str, dict[str, int]]) -> None:
    """There is no more of anything than before; waits for it. Every namespace that came was told once that it went."""
    end = time.monotonic() + live.PATIENCE
    while more(before, now := left(port)) and time.monotonic() < end:
        time.sleep(0.2)
    assert not more(before, now)
    came = now['handlers']['came']
    assert now['handlers'] == {'came': came, 'went': came, 'went without being here': 0}


def settled(port: int, patience: float = live.PATIENCE) -> dict[str, dict[str, int]]:
    """What is there when some clients have been there and are gone: what is made once has been made."""
    with vanished(port, [(kind, place, 'close') for kind in KINDS for place in places(kind)], patience):
        now, then = left(port), None
        while now != then:
            time.sleep(0.3)
            now, then = left(port), now
    return now


@pytest.mark.once
def test_nothing_is_left_of_clients_that_vanish():
    with serve() as server:
        before = settled(server.port)
        with vanished(server.port, ALL):
            nothing_left(server.port, before)
        assert left(server.port)['handlers']['came'] == 2 * (len(ALL) + len(ALL) // len(WAYS))


def main() -> None:
    parser = argparse.ArgumentParser(prog='python -m tests.faults.test_vanishing', description=__doc__)
    parser.add_argument('count', type=int, nargs='?', default=10_000)
    count = parser.parse_args().count
    with serve() as server:
        before = settled(server.port)
        every = itertools.cycle(ALL)
        for begun in range(0, count, 1000):
            with vanished(server.port, list(itertools.islice(every, min(1000, count - begun)))):
                nothing_left(server.port, before)
                print(
                    f'{min(begun + 1000, count):6}',
                    left(server.port)['numbers'],
                    memory(server.process.pid),
                    flush=True,
                )
        print(left(server.port)['handlers'])


if __name__ == '__main__':
    main()
