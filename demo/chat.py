"""The original's chat example: rooms are channels, and who is here is known to the pages themselves.

It needs no database and no shared state: on memory it is one process's chat, on Redis it is one chat of all processes.
The page shows the source of `Chat`.
"""

from __future__ import annotations

import re
from typing import Any

from tg import validate
from tg.validation import TGValidationError

from tgsio_middleware.pubsub import PubSubTGNamespace


class Text:
    """A line of text of a few characters at most."""

    def __init__(self, most: int, pattern: str = r'.*\S.*') -> None:
        self.most = most
        self.pattern = re.compile(pattern)

    def to_python(self, value: Any, state: Any = None) -> str:
        if not isinstance(value, str) or len(value) > self.most or not self.pattern.fullmatch(value):
            raise TGValidationError(f'text of 1 to {self.most} characters')
        return value.strip()


ROOM = Text(20, r'[\w-]+')


class Chat(PubSubTGNamespace):
    @validate({'room': ROOM, 'name': Text(30)})
    def subscribe_room(self, room, name):
        self.session['channel'] = f'room-{room}'
        self.session['me'] = {'id': self.sid, 'name': name}
        return self.session['channel']

    def on_came(self):
        self.tell('came')  # and the other pages answer `here`

    def on_here(self):
        self.tell('here')

    @validate({'text': Text(500)})
    def on_user_message(self, text):
        self.tell('said', text=text)

    def on_leave(self):
        self.tell('left')
        for channel in self.channels:
            self.unsubscribe(channel)

    def recv_disconnect(self):
        self.tell('left')
        super().recv_disconnect()

    def tell(self, what, **more):
        if self.channels:
            self.publish(self.session['channel'], {'what': what, **self.session['me'], **more})
