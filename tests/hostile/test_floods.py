"""Many of something: greenlets, memory, files and log lines stay as they are.

CVE-2026-48802 (python-engineio): a thread for each connect and for each PONG. ws CVE-2016-10542 and its like: frames of
nothing. Slowloris: connections that never finish what they have begun.
"""

from __future__ import annotations

import socket
import time

import pytest

from tests.live import eventually
from tests.transports.client import Browser, WebSocket, ask, frame

from .peers import PEERS, Peer, census, serve

pytestmark = pytest.mark.once

POLLING = '/socketio/?EIO=4&transport=polling'
#: Greenlets that may be there for other reasons than the flood: parked workers, the census itself.
SLACK = 8


def grown(port, before, what):
    return census(port)[what] - before[what]


@pytest.fixture(scope='module')
def live():
    with serve(ping_interval=0.5, ping_timeout=1, connect_timeout=0.5) as live:
        yield live


@pytest.mark.parametrize('opcode', [9, 10], ids=['ping', 'pong'])
def test_control_frames(live, opcode):
    peer = Peer(live.port)
    before = census(live.port)
    for _ in range(20):
        peer.say_bytes(frame(b'x' * 125, opcode) * 200)
        for _ in range(200 if opcode == 9 else 0):
            assert peer.websocket.frame()[0] in (10, 1)
    assert peer.call('echo', 1) == [1]
    assert grown(live.port, before, 'greenlets') <= SLACK
    assert grown(live.port, before, 'memory') < 20_000
    peer.close()


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
def test_heartbeats(live, generation, transport):
    """Pongs of 3.x and 4.x, pings of 1.x and 2.x, heartbeats of 0.9."""
    peer = Peer(live.port, generation, transport)
    beat = {'0.9': '2::', '1.x, 2.x': '2', '3.x, 4.x': '3'}[generation]
    before = census(live.port)
    for _ in range(10):
        peer.say(*[beat] * 500)
        assert peer.call('echo', 1) == [1]
    assert grown(live.port, before, 'greenlets') <= SLACK
    assert grown(live.port, before, 'memory') < 20_000
    peer.close()


@pytest.mark.parametrize('path', [POLLING, '/socketio/?EIO=3&transport=polling', '/socketio/1/'])
def test_handshakes_that_nobody_goes_on_with(live, path):
    before = census(live.port)
    browser = Browser(live.port)
    for _ in range(100):
        assert browser.ask('GET', path).status == 200
    browser.close()
    assert grown(live.port, before, 'greenlets') <= SLACK
    eventually(lambda: census(live.port)['clients'] == 0)
    eventually(lambda: grown(live.port, before, 'objects') <= 0)


def test_websockets_that_nobody_goes_on_with(live):
    before = census(live.port)
    clients = [WebSocket(live.port) for _ in range(50)]
    assert all(client.status == 101 for client in clients)
    assert grown(live.port, before, 'greenlets') <= SLACK
    eventually(lambda: census(live.port)['clients'] == 0)
    for client in clients:
        client.close()
    eventually(lambda: grown(live.port, before, 'files') <= 0)


def test_a_million_fragments_of_one_byte(live):
    client = WebSocket(live.port)
    client.hear()
    client.send('40')
    before = census(live.port)
    try:
        client.sock.sendall(frame(b'4', 1, final=False))
        for _ in range(100):
            client.sock.sendall(frame(b'x', 0, final=False) * 10_000)
    except OSError:
        pass
    eventually(lambda: 'more than 10000 fragments (max_fragments)' in live.log())
    assert grown(live.port, before, 'memory') < 20_000
    client.close()


def warnings(live):
    return sum(line.startswith(('WARNING', 'ERROR')) for line in live.log().splitlines())


def test_garbage_leaves_one_line_a_client_and_one_a_minute_for_who_is_none(live):
    before = warnings(live)
    for _ in range(100):
        ask(live.port, 'GET', '/socketio/?EIO=9')
        ask(live.port, 'POST', POLLING + '&sid=nobody', 'garbage')
    assert warnings(live) - before <= 2
    peer, before = Peer(live.port), warnings(live)
    try:
        peer.say(*['garbage'] * 500)
        peer.say(*['garbage'] * 500)
    except OSError:
        pass
    eventually(lambda: warnings(live) > before)
    time.sleep(0.1)
    assert warnings(live) == before + 1
    peer.close()


@pytest.mark.parametrize(
    'begun',
    [b'', b'GET /page HT', b'GET /page HTTP/1.1\r\nHost: x\r\nA: '],
    ids=['nothing', 'a line', 'a head'],
)
def test_connections_that_never_finish_what_they_have_begun(begun):
    with serve(HEAD_PATIENCE=0.5, IDLE_PATIENCE=0.5) as live:
        before = census(live.port)
        connections = [socket.create_connection(('127.0.0.1', live.port), timeout=10) for _ in range(30)]
        for connection in connections:
            connection.sendall(begun)
        for connection in connections:
            while connection.recv(1000):
                pass
            connection.close()
        eventually(lambda: grown(live.port, before, 'greenlets') <= 2)
        assert len(live.log().splitlines()) <= 3


@pytest.mark.parametrize('server', ['ours', 'stock'])
@pytest.mark.parametrize('head', ['Content-Length: 100\r\n\r\n3', 'Transfer-Encoding: chunked\r\n\r\n5\r\n3'])
def test_bodies_that_never_end(server, head):
    with serve(server, ping_interval=0.3, ping_timeout=0.3, connect_timeout=60) as live:
        peers = [Peer(live.port, '3.x, 4.x', 'polling', joins=False) for _ in range(10)]
        connections = [socket.create_connection(('127.0.0.1', live.port), timeout=10) for _ in peers]
        for peer, connection in zip(peers, connections, strict=True):
            connection.sendall(f'POST {peer.path} HTTP/1.1\r\nHost: x\r\n{head}'.encode())
        for connection in connections:
            assert connection.recv(1000)[:12] in (b'HTTP/1.1 400', b'')
            connection.close()
        eventually(lambda: census(live.port)['clients'] == 0)
        for peer in peers:
            peer.close()
