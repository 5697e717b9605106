"""Clients of every kind come, talk, sleep and vanish, for half an hour; what does the server keep?

python -m tests.faults.soak            # prints figures and draws soak.svg
"""

# ruff: noqa: E402
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse
import itertools
import os
import random
import resource
import time
from pathlib import Path
from typing import NamedTuple

import gevent

from tests.benchmarks.picture import Line, Panel, draw
from tests.transports import client as raw

from .clients import KINDS, PLACES, WAYS, Client, close, places
from .test_vanishing import left, more, serve, settled

PICTURE = Path(__file__).with_name('soak.svg')
#: What a site has, but for more patience with the silent: nobody here says anything oftener than every `NAP` seconds.
SETTINGS = {'ping_interval': 25, 'ping_timeout': 90, 'upgrade_timeout': 10, 'patience': 150}
NAP = (40.0, 70.0)
#: So long may a server take to notice that somebody has vanished, in seconds: a poll of 20, interval, timeout.
NOTICED = 160.0


class Sample(NamedTuple):
    """The server's memory in MiB and its descriptors, and the clients that live."""

    minute: float
    memory: float
    descriptors: int
    clients: int


class Crowd:
    """`size` clients at a time, each living for `life` seconds in the mean. `lives` counts them."""

    def __init__(self, port: int, size: int, life: float, end: float) -> None:
        self.port, self.life, self.end = port, life, end
        self.living = self.lives = 0
        self.failures: list[str] = []
        self._numbers = itertools.count()
        self._greenlets = [gevent.spawn_later(life * i / size, self._one_after_another) for i in range(size)]

    def _one_after_another(self) -> None:
        while time.monotonic() < self.end:
            kind = random.choice(list(KINDS))
            try:
                self._live(kind)
            except Exception as e:
                self.failures.append(f'{kind}: {type(e).__name__} {e}')

    def _live(self, kind: str) -> None:
        client = KINDS[kind](self.port)
        self.living += 1
        self.lives += 1
        try:
            self._talk_and_sleep(client, min(self.end, time.monotonic() + random.expovariate(1 / self.life)))
            PLACES[random.choice(places(kind))](client)
        finally:
            self.living -= 1
        way = random.choice(list(WAYS))
        WAYS[way](client)
        if way == 'silence':
            gevent.spawn_later(NOTICED, close, client)

    def _talk_and_sleep(self, client: Client, end: float) -> None:
        while (rest := end - time.monotonic()) > 0:
            what = f'number {next(self._numbers)}.'
            client.emit('echo', what)
            client.until(what)
            gevent.sleep(min(rest, random.uniform(*NAP)))

    def gone(self) -> None:
        """Waits until all have vanished."""
        gevent.joinall(self._greenlets)
        gevent.sleep(NOTICED + 5)


def sample(pid: int, minute: float, clients: int) -> Sample:
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return Sample(minute, pages * resource.getpagesize() / 2**20, len(os.listdir(f'/proc/{pid}/fd')), clients)


def picture(samples: list[Sample], note: str) -> str:
    last = samples[-1].minute
    ticks = range(0, int(last) + 1, max(1, round(last / 6)))
    memory = [Line('resident', [(s.minute, s.memory) for s in samples])]
    numbers = [
        Line('descriptors', [(s.minute, s.descriptors) for s in samples]),
        Line('clients', [(s.minute, s.clients) for s in samples]),
    ]
    return draw(
        [
            Panel('Memory of the server, MiB', 'minutes', memory, float, ticks),
            Panel('Descriptors of the server, clients', 'minutes', numbers, float, ticks),
        ],
        note,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog='python -m tests.faults.soak', description=__doc__)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--clients', type=int, default=5_000)
    parser.add_argument('--life', type=float, default=480, help='of a client in the mean, in seconds')
    parser.add_argument('--picture', type=Path, default=PICTURE)
    told = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    raw.PATIENCE = 60.0
    with serve(**SETTINGS) as server:
        before, pid, began = settled(server.port, NOTICED), server.process.pid, time.monotonic()
        crowd = Crowd(server.port, told.clients, told.life, began + told.minutes * 60)
        samples = [sample(pid, 0, 0)]
        while time.monotonic() < crowd.end:
            gevent.sleep(min(30, told.minutes * 2))
            samples.append(sample(pid, (time.monotonic() - began) / 60, crowd.living))
            print('{:6.1f} min {:7.1f} MiB {:6} descriptors {:5} clients'.format(*samples[-1]), crowd.lives, flush=True)
        crowd.gone()
        samples.append(sample(pid, (time.monotonic() - began) / 60, crowd.living))
        after = left(server.port)
    print('before', samples[0], before['numbers'])
    print('after ', samples[-1], after['numbers'], after['handlers'])
    print('failures', len(crowd.failures), *crowd.failures[:10], sep='\n  ')
    print('more than before:', more(before, after) or 'nothing')
    note = f'{crowd.lives:,} clients of all kinds, {told.clients:,} at a time, that come, talk, sleep and vanish'
    told.picture.write_text(picture(samples, note))
    print(f'drawn: {told.picture}')


if __name__ == '__main__':
    main()
