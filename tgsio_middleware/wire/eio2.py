"""Engine.IO 2: the clients of 1.0, which say so. Engine.IO 3, but for text, which these clients always encode twice."""

from __future__ import annotations

from collections.abc import Mapping

from ..packet import Message, Packet
from . import eio3
from .dialect import Octets
from .eio3 import BINARY_PREFIX as BINARY_PREFIX
from .eio3 import FALLS_BACK as FALLS_BACK
from .eio3 import FAREWELL as FAREWELL
from .eio3 import GENERATIONS as GENERATIONS
from .eio3 import GLOBAL_UNASKED as GLOBAL_UNASKED
from .eio3 import HEARTBEAT as HEARTBEAT
from .eio3 import JSONP as JSONP
from .eio3 import POSTED as POSTED
from .eio3 import STRAY_ENDS as STRAY_ENDS
from .eio3 import TRANSPORTS as TRANSPORTS
from .eio3 import UPGRADES as UPGRADES
from .eio3 import answer as answer
from .eio3 import emission as emission
from .eio3 import encode as encode
from .eio3 import handshake as handshake
from .eio3 import hello as hello
from .eio3 import http_refusal as http_refusal
from .eio3 import join_payload as join_payload
from .eio3 import refusal as refusal

NAME = 'eio2'


def decode(message: Message) -> Packet:
    """One engine message to a packet; a websocket's text is encoded twice, too. Raises RemoteProtocolError."""
    if isinstance(message, str) and not message.isascii():
        message = eio3.once_more(message) or message
    return eio3.decode(message)


def octets(query: Mapping[str, str]) -> Octets:
    """Octets, or base64 for a client without XHR2."""
    return Octets.NEVER if eio3.octets(query) is Octets.NEVER else Octets.ALWAYS


def split_payload(body: bytes, content_type: str, memory: set[str]) -> list[Message]:
    """A POST's body to messages; raises RemoteProtocolError."""
    memory.add(eio3.UTF8_ONCE)  # what is encoded twice here, `decode` undoes
    return eio3.split_payload(body, content_type, memory)
