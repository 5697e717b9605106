"""Clients of every generation and transport on plain sockets, which vanish wherever they are.

client = connect('0.9 htmlfile', port)     # of KINDS
PLACES['handler'](client)                   # any of `places(kind)`
WAYS['reset'](client)
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.transports.client import BINARY, Browser, WebSocket, ask, frame

#: A body that is promised, and the part of it that comes.
PROMISED, COME = 1000, b'4'


class Speech(NamedTuple):
    """How a generation says things. `connects`: the namespaces that it must ask for."""

    connects: tuple[str, ...]
    event: Callable[..., str]


def _event(name: str, *args: Any) -> str:
    return '42' + json.dumps([name, *args])


def _event_of_09(name: str, *args: Any) -> str:
    return '5:::' + json.dumps({'name': name, 'args': args})


EIO4 = Speech(('40', '40/side,'), _event)
EIO3 = Speech(('40/side',), _event)
SIO09 = Speech(('1::/side',), _event_of_09)


class Client:
    """A connected one, in rooms, subscribed, with a job and unanswered questions."""

    speech: Speech
    port: int

    def settle(self) -> None:
        for packet in self.speech.connects:
            self.say(packet)
        self.until('/side')
        self.emit('subscribe', 'lobby')
        self.emit('settle')
        self.until('settled')

    def say(self, packet: str) -> None:
        raise NotImplementedError

    def hear(self) -> str:
        """What comes next: a message, or a poll's body."""
        raise NotImplementedError

    def sockets(self) -> list[socket.socket]:
        """Its TCP connections."""
        raise NotImplementedError

    def emit(self, name: str, *args: Any) -> None:
        self.say(self.speech.event(name, *args))

    def until(self, marker: str) -> None:
        while marker not in self.hear():
            pass


class OnWebSocket(Client):
    def __init__(self, speech: Speech, port: int, path: str) -> None:
        self.speech, self.port = speech, port
        self.websocket = WebSocket(port, path)
        assert self.websocket.status == 101, self.websocket.head
        self.settle()

    def say(self, packet: str) -> None:
        self.websocket.send(packet)

    def hear(self) -> str:
        return str(self.websocket.hear())

    def sockets(self) -> list[socket.socket]:
        return [self.websocket.sock]


class OnPolling(Client):
    """`wrap` makes a body of a packet; `path` is complete."""

    probe: WebSocket | None = None

    def __init__(self, speech: Speech, port: int, path: str, wrap: Callable[[str], str], **headers: str) -> None:
        self.speech, self.port, self.path, self.wrap = speech, port, path, wrap
        page = {'Referer': f'http://127.0.0.1:{port}/', **headers}
        self.polls, self.posts = Browser(port, page), Browser(port, page)
        self.settle()

    def say(self, packet: str) -> None:
        answer = self.posts.ask('POST', self.path, self.wrap(packet))
        assert answer.status == 200, answer

    def hear(self) -> str:
        answer = self.polls.ask('GET', self.path)
        assert answer.status == 200, answer
        assert '7:::1+0' not in answer.text, 'the server does not know it any more'
        return answer.text

    def sockets(self) -> list[socket.socket]:
        socks = [self.polls.connection.sock, self.posts.connection.sock]
        return [sock for sock in socks if sock is not None] + ([self.probe.sock] if self.probe else [])


class OnPage(OnPolling):
    """htmlfile: what it hears is one endless answer."""

    page: Any = None

    def hear(self) -> str:
        if self.page is None:
            self.polls.begin('GET', self.path)
            self.sock = self.polls.connection.sock
            self.page = self.polls.connection.getresponse()
        more = self.page.read1(65536)
        assert more, 'the page has ended'
        return str(more.decode())

    def sockets(self) -> list[socket.socket]:
        return [self.sock, *super().sockets()[-1:]]


def _eio_polling(
    speech: Speech, port: int, eio: int, wrap: Callable[[str], str], more: str = '', **headers: str
) -> Any:
    path = f'/socketio/?EIO={eio}&transport=polling{more}'
    opened = ask(port, 'GET', path, Referer=f'http://127.0.0.1:{port}/').text
    sid = re.search(r'"sid\\?":\\?"([^"\\]+)', opened)
    assert sid, opened
    return OnPolling(speech, port, f'{path}&sid={sid[1]}', wrap, **headers)


def _09(transport: str, port: int) -> str:
    sid = ask(port, 'GET', '/socketio/1/').text.partition(':')[0]
    return f'/socketio/1/{transport}/{sid}'


def _counted(packet: str) -> str:
    return f'{len(packet)}:{packet}'


def _form(text: str) -> str:
    return urlencode({'d': text})


FORM = {'Content-Type': 'application/x-www-form-urlencoded'}
TEXT = {'Content-Type': 'text/plain;charset=UTF-8'}

#: Every generation on every transport. 1.x and 2.x, and 3.x and 4.x, speak one protocol each.
KINDS: dict[str, Callable[[int], Client]] = {
    '4.x websocket': lambda port: OnWebSocket(EIO4, port, '/socketio/?EIO=4&transport=websocket'),
    '4.x polling': lambda port: _eio_polling(EIO4, port, 4, str, **TEXT),
    '2.x websocket': lambda port: OnWebSocket(EIO3, port, '/socketio/?EIO=3&transport=websocket'),
    '2.x polling': lambda port: _eio_polling(EIO3, port, 3, _counted, **TEXT),
    '2.x jsonp': lambda port: _eio_polling(EIO3, port, 3, lambda p: _form(_counted(p)), '&j=0', **FORM),
    '0.9 websocket': lambda port: OnWebSocket(SIO09, port, _09('websocket', port)),
    '0.9 flashsocket': lambda port: OnWebSocket(SIO09, port, _09('flashsocket', port)),
    '0.9 xhr-polling': lambda port: OnPolling(SIO09, port, _09('xhr-polling', port), str, **TEXT),
    '0.9 jsonp-polling': lambda port: OnPolling(
        SIO09, port, _09('jsonp-polling', port) + '?i=0', lambda p: _form(json.dumps(p)), **FORM
    ),
    '0.9 htmlfile': lambda port: OnPage(SIO09, port, _09('htmlfile', port), str, **TEXT),
}

# -- where it is when it vanishes ------------------------------------------------------------------------------------


def _in_frame(client: Any) -> None:
    client.websocket.sock.sendall(frame(b'x' * 200)[:100])


def _between_fragments(client: Any) -> None:
    client.websocket.sock.sendall(frame(b'42["echo"', final=False))


def _before_its_attachment(client: Any) -> None:
    client.websocket.send('452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    prefix = b'\x04' if client.speech is EIO3 else b''
    client.websocket.sock.sendall(frame(prefix + b'one', BINARY))


def _in_poll(client: Any) -> None:
    """What was still to be heard is heard first."""
    client.emit('echo', 'the last')
    client.until('the last')
    client.polls.begin('GET', client.path)


def _in_post(client: Any) -> None:
    connection = client.posts.connection
    connection.putrequest('POST', client.path)
    for name, value in {**client.posts.headers, 'Content-Length': str(PROMISED)}.items():
        connection.putheader(name, value)
    connection.endheaders(COME)


def _in_upgrade(client: Any) -> None:
    path = client.path.replace('transport=polling', 'transport=websocket')
    client.probe = WebSocket(client.port, path)


def _in_probe(client: Any) -> None:
    _in_upgrade(client)
    client.probe.send('2probe')
    assert client.probe.hear() == '3probe'


def _in_move(client: Any) -> None:
    """It polls no more and is on its websocket, in a frame."""
    _in_probe(client)
    client.probe.send('5')
    client.probe.sock.sendall(frame(b'x' * 200)[:100])


PLACES: dict[str, Callable[[Any], None]] = {
    'idle': lambda client: None,
    'handler': lambda client: client.emit('block', 0.5),
    'call': lambda client: client.emit('ask'),
    'frame': _in_frame,
    'fragments': _between_fragments,
    'attachment': _before_its_attachment,
    'poll': _in_poll,
    'post': _in_post,
    'upgrade': _in_upgrade,
    'probe': _in_probe,
    'move': _in_move,
}


def places(kind: str) -> list[str]:
    """Those where such a client can be."""
    generation, transport = kind.split()
    there = ['idle', 'handler', 'call']
    if transport in ('websocket', 'flashsocket'):
        there += ['frame', 'fragments'] + (['attachment'] if generation != '0.9' else [])
    else:
        there += ['post'] + (['poll'] if transport != 'htmlfile' else [])
    return there + (['upgrade', 'probe', 'move'] if transport == 'polling' else [])


# -- how it vanishes -------------------------------------------------------------------------------------------------


def reset(client: Client) -> None:
    """RST."""
    for sock in client.sockets():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    close(client)


def close(client: Client) -> None:
    """FIN, and RST to what comes after it."""
    for sock in client.sockets():
        os.close(sock.detach())


def silence(client: Client) -> None:
    """Half-open: nothing tells the server. The connections stay until `close`."""


WAYS: dict[str, Callable[[Client], None]] = {'reset': reset, 'close': close, 'silence': silence}
