"""The original's chat example: rooms are channels, and who is here is known to the pages themselves.

It needs no database and no shared state: on memory it is one process's chat, on Redis it is one chat of all processes.
"""

from __future__ import annotations

from tg import validate

from tgsio_middleware.pubsub import PubSubTGNamespace

from .clients import client_of
from .validators import MESSAGE, NAME, ROOM


class Chat(PubSubTGNamespace):
    def recv_connect(self):
        self.me = {'id': self.sid, 'client': client_of(self)}
        self.emit('you', self.sid)

    @validate({'room': ROOM, 'name': NAME})
    def subscribe_room(self, room, name):
        self.channel = f'room-{room}'
        self.me['name'] = name
        return self.channel

    def on_came(self):
        self.tell('came')  # and the other pages answer `here`

    def on_here(self):
        self.tell('here')

    @validate({'text': MESSAGE})
    def on_user_message(self, text):
        self.tell('said', text=text)
        return True

    def on_leave(self):
        self.tell('left')
        for channel in self.channels:
            self.unsubscribe(channel)

    def recv_disconnect(self):
        self.tell('left')
        super().recv_disconnect()

    def tell(self, what, **more):
        if self.channels:
            self.publish(self.channel, {'what': what, **self.me, **more})
