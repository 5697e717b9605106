"""Polls on an adopted connection, and the way back to pywsgi for everything else."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest

from tests.live import serve
from tgsio_middleware.transports.keptalive import TAKE, PollConnection
from tgsio_middleware.transports.plainpolls import NotPlain, Reader

POLL = b'GET /socketio/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: a\r\n\r\n'
POST = b'POST /socketio/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n40'


def reader() -> Reader:
    return Reader(b'/socketio', 1000)


@pytest.mark.parametrize('request_', [POLL, POST, POLL.replace(b'socketio/', b'socketio')])
def test_a_plain_poll_is_read_when_it_is_whole(request_):
    for end in range(len(request_)):
        assert reader().read(request_[:end]) == (0, {})
    size, environ = reader().read(request_ + b'GET /next')
    assert size == len(request_)
    assert environ['REQUEST_METHOD'] == request_[:4].decode().strip()
    assert environ['QUERY_STRING'] == 'EIO=4&transport=polling&sid=abc'
    assert environ['HTTP_HOST'] == 'a'
    assert environ['wsgi.input'].read() == (b'40' if request_ is POST else b'')


@pytest.mark.parametrize(
    'request_',
    [
        POLL.replace(b'/socketio/', b'/page'),
        POLL.replace(b'/socketio/', b'/socketio/../page'),
        POLL.replace(b'&sid=abc', b''),
        POLL.replace(b'polling', b'websocket'),
        POLL.replace(b'&sid', b'&j=0&sid'),
        POLL.replace(b'EIO', b'j=0&EIO'),
        POLL.replace(b'1.1', b'1.0'),
        POLL.replace(b'transport', b'xtransport'),
        POLL.replace(b'polling', b'polling2'),
        POLL.replace(b'abc', b'abc\nX:'),
        POLL.replace(b'GET ', b'PUT '),
        POLL.replace(b'GET ', b'GET  '),
        POLL.replace(b'Host: a', b'Host: a\r\nConnection: close'),
        POLL.replace(b'Host: a', b'Host: a\r\nHost: b'),
        POLL.replace(b'Host: a', b'Host: a\r\n folded'),
        POLL.replace(b'Host: a', b'Host : a'),
        POLL.replace(b'Host: a', b'H t: a'),
        POLL.replace(b'Host: a', b': a'),
        POST.replace(b': 2', b': \x0b2'),
        POLL.replace(b'Host: a', b'no colon'),
        POLL.replace(b'Host: a', b'Upgrade: websocket'),
        POST.replace(b'Host: a', b'Transfer-Encoding: chunked'),
        POST.replace(b'Host: a', b'Expect: 100-continue'),
        POST.replace(b'Host: a', b'Content-Length: 2'),
        POST.replace(b': 2', b': -2'),
        POST.replace(b': 2', b': 1001'),
        POST.replace(b'Content-Length: 2\r\n', b''),
        b'x' * 70_000,
    ],
)
def test_what_is_odd_is_left_to_pywsgi(request_):
    with pytest.raises(NotPlain):
        reader().read(request_)


def test_headers_are_read_once_and_again_when_they_change():
    same = reader()
    assert same.read(POLL)[1]['HTTP_HOST'] == 'a'
    assert same.read(POLL)[1]['HTTP_HOST'] == 'a'
    assert same.read(POLL.replace(b': a', b': b'))[1]['HTTP_HOST'] == 'b'
    with pytest.raises(NotPlain):
        same.read(POLL.replace(b'Host: a', b'Expect: x'))
    assert same.read(POST)[1]['CONTENT_LENGTH'] == '2'
    assert same.read(POLL)[0] == len(POLL)


@pytest.fixture(scope='module')
def live():
    with serve('tests.fixtureapps.pingpong') as live:
        yield live


class Http:
    """A kept TCP connection on which requests are written and answers read."""

    def __init__(self, live):
        self.sock = socket.create_connection(('127.0.0.1', live.port), timeout=5)
        self.file = self.sock.makefile('rb')

    def ask(self, method, target, body=b'', **headers):
        lines = [f'{method} {target} HTTP/1.1', 'Host: 127.0.0.1', *(f'{k}: {v}' for k, v in headers.items())]
        if method == 'POST':
            lines.append(f'Content-Length: {len(body)}')
        self.sock.sendall('\r\n'.join([*lines, '', '']).encode() + body)

    def answer(self):
        status = self.file.readline().split()[1]
        headers = {}
        while (line := self.file.readline().strip()) != b'':
            name, _, value = line.partition(b':')
            headers[name.lower().decode()] = value.strip().decode()
        return int(status), headers, self.file.read(int(headers['content-length']))

    def __call__(self, *args, **kwargs):
        self.ask(*args, **kwargs)
        return self.answer()


class Client:
    """A client of 4.x that polls on two kept connections."""

    def __init__(self, live):
        self.get, self.post = Http(live), Http(live)
        _, _, body = self.get('GET', '/socketio/?EIO=4&transport=polling')
        self.sid = json.loads(body[1:])['sid']
        self.url = f'/socketio/?EIO=4&transport=polling&sid={self.sid}'

    def say(self, text):
        assert self.post('POST', self.url, text.encode())[2] == b'ok'

    def hear(self):
        status, headers, body = self.get('GET', self.url)
        assert status == 200
        assert re.fullmatch(r'\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT', headers['date'])
        return body.decode().split('\x1e')


@pytest.fixture
def client(live):
    client = Client(live)
    client.say('40/pingpong,')
    assert client.hear()[0].startswith('40/pingpong,')
    return client


def test_events_go_and_come_on_kept_connections(client):
    for i in range(20):
        client.say(f'42/pingpong,{i}["ack_one",{i}]')
        heard = client.hear()
        while not heard[-1].startswith('43'):
            heard = client.hear()
        assert heard[-1] == f'43/pingpong,{i}[{i}]'


def test_a_page_of_the_site_comes_on_a_connection_that_was_polled_on(client):
    for _ in range(3):
        client.say('42/pingpong,["name","x"]')
        assert client.post('GET', '/socketio/page')[2] == b'a page beside the namespaces'
        assert client.post('POST', '/', b'a=b')[0] == 200
        assert client.post('GET', '/nowhere')[0] == 404


def test_requests_in_one_segment_are_answered_in_order(client):
    poll = f'POST {client.url} HTTP/1.1\r\nHost: a\r\nContent-Length: 25\r\n\r\n42/pingpong,["ack_one",1]'
    page = 'GET /socketio/page HTTP/1.1\r\nHost: a\r\n\r\n'
    client.post.sock.sendall((poll + poll + page + poll + page).encode())
    bodies = [client.post.answer()[2] for _ in range(5)]
    page = b'a page beside the namespaces'
    assert bodies == [b'ok', b'ok', page, b'ok', page]


def test_a_request_that_waits_for_a_long_answer_is_answered(client):
    text = 'x' * 500_000
    client.say(f'42/pingpong,["repeat","{text}",12]')
    time.sleep(0.1)
    poll = f'GET {client.url} HTTP/1.1\r\nHost: a\r\n\r\n'
    post = f'POST {client.url} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3'
    client.get.sock.sendall((poll + post).encode())
    time.sleep(0.5)
    assert client.get.answer()[2].decode().split('\x1e')[-12:] == [f'42/pingpong,["message","{text}"]'] * 12
    assert client.get.answer()[2] == b'ok'


def test_a_chunked_post_is_read_by_pywsgi(client):
    head = f'POST {client.url} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    client.post.sock.sendall(
        head.encode() + b'19\r\n42/pingpong,0["ack_one",7]\r\n'.replace(b'19', b'1a') + b'0\r\n\r\n'
    )
    assert client.post.answer()[2] == b'ok'
    heard = client.hear()
    while not heard[-1].startswith('43'):
        heard = client.hear()
    assert heard[-1] == '43/pingpong,0[7]'


def test_an_unknown_sid_is_refused_and_the_connection_kept(client):
    status, _, body = client.post('POST', client.url.replace(client.sid, 'x'), b'3')
    assert (status, json.loads(body)) == (400, {'code': 1, 'message': 'Session ID unknown'})
    client.say('42/pingpong,["name","x"]')


def test_a_foreign_page_is_refused(client):
    status, _, body = client.post('POST', client.url, b'3', Origin='https://evil.example')
    assert (status, json.loads(body)['code']) == (403, 4)


def test_two_polls_at_a_time_end_the_client(live, client):
    other = Http(live)
    client.get.ask('GET', client.url)
    time.sleep(0.1)
    assert other('GET', client.url)[0] == 400
    assert client.get.answer()[2] == b'1'
    assert client.post('POST', client.url, b'3')[0] == 400


def test_a_client_whose_waiting_poll_is_cut_is_gone(client):
    client.get.ask('GET', client.url)
    time.sleep(0.1)
    client.get.file.close()
    client.get.sock.close()
    time.sleep(0.2)
    assert client.post('POST', client.url, b'3')[0] == 400


class Handler:
    """Shows one end of a pair of sockets as a connection."""

    def __init__(self):
        self.peer, self.ours = socket.socketpair()
        self.ours.setblocking(False)

    def take(self):
        return self.ours, b''


def test_a_body_that_comes_in_pieces_is_looked_at_when_it_is_whole(monkeypatch):
    """CVE-2020-36049: joining for each piece, and reading from the beginning, costs the square of its length."""
    served, looks = [], []
    read = Reader.read
    monkeypatch.setattr(Reader, 'read', lambda self, data: looks.append(len(data)) or read(self, data))
    environ = {TAKE: Handler(), 'PATH_INFO': '/socketio/', 'REQUEST_METHOD': 'GET'}
    connection = PollConnection(
        environ, lambda environ, start_response: served.append(environ['wsgi.input'].read()), 1_000_000
    )
    body = b'4' * 100_000
    head = b'POST /socketio/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n'
    for i in range(0, len(head + body), 10):
        connection.received((head + body)[i : i + 10])
    assert served == [body]
    assert len(looks) < 20
    assert connection._pieces == []
    connection.cut()


def test_a_defect_costs_its_connection():
    connection = PollConnection(
        {TAKE: Handler(), 'PATH_INFO': '/socketio/', 'REQUEST_METHOD': 'GET'}, lambda *args: 1 / 0, 1000
    )
    with pytest.raises(ZeroDivisionError):
        connection.received(POLL)
    assert not connection.alive
