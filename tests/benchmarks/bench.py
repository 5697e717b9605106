"""`make bench`: ratios to Node's socket.io, each of a round in which the servers took turns.

Absolute figures move with the machine and its neighbours. So a ratio is of two figures that were taken moments apart,
and what is printed is the median of all rounds' ratios, with the median of the figure itself beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any

from . import rig
from .peers import BASELINE, PEERS, TARGETS, USUAL, WORKLOADS, Target, Workload

#: Below this share of its core a server was not what limited the figure.
BUSY = 0.9
NONE = '-'


class Results:
    """What the load generator said of a peer and a workload, one a round; workloads with equal options share it.

    With `by_cpu`, rates are those of a second of the server's CPU time: what a rate would be on a core of its own.
    """

    def __init__(self, by_cpu: bool = False) -> None:
        self.by_cpu = by_cpu
        self._said: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def add(self, peer: str, options: str, said: dict[str, Any]) -> None:
        self._said.setdefault((peer, options), []).append(said)

    def figures(self, peer: str, workload: str) -> list[float | None]:
        """One a round; None where it failed."""
        return [
            self._figure_of(one, WORKLOADS[workload]) for one in self._said.get((peer, WORKLOADS[workload].options), [])
        ]

    def _figure_of(self, said: dict[str, Any], what: Workload) -> float | None:
        figure = said.get(what.figure)
        if 'error' in said or figure is None:
            return None
        if self.by_cpu and what.figure == 'rate':
            return figure / said['server_cpu'] if said['server_cpu'] else None
        return float(figure)

    def figure(self, peer: str, workload: str) -> float | None:
        return middle(self.figures(peer, workload))

    def ratio(self, peer: str, beside: str, workload: str) -> float | None:
        """The median of the rounds' ratios."""
        pairs = zip(self.figures(peer, workload), self.figures(beside, workload), strict=False)
        return middle(a / b for a, b in pairs if a is not None and b)

    def busy(self, peer: str, workload: str) -> bool:
        """The server, not the client or a neighbour, set the figure."""
        said = self._said.get((peer, WORKLOADS[workload].options), [])
        share = middle(one.get('server_cpu') for one in said)
        return share is None or share >= BUSY

    def dump(self) -> list[dict[str, Any]]:
        return [{'peer': peer, 'options': options, 'said': said} for (peer, options), said in self._said.items()]


def middle(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return median(there) if there else None


# -- measuring --------------------------------------------------------------------------------------------------------


def run_round(names: Sequence[str], workloads: Sequence[str], seconds: float, results: Results) -> None:
    """Every peer and workload once. Peers take turns within a workload; those that differ in protocol alone share a
    server.
    """
    seen: set[str] = set()
    with ExitStack() as stack:
        servers: dict[str, rig.Server] = {}
        for workload in workloads:
            what = WORKLOADS[workload]
            if what.options in seen:
                continue
            seen.add(what.options)
            for name in names:
                peer = PEERS[name]
                if workload in peer.cannot.split():
                    continue
                if what.fresh:
                    with rig.serving(peer) as server:
                        said = rig.load(server, peer.proto, what.options, seconds)
                else:
                    if peer.command not in servers:
                        servers[peer.command] = stack.enter_context(rig.serving(peer))
                    said = rig.load(servers[peer.command], peer.proto, what.options, seconds)
                results.add(name, what.options, said)
                report(name, workload, said)


def report(name: str, workload: str, said: dict[str, Any]) -> None:
    line = f'  {name:12}{workload:4}{said.get("rate", 0):12,.0f}'
    line += f'  server {said.get("server_cpu", 0):4.0%} client {said.get("client_cpu", 0):4.0%}'
    if 'kib_per_conn' in said:
        line += f'  {said["kib_per_conn"]:.1f} KiB'
    print(line, said.get('error', ''), flush=True)


# -- the table --------------------------------------------------------------------------------------------------------


def table(results: Results, names: Sequence[str], workloads: Sequence[str]) -> str:
    """Ratios with figures, how near ours are to the limit, and the targets."""
    rows = [['', *workloads]]
    for name in names:
        rows.append([name, *(cell(results, name, workload) for workload in workloads)])
    if {'plain', 'cfloor'} <= set(names):
        near = (results.ratio('plain', 'cfloor', workload) for workload in workloads)
        rows.append(['plain / cfloor', *(NONE if ratio is None else f'{ratio:.2f}' for ratio in near)])
    for target in TARGETS:
        if {target.who, target.beside} <= set(names):
            rows.append([f'{target.who} / {target.beside}', *(verdict(results, target, w) for w in workloads)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ['  '.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return '\n'.join([lines[0], '  '.join('-' * width for width in widths), *lines[1:]])


def cell(results: Results, name: str, workload: str) -> str:
    figure, ratio = results.figure(name, workload), results.ratio(name, BASELINE, workload)
    if figure is None:
        return NONE
    mark = '' if results.busy(name, workload) else '~'
    return f'({short(figure)}){mark}' if ratio is None else f'{ratio:.2f} ({short(figure)}){mark}'


def short(figure: float) -> str:
    return f'{figure / 1000:.1f}k' if figure >= 1000 else f'{figure:.1f}'


def verdict(results: Results, target: Target, workload: str) -> str:
    """`>= 1.5 yes`, or `>= 1.5 NO, 1.31`."""
    bound = target.ratios.get(workload)
    ratio = results.ratio(target.who, target.beside, workload)
    if bound is None or ratio is None:
        return NONE
    if WORKLOADS[workload].more_is_better:
        sign, holds = '>=', ratio >= bound
    else:
        sign, holds = '<=', ratio <= bound
    return f'{sign} {bound:g} {"yes" if holds else "NO"}, {ratio:.2f}'


def legend(names: Sequence[str], workloads: Sequence[str]) -> str:
    lines = [f'  {name:12}{PEERS[name].about}' for name in names]
    lines += [f'  {workload:12}{WORKLOADS[workload].about}' for workload in workloads]
    return '\n'.join(
        [*lines, f'  ~           the server had less than {BUSY:.0%} of its core: something else was in the way']
    )


# -- the command ------------------------------------------------------------------------------------------------------


def known(table: dict[str, Any]) -> Callable[[str], list[str]]:
    """A parser of names, apart by commas or spaces, or `all`."""

    def parse(text: str) -> list[str]:
        names = list(table) if text == 'all' else text.replace(',', ' ').split()
        for name in names:
            if name not in table:
                raise argparse.ArgumentTypeError(f'{name!r} is none of {" ".join(table)}')
        return names

    return parse


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.benchmarks.bench', description=__doc__)
    parser.add_argument('--peers', type=known(PEERS), default=USUAL, help=f'names, or all; {USUAL} unless told')
    parser.add_argument('--workloads', type=known(WORKLOADS), default='all', help='names; all unless told')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=1.0, help='of each measurement')
    parser.add_argument(
        '--by-cpu', action='store_true', help="rates by the server's CPU time, on a machine with company"
    )
    told = parser.parse_args(argv)
    names, results = told.peers, Results(told.by_cpu)
    try:
        rig.set_up(PEERS[name] for name in names)
        for number in range(told.rounds):
            print(f'round {number + 1} of {told.rounds}', flush=True)
            first = number % len(names)
            run_round(names[first:] + names[:first], told.workloads, told.seconds, results)
    except rig.CannotRun as e:
        print(e, file=sys.stderr)
        return 1
    measured_on = rig.versions(PEERS[name] for name in names)
    text = f'{table(results, names, told.workloads)}\n\n{legend(names, told.workloads)}\n\n'
    by_cpu = ", rates by the server's CPU time" if told.by_cpu else ''
    text += f'Ratios to {BASELINE}, medians of {told.rounds} rounds{by_cpu}; {measured_on}.'
    (rig.HOME / 'results' / 'bench.json').write_text(
        json.dumps({'on': measured_on, 'results': results.dump()}, indent=1)
    )
    (rig.HOME / 'results' / 'bench.txt').write_text(text + '\n')
    print('\n' + text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
