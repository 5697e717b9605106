"""`make bench-growth`: does an event cost more where more clients are idle, or where there are more rooms?

Prints figures and draws `growth.svg`. Events are counted by the second of the server's CPU time, so that neighbours on
the machine matter little.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from . import rig
from .bench import short
from .peers import PEERS
from .picture import Line, Panel, draw

PICTURE = Path(__file__).with_name('growth.svg')
CLIENTS = (100, 1_000, 10_000)
ROOMS = (10, 1_000, 10_000)
#: Idle clients where rooms are counted; each is in ten of them.
IN_ROOMS = 1_000
LOADS = {
    'events with ack': '--workload ack --conns 100 --outstanding 16',
    'deliveries in a room of 100': '--workload fanout --conns 100 --window 4',
}


class Point(NamedTuple):
    """Of `count` clients or rooms: what a second of CPU time does, by load, and the server's memory in MiB."""

    count: int
    rates: dict[str, float]
    memory: float


def measure(idle: int, rooms: str, seconds: float) -> tuple[dict[str, float], float]:
    """Once: rates and memory. Raises rig.CannotRun."""
    rates, memory = {}, 0.0
    with rig.serving(PEERS['plain'], f' {rooms}') as server:
        for name, options in LOADS.items():
            said = rig.load(server, 'eio4', f'{options} --idle {idle}', seconds)
            rates[name] = by_cpu(said)
            memory = said['rss1_kib'] / 1024
    return rates, memory


def medians(count: int, measured: Sequence[tuple[dict[str, float], float]]) -> Point:
    rates = {name: median(rates[name] for rates, _ in measured) for name in LOADS}
    point = Point(count, rates, median(memory for _, memory in measured))
    figures = '  '.join(f'{short(rate):>8} {name}' for name, rate in rates.items())
    print(f'{count:8,}  {figures}  {point.memory:6.1f} MiB', flush=True)
    return point


def by_cpu(said: dict[str, Any]) -> float:
    if 'error' in said:
        raise rig.CannotRun(said['error'])
    return float(said['rate'] / said['server_cpu'])


def picture(clients: Sequence[Point], rooms: Sequence[Point], on: str) -> str:
    def lines(points: Sequence[Point]) -> list[Line]:
        return [Line(name, [(point.count, point.rates[name]) for point in points]) for name in LOADS]

    first, last = clients[0], clients[-1]
    of_one = (last.memory - first.memory) * 1024 / (last.count - first.count)
    panels = [
        Panel('Events a second of CPU time', 'idle clients', lines(clients)),
        Panel('Events a second of CPU time', f'rooms of {IN_ROOMS:,} idle clients', lines(rooms)),
        Panel(
            'Memory of the server, MiB',
            'idle clients',
            [Line(f'{of_one:.1f} KiB a client', [(p.count, p.memory) for p in clients])],
        ),
    ]
    return draw(panels, f'tgsio_middleware, plain namespace, on {on}')


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks.growth', description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=1.0, help='of each measurement')
    parser.add_argument('--picture', type=Path, default=PICTURE)
    told = parser.parse_args(argv)
    try:
        rig.set_up([PEERS['plain']])
        rounds = [
            (
                [measure(n, '', told.seconds) for n in CLIENTS],
                [measure(IN_ROOMS, str(n), told.seconds) for n in ROOMS],
            )
            for _ in range(told.rounds)
        ]
    except rig.CannotRun as e:
        print(e, file=sys.stderr)
        return 1
    print('clients')
    clients = [medians(n, [of_clients[i] for of_clients, _ in rounds]) for i, n in enumerate(CLIENTS)]
    print('rooms')
    rooms = [medians(n, [of_rooms[i] for _, of_rooms in rounds]) for i, n in enumerate(ROOMS)]
    told.picture.write_text(picture(clients, rooms, rig.versions([PEERS['plain']])))
    print(f'drawn: {told.picture}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
