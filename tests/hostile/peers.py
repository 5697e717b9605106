"""One client of every generation and transport, written apart from the code under test: what it says is in the test."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager

from tests import live
from tests.live import PATIENCE
from tests.transports.client import CLOSE, TEXT, Browser, WebSocket, ask

PROGRAM = 'import sys; from tests.fixtureapps.fortress import main; main(sys.argv[1])'
GENERATIONS = {'0.9': None, '1.x, 2.x': 3, '3.x, 4.x': 4}
PEERS = [(generation, transport) for generation in GENERATIONS for transport in ('websocket', 'polling')]


@contextmanager
def serve(server='ours', **settings):
    """tests/fixtureapps/fortress.py in a process of its own. It must have written no traceback when it ends."""
    with live.run(json.dumps({'server': server, **settings}), PROGRAM) as running:
        yield running
        assert 'Traceback' not in running.log(), running.log()


def census(port):
    """What the server holds now."""
    return json.loads(ask(port, 'GET', '/census').text)


class Peer:
    """`glue` turns what is heard into packets; what the engine says for itself is left out."""

    def __init__(self, port, generation='3.x, 4.x', transport='websocket', joins=True, **headers):
        self.port, self.generation, self.transport = port, generation, transport
        self.eio = GENERATIONS[generation]
        self.headers = headers
        self.heard = []
        self.over = False
        self.websocket = self.posts = self.polls = None
        self._open()
        if joins:
            if self.eio == 4:
                self.say('40')
            self.hear(lambda packet: packet[:2] in ('40', '1:'))

    def _open(self):
        if self.eio is None:
            self.sid = ask(self.port, 'GET', '/socketio/1/', **self.headers).text.partition(':')[0]
            name = {'polling': 'xhr-polling'}.get(self.transport, self.transport)
            self.path = f'/socketio/1/{name}/{self.sid}'
        else:
            self.path = f'/socketio/?EIO={self.eio}&transport={self.transport}'
        if self.transport == 'websocket':
            self.websocket = WebSocket(self.port, self.path, **self.headers)
            assert self.websocket.status == 101, self.websocket.head
        else:
            self.polls, self.posts = Browser(self.port), Browser(self.port)
            if self.eio is not None:
                opened = self.polls.ask('GET', self.path, **self.headers).text
                self.sid = re.search(r'"sid":"([^"]+)"', opened)[1]
                self.path += f'&sid={self.sid}'
                self.heard += self.split(opened)

    # -- speaking -----------------------------------------------------------------------------------------------------

    def emit(self, name, *args, number=None, endpoint=''):
        """An event; with a number one that asks for an ack."""
        if self.eio is None:
            said = json.dumps({'name': name, 'args': args})
            return self.say(f'5:{"" if number is None else f"{number}+"}:{endpoint}:{said}')
        head = f'{endpoint},' if endpoint else ''
        return self.say(f'42{head}{"" if number is None else number}{json.dumps([name, *args])}')

    def join(self, endpoint):
        return self.say(f'1::{endpoint}' if self.eio is None else f'40{endpoint},')

    def say(self, *messages):
        """Engine messages as they stand; -> the answer to the POST, where it is one."""
        if self.websocket is not None:
            return self.websocket.send(*messages)
        return self.posts.ask('POST', self.path, self.join_payload(messages), Content_Type='text/plain', **self.headers)

    def say_bytes(self, data):
        """On a websocket, as they stand."""
        self.websocket.sock.sendall(data)

    def join_payload(self, messages):
        if self.eio == 4:
            return '\x1e'.join(messages)
        if self.eio == 3:
            return ''.join(f'{len(message)}:{message}' for message in messages)
        if len(messages) == 1:
            return messages[0]
        return ''.join(f'\ufffd{len(message)}\ufffd{message}' for message in messages)

    # -- hearing ------------------------------------------------------------------------------------------------------

    def call(self, name, *args, number=7):
        """The values of the ack."""
        self.emit(name, *args, number=number)
        head = f'6:::{number}' if self.eio is None else f'43{number}'
        text = self.hear(lambda packet: packet.startswith(head)).removeprefix(head).removeprefix('+')
        return json.loads(text or '[]')

    def hear(self, fits=lambda packet: True):
        """The next packet that fits; what does not is dropped."""
        end = time.monotonic() + PATIENCE
        while True:
            while self.heard:
                packet = self.heard.pop(0)
                if fits(packet):
                    return packet
            assert not self.over, 'the connection has ended'
            assert time.monotonic() < end, 'nothing of the kind was heard'
            self.listen()

    def listen(self):
        """Takes in what comes next."""
        if self.websocket is None:
            answer = self.polls.ask('GET', self.path, **self.headers)
            self.over = answer.status != 200 or answer.text == '7:::1+0'
            self.heard += [] if self.over else self.split(answer.text)
            return
        opcode, data = self.websocket.frame()
        if opcode == CLOSE:
            self.over, self.code, self.reason = True, int.from_bytes(data[:2], 'big'), data[2:].decode()
        elif opcode == TEXT:
            self.heard += self._without_heartbeats([data.decode()])

    def _without_heartbeats(self, packets):
        ping = '2::' if self.eio is None else '2'
        for packet in packets:
            if packet == ping and self.eio != 3:
                self.say('2::' if self.eio is None else '3')
        return [packet for packet in packets if packet not in (ping, '3', '6', '8::', '1', '0::')]

    def split(self, text):
        packets = []
        if self.eio == 4:
            packets = text.split('\x1e')
        elif self.eio == 3:
            while text:
                length, _, rest = text.partition(':')
                packets.append(rest[: int(length)])
                text = rest[int(length) :]
        elif text[:1] == '\ufffd':
            while text:
                length, _, rest = text[1:].partition('\ufffd')
                packets.append(rest[: int(length)])
                text = rest[int(length) :]
        else:
            packets = [text]
        return self._without_heartbeats(packets)

    def events(self, name):
        """The arguments of the next event of that name."""
        if self.eio is None:
            said = self.hear(lambda packet: f'"name":"{name}"' in packet)
            return json.loads(said.split(':', 3)[3])['args']
        said = self.hear(lambda packet: packet.startswith(f'42["{name}"'))
        return json.loads(said[2:])[1:]

    def wait_ended(self):
        """Until the server has ended it. A websocket's close code and reason are in `code` and `reason` then."""
        end = time.monotonic() + PATIENCE
        while not self.over:
            assert time.monotonic() < end, 'still connected'
            self.listen()

    def close(self):
        for connection in (self.websocket, self.polls, self.posts):
            if connection is not None:
                connection.close()
