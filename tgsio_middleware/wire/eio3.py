"""Engine.IO 3 (and 2) with Socket.IO 4: the clients 1.x and 2.x."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping

from ..errors import NoSuchNamespace, Refused, RemoteProtocolError
from ..packet import Message, Packet
from . import engineio
from .dialect import Body, Heartbeat, Jsonp, Octets
from .engineio import TRANSPORTS as TRANSPORTS
from .engineio import answer as answer
from .engineio import emission as emission
from .engineio import handshake as handshake
from .engineio import hello as hello
from .engineio import http_refusal as http_refusal
from .javascript import Default

NAME = 'eio3'
GENERATIONS: tuple[str, ...] = ('1.x', '2.x')
HEARTBEAT = Heartbeat(server_asks=False)
GLOBAL_UNASKED = True
STRAY_ENDS = False
UPGRADES = True
FALLS_BACK = False
JSONP: Jsonp | None = Jsonp('___eio', quotes=False)
#: engine.io-protocol 3: a binary packet's type is its first byte, 4 for a message.
BINARY_PREFIX = b'\x04'
POSTED = Body('text/html', b'ok')
FAREWELL: Packet | None = None

TEXT, OCTETS = 'text/plain; charset=UTF-8', 'application/octet-stream'
#: What `memory` may hold: this client was seen to be a 2.x, or a 1.x.
UTF8_ONCE, UTF8_TWICE = 'utf8 once', 'utf8 twice'
#: The query's `t` of 1.0 to 1.3: milliseconds and a counter. Later ones count in an alphabet of their own.
OLD_TIMESTAMP = re.compile(r'\d{13}-\d+')


def decode(message: Message) -> Packet:
    """One engine message to a packet; raises RemoteProtocolError. Here it is the client that pings."""
    if isinstance(message, bytes):
        if message[:1] != BINARY_PREFIX:
            raise RemoteProtocolError('binary data that is no message')
        return Packet(type='attachment', data=message[1:])
    if message[:2] == '42':  # the common case first
        return engineio.event(message, 2)
    kind = message[:1]
    if kind == '4':
        return engineio.decode(message)
    if kind == '2':
        return Packet(type='ping', data=message[1:])
    if message == '1':
        return Packet(type='close', endpoint='')
    if message == '5':
        return Packet(type='upgrade')
    raise RemoteProtocolError(
        'a message that only a server may send' if kind in ('0', '3', '6') else 'no engine message'
    )


def _connect(packet: Packet, default: Default | None) -> tuple[Message, ...]:
    """`40/admin,`; `40` alone for the global namespace."""
    return ('40' + engineio.prefix(packet),)


ENCODERS = {**engineio.ENCODERS, 'connect': _connect}


def encode(packet: Packet, default: Default | None = None) -> tuple[Message, ...]:
    """A packet to engine messages: one, or one and its attachments."""
    return ENCODERS[packet['type']](packet, default)


def refusal(endpoint: str, refused: Refused) -> tuple[Message, ...]:
    """`44/admin,"not authorized"`, or the data alone where there is some, as Node's 2.x sends it.

    An unknown namespace is always `"Invalid namespace"`.
    """
    bare = refused.data is None or isinstance(refused, NoSuchNamespace)
    return (engineio.encode_error(endpoint, refused.message if bare else refused.data),)


def octets(query: Mapping[str, str]) -> Octets:
    """A client without XHR2 asks for base64 with `b64=1`. One of 1.0 to 1.3 that has it reads nothing but octets."""
    if query.get('b64', '0') not in ('', '0'):
        return Octets.NEVER
    return Octets.ALWAYS if OLD_TIMESTAMP.fullmatch(query.get('t', '')) else Octets.IF_NEEDED


def join_payload(messages: list[Message], octets: Octets, memory: Collection[str] = ()) -> Body:
    """`<length>:<packet>...`, lengths in UTF-16 units; binary as `b4` and base64. Or all as octets, where the client
    takes them and text would not do: bytes, and characters of which 1.x and 2.x have different ideas.

    In octets a packet is 0 (text) or 1 (binary), the length's digits as bytes 0 to 9, 255, and the packet.
    """
    if octets is Octets.ALWAYS or (octets is Octets.IF_NEEDED and not all(map(_is_ascii, messages))):
        return Body(OCTETS, b''.join(map(_octets, messages)))
    texts = [m if type(m) is str else 'b4' + base64.b64encode(m).decode() for m in messages]  # type: ignore[arg-type]
    if UTF8_TWICE in memory:  # only a namespace's name is not ASCII here: JSON always is
        texts = [t.encode('utf-8', 'replace').decode('latin-1') for t in texts]
    return Body(TEXT, ''.join(f'{engineio.units(t)}:{t}' for t in texts).encode('utf-8', 'replace'))


def _is_ascii(message: Message) -> bool:
    return type(message) is str and message.isascii()


def _octets(message: Message) -> bytes:
    if type(message) is str:
        kind, data = b'\x00', message.encode('utf-8', 'replace')
    else:
        kind, data = b'\x01', BINARY_PREFIX + message  # type: ignore[operator]
    return kind + bytes(map(int, str(len(data)))) + b'\xff' + data


def split_payload(body: bytes, content_type: str, memory: set[str]) -> list[Message]:
    """The reverse; raises RemoteProtocolError."""
    if content_type.startswith(OCTETS):
        return _split_octets(body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError('a payload that is not UTF-8', close_code=1007) from None
    if text.isascii():
        parts = _split_text(text)
    else:  # a length counts UTF-16 units: two bytes each
        parts = [part.decode('utf-16-le') for part in _split_utf16(text.encode('utf-16-le'))]
    for part in parts:
        if part[:3] in ('40/', '41/'):
            memory.add(UTF8_ONCE if part[-1] == ',' else UTF8_TWICE)
    if not text.isascii() and UTF8_ONCE not in memory:
        parts = _decode_once_more(parts, memory)
    return [_message(part) for part in parts]


def _message(part: str) -> Message:
    if part[:2] != 'b4':
        return part
    try:
        return BINARY_PREFIX + base64.b64decode(part[2:], validate=True)
    except (binascii.Error, ValueError):
        raise RemoteProtocolError('binary data that is not base64') from None


def _split_text(text: str) -> list[str]:
    parts, i = [], 0
    while i < len(text):
        colon = text.find(':', i, i + engineio.MAX_DIGITS + 1)
        end = colon + 1 + engineio.number(text[i : max(colon, i)])
        if end > len(text):
            raise RemoteProtocolError('a payload that is cut short')
        parts.append(text[colon + 1 : end])
        i = end
    return parts


def _split_utf16(data: bytes) -> list[bytes]:
    parts, i = [], 0
    while i < len(data):
        colon = data.find(b':\0', i, i + 2 * engineio.MAX_DIGITS + 2)
        digits = data[i : max(colon, i)].decode('utf-16-le', 'replace')
        end = colon + 2 + 2 * engineio.number(digits)
        if end > len(data):
            raise RemoteProtocolError('a payload that is cut short')
        parts.append(data[colon + 2 : end])
        i = end
    return parts


def _decode_once_more(parts: list[str], memory: set[str]) -> list[str]:
    """1.x encodes a string in UTF-8 before the browser does (engine.io-parser#81), 2.x does not, and both say EIO=3.

    What tells them apart: 2.x ends a namespace's `40/chat,` with a comma, 1.x does not. Where none was connected yet, a
    text of Latin-1 characters that are valid UTF-8 by themselves is 1.x's; the first one that is not marks the client
    as 2.x for good.
    """
    once = [once_more(part) for part in parts]
    if UTF8_TWICE not in memory and any(part is None for part in once):
        memory.add(UTF8_ONCE)
        return parts
    return [part if decoded is None else decoded for part, decoded in zip(parts, once, strict=True)]


def once_more(text: str) -> str | None:
    """Text that was encoded twice and decoded once; None where it cannot have been."""
    try:
        return text.encode('latin-1').decode()
    except UnicodeError:
        return None


def _split_octets(body: bytes) -> list[Message]:
    parts: list[Message] = []
    i = 0
    while i < len(body):
        mark = body.find(b'\xff', i + 1, i + 2 + engineio.MAX_DIGITS)
        digits = body[i + 1 : max(mark, i + 1)]
        end = mark + 1 + engineio.number(''.join(chr(48 + digit) for digit in digits))
        if end > len(body) or body[i] > 1:
            raise RemoteProtocolError('a binary payload that is cut short or malformed')
        data = body[mark + 1 : end]
        try:
            parts.append(data if body[i] else data.decode())
        except UnicodeDecodeError:
            raise RemoteProtocolError('a payload that is not UTF-8', close_code=1007) from None
        i = end
    return parts
