"""SIGTERM: nobody is lost, nothing that was acknowledged is lost, and the process ends."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from tests.functional.clients import Client, requires_node
from tests.functional.peers import Peer, pool_for
from tests.functional.table import PAIRS, Pair
from tests.live import PATIENCE, serve
from tests.readme import block
from tests.redisserver import free_port
from tests.transports.client import Browser, WebSocket, ask, talking

from .nginx import nginx
from .programs import gunicorn
from .shop import Shop


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def busy(port, seconds):
    """A client whose handler is at work, and the next one's event has come."""
    client = talking(port)
    client.send(f'421["slowly","slow",{seconds}]', '422["write","next"]')
    assert client.hear() == '42["begun","slow"]'
    return client


def wait_until_draining(live):
    live.process.terminate()
    live.wait_for_log('draining: ')


def test_what_is_under_way_is_finished_and_nobody_new_comes_in(shop):
    with shop.serve() as live:
        client, page = busy(live.port, 1), Browser(live.port)
        page.begin('GET', '/?seconds=1')
        wait_until_draining(live)
        for path in ('/socketio/?EIO=4&transport=polling', '/socketio/?EIO=3&transport=polling'):
            answer = ask(live.port, 'GET', path)
            assert (answer.status, answer.text) == (
                503,
                '{"code":3,"message":"Service unavailable: the server is shutting down"}',
            )
        assert ask(live.port, 'GET', '/socketio/1/').text == 'service unavailable: the server is shutting down'
        assert WebSocket(live.port).status == 503
        assert [client.hear(), client.hear()] == ['431["slow"]', '432["next"]']
        assert client.hear_close() == 1012
        answer = page.finish()
        assert (answer.status, answer.text) == (200, 'the site')
        assert answer.headers['Connection'] == 'close'
        assert live.process.wait(PATIENCE) == 0
        assert 'Traceback' not in live.log()
    assert shop.lines() == ['slow', 'next']


def test_it_ends_within_drain_timeout_whatever_a_handler_does(shop):
    with shop.serve(drain_timeout=1) as live:
        client = busy(live.port, 600)
        wait_until_draining(live)
        assert client.hear_close() == 1012
        assert live.process.wait(PATIENCE) == 0
        assert 'drained: 1 clients were cut off' in live.log()


def test_a_second_sigterm_ends_it_at_once(shop):
    with shop.serve(drain_timeout=600) as live:
        busy(live.port, 600)
        wait_until_draining(live)
        live.process.terminate()
        assert live.process.wait(PATIENCE) == 0


@pytest.fixture(scope='module')
def returning():
    """All clients, whose server was told to end and has, and one that listens on its port now."""
    requires_node()
    with serve('tests.fixtureapps.pingpong') as first, pool_for(first) as pool:
        peers = pool.joined(PAIRS, reconnect=True, reconnect_delay=0.1)
        for peer in peers.values():
            peer.settle()
            peer.wait('event', event='welcome')
        first.process.terminate()
        assert first.process.wait(PATIENCE) == 0
        with serve('tests.fixtureapps.pingpong', port=first.port):
            yield peers


@pytest.mark.node
@pytest.mark.once
@pytest.mark.parametrize('pair', PAIRS, ids=str)
def test_clients_of_all_generations_come_back_by_themselves(returning, pair):
    peer = returning[pair]
    peer.joined()
    peer.wait('event', event='welcome')
    assert peer.call('echo', 1) == [1]


class Writer:
    """A 4.x client that writes numbers without a pause, each when the last one was acknowledged or has had its time."""

    def __init__(self, client, transport):
        self.peer = Peer(client, Pair('4', transport))
        self.peer.join('/', reconnect=True, reconnect_delay=0.05, own={'reconnectionDelayMax': 200})
        self.tags = {}
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._write_on)

    @property
    def acknowledged(self):
        return [self.tags[one['tag']] for one in self.peer.history(kind='ack')]

    def _write(self, patience):
        line = f'{self.peer}:{len(self.tags)}'
        tag = self.peer.emit('write', line, 0.01, namespace='/', ack=True)
        self.tags[tag] = line
        self.peer.wait('ack', tag=tag, timeout=patience)

    def _write_on(self):
        while not self.done.is_set():
            with suppress(AssertionError):  # lost with its connection
                self._write(1)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.done.set()
        self.thread.join()
        self._write(PATIENCE)  # what comes late has come


def wait_for_more(writers):
    """Each has something acknowledged that it has not had before."""
    before = [len(writer.acknowledged) for writer in writers]
    end = time.monotonic() + 2 * PATIENCE
    while any(len(writer.acknowledged) < n + 5 for writer, n in zip(writers, before, strict=True)):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.node
@pytest.mark.once
def test_a_rolling_restart_of_two_processes_behind_nginx_loses_nothing_that_was_acknowledged(
    shop, tmp_path, certificate
):
    requires_node()
    ports = [free_port(), free_port()]
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv('NODE_EXTRA_CA_CERTS', str(certificate.file))
        lives = [stack.enter_context(shop.serve(port, trusted_proxies='127.0.0.1')) for port in ports]
        url = stack.enter_context(nginx(tmp_path, certificate, [f'127.0.0.1:{port}' for port in ports]))
        client = stack.enter_context(Client('4', url))
        writers = [Writer(client, transport) for transport in ('websocket', 'polling', 'upgrade')]
        with ExitStack() as writing:
            for writer in writers:
                writing.enter_context(writer)
            for i, port in enumerate(ports):
                wait_for_more(writers)
                lives[i].process.terminate()
                assert lives[i].process.wait(PATIENCE) == 0
                stack.enter_context(shop.serve(port, trusted_proxies='127.0.0.1'))
            wait_for_more(writers)
        assert any(writer.peer.history(kind='closed') for writer in writers)
    written = shop.lines()
    assert sorted(written) == sorted(line for writer in writers for line in writer.acknowledged)


@pytest.mark.once
def test_gunicorn_drains_with_the_readmes_configuration(shop, tmp_path):
    conf = tmp_path / 'gunicorn.conf.py'
    conf.write_text(block('# gunicorn.conf.py').replace('127.0.0.1:8080', '127.0.0.1:0'))
    with shop.serve(program=gunicorn('gevent', '--config', os.fspath(conf))) as live:
        idle, client = talking(live.port), busy(live.port, 1)
        wait_until_draining(live)
        assert idle.hear_close() == 1012
        assert [client.hear(), client.hear()] == ['431["slow"]', '432["next"]']
        assert client.hear_close() == 1012
        assert live.process.wait(PATIENCE) == 0
        assert 'Traceback' not in live.log()
    assert shop.lines() == ['slow', 'next']
