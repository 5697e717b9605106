"""A scripted client of 0.9 on plain sockets, which notes all that is said: `Talk`.

What is noted the same way, although the two servers put it in other bytes:

    the sid            SID
    media types        without a charset; application/javascript is text/javascript (RFC 9239)
    end                websocket: a close frame, or the connection's end without one (RFC 6455, 7.1.1 wants the frame);
                       page: its end; poll: `7:::1+0`, the sid is not known any more
    8::                an empty poll is asked again without a word
    2::                is answered without a word, but in `heartbeat`
    JSON               how a character is escaped
"""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlencode

from tests.transports.client import BINARY, CLOSE, Answer, Browser, WebSocket

#: What `hear` gives where the server has ended the client.
END = 'end'
NOBODY = '7:::1+0'
TRANSPORTS = ('websocket', 'flashsocket', 'htmlfile', 'xhr-polling', 'jsonp-polling')
MARK = '\ufffd'


class Talk:
    """One script with one server: `said` is the transcript."""

    def __init__(self, port: int, transport: str) -> None:
        self.port = port
        self.transport = transport
        self.said: list[str] = []
        self.page = {'Origin': f'http://127.0.0.1:{port}', 'Referer': f'http://127.0.0.1:{port}/page'}
        self.sids: list[str] = []

    def note(self, text: str) -> None:
        for sid in self.sids:
            text = text.replace(sid, 'SID')
        self.said.append(text)

    def request(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """Below the resource; noted."""
        answer = self.ask(method, path, body, **headers)
        sid = re.search(r'([\w-]{15,}):\d*:\d*:', answer.text)
        if sid:
            self.sids.append(sid[1])
        media = (answer.headers['Content-Type'] or '').partition(';')[0].replace('application/java', 'text/java')
        self.note(f'{method} {path}' + (f' {body}' if body else ''))
        self.note(f'  {answer.status} {media if answer.status == 200 and answer.text else ""} {answer.text}'.rstrip())
        return answer

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        browser = Browser(self.port, {**self.page, **headers})
        try:
            return browser.ask(method, '/socketio' + path, body)
        finally:
            browser.close()

    def shake(self) -> str:
        sid = self.ask('GET', '/1/').text.partition(':')[0]
        self.sids.append(sid)
        return sid

    def client(self) -> Any:
        """A client of this transport that has heard that it is connected."""
        client = {'websocket': Socket, 'flashsocket': Socket, 'htmlfile': Page}.get(self.transport, Poll)(self)
        client.hear()
        return client


class Client:
    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.sid = talk.shake()
        self.path = f'/socketio/1/{talk.transport}/{self.sid}'
        self.packets: list[str] = []
        self.jsonp = talk.transport == 'jsonp-polling'
        self.posts = Browser(talk.port, talk.page)
        self.open()

    def open(self) -> None:
        raise NotImplementedError

    def read(self) -> list[str]:
        """More packets; none at the end."""
        raise NotImplementedError

    def heartbeat(self) -> str:
        """The next packet, be it a heartbeat; noted."""
        packet = self._next()
        self.note(packet)
        return packet

    def hear(self, count: int = 1) -> None:
        """The next packets, noted in the order of their text where there is more than one: an ack and an event that
        leave together have no order.
        """
        for packet in sorted(self.listen() for _ in range(count)):
            self.note(packet)

    def listen(self) -> str:
        """The next packet but heartbeats, which are answered."""
        while (packet := self._next()) in ('2::', '8::'):
            if packet == '2::':
                self.send(packet)
        return packet

    def _next(self) -> str:
        if not self.packets:
            self.packets += self.read() or [END]
        return self.packets.pop(0)

    def note(self, packet: str) -> None:
        self.talk.note('  ' + spelt(packet))

    def say(self, *packets: str) -> None:
        """Noted."""
        for packet in packets:
            self.talk.note(packet)
        self.send(*packets)

    def send(self, *packets: str) -> None:
        body = packets[0] if len(packets) == 1 else ''.join(f'{MARK}{units(p)}{MARK}{p}' for p in packets)
        if self.jsonp:
            self.posts.ask('POST', self.path, urlencode({'d': json.dumps(body)}), **FORM)
        else:
            self.posts.ask('POST', self.path, body, **TEXT)


FORM = {'Content_Type': 'application/x-www-form-urlencoded'}
TEXT = {'Content_Type': 'text/plain;charset=UTF-8'}


class Socket(Client):
    def open(self) -> None:
        self.websocket = WebSocket(self.talk.port, self.path, Origin=self.talk.page['Origin'])

    def send(self, *packets: str) -> None:
        self.websocket.send(*packets)

    def read(self) -> list[str]:
        try:
            opcode, data = self.websocket.frame()
        except (ValueError, OSError):  # no more bytes
            return []
        assert opcode != BINARY
        return [] if opcode == CLOSE else [data.decode()]

    def leave(self) -> None:
        self.websocket.close()


class Poll(Client):
    def open(self) -> None:
        self.browser = Browser(self.talk.port, self.talk.page)

    def poll(self) -> str:
        answer = self.browser.ask('GET', self.path + ('?i=3' if self.jsonp else ''))
        if answer.status != 200:
            return NOBODY
        return called(answer.text, 3) if self.jsonp else answer.text

    def read(self) -> list[str]:
        body = self.poll()
        return [] if body == NOBODY else split(body)

    def leave(self) -> None:
        self.browser.close()


class Page(Client):
    def open(self) -> None:
        self.browser = Browser(self.talk.port, self.talk.page)
        self.browser.begin('GET', self.path)
        self.response = self.browser.connection.getresponse()
        self.text = ''

    def read(self) -> list[str]:
        while not (found := re.findall(r'<script>_\((".*?")\);</script>', self.text)):
            more = self.response.read1(65536).decode()
            if not more:
                return []
            self.text += more
        self.text = ''
        packets = [json.loads(one) for one in found]
        return [] if packets == [NOBODY] else packets

    def leave(self) -> None:
        self.browser.close()


def spelt(packet: str) -> str:
    """Its JSON in one spelling."""
    head, data = re.match(r'((?:[45]:[^:]*:[^:]*:|6:[^:]*:[^:]*:\d+\+)?)(.*)', packet, re.S).groups()
    return head + (json.dumps(json.loads(data), ensure_ascii=False, separators=(',', ':')) if head and data else data)


def called(script: str, index: int) -> str:
    """The argument of a script's call."""
    found = re.fullmatch(rf'io\.j\[{index}\]\((".*")\);', script)
    assert found, script
    return str(json.loads(found[1]))


def units(text: str) -> int:
    """Of UTF-16."""
    return len(text.encode('utf-16-le')) // 2


def split(body: str) -> list[str]:
    """A poll's packets; written apart from the code under test."""
    if not body.startswith(MARK):
        return [body]
    packets = []
    wide = body.encode('utf-16-le')
    while wide:
        _, length, rest = wide.decode('utf-16-le').split(MARK, 2)
        wide = rest.encode('utf-16-le')
        packets.append(wide[: 2 * int(length)].decode('utf-16-le'))
        wide = wide[2 * int(length) :]
    return packets


def pause(seconds: float) -> None:
    time.sleep(seconds)
