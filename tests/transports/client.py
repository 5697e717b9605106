"""Clients made of plain sockets: what they send is what stands in the test."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests import live

#: Nothing here takes longer, in seconds.
PATIENCE = 10.0
PROGRAM = 'import sys; from tests.fixtureapps.plain import main; main(sys.argv[1])'
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@contextmanager
def serve(server: str = 'ours', **settings: object) -> Iterator[live.Live]:
    """tests/fixtureapps/plain.py in a process of its own. It must have written no traceback when it ends."""
    with live.run(json.dumps({'server': server, **settings}), PROGRAM) as running:
        yield running
        assert 'Traceback' not in running.log(), running.log()


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """One TCP connection that is kept alive."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
        self.headers = headers or {}

    def begin(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> None:
        """Sends a request whose answer comes later."""
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        self.connection.request(method, path, data, {**self.headers, **named})

    def finish(self) -> Answer:
        """The answer of `begin`."""
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        self.begin(method, path, body, **headers)
        return self.finish()

    def close(self) -> None:
        self.connection.close()


def ask(port: int, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
    """One request on a connection of its own."""
    browser = Browser(port)
    try:
        return browser.ask(method, path, body, **headers)
    finally:
        browser.close()


class Poller:
    """A client of Engine.IO that polls, with one connection for its polls and one for its posts."""

    def __init__(self, port: int, eio: int = 4, query: str = '') -> None:
        self.port = port
        self.polls, self.posts = Browser(port), Browser(port)
        self.base = f'/socketio/?EIO={eio}&transport=polling{query}'
        self.opened = self.polls.ask('GET', self.base).text
        self.sid = re.search(r'"sid":"([^"]+)"', self.opened)[1]
        self.path = f'{self.base}&sid={self.sid}'

    def poll(self) -> str:
        return self.polls.ask('GET', self.path).text

    def post(self, body: str | bytes, **headers: str) -> Answer:
        return self.posts.ask('POST', self.path, body, **{'Content_Type': 'text/plain;charset=UTF-8', **headers})

    def say(self, body: str | bytes, **headers: str) -> None:
        answer = self.post(body, **headers)
        assert (answer.status, answer.body) == (200, b'ok'), answer

    def gone(self) -> bool:
        """The server knows the client no more."""
        answer = ask(self.port, 'POST', self.path, '2')
        return (answer.status, answer.text) == (400, '{"code":1,"message":"Session ID unknown"}')

    def close(self) -> None:
        self.polls.close()
        self.posts.close()


def joined(port: int, eio: int = 4, query: str = '') -> Poller:
    """A poller that is connected to `/` and has heard so."""
    poller = Poller(port, eio, query)
    if eio == 4:
        poller.say('40')
        poller.poll()
    elif '40' not in poller.opened[-5:]:
        assert poller.poll().endswith(':40')
    return poller


def frame(data: bytes, opcode: int = TEXT, final: bool = True) -> bytes:
    """A client's frame with the mask `1234`."""
    n, mask = len(data), b'1234'
    if n < 126:
        length = bytes([0x80 | n])
    elif n < 65536:
        length = b'\xfe' + n.to_bytes(2, 'big')
    else:
        length = b'\xff' + n.to_bytes(8, 'big')
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    return bytes([0x80 * final | opcode]) + length + mask + masked


def handshake(port: int, path: str, **headers: str) -> bytes:
    """The request that opens a websocket."""
    fields = {
        'Host': f'127.0.0.1:{port}',
        'Upgrade': 'websocket',
        'Connection': 'Upgrade',
        'Sec-WebSocket-Key': base64.b64encode(os.urandom(16)).decode(),
        'Sec-WebSocket-Version': '13',
    }
    fields.update({name.replace('_', '-'): value for name, value in headers.items()})
    lines = [f'GET {path} HTTP/1.1'] + [f'{name}: {value}' for name, value in fields.items() if value]
    return '\r\n'.join([*lines, '', '']).encode()


class WebSocket:
    """`glued`: bytes that go out together with the handshake."""

    def __init__(
        self, port: int, path: str = '/socketio/?EIO=4&transport=websocket', glued: bytes = b'', **headers: str
    ) -> None:
        self.sock = socket.create_connection(('127.0.0.1', port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.sock.makefile('rb')
        self.sock.sendall(handshake(port, path, **headers) + glued)
        self.head = self._head()
        self.status = int(self.head.split(' ')[1])

    def _head(self) -> str:
        lines = []
        while lines[-1:] != [b'\r\n']:
            lines.append(self.stream.readline())
            assert lines[-1], lines
        return b''.join(lines).decode()

    def body(self) -> str:
        """What a refusal says."""
        length = re.search(r'(?i)content-length: (\d+)', self.head)
        return self.stream.read(int(length[1])).decode()

    def send(self, *messages: str | bytes) -> None:
        """All in one segment."""
        self.sock.sendall(b''.join(frame(m.encode()) if isinstance(m, str) else frame(m, BINARY) for m in messages))

    def frame(self) -> tuple[int, bytes]:
        """The next frame: (opcode, payload). Of a server each is whole and not masked."""
        first, second = self.stream.read(2)
        assert first & 0x80
        assert not second & 0x80
        length = second
        if second == 126:
            length = int.from_bytes(self.stream.read(2), 'big')
        elif second == 127:
            length = int.from_bytes(self.stream.read(8), 'big')
        return first & 15, self.stream.read(length)

    def hear(self) -> str | bytes:
        """The next message."""
        opcode, data = self.frame()
        assert opcode in (TEXT, BINARY), (opcode, data)
        return data.decode() if opcode == TEXT else data

    def hear_close(self) -> int:
        """The next frame must close; -> its code."""
        opcode, data = self.frame()
        assert opcode == CLOSE, (opcode, data)
        return int.from_bytes(data[:2], 'big')

    def ended(self) -> bool:
        """The server has closed the connection, and said nothing more before."""
        try:
            return self.stream.read(1) == b''
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.stream.close()
        self.sock.close()


def talking(port: int, **headers: str) -> WebSocket:
    """A 4.x client over a websocket, connected to `/`."""
    client = WebSocket(port, **headers)
    assert client.status == 101, client.head
    assert client.hear()[:1] == '0'
    client.send('40')
    assert client.hear()[:8] == '40{"sid"'
    return client
