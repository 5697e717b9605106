"""The HTTP surface: whatever stands in a request, it is answered, nothing fails, and the next one is served.

CVE-2022-21676, CVE-2022-41940, CVE-2023-31125 (engine.io): crafted requests ended the process. CVE-2020-7693 (sockjs):
`Upgrade: websocket` on a plain page. CVE-2020-36048 (engine.io): bodies of 100 MB. CVE-2023-41419 (gevent),
CVE-2024-1135, CVE-2024-6827 (gunicorn): smuggled requests. ws CVE-2021-32640, CVE-2024-37890: headers that cost.
"""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.live import eventually
from tests.transports.client import Browser, WebSocket, ask, handshake

from .peers import Peer, census, serve

EIO4 = '/socketio/?EIO=4&transport=polling'


@pytest.fixture(scope='module', params=['ours', 'stock'])
def live(request):
    with serve(request.param, transports='websocket polling jsonp htmlfile', ping_interval=1, ping_timeout=1) as live:
        yield live
        assert 'ERROR' not in live.log()
        assert ask(live.port, 'GET', '/page').status == 200


@pytest.fixture(scope='module')
def ours():
    with serve() as live:
        yield live


def raw(port, data, patience=5):
    """Bytes on a connection; -> what comes back until it ends or nothing more comes."""
    received = b''
    with socket.create_connection(('127.0.0.1', port), timeout=patience) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                received += chunk
        except OSError:
            pass
    return received


WORDS = """EIO transport sid j t b64 i jsonp disconnect __proto__ 4 3 2 5 04 polling websocket xhr-polling htmlfile
toString %00 %ff %C3%A9 0;alert(1)"""
words = st.sampled_from([*WORDS.split(), '', 'x' * 300])
queries = st.lists(st.tuples(words, words).map('='.join), max_size=6).map('&'.join)
segments = st.sampled_from(
    ['socketio', 'socketio', '1', '2', '', 'websocket', 'xhr-polling', 'jsonp-polling', 'nobody', '..', '%2e%2e', '%00']
)
paths = st.lists(segments, min_size=1, max_size=5).map(lambda parts: '/' + '/'.join(parts))
methods = st.sampled_from(
    ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE', 'TRACE', 'PATCH', 'BREW', 'get', 'CONNECT']
)
HEADERS = """Upgrade: websocket|Upgrade: h2c|Connection: Upgrade|Connection: close|Connection: keep-alive, te
Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Key: !|TE: trailers
Origin: null|Origin: http://evil.example|Origin: |Cookie: a=b|Cookie: \xff|Referer: x://|Host: |Expect: 100-continue
Content-Type: application/octet-stream|Content-Type: ;;;|Transfer-Encoding: chunked|Content-Length: 0|Content-Length: 5
Content-Length: -1|X-Forwarded-For: 1|X-Forwarded-Host: evil.example|No colon|: no name|A\x00B: c"""
header_lines = st.sampled_from(
    [*HEADERS.replace('\n', '|').split('|'), 'Twice: 1\r\n folded', 'Content-Length: ' + '9' * 5000]
)
bodies = st.sampled_from(
    [b'', b'40', b'5\r\n40...\r\n0\r\n\r\n', b'\xff\xfe', b'd=%22x', b'6:40', b'zz\r\n', b'0\r\nX: y\r\n\r\n']
)


@given(methods, paths, queries, st.lists(header_lines, max_size=5), bodies)
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@example('GET', '/socketio/', 'EIO=4&transport=websocket', ['Upgrade: websocket', 'Sec-WebSocket-Version: 13'], b'')
@example('POST', '/socketio/', 'EIO=4&transport=polling&sid=x', ['Content-Length: ' + '9' * 5000], b'40')
def test_any_request_is_answered_and_the_next_one_too(live, method, path, query, lines, body):
    request = '\r\n'.join([f'{method} {path}?{query} HTTP/1.1', 'Host: x', *lines, '', '']).encode('latin-1') + body
    raw(live.port, request, patience=0.02)
    assert ask(live.port, 'GET', '/page').text == 'the page /page heard 0 bytes'
    assert 'Traceback' not in live.log()


@given(st.binary(max_size=200))
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@example(b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')
@example(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
@example(b'GET /socketio/?EIO=4&transport=polling HTTP/9.9\r\n\r\n')
@example(b'GET http://evil.example/socketio/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n')
def test_any_bytes_are_answered_or_dropped(live, data):
    raw(live.port, data, patience=0.02)
    assert ask(live.port, 'GET', '/page').status == 200
    assert 'Traceback' not in live.log()


UPGRADED = [('GET', path) for path in ('/page', '/', '/socketio', '/socketio/nowhere', '/socketio/2/')]
UPGRADED += [(method, path) for method in ('GET', 'POST') for path in (EIO4, EIO4 + '&sid=x', '/socketio/1/')]


@pytest.mark.parametrize(('method', 'path'), UPGRADED)
def test_upgrade_on_every_url(live, method, path):
    answer = ask(live.port, method, path, '', Upgrade='websocket', Connection='Upgrade', Sec_WebSocket_Version='13')
    assert answer.status in (200, 400, 403, 500)
    assert ask(live.port, 'GET', '/page').status == 200


TWICE = """EIO=4&EIO=3&transport=polling EIO=3&transport=polling&EIO=4 EIO=4&transport=polling&sid={0}&sid=nobody
EIO=4&transport=polling&sid=nobody&sid={0} EIO=4&transport=polling&sid[]={0} EIO=4&transport=polling&sid={0}%00"""


@pytest.mark.parametrize('query', TWICE.split())
def test_a_name_twice_in_a_query(live, query):
    """Each is read once, by one rule: no part of the server takes the first and another the last."""
    peer = Peer(live.port, '3.x, 4.x', 'polling')
    answer = ask(live.port, 'POST', '/socketio/?' + query.format(peer.sid), '3')
    assert answer.status in (200, 400)
    peer.close()


@pytest.mark.parametrize('half', [1, 20, 60, 120])
def test_a_websocket_that_stops_in_the_middle_of_its_handshake(live, half):
    data = handshake(live.port, '/socketio/?EIO=4&transport=websocket')
    assert b'101 ' not in raw(live.port, data[:half])
    peer = Peer(live.port, '3.x, 4.x', 'polling')
    upgrade = handshake(live.port, peer.path.replace('polling', 'websocket'))
    raw(live.port, upgrade)
    assert peer.call('echo', 1) == [1]
    peer.close()


def test_a_flood_of_headers_is_cut_and_costs_no_log():
    """http.client's bound of 100 headers makes gevent's own server print a traceback for each such request."""
    with serve() as live:
        before = census(live.port)['memory']
        for _ in range(5):
            flood_headers(live.port)
        assert census(live.port)['memory'] < before + 20_000
        assert len(live.log().splitlines()) < 5


def flood_headers(port):
    answer = raw(port, f'GET {EIO4} HTTP/1.1\r\nHost: x\r\n'.encode() + b'A: b\r\n' * 100_000 + b'\r\n')
    assert not answer.startswith(b'HTTP/1.1 200')
    answer = raw(port, f'GET {EIO4} HTTP/1.1\r\nHost: x\r\nA: '.encode() + b'x' * 10_000_000 + b'\r\n\r\n')
    assert not answer.startswith(b'HTTP/1.1 200')


@pytest.mark.parametrize('name', ['Sec_WebSocket_Extensions', 'Sec_WebSocket_Protocol'])
@pytest.mark.parametrize('value', ['a' + ' ' * 7000 + 'b', 'x;' * 3500, ',' * 7000, 'permessage-deflate; ' * 350])
def test_headers_that_took_others_minutes_to_read(live, name, value):
    """ws CVE-2021-32640. Neither header is read at all: there are no extensions and no subprotocols."""
    began = time.monotonic()
    client = WebSocket(live.port, **{name: value})
    assert client.status == 101
    assert name.lower().replace('_', '-') not in client.head.lower()
    assert time.monotonic() - began < 5
    client.close()


def test_no_compression_no_bomb(live):
    """1 KiB inflates to 1 GiB. It is never agreed on, and a compressed frame without agreement ends the client."""
    client = WebSocket(live.port, Sec_WebSocket_Extensions='permessage-deflate; client_max_window_bits')
    assert 'permessage' not in client.head
    client.hear()
    client.sock.sendall(b'\xc1\x85' + b'1234' + b'\x00' * 5)
    assert client.hear_close() == 1002
    client.close()


def chunks(data, size=65_000):
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
@pytest.mark.parametrize('how', ['declared', 'chunked', 'lying'])
def test_a_body_without_end(live, generation, how):
    """50 MB: refused by its length, or at the first byte too many; never held."""
    peer = Peer(live.port, generation, 'polling')
    before = census(live.port)['memory']
    length = {
        'declared': 'Content-Length: 50000000',
        'chunked': 'Transfer-Encoding: chunked',
        'lying': 'Content-Length: 10',
    }
    head = f'POST {peer.path} HTTP/1.1\r\nHost: x\r\n{length[how]}\r\n\r\n'.encode()
    received = b''
    with socket.create_connection(('127.0.0.1', live.port), timeout=5) as sock:
        try:
            sock.sendall(head)
            for _ in range(50_000_000 // 65_000):
                sock.sendall(
                    (b'fde8\r\n' if how == 'chunked' else b'') + b'4' * 65_000 + (b'\r\n' if how == 'chunked' else b'')
                )
        except OSError:
            pass
        try:
            received = sock.recv(65536)
        except OSError:
            pass
    if how != 'lying' and received:
        assert received.startswith(b'HTTP/1.1 413 ')
    assert census(live.port)['memory'] < before + 20_000
    peer.close()


SMUGGLED = b'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'


@pytest.mark.parametrize(
    'framing',
    [
        'Content-Length: {n}\r\nTransfer-Encoding: chunked',
        'Transfer-Encoding: chunked\r\nContent-Length: {n}',
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: {n}',
        'Transfer-Encoding: chunked, identity',
        'Transfer-Encoding: xchunked',
        'Transfer-Encoding: \x0bchunked',
        'Content-Length: 11\r\nContent-Length: {n}',
    ],
)
@pytest.mark.parametrize('kept', [False, True])
def test_two_framings_of_one_body(ours, framing, kept):
    """Whichever counts to a proxy in front, the rest of the body is no request to us."""
    peer = Peer(ours.port, '3.x, 4.x', 'polling')
    body = b'1\r\n3\r\n0\r\n\r\n'
    before = f'POST {peer.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n3'.encode() if kept else b''
    head = f'POST {peer.path} HTTP/1.1\r\nHost: x\r\n{framing.format(n=len(body) + len(SMUGGLED))}\r\n\r\n'
    answer = raw(ours.port, before + head.encode('latin-1') + body + SMUGGLED, patience=1)
    assert b'HTTP/1.1 400' in answer
    assert b'/smuggled' not in answer
    peer.close()


@pytest.mark.parametrize(
    'line',
    [
        'Content-Length : {n}',
        'X : y\r\nContent-Length: {n}',
        'X\r\nContent-Length: {n}',
        'X: y\rContent-Length: {n}',
        ' X: y\r\nContent-Length: {n}',
        'Content-Length: +{n}',
        'Content-Length: 0_{n}',
    ],
)
def test_a_head_that_others_read_otherwise(ours, line):
    """RFC 9112, 5.1 and 2.2: the standard library's parser drops or invents lines of such a head."""
    head = f'POST /page HTTP/1.1\r\nHost: x\r\n{line.format(n=len(SMUGGLED))}\r\n\r\n'
    if line[0] == ' ':
        head = head.replace('Host: x\r\n', '')
    answer = raw(ours.port, head.encode() + SMUGGLED, patience=1)
    assert answer.startswith(b'HTTP/1.1 400')
    assert b'the page' not in answer


def test_head_has_no_body(live):
    """Else the body would be the next answer to a proxy in front."""
    after = 'GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    answer = raw(live.port, f'HEAD {EIO4} HTTP/1.1\r\nHost: x\r\n\r\n{after}'.encode(), patience=1)
    head, separator, rest = answer.partition(b'\r\n\r\n')
    assert head.startswith(b'HTTP/1.1 400') and separator
    assert rest.startswith(b'HTTP/1.1 200')


@pytest.mark.parametrize('method', ['GET', 'OPTIONS', 'PUT'])
@pytest.mark.parametrize('framing', ['Content-Length: {n}', 'Transfer-Encoding: chunked'])
def test_the_body_of_a_poll_is_no_request(live, method, framing):
    """The connection of a poll is taken from the server, with all that has come on it."""
    chunked = framing[0] == 'T'
    body = b'%x\r\n%s\r\n0\r\n\r\n' % (len(SMUGGLED), SMUGGLED) if chunked else SMUGGLED
    head = f'{method} {EIO4} HTTP/1.1\r\nHost: x\r\n{framing.format(n=len(SMUGGLED))}\r\n\r\n'
    after = 'GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    answer = raw(live.port, head.encode() + body + after.encode(), patience=1)
    assert b'/smuggled' not in answer
    assert b'HTTP/1.1 400 Bad Request\r\nConnection' not in answer
    assert b'the page /after' in answer


def test_a_query_that_only_looks_like_a_poll_is_the_sites(ours):
    """On a connection that was polled on its request is as whole as on any other."""
    peer = Peer(ours.port, '3.x, 4.x', 'polling')
    first = f'POST {peer.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n3'
    second = 'GET /socketio/?sid=x&xtransport=polling HTTP/1.1\r\nHost: x\r\n\r\n'
    answer = raw(ours.port, first.encode() + second.encode(), patience=1)
    assert b'the page /socketio/' in answer
    assert answer.count(b'Content-Length: ') == 2  # by pywsgi; on a connection for polls nobody would add it
    peer.close()


def test_trailers_are_no_request(live):
    """CVE-2023-41419: pywsgi before gevent 23.9 read a request out of chunked trailers."""
    peer = Peer(live.port, '3.x, 4.x', 'polling')
    head = f'POST {peer.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'.encode()
    answer = raw(live.port, head + b'1\r\n3\r\n0\r\n' + b'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n', patience=1)
    assert b'/smuggled' not in answer
    assert ask(live.port, 'GET', '/page').status == 200
    peer.close()


def test_one_byte_at_a_time(live):
    peer = Peer(live.port, '3.x, 4.x', 'polling')
    kept = Browser(live.port)
    assert kept.ask('POST', peer.path, '3').status == 200
    for byte in f'POST {peer.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n3'.encode():
        kept.connection.sock.sendall(bytes([byte]))
    assert b'200 OK' in kept.connection.sock.recv(65536)
    kept.close()
    peer.close()


def test_nothing_is_left_of_all_this(live):
    """The clients that shook hands above die with their heartbeat."""
    eventually(lambda: census(live.port)['greenlets'] < 60)
    assert census(live.port)['files'] < 60
