"""Who is connected, by which client and transport, and what they say to each other.

In the memory of one process; the chat shows how to do without.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from tg import validate

from tgsio_middleware import BroadcastMixin, SocketIOTGNamespace

from .clients import client_of
from .validators import MESSAGE, NAME

#: sid -> what everybody may know of a guest
guests: dict[str, dict[str, Any]] = {}
numbers = count(1)


class Lobby(SocketIOTGNamespace, BroadcastMixin):
    def recv_connect(self):
        self.me = {'id': self.sid, 'client': client_of(self), 'since': time.time()}
        self.me['name'] = f'Guest {next(numbers)}'
        guests[self.sid] = self.me
        self.emit('you', self.sid)
        self.on_moved()

    def on_moved(self):
        self.me['transport'] = self.socket.transport.NAME
        self.tell_guests()

    @validate({'name': NAME})
    def on_name(self, name):
        self.me['name'] = name
        self.tell_guests()
        return name

    @validate({'text': MESSAGE})
    def on_say(self, text):
        self.broadcast_event('said', {**self.me, 'text': text})
        return True

    def recv_disconnect(self):
        guests.pop(self.sid, None)
        self.tell_guests()
        super().recv_disconnect()

    def tell_guests(self):
        self.broadcast_event('guests', list(guests.values()))
