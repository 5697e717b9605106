"""Who is measured, and with what.

A server listens on 127.0.0.1 and does this in the namespace `/`:

    ping (data)      acknowledges with `data`
    fireball (data)  emits `pong` {"type": "pong", "n": i} to the sender, for i in 0..9
    join (data)      joins the room `room`, and acknowledges
    pub (data)       emits `news` `data` to the room `room`
"""

from __future__ import annotations

from typing import NamedTuple


class Workload(NamedTuple):
    """What the load generator does, and what of its answer counts."""

    options: str
    figure: str
    about: str
    #: a server that has served nothing before
    fresh: bool = False
    more_is_better: bool = True


WORKLOADS = {
    'A': Workload('--workload ack --conns 100', 'rate', 'events/s: 100 clients, one event with ack outstanding each'),
    'A16': Workload(
        '--workload ack --conns 100 --outstanding 16', 'rate', 'events/s: sixteen outstanding each, in one write'
    ),
    'B': Workload('--workload amplify --conns 100', 'rate', 'emits/s: 100 clients, one event each, ten emits back'),
    'C': Workload('--workload fanout --conns 1000 --window 1', 'rate', 'deliveries/s: a broadcast to 1,000 in a room'),
    'C4': Workload('--workload fanout --conns 1000 --window 4', 'rate', 'deliveries/s: four broadcasts under way'),
    'D': Workload('--workload connect --conns 5000', 'rate', 'connects/s: 5,000 clients, 64 at a time', fresh=True),
    'KiB': Workload(
        '--workload connect --conns 5000', 'kib_per_conn', 'KiB a connected idle client, in D', True, False
    ),
    'E': Workload('--workload poll --conns 50', 'rate', 'events/s: 50 long-polling clients, one event with ack each'),
}


class Peer(NamedTuple):
    """A server, and the protocol that it is spoken to with. Filled in: `{port}`, `{home}`, `{here}` (this folder)."""

    command: str
    proto: str
    about: str
    #: packages of its virtual environment; `{root}` is this project
    packages: str = ''
    venv: str = ''
    cannot: str = ''


BASELINE = 'node'
OURS = '--editable {root} gevent==26.9.0'
PSIO = 'python-socketio==5.18.1'
GEVENT = 'gevent==26.9.0 gevent-websocket==0.10.1'
PYTHON = '{home}/venvs/{venv}/bin/python '
PLAIN = PYTHON + '-m gevent.monkey {here}/servers/plain.py {port}'
VISIT = PYTHON + '{here}/servers/turbogears.py {port}'
NODE = 'node {here}/servers/node.js {port}'

PEERS = {
    'node': Peer(NODE, 'eio4', "Node's socket.io 4.8.4: 1.00 in every column"),
    'node-eio3': Peer(NODE, 'eio3', 'the same, spoken to as by clients of 2.x', cannot='D KiB'),
    'plain': Peer(PLAIN, 'eio4', 'ours, a plain namespace', OURS, 'ours'),
    'plain-eio3': Peer(PLAIN, 'eio3', 'ours, spoken to as by clients of 2.x', OURS, 'ours'),
    'plain-0.9': Peer(PLAIN, 'sio09', 'ours, spoken to as by clients of 0.9', OURS, 'ours'),
    'tg': Peer(VISIT, 'eio4', 'ours, a TurboGears visit around every event', OURS, 'ours'),
    'tg-eio3': Peer(VISIT, 'eio3', 'the same for clients of 2.x', OURS, 'ours'),
    'tg-0.9': Peer(VISIT, 'sio09', 'the same for clients of 0.9', OURS, 'ours'),
    'psio-gevent': Peer(
        PYTHON + '-m gevent.monkey {here}/servers/psio_gevent.py {port}',
        'eio4',
        'python-socketio 5.18.1, gevent and gevent-websocket',
        f'{PSIO} {GEVENT}',
        'psio-gevent',
    ),
    'psio-asgi': Peer(
        PYTHON + '{here}/servers/psio_asgi.py {port}',
        'eio4',
        'python-socketio 5.18.1, uvicorn and uvloop',
        f'{PSIO} uvicorn uvloop httptools websockets',
        'psio-asgi',
    ),
    'gsio-0.9': Peer(
        PYTHON + '-m gevent.monkey {here}/servers/gsio09.py {port}',
        'sio09',
        'gevent-socketio, whose polling breaks under load',
        f'gevent-socketio-hartwork {GEVENT}',
        'gsio',
        cannot='E',
    ),
    'cfloor': Peer('{home}/cfloor {port}', 'eio4', 'a C server that does next to nothing: the limit', cannot='E'),
}
#: without PEERS=
USUAL = 'node plain tg plain-eio3 plain-0.9 tg-eio3 tg-0.9 psio-gevent cfloor'


class Target(NamedTuple):
    """Peer `who` against peer `beside`: at least so many times its figure, or where less is better at most."""

    who: str
    beside: str
    ratios: dict[str, float]


TARGETS = (
    Target('plain', 'node', {'A': 1.5, 'A16': 2.5, 'B': 3, 'C': 2, 'C4': 4, 'D': 1.5, 'KiB': 0.4, 'E': 1.5}),
    Target('tg', 'node', {'A': 1, 'A16': 1, 'B': 2, 'KiB': 0.6, 'E': 1}),
    Target('plain', 'psio-gevent', {'A': 4, 'A16': 4, 'B': 4, 'C4': 4}),
)
