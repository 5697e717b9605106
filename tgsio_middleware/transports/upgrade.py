"""From polling to a websocket, with nothing lost, doubled or reordered.

client                          server
------                          ------
opens a websocket with its sid
2probe                    ->
                          <-    3probe; the poll that waits is answered, with a noop if there is nothing else
finishes poll and post
5                         ->
                          <-    all that waited for a poll, then everything else
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gevent import get_hub

from ..errors import RemoteProtocolError
from ..packet import Message, Packet
from .polling import Polling
from .websocket import WebSocket

if TYPE_CHECKING:
    from ..engine.socket import Socket


class Upgrade:
    """A websocket that probes while `polling` still carries the client."""

    def __init__(self, socket: Socket, polling: Polling, websocket: WebSocket) -> None:
        self.socket = socket
        self.polling = polling
        self.websocket = websocket
        self.answered = False
        polling.probe = self
        websocket.on_messages = self._on_messages
        websocket.on_lost = self._stop
        self._timer = get_hub().loop.timer(socket.settings.upgrade_timeout)
        self._timer.start(self.cancel)

    def _on_messages(self, messages: list[Message]) -> None:
        for i, message in enumerate(messages):
            try:
                kind = self.socket.dialect.decode(message)['type']
            except RemoteProtocolError:
                kind = None
            if kind == 'ping':
                self.answered = True
                self.websocket.put(self.socket.dialect.encode(Packet(type='pong', data='probe'), None))
                self.polling.hurry()
            elif kind == 'upgrade' and self.answered and self.socket.connected:
                self._move()
                rest = messages[i + 1 :]
                if rest:
                    self.socket.take(rest)
                return
            else:
                return self.cancel()

    def _move(self) -> None:
        self._stop()
        self.websocket.on_messages = self.socket.take
        self.socket.transport = self.websocket
        self.websocket.put(self.polling.hand_over())

    def cancel(self) -> None:
        """It did not come to a move: polling goes on."""
        self._stop()
        self.websocket.close('', 1000)

    def _stop(self) -> None:
        """The client moved, or the probe ended in one of several ways."""
        if self.polling.probe is self:
            self.polling.probe = None
            self._timer.stop()
            self._timer.close()
