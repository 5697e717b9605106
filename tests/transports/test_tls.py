"""TLS with certificate and key in the ini: the same on both transports, and with more than one TLS record at a time."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from http.client import HTTPSConnection

import pytest
from websocket import create_connection

from tests.live import serve

from .client import PING, frame, handshake


@pytest.fixture(scope='module')
def live(certificate):
    with serve('tests.fixtureapps.pingpong', server=certificate.lines) as live:
        yield live


@pytest.fixture
def trusting(certificate):
    return ssl.create_default_context(cafile=certificate.file)


def test_it_says_that_it_serves_https(live):
    assert re.search(r'Serving on https://127\.0\.0\.1:\d+', live.log())


@pytest.mark.parametrize('size', [1, 1000, 20_000, 200_000, 900_000])
def test_a_websocket_over_tls(live, trusting, size):
    sock = create_connection(
        f'wss://127.0.0.1:{live.port}/socketio/?EIO=4&transport=websocket',
        sslopt={'context': trusting},
        timeout=10,
        origin=f'https://127.0.0.1:{live.port}',
    )
    assert sock.recv().startswith('0{')
    sock.send('40/pingpong,')
    assert sock.recv().startswith('40/pingpong,')
    assert sock.recv().startswith('42/pingpong,["welcome"')
    for i in range(3):
        sock.send(f'42/pingpong,{i}["ack_one","{"x" * size}"]')
        assert sock.recv() == f'43/pingpong,{i}["{"x" * size}"]'
    sock.close()


def test_frames_in_the_same_record_as_the_handshake_are_all_heard(live, trusting):
    """The server's buffer holds the first 8 KiB."""
    plain = socket.create_connection(('127.0.0.1', live.port), timeout=10)
    with trusting.wrap_socket(plain, server_hostname='127.0.0.1') as sock:
        sock.sendall(handshake(live.port, '/socketio/?EIO=4&transport=websocket') + frame(b'!' * 100, PING) * 120)
        heard = b''
        while heard.count(b'!') < 12_000:
            more = sock.recv(65536)
            assert more, heard
            heard += more


def test_what_does_not_leave_at_once_over_tls_leaves_later(live, trusting):
    """OpenSSL breaks where it is given less than what it has begun to send."""
    sock = create_connection(
        f'wss://127.0.0.1:{live.port}/socketio/?EIO=4&transport=websocket',
        sslopt={'context': trusting},
        timeout=10,
        suppress_origin=True,
    )
    sock.send('40/pingpong,')
    text = 'x' * 500_000
    sock.send(f'42/pingpong,["repeat","{text}",14]')
    time.sleep(0.5)
    heard = [sock.recv() for _ in range(3 + 14)]
    assert heard[3:] == [f'42/pingpong,["message","{text}"]'] * 14
    sock.close()


def test_polling_over_tls(live, trusting):
    http = HTTPSConnection('127.0.0.1', live.port, context=trusting, timeout=10)

    def ask(method, target, body=None):
        http.request(method, target, body)
        return http.getresponse().read().decode()

    opened = json.loads(ask('GET', '/socketio/?EIO=4&transport=polling')[1:])
    assert opened['upgrades'] == ['websocket']
    url = f'/socketio/?EIO=4&transport=polling&sid={opened["sid"]}'
    assert ask('POST', url, '40/pingpong,') == 'ok'
    assert ask('GET', url).startswith('40/pingpong,')
    assert ask('GET', '/') == 'the site'


def test_a_key_alone_stops_the_start():
    lone = serve('tests.fixtureapps.pingpong', server='keyfile = key.pem')
    with pytest.raises(AssertionError, match='keyfile without certfile: TLS needs both'), lone:
        pass


def test_who_speaks_no_tls_leaves_one_line_and_no_traceback(live):
    for said in (b'GET / HTTP/1.1\r\n\r\n', b''):
        with socket.create_connection(('127.0.0.1', live.port), timeout=10) as stranger:
            stranger.sendall(said)
    log = live.wait_for_log(r'WARNING tgsio_middleware.server no TLS with 127\.0\.0\.1: ')
    assert 'Traceback' not in log
    assert len(re.findall('no TLS with', log)) == 1
