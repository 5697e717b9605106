"""Requests of one client that overlap: the second could take what the first was to bring. Both protocols forbid it."""

from __future__ import annotations

import socket

import pytest

from tests.live import eventually
from tests.transports.client import Browser, ask

from .peers import GENERATIONS, Peer, serve


@pytest.fixture(scope='module', params=['ours', 'stock'])
def live(request):
    with serve(request.param) as live:
        yield live


BEATS = {'0.9': '2::', '1.x, 2.x': '1:2', '3.x, 4.x': '3'}


def is_gone(peer):
    answer = ask(peer.port, 'POST', peer.path, BEATS[peer.generation])
    return answer.text == '7:::1+0' or 'Session ID unknown' in answer.text


@pytest.mark.parametrize('generation', GENERATIONS)
def test_polls_that_overlap(live, generation):
    watcher, peer = Peer(live.port), Peer(live.port, generation, 'polling')
    assert peer.call('name', generation) == [True]
    peer.polls.begin('GET', peer.path)
    peer.emit('echo')  # answered by POST, on its own connection; the poll waits
    second = Browser(live.port)

    def overlaps():
        return second.ask('GET', peer.path).status == 400

    assert overlaps()
    assert peer.polls.finish().status == 200
    assert watcher.events('left')[:2] == [generation, 'parse error']
    assert is_gone(peer)
    for connection in (second, peer, watcher):
        connection.close()


@pytest.mark.parametrize('generation', GENERATIONS)
@pytest.mark.parametrize('live', ['stock'], indirect=True)
def test_posts_that_overlap(live, generation):
    watcher, peer = Peer(live.port), Peer(live.port, generation, 'polling')
    assert peer.call('name', generation) == [True]
    with socket.create_connection(('127.0.0.1', live.port), timeout=10) as first:
        first.sendall(f'POST {peer.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n'.encode())
        eventually(lambda: ask(live.port, 'POST', peer.path, BEATS[generation]).status != 200)
        first.sendall(b'2\r\n0\r\n\r\n')
        assert first.recv(1000)[:12] in (b'HTTP/1.1 400', b'HTTP/1.1 200')
    assert watcher.events('left')[:2] == [generation, 'parse error']
    assert is_gone(peer)
    peer.close()
    watcher.close()


@pytest.mark.parametrize('generation', ['1.x, 2.x', '3.x, 4.x'])
@pytest.mark.parametrize('live', ['ours'], indirect=True)
def test_posts_whose_bodies_overlap_on_our_server(live, generation):
    """It hands a body on when it has come whole: two of them come one after the other, and nothing is mixed."""
    peer = Peer(live.port, generation, 'polling')
    said = peer.join_payload(['421["echo","first"]'])
    with socket.create_connection(('127.0.0.1', live.port), timeout=10) as first:
        first.sendall(f'POST {peer.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(said)}\r\n\r\n{said[:5]}'.encode())
        assert peer.call('echo', 'second') == ['second']
        first.sendall(said[5:].encode())
        assert first.recv(1000).endswith(b'ok')
    assert peer.hear() == '431["first"]'
    peer.close()
