"""How long the road of a packet is, in calls: of Python functions, and of functions in C.

Calls are counted, not seconds, so that the figure is the same on every machine. Everything runs in one greenlet: the
worker pool's turns are played by hand, connections are fakes. What is recorded may not get longer: see `test_road`.

    python -m tests.benchmarks.road             the roads' lengths beside the record
    python -m tests.benchmarks.road --json      what was counted
    python -m tests.benchmarks.road --record    writes road.json: when a road has got shorter, or longer for a reason
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tgsio_middleware import BaseNamespace, BroadcastMixin, RoomsMixin, SocketIOMiddleware
from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.engine.registry import Registry
from tgsio_middleware.engine.socket import Socket
from tgsio_middleware.engine.workers import Workers
from tgsio_middleware.settings import Settings
from tgsio_middleware.transports.keptalive import PollConnection
from tgsio_middleware.transports.takeover import TAKE
from tgsio_middleware.transports.websocket import WebSocket
from tgsio_middleware.turbogears.host import TurboGearsHost
from tgsio_middleware.wire import eio4

from .servers import visited

RECORD = Path(__file__).with_name('road.json')
#: How often each road is walked while calls are counted.
TIMES = 20
#: Calls until Python 3.11, part of the function since.
INLINE = frozenset(('<listcomp>', '<dictcomp>', '<setcomp>'))
RECIPIENTS = 50


class Namespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    """The workloads' handlers."""

    def on_ping(self, data):
        return data

    def on_fireball(self, data):
        for i in range(10):
            self.emit('pong', {'type': 'pong', 'n': i})

    def on_join(self, data):
        self.join('room')

    def on_pub(self, data):
        self.emit_to_room('room', 'news', data)


# -- what stands around the road --------------------------------------------------------------------------------------


class Turns:
    """The worker pool's part, played by hand: what was submitted runs, what was written leaves."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], Any]] = []
        self.dirty: list[Any] = []

    def __call__(self, job: Callable[..., Any], *args: Any) -> None:
        job(*args)
        while self.jobs or self.dirty:
            jobs, self.jobs = self.jobs, []
            for job in jobs:
                job()
            dirty, self.dirty = self.dirty, []
            for who in dirty:
                who.flush()


@contextmanager
def by_hand():
    """Turns instead of the hub's."""
    turns = Turns()
    kept = Workers.submit, Workers.flush_later
    Workers.submit = lambda self, job, *args: turns.jobs.append(partial(job, *args))
    Workers.flush_later = lambda self, who: turns.dirty.append(who)
    try:
        yield turns
    finally:
        Workers.submit, Workers.flush_later = kept


class Connection:
    """Takes everything; `sent` is what it was given last, `comes` what can be read."""

    unread = comes = b''
    pending = None

    def __init__(self) -> None:
        self._pipe = os.pipe()
        self.sent = b''

    def fileno(self) -> int:
        return self._pipe[0]

    def recv(self, size: int) -> bytes:
        return self.comes

    def send(self, data: bytes) -> int:
        self.sent = data
        return len(data)

    def close(self) -> None:
        for fd in self._pipe:
            os.close(fd)


class Handler:
    """Our server's, which lets go of `connection`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def take(self):
        return self.connection, b''

    def keeps_alive(self, application):
        return False

    def give_back(self, sock, unread):
        raise AssertionError(f'not a plain poll: {unread[:200]!r}')


HANDSHAKE = {
    'REQUEST_METHOD': 'GET',
    'SCRIPT_NAME': '',
    'PATH_INFO': '/socket.io/',
    'QUERY_STRING': 'EIO=4&transport=polling',
    'SERVER_NAME': 'localhost',
    'SERVER_PORT': '80',
    'REMOTE_ADDR': '127.0.0.1',
    'HTTP_HOST': 'localhost',
    'wsgi.version': (1, 0),
    'wsgi.url_scheme': 'http',
    'wsgi.errors': sys.stderr,
    'wsgi.input': io.BytesIO(),
    'wsgi.multithread': False,
    'wsgi.multiprocess': False,
    'wsgi.run_once': False,
}


def masked(text: str) -> bytes:
    """A short text in a client's frame."""
    mask = b'\x01\x02\x03\x04'
    return bytes((0x81, 0x80 | len(text))) + mask + bytes(c ^ mask[i & 3] for i, c in enumerate(text.encode()))


class Web:
    """Clients with a websocket each, connected to `/`."""

    def __init__(self, turns: Turns, host: Any = None) -> None:
        self.turns = turns
        self.host = host or PlainHost({'': Namespace})
        self.registry = Registry(Settings.parse({'socketio_resource': 'socket.io'}))
        self.connections: list[Connection] = []
        self.transport = self.join()

    def join(self) -> WebSocket:
        socket = Socket(eio4, self.host, self.registry, dict(HANDSHAKE))
        self.connections.append(Connection())
        transport = WebSocket(socket, self.connections[-1])
        socket.open(transport)
        self.turns(transport.received, masked('40'))
        assert b'40{' in self.connections[-1].sent, self.connections[-1].sent
        return transport

    def says(self, *texts: str) -> Callable[[], Any]:
        """The client's frames, all in one read."""
        self.connections[0].comes = b''.join(map(masked, texts))
        return partial(self.turns, self.transport.read)


# -- the roads --------------------------------------------------------------------------------------------------------

PING = '42%d["ping",{"type":"ping","n":123}]'
FIREBALL = '42["fireball",{"type":"x"}]'


def one_in_a_read(turns: Turns) -> tuple[Callable[[], Any], int]:
    return Web(turns).says(PING % 1), 1


def sixteen_in_a_read(turns: Turns) -> tuple[Callable[[], Any], int]:
    return Web(turns).says(*(PING % i for i in range(16))), 16


def ten_emits(turns: Turns) -> tuple[Callable[[], Any], int]:
    return Web(turns).says(*[FIREBALL] * 16), 160


def broadcast(turns: Turns) -> tuple[Callable[[], Any], int]:
    web = Web(turns)
    for _ in range(RECIPIENTS):
        turns(web.join().received, masked('42["join",{}]'))
    return web.says('42["pub",{"type":"fireball","n":123}]'), RECIPIENTS


def heartbeat(turns: Turns) -> tuple[Callable[[], Any], int]:
    """The sweep asks, the client answers, the next deadline is taken into the wheel."""
    web = Web(turns)
    socket, answer = web.transport.socket, web.says('3')
    conversation = socket.conversation

    def beat() -> None:
        now = conversation.deadline
        turns(socket.tick, now)
        answer()
        conversation.excuse(now)  # it was heard then, and not at the clock's time
        assert socket.connected

    return beat, 1


def visit(turns: Turns) -> tuple[Callable[[], Any], int]:
    web = Web(turns, TurboGearsHost(visited.make_app({}), Settings.parse({'socketio_resource': 'socket.io'})))
    return web.says(*(PING % i for i in range(16))), 16


def polled(turns: Turns) -> tuple[Callable[[], Any], int]:
    """A poll that waits, a post with an event, the answer to both."""
    app = SocketIOMiddleware(None, PlainHost({'': Namespace}), socketio_resource='socket.io')
    asks, says = Connection(), Connection()
    first = {**HANDSHAKE, TAKE: Handler(asks)}
    get = PollConnection(first, app._dispatch, 10**6)
    post = PollConnection({**HANDSHAKE, TAKE: Handler(says)}, app._dispatch, 10**6)
    turns(get.answer, first)
    sid = re.search(rb'"sid":"([^"]+)"', asks.sent)[1].decode()
    head = f'{{}} /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n'

    def posted(text: str) -> bytes:
        return f'{head.format("POST")}Content-Length: {len(text)}\r\n\r\n{text}'.encode()

    poll, event = f'{head.format("GET")}\r\n'.encode(), posted(PING % 1)
    turns(post.received, posted('40'))
    turns(get.received, poll)

    def exchange() -> None:
        turns(get.received, poll)
        turns(post.received, event)
        assert asks.sent.endswith(b'431[{"type":"ping","n":123}]'), asks.sent

    return exchange, 1


ROADS = {
    'an event with ack': one_in_a_read,
    'an event with ack, sixteen in a read': sixteen_in_a_read,
    'an emit': ten_emits,
    'a recipient of a broadcast': broadcast,
    'a heartbeat': heartbeat,
    'an event inside the TurboGears visit, sixteen in a read': visit,
    'an event with ack by long polling': polled,
}


# -- counting ---------------------------------------------------------------------------------------------------------


def walk(name: str) -> dict[str, float]:
    """Who is called on the road, and how often for one event."""
    with by_hand() as turns:
        step, events = ROADS[name](turns)
        step()
        step()  # what is looked at once has been
        calls = count(step, TIMES)
    return {who: n / TIMES / events for who, n in sorted(calls.items())}


def count(step: Callable[[], Any], times: int) -> Counter[str]:
    python: Counter[Any] = Counter()
    c: Counter[Any] = Counter()

    def profile(frame: Any, event: str, arg: Any) -> None:
        if event == 'call' and frame.f_code.co_name not in INLINE:
            python[frame.f_code] += 1
        elif event == 'c_call':
            c[getattr(arg, '__qualname__', '') or arg.__name__] += 1

    steps = [step] * times
    sys.setprofile(profile)
    for step in steps:
        step()
    sys.setprofile(None)
    c['setprofile'] -= 1
    calls: Counter[str] = Counter()
    for code, n in python.items():
        calls[f'{Path(code.co_filename).stem}.{code.co_name}'] += n
    calls.update({f'{who}()': n for who, n in c.items() if n})
    return calls


def total(road: dict[str, float]) -> float:
    return round(sum(road.values()), 2)


def main(how: str = '') -> None:
    logging.disable()  # of a process that is not patched: here one greenlet has the context for itself
    roads = {name: {who: round(n, 3) for who, n in walk(name).items()} for name in ROADS}
    if how == '--record':
        RECORD.write_text(json.dumps(roads, indent=1) + '\n')
    if how == '--json':
        return print(json.dumps(roads))
    record = json.loads(RECORD.read_text())
    print('  calls   Python  record')
    for name, road in roads.items():
        python = sum(n for who, n in road.items() if not who.endswith('()'))
        print(f'{total(road):7.2f}  {python:7.2f} {total(record.get(name, {})):7.2f}  {name}')


if __name__ == '__main__':
    main(*sys.argv[1:])
