"""Engine.IO 4 with Socket.IO 5: the clients 3.x and 4.x."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping

from ..errors import Refused, RemoteProtocolError
from ..packet import Message, Packet
from . import engineio
from .dialect import Body, Heartbeat, Jsonp, Octets
from .engineio import TRANSPORTS as TRANSPORTS
from .engineio import answer as answer
from .engineio import emission as emission
from .engineio import handshake as handshake
from .engineio import hello as hello
from .engineio import http_refusal as http_refusal
from .javascript import Default, dumps

NAME = 'eio4'
GENERATIONS: tuple[str, ...] = ('3.x', '4.x')
HEARTBEAT = Heartbeat(server_asks=True)
GLOBAL_UNASKED = False
STRAY_ENDS = True
UPGRADES = True
FALLS_BACK = False
JSONP: Jsonp | None = None
BINARY_PREFIX = b''
POSTED = Body('text/html', b'ok')
FAREWELL: Packet | None = None
#: engine.io-protocol 4: "the packets are separated by the record separator character (\x1e)".
SEPARATOR = '\x1e'


def decode(message: Message) -> Packet:
    """One engine message to a packet; raises RemoteProtocolError."""
    if isinstance(message, bytes):
        return Packet(type='attachment', data=message)
    if message[:2] == '42':  # the common case first
        return engineio.event(message, 2)
    kind = message[:1]
    if kind == '4':
        return engineio.decode(message)
    if kind == '3':
        return Packet(type='pong', data=message[1:])
    if message == '2probe':
        return Packet(type='ping', data='probe')
    if message == '1':
        return Packet(type='close', endpoint='')
    if message == '5':
        return Packet(type='upgrade')
    raise RemoteProtocolError(
        'a message that only a server may send' if kind in ('0', '2', '6') else 'no engine message'
    )


def _connect(packet: Packet, default: Default | None) -> tuple[Message, ...]:
    """`40/admin,{"sid":"..."}`: a fresh id for each namespace."""
    return (f'40{engineio.prefix(packet)}{dumps({"sid": packet["sid"]})}',)


ENCODERS = {**engineio.ENCODERS, 'connect': _connect}


def encode(packet: Packet, default: Default | None = None) -> tuple[Message, ...]:
    """A packet to engine messages: one, or one and its attachments."""
    return ENCODERS[packet['type']](packet, default)


def refusal(endpoint: str, refused: Refused) -> tuple[Message, ...]:
    """`44/admin,{"message":"not authorized","data":{...}}`."""
    data = {'message': refused.message}
    if refused.data is not None:
        data['data'] = refused.data
    return (engineio.encode_error(endpoint, data),)


def octets(query: Mapping[str, str]) -> Octets:
    """Binary data on polling is base64."""
    return Octets.NEVER


def join_payload(messages: list[Message], octets: Octets, memory: Collection[str] = ()) -> Body:
    """engine.io-protocol 4: binary payloads are "base64-encoded and prefixed with the `b` character"."""
    parts = [m if type(m) is str else 'b' + base64.b64encode(m).decode() for m in messages]  # type: ignore[arg-type]
    return Body('text/plain; charset=UTF-8', SEPARATOR.join(parts).encode('utf-8', 'replace'))


def split_payload(body: bytes, content_type: str, memory: set[str]) -> list[Message]:
    """The reverse. A body of octets is an error in this version."""
    if content_type.startswith('application/octet-stream'):
        raise RemoteProtocolError('binary data on polling comes in base64')
    try:
        parts = body.decode().split(SEPARATOR)
        return [base64.b64decode(p[1:], validate=True) if p[:1] == 'b' else p for p in parts]
    except (UnicodeDecodeError, binascii.Error, ValueError):
        raise RemoteProtocolError('a payload that is neither UTF-8 nor base64', close_code=1007) from None
