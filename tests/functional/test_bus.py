"""Two server processes on one real Redis are one: rooms, broadcasts, PubSub, emits; and what if Redis is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.request import Request, urlopen

import pytest

from tests.eio4client import Client
from tests.live import ROOT, Live, eventually, serve
from tests.redisserver import Redis

pytestmark = pytest.mark.redis
pytest.importorskip('redis')

SITE = 'tests.fixtureapps.hall'
HALL = '/hall'
#: Real clients start in a second or so each.
SLOW = 15.0


def site(redis: Redis) -> dict[str, str]:
    return {'bus': redis.url, 'app': f'anypubsub.backend = redis\nanypubsub.host = {redis.url}\ntm.enabled = true'}


@pytest.fixture(scope='module')
def two(redis: Redis) -> Iterator[tuple[Live, Live]]:
    """Two processes."""
    with serve(SITE, **site(redis)) as one, serve(SITE, **site(redis)) as other:
        yield one, other


@pytest.fixture
def pair(two: tuple[Live, Live]) -> Iterator[tuple[Client, Client]]:
    """A client of each process, Ann and Bob."""
    one, other = two
    with Client(one.port, headers=['X-User: ann']) as ann, Client(other.port, headers=['X-User: bob']) as bob:
        ann.join(HALL)
        bob.join(HALL)
        hear_of(ann, bob)
        hear_of(bob, ann)
        yield ann, bob
    for live in two:
        eventually(lambda live=live: page(live, '/here') == '0')


def hear_of(client: Client, other: Client) -> None:
    """What the other's process has said before, of those who have left, has been heard."""
    other.emit(HALL, 'shout_others', 'now')
    client.event(HALL, 'shouted')
    while client.heard():
        client.expect(lambda packet: True)


def page(live: Live, path: str, **headers: str) -> str:
    with urlopen(Request(f'{live.url}{path}', headers=headers), timeout=SLOW) as answer:
        return str(answer.read().decode())


def test_rooms(pair):
    ann, bob = pair
    bob.call(HALL, 'join', 'red')
    ann.emit(HALL, 'tell', 'blue', 0)
    ann.emit(HALL, 'tell', 'red', 1)
    assert bob.event(HALL, 'told') == [1]
    bob.call(HALL, 'leave', 'red')
    ann.emit(HALL, 'tell', 'red', 2)
    ann.emit(HALL, 'shout_others', 3)
    assert bob.event(HALL, 'shouted') == [3]
    assert bob.heard() == ann.heard() == []


def test_emits_from_a_page_of_the_other_process(pair, two):
    ann, bob = pair
    assert page(two[0], '/say?user=bob&text=psst') == 'said'
    assert bob.event(HALL, 'heard') == ['psst']
    page(two[1], '/say?on_commit=1&text=committed')
    assert ann.event(HALL, 'heard') == bob.event(HALL, 'heard') == ['committed']
    assert ann.heard() == bob.heard() == []


def test_skip(pair):
    ann, bob = pair
    ann.emit(HALL, 'anywhere_not_me', 1)
    assert bob.event(HALL, 'heard') == [1]
    sid = bob.call(HALL, 'who')[1]
    ann.emit(HALL, 'anywhere', {'skip': sid}, 2)
    assert ann.event(HALL, 'heard') == [2]
    ann.emit(HALL, 'anywhere', {'room': sid}, 3)
    assert bob.event(HALL, 'heard') == [3]
    assert ann.heard() == bob.heard() == []


def test_a_logout_closes_that_users_sockets_everywhere(pair, two):
    ann, bob = pair
    page(two[0], '/logout')  # of a visitor
    page(two[0], '/logout', **{'X-User': 'bob'})
    bob.wait_closed()
    assert ann.event(HALL, 'left') == [[], []]
    assert not ann.closed


def test_ending_the_namespace_only(pair):
    ann, bob = pair
    bob.join('/patient')
    sid = bob.call(HALL, 'who')[1]
    ann.emit(HALL, 'end', {'room': sid, 'close': False})
    assert bob.expect(lambda p: p.kind == '1').namespace == HALL
    assert bob.call('/patient', 'who')


def test_channels(pair):
    ann, bob = pair
    assert ann.call(HALL, 'subscribe', 'room', 1) == [True]
    assert bob.call(HALL, 'subscribe', 'room', 1) == [True]
    bob.emit(HALL, 'publish', 'room-1', {'a': 1})
    assert ann.event(HALL, 'pubblication') == bob.event(HALL, 'pubblication') == [{'a': 1}]
    assert bob.call(HALL, 'unsubscribe', 'room', 1) == [True]
    ann.emit(HALL, 'publish', 'room-1', 2)
    assert ann.event(HALL, 'pubblication') == [2]
    assert bob.heard() == []
    ann.emit(HALL, 'publish_from_a_thread', 'room-1', 3)
    assert ann.event(HALL, 'pubblication') == [3]
    bob.emit(HALL, 'publish', 'room-1', 4)
    assert ann.event(HALL, 'pubblication') == [4]


def test_a_publication_of_a_program_that_uses_anypubsub_or_redis_alone(pair, redis):
    ann, _ = pair
    ann.call(HALL, 'subscribe', 'lobby')
    redis.ask('PUBLISH', 'lobby', 'no JSON')
    redis.ask('PUBLISH', 'lobby', '{"from": "afar"}')
    assert ann.event(HALL, 'pubblication') == [{'from': 'afar'}]


@pytest.mark.once
def test_a_thousand_clients_cost_one_subscription(two, redis):
    """Each of two processes has at most four connections: the bus's and PubSub's, each to hear and to speak."""
    with ExitStack() as stack:
        clients: list[Client] = []

        def connect() -> None:
            for _ in range(50):
                client = stack.enter_context(Client(two[0].port))
                client.join('/crowd')
                if client.call('/crowd', 'subscribe', 'news') == [True]:
                    clients.append(client)

        threads = [threading.Thread(target=connect) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(clients) == 1000
        assert redis.subscribers('news') == 1
        assert redis.subscribers('socket.io-request#/crowd#') == 1
        assert redis.connections() <= 8
        clients[0].emit('/crowd', 'publish', 'news', 1)
        for client in clients:
            assert client.event('/crowd', 'pubblication') == [1]
    eventually(lambda: redis.subscribers('news') == 0)


class TestScripts:
    def test_the_emitter(self, pair, redis):
        """In a process that is not patched and serves nobody."""
        from tgsio_middleware import Emitter

        ann, bob = pair
        with Emitter(redis.url) as emitter:
            assert emitter.emit('news', 1, namespace=HALL) == 2
            emitter.emit('news', 'for bob', namespace=HALL, user='bob')
            emitter.emit('news', 'not for bob', namespace=HALL, skip='tg-user:bob')
            emitter.emit('news', 'nobody', namespace=HALL, room=[])
            emitter.emit('news', 'elsewhere')
            emitter.disconnect(namespace=HALL, user='bob')
        bob.wait_closed()
        assert [p.data[1] for p in bob.heard() if p.kind == '2'] == [1, 'for bob']
        ann.event(HALL, 'left')
        assert [p.data[1] for p in ann.heard()] == [1, 'not for bob']

    def test_a_script_that_loads_the_site_and_ends(self, pair, redis):
        program = (
            'from gevent import monkey; monkey.patch_all()\n'
            'import tgsio_middleware\n'
            'from tests.fixtureapps.hall import make_app\n'
            f"app = tgsio_middleware.SocketIOMiddleware(make_app({{}}), bus='{redis.url}')\n"
            f"tgsio_middleware.emit('news', 1, namespace='{HALL}', user='bob')"
        )
        subprocess.run([sys.executable, '-c', program], check=True, cwd=ROOT)
        ann, bob = pair
        assert bob.event(HALL, 'news') == [1]
        assert ann.heard() == []

    def test_the_command(self, pair, redis):
        ann, bob = pair
        bob.call(HALL, 'join', 'red')
        command = [sys.executable, '-m', 'tgsio_middleware']
        to = ['--bus', redis.url, '--namespace', HALL]
        said = ['emit', 'news', '{"a": [1]}', *to, 'plain text', '--room', 'red', '-1']
        done = subprocess.run([*command, *said], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, '2 servers reached\n')
        assert bob.event(HALL, 'news') == [{'a': [1]}, 'plain text', -1]
        for wrong in (['emit', 'news', '--rom', 'red'], ['disconnect', 'bob']):
            done = subprocess.run([*command, *wrong, '--bus', redis.url], capture_output=True, text=True)
            assert done.returncode == 2 and 'unrecognized arguments' in done.stderr
        subprocess.run([*command, 'disconnect', *to, '--user', 'bob'], check=True)
        bob.wait_closed()
        ann.event(HALL, 'left')
        assert ann.heard() == []

    def test_the_command_without_redis(self):
        command = [sys.executable, '-m', 'tgsio_middleware', 'emit', 'x', '--bus', 'redis://127.0.0.1:1']
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert 'refused' in done.stderr and 'Traceback' not in done.stderr


@pytest.mark.once
class TestRedisIsLost:
    """Servers and a Redis of their own."""

    @pytest.fixture
    def redis(self) -> Iterator[Redis]:
        with Redis() as redis:
            yield redis

    @pytest.fixture
    def two(self, redis: Redis) -> Iterator[tuple[Live, Live]]:
        with serve(SITE, **site(redis)) as one, serve(SITE, **site(redis)) as other:
            yield one, other

    def together(self, ann: Client, bob: Client) -> None:
        """Waits until what Ann says reaches Bob, by rooms and by channels."""
        for event, name in (('shout', 'shouted'), ('publish', 'pubblication')):
            arguments = ['lobby'] if event == 'publish' else []

            def reaches(event: str = event, name: str = name, arguments: list[str] = arguments) -> bool:
                ann.emit(HALL, event, *arguments, 'together?')
                time.sleep(0.1)
                return any(p.data == [name, 'together?'] for p in bob.heard() if p.kind == '2')

            eventually(reaches, SLOW)

    def publications(self, client: Client) -> list[object]:
        """Those with a number."""
        heard = [p.data[1] for p in client.heard() if p.kind == '2' and p.data[0] == 'pubblication']
        return [said for said in heard if said != 'together?']

    def lines(self, live: Live, word: str) -> int:
        return sum(f' {word}' in line for line in live.log().splitlines() if 'WARNING tgsio_middleware.bus' in line)

    def test_it_stops_and_starts(self, redis, two, pair):
        ann, bob = pair
        for client in pair:
            assert client.call(HALL, 'subscribe', 'lobby') == [True]
        self.together(ann, bob)
        redis.stop()
        for number in range(20):
            began = time.monotonic()
            assert ann.call(HALL, 'who')
            ann.emit(HALL, 'shout', number)
            ann.emit(HALL, 'anywhere', {}, number)
            assert ann.event(HALL, 'heard') == [number]
            ann.emit(HALL, 'publish', 'lobby', number)
            assert time.monotonic() - began < 1
        assert ann.call(HALL, 'subscribe', 'room', 1) == [False]
        eventually(lambda: self.publications(ann) == list(range(20)))  # none is lost at home, not the first either
        assert not ann.closed and not bob.closed
        with Client(two[0].port) as newcomer:
            newcomer.join(HALL)
        assert 'Traceback' not in two[0].log()
        assert self.lines(two[0], 'is lost') == 2  # the bus, and PubSub
        redis.start()
        self.together(ann, bob)
        self.together(bob, ann)
        assert ann.call(HALL, 'subscribe', 'room', 1) == [True]
        eventually(lambda: self.lines(two[0], 'is back') == 2)
        assert self.lines(two[0], 'is lost') == 2

    def test_it_stalls(self, redis, two, pair):
        ann, bob = pair
        for client in pair:
            client.call(HALL, 'subscribe', 'lobby')
        redis.stall()
        for number in range(10):
            began = time.monotonic()
            ann.emit(HALL, 'shout', number)
            ann.emit(HALL, 'publish', 'lobby', number)
            assert ann.call(HALL, 'who')
            assert time.monotonic() - began < 1
        two[0].wait_for_log('is lost')
        assert [p.data[1] for p in ann.heard() if p.data[0] == 'shouted'] == list(range(10))
        redis.go_on()
        self.together(ann, bob)
        self.together(bob, ann)
        assert not ann.closed and not bob.closed

    def test_who_leaves_while_its_subscription_waits_leaves_nothing_behind(self, redis, two, pair):
        ann, bob = pair
        ann.call(HALL, 'subscribe', 'room', 1)
        redis.stall()
        for client in (ann, bob):
            client.emit(HALL, 'subscribe', 'room', 2)
        time.sleep(0.2)
        ann.close()
        redis.go_on()
        assert bob.event(HALL, 'left') == [[], ['room-1', 'room-2']]  # its turn came, and then its end
        eventually(lambda: redis.ask('PUBSUB', 'NUMSUB', 'room-1', 'room-2') == ['room-1', 0, 'room-2', 1])
        bob.close()
        eventually(lambda: redis.subscribers('room-2') == 0)

    def test_it_refuses(self, redis, two, pair):
        """A password that the servers do not know."""
        ann, bob = pair
        redis.stop()
        redis.start('--requirepass', 'secret')
        ann.emit(HALL, 'shout', 1)
        assert ann.event(HALL, 'shouted') == [1]
        two[0].wait_for_log('is lost')
        redis.stop()
        redis.start()
        for client in pair:
            eventually(lambda client=client: client.call(HALL, 'subscribe', 'lobby') == [True], SLOW)
        self.together(ann, bob)

    def test_it_is_not_there_when_the_servers_start(self, redis):
        redis.stop()
        with ExitStack() as stack:
            lives = [stack.enter_context(serve(SITE, **site(redis))) for _ in range(2)]
            ann, bob = (stack.enter_context(Client(live.port)) for live in lives)
            ann.join(HALL)
            bob.join(HALL)
            ann.emit(HALL, 'shout', 1)
            assert ann.event(HALL, 'shouted') == [1]
            redis.start()
            for client in (ann, bob):
                eventually(lambda client=client: client.call(HALL, 'subscribe', 'lobby') == [True], SLOW)
            self.together(ann, bob)

    def test_garbage_on_every_channel(self, redis, two, pair):
        """Pickles of python-socketio among it (CVE-2025-61765)."""
        ann, bob = pair
        for channel in (f'socket.io#{HALL}#', f'socket.io-request#{HALL}#', f'socket.io-response#{HALL}#', 'lobby'):
            for data in (
                b'',
                b'\x80\x04\x95cos\nsystem\n',
                b'{"type": 4}',
                b'\x93\x01\x02\x03',
                json.dumps({}).encode(),
            ):
                redis.ask('PUBLISH', channel, data)
        self.together_by_rooms(ann, bob)
        assert two[0].log().count('dropped what is no message of socket.io') == 1
        assert 'Traceback' not in two[0].log()

    def together_by_rooms(self, ann: Client, bob: Client) -> None:
        ann.emit(HALL, 'shout', 'still here')
        assert bob.event(HALL, 'shouted') == ['still here']
