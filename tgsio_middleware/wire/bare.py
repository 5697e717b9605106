"""Engine.IO alone: the engine of a generation without Socket.IO's packets inside.

A message is text or bytes and means what the namespace's `recv_message` makes of it. For the protocols' own test
suites, and for whoever wants an engine.
"""

from __future__ import annotations

from typing import Any, cast

from ..packet import Message, Packet
from .dialect import Dialect
from .javascript import Default
from .negotiate import ENGINES as SPOKEN


class Bare:
    """`engine`'s dialect, whose messages are not opened."""

    GLOBAL_UNASKED = True
    STRAY_ENDS = False

    def __init__(self, engine: Dialect) -> None:
        self._engine = engine
        self.NAME = f'{engine.NAME} alone'

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def decode(self, message: Message) -> Packet:
        """One engine message to a packet; raises RemoteProtocolError."""
        if isinstance(message, str) and message[:1] == '4':
            return {'type': 'message', 'endpoint': '', 'data': message[1:]}
        packet = self._engine.decode(message)
        if packet['type'] == 'attachment':
            return {'type': 'message', 'endpoint': '', 'data': packet['data']}
        return packet

    def encode(self, packet: Packet, default: Default | None = None) -> tuple[Message, ...]:
        """A packet to engine messages; the namespace's own CONNECT is not said."""
        if packet['type'] == 'message':
            data = packet['data']
            return ('4' + data if isinstance(data, str) else bytes(data),)
        return () if packet['type'] == 'connect' else self._engine.encode(packet, default)


#: What `negotiate` takes in place of its own: the engines alone, by the query's EIO.
ENGINES = {eio: cast(Dialect, Bare(engine)) for eio, engine in SPOKEN.items()}
