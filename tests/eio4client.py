"""A Socket.IO client of the generation 4.x over a websocket, with threads and without gevent.

with Client(live.port) as client:
    client.join('/chat')
    assert client.call('/chat', 'echo', 1) == [1]
    client.emit('/chat', 'hello')
    assert client.event('/chat', 'greeting') == ['hi']
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import websocket

from tests.live import PATIENCE

PACKET = re.compile(r'4([0-6])(?:(\d+)-)?(?:(/[^,]*),)?(\d+)?(.*)', re.DOTALL)
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = '0', '1', '2', '3', '4'


class Packet:
    """A packet as heard: `kind` is one of the digits above, `namespace` is `'/'` or `'/chat'`."""

    def __init__(self, text: str) -> None:
        kind, _, namespace, number, data = PACKET.fullmatch(text).groups()
        self.text, self.kind, self.namespace = text, kind, namespace or '/'
        self.id = None if number is None else int(number)
        self.data: Any = json.loads(data) if data else None

    def __repr__(self) -> str:
        return self.text


class Client:
    """One connection; a thread reads and answers the server's pings (as long as `answers` is set)."""

    def __init__(
        self,
        port: int,
        path: str = '/socketio',
        query: str = '',
        headers: tuple[str, ...] | list[str] = (),
        cookie: str | None = None,
    ) -> None:
        url = f'ws://127.0.0.1:{port}{path}/?EIO=4&transport=websocket{query}'
        self._websocket = websocket.create_connection(
            url, timeout=PATIENCE, header=list(headers), cookie=cookie, suppress_origin=True
        )
        self.hello: dict[str, Any] = json.loads(self._websocket.recv()[1:])
        self._websocket.settimeout(None)
        self.answers = True
        self.pings = 0
        self.closed = False
        self._heard: list[Packet] = []
        self._news = threading.Condition()
        self._acks = 0
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Says good-bye as a browser's tab does."""
        self._websocket.close(timeout=1)

    def vanish(self) -> None:
        """The connection breaks without a word."""
        self._websocket.shutdown()

    def _read(self) -> None:
        try:
            while True:
                message = self._websocket.recv()
                if not message:
                    break
                with self._news:
                    self._take(message)
                    self._news.notify_all()
        except (websocket.WebSocketException, OSError):
            pass
        with self._news:
            self.closed = True
            self._news.notify_all()

    def _take(self, message: str) -> None:
        if message == '2':
            self.pings += 1
            if self.answers:
                self._websocket.send('3')
        elif message[0] == '4':
            self._heard.append(Packet(message))

    # -- speaking ------------------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """An engine message as it stands."""
        self._websocket.send(text)

    def join(self, namespace: str, auth: dict[str, Any] | None = None) -> dict[str, Any]:
        """Connects a namespace; fails where it is refused."""
        answer = self.ask(namespace, auth)
        assert answer.kind == CONNECT, answer
        return answer.data

    def refusal(self, namespace: str) -> dict[str, Any]:
        """Connects a namespace that must be refused; -> the error, `{'message': ..., 'data': ...}`."""
        answer = self.ask(namespace)
        assert answer.kind == CONNECT_ERROR, answer
        return answer.data

    def ask(self, namespace: str, auth: dict[str, Any] | None = None) -> Packet:
        """Asks for a namespace (`/chat?query` too); -> the answer, whichever it is."""
        self.say(f'40{namespace},' + ('' if auth is None else json.dumps(auth)))
        name = namespace.partition('?')[0]
        return self.expect(lambda p: p.kind in (CONNECT, CONNECT_ERROR) and p.namespace == name)

    def leave(self, namespace: str) -> None:
        """Leaves one namespace."""
        self.say(f'41{namespace},')

    def emit(self, namespace: str, name: str, *args: Any, number: int | None = None) -> None:
        """Sends an event, with `number` one that asks for an ack."""
        self.say(f'42{namespace},{"" if number is None else number}{json.dumps([name, *args])}')

    def call(self, namespace: str, name: str, *args: Any) -> list[Any]:
        """Sends an event; -> the values of its ack."""
        return self.acknowledged(namespace, self.send(namespace, name, *args))

    def send(self, namespace: str, name: str, *args: Any) -> int:
        """Sends an event that asks for an ack; -> its number."""
        self._acks += 1
        self.emit(namespace, name, *args, number=self._acks)
        return self._acks

    def answer(self, namespace: str, number: int | None, *values: Any) -> None:
        """Acknowledges the server's event."""
        self.say(f'43{namespace},{number}{json.dumps(values)}')

    # -- hearing -------------------------------------------------------------------------------------------------------

    def expect(self, fits: Callable[[Packet], bool], patience: float = PATIENCE) -> Packet:
        """The first packet heard that fits and was not yet taken."""
        end = time.monotonic() + patience
        with self._news:
            while True:
                for packet in self._heard:
                    if fits(packet):
                        self._heard.remove(packet)
                        return packet
                left = end - time.monotonic()
                assert left > 0 and not self.closed, f'closed: {self.closed}; heard: {self._heard}'
                self._news.wait(left)

    def acknowledged(self, namespace: str, number: int) -> list[Any]:
        """The values of the ack `number`."""
        return self.expect(lambda p: p.kind == ACK and p.namespace == namespace and p.id == number).data

    def event(self, namespace: str, name: str) -> list[Any]:
        """The arguments of the next event of that name."""
        return self.event_packet(namespace, name).data[1:]

    def event_packet(self, namespace: str, name: str) -> Packet:
        """The next event of that name, whole: its `id` is the number that the server wants acknowledged."""
        return self.expect(lambda p: p.kind == EVENT and p.namespace == namespace and p.data[0] == name)

    def error(self, namespace: str) -> list[Any]:
        """Name and detail of the next event `error`."""
        return self.event(namespace, 'error')

    def heard(self) -> list[Packet]:
        """What was heard and not yet taken."""
        with self._news:
            return list(self._heard)

    def wait_closed(self, patience: float = PATIENCE) -> None:
        """Until the server has ended the connection."""
        with self._news:
            assert self._news.wait_for(lambda: self.closed, patience), 'still connected'
