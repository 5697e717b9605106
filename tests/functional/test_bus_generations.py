"""Two server processes on one real Redis, and at each a real client of every generation: whoever speaks, by a handler,
a page, a greenlet, a thread or a script, exactly those hear it who are meant.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.functional import test_bus
from tests.functional.clients import GENERATIONS, POLLING, requires_node
from tests.functional.clients import Client as RealClient
from tests.functional.test_bus import HALL, SLOW, page
from tests.live import Live, eventually

pytestmark = [pytest.mark.redis, pytest.mark.node]
pytest.importorskip('redis')

#: Two processes on one Redis.
two = test_bus.two

#: The first five talk to one process over websockets, the others to the other one by polling; of each user there is one
#: here and one there. Those with even numbers are in the room `even` and listen to `room-0`.
EVERYBODY = set(range(2 * len(GENERATIONS)))
EVEN = set(range(0, len(EVERYBODY), 2))


def user(number: int) -> str:
    return f'user {number % len(GENERATIONS)}'


def other(number: int) -> int:
    """The same user at the other process."""
    return (number + len(GENERATIONS)) % len(EVERYBODY)


@pytest.fixture(scope='module')
def clients(two: tuple[Live, Live]) -> Iterator[list[RealClient]]:
    requires_node()
    with ExitStack() as stack:
        clients = [stack.enter_context(RealClient(g, live.url)) for live in two for g in GENERATIONS]
        for number, client in enumerate(clients):
            transport = 'websocket' if number < len(GENERATIONS) else POLLING[client.generation]
            client.open(HALL, transports=[transport], headers={'X-User': user(number)})
        for number, client in enumerate(clients):
            client.wait('connect', namespace=HALL, timeout=SLOW)
            assert client.call('subscribe', 'lobby', namespace=HALL, timeout=SLOW) == [True]
            if number in EVEN:
                client.call('join', 'even', namespace=HALL, timeout=SLOW)
                assert client.call('subscribe', 'room', 0, namespace=HALL, timeout=SLOW) == [True]
        yield clients


@pytest.fixture(scope='module')
def sids(clients: list[RealClient]) -> list[str]:
    return [client.call('who', namespace=HALL, timeout=SLOW)[1] for client in clients]


def who_heard(clients: list[RealClient], event: str, said: Any) -> list[int]:
    """Their numbers, each as often as it has heard it."""
    return [number for number, client in enumerate(clients) for args in client.events(event) if args == [said]]


def barrier(clients: list[RealClient], speaker: int, what: str) -> None:
    """What the speaker's process has said on the bus and on channels before has come to everybody."""
    end = {'end': what, 'of': speaker}
    clients[speaker].emit('shout', end, namespace=HALL)
    clients[speaker].emit('publish', 'lobby', end, namespace=HALL)
    for client in clients:
        client.wait('event', namespace=HALL, event='shouted', args=[end], timeout=SLOW)
        client.wait('event', namespace=HALL, event='pubblication', args=[end], timeout=SLOW)


@pytest.mark.parametrize('speaker', sorted(EVERYBODY))
def test_all_who_are_meant_hear_it_once_and_nobody_else(clients, sids, two, speaker):
    far = other(speaker)
    expected = {}

    def say(event: str, hears: set[int], verb: str, *args: Any) -> None:
        said = {'number': len(expected), 'from': speaker, 'snow': '❄'}
        clients[speaker].emit(verb, *args, said, namespace=HALL)
        expected[event, str(said)] = said, hears

    say('shouted', EVERYBODY, 'shout')
    say('shouted', EVERYBODY - {speaker}, 'shout_others')
    say('told', EVEN - {speaker}, 'tell', 'even')
    say('told', set(), 'tell', 'odd')
    say('pubblication', EVERYBODY, 'publish', 'lobby')
    say('pubblication', EVEN, 'publish', 'room-0')
    say('pubblication', set(), 'publish', 'room-1')
    say('heard', EVERYBODY, 'anywhere', {})
    say('heard', EVEN, 'anywhere', {'room': 'even'})
    say('heard', EVEN | {far}, 'anywhere', {'room': ['even', sids[far]]})
    say('heard', {speaker, far}, 'anywhere', {'user': user(speaker)})
    say('heard', set(), 'anywhere', {'user': None})
    say('heard', EVERYBODY - EVEN, 'anywhere', {'skip': 'even'})
    say('heard', EVEN - {far}, 'anywhere', {'room': 'even', 'skip': sids[far]})
    say('heard', EVERYBODY - {speaker}, 'anywhere_not_me')
    say('heard', EVERYBODY, 'greenlet')
    clients[speaker].call('who', namespace=HALL, timeout=SLOW)
    page(two[speaker // len(GENERATIONS)], f'/say?text=page%20{speaker}&room=even&on_commit=1')
    expected['heard', 'page'] = f'page {speaker}', EVEN
    barrier(clients, speaker, 'words')
    for (event, _), (said, hears) in expected.items():
        assert who_heard(clients, event, said) == sorted(hears), (event, said)


def test_a_thread_that_is_not_gevents(clients):
    for speaker in (0, len(GENERATIONS)):
        clients[speaker].emit('native_thread', f'thread of {speaker}', namespace=HALL)
        for client in clients:
            for _ in range(2):
                client.wait('event', namespace=HALL, event='heard', args=[f'thread of {speaker}'], timeout=SLOW)


def test_bytes_reach_all_that_can_say_them(clients):
    for speaker in (4, 9):
        said = b'\0\xff' + bytes([speaker])
        clients[speaker].emit('shout', said, namespace=HALL)
        barrier(clients, speaker, 'bytes')
        hears = [number for number, client in enumerate(clients) if client.generation != '09']
        assert who_heard(clients, 'shouted', said) == hears


def test_a_script(clients, redis):
    command = [sys.executable, '-m', 'tgsio_middleware', 'emit', 'heard']
    where = ['--bus', redis.url, '--namespace', HALL]
    for to, hears in (([], EVERYBODY), (['--room', 'even'], EVEN), (['--user', user(2)], {2, other(2)})):
        said = f'script {to}'
        subprocess.run([*command, said, *where, *to], check=True, stdout=subprocess.DEVNULL)
        eventually(lambda said=said, hears=hears: who_heard(clients, 'heard', said) == sorted(hears), SLOW)
    for speaker in (0, len(GENERATIONS)):
        barrier(clients, speaker, 'script')
    assert who_heard(clients, 'heard', "script ['--room', 'even']") == sorted(EVEN)


def test_who_has_left_a_room_or_a_channel_hears_no_more(clients):
    for number in EVEN - {0}:
        clients[number].call('leave', 'even', namespace=HALL, timeout=SLOW)
        assert clients[number].call('unsubscribe', 'room', 0, namespace=HALL, timeout=SLOW) == [True]
    for speaker in (1, 6):
        said = {'after': 'leaving', 'from': speaker}
        clients[speaker].emit('tell', 'even', said, namespace=HALL)
        clients[speaker].emit('publish', 'room-0', said, namespace=HALL)
        barrier(clients, speaker, 'leaving')
        assert who_heard(clients, 'told', said) == who_heard(clients, 'pubblication', said) == [0]


def test_a_logout_ends_that_users_connections_at_both_processes(clients, two):
    """The last of this module: of every generation at every process one is ended from the other one."""
    for number in range(len(GENERATIONS)):
        page(two[number % 2], '/logout', **{'X-User': user(number)})
        for ended in (number, other(number)):
            clients[ended].wait('closed', timeout=SLOW)
        page(two[number % 2], '/say?text=still%20here')
        for left in EVERYBODY:
            if left % len(GENERATIONS) > number:
                clients[left].wait('event', namespace=HALL, event='heard', args=['still here'], timeout=SLOW)
