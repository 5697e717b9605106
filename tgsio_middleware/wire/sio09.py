r"""Socket.IO 0.9, protocol 1: the generation of the original tgext.socketio.

A packet is `type:[id][+]:[endpoint][:data]`. Types: 0 disconnect, 1 connect, 2 heartbeat, 3 message, 4 JSON, 5 event,
6 ack, 7 error, 8 noop. An id without `+` is confirmed on receipt by the library; with `+` the application answers with
values.

Several packets in one poll are framed as `\ufffd<length>\ufffd<packet>`, the length in UTF-16 units; one alone is not
framed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..errors import LocalProtocolError, NoSuchNamespace, NotInThisDialect, Refused, RemoteProtocolError
from ..packet import Message, Packet
from ..settings import Settings
from .binary import serialise
from .dialect import Answer, Body, Heartbeat, Jsonp, Octets
from .engineio import MAX_ENDPOINT, number, units
from .javascript import Default, loads, string
from .padding import PAGE, PREAMBLE, SCRIPT, pad, script

NAME = 'sio09'
GENERATIONS: tuple[str, ...] = ('0.9',)
TRANSPORTS = {'websocket': 'websocket', 'flashsocket': 'websocket', 'xhr-polling': 'polling'}
TRANSPORTS |= {'jsonp-polling': 'jsonp', 'htmlfile': 'htmlfile'}
#: In the order in which its clients try them; flashsocket is a websocket to us.
OFFERED = ('websocket', 'htmlfile', 'xhr-polling', 'jsonp-polling')
JSONP: Jsonp | None = Jsonp('io.j', quotes=True)
#: Streaming transports are asked; a poll is a sign of life by itself, and 0.9's polling client has no heartbeat.
HEARTBEAT = Heartbeat(server_asks=True, streaming_only=True)
GLOBAL_UNASKED = True
STRAY_ENDS = False
UPGRADES = False
FALLS_BACK = True
BINARY_PREFIX = b''
POSTED = Body('text/plain; charset=UTF-8', b'1')
FAREWELL: Packet | None = Packet(type='close', endpoint='')
FRAME = '\ufffd'
TEXT = 'text/plain; charset=UTF-8'

ERRORS = {
    'unknown_transport': ('400 Bad Request', 'unknown transport'),
    # Node's 0.9 answers an unknown sid with the packet "client not handshaken, advice: reconnect", on which a client
    # starts anew.
    'unknown_sid': ('200 OK', '7:::1+0'),
    'bad_method': ('400 Bad Request', 'bad method'),
    'bad_request': ('400 Bad Request', 'bad request'),
    'forbidden': ('403 Forbidden', 'handshake bad origin'),
    'unsupported_version': ('500 Internal Server Error', 'Protocol version not supported.'),
    'too_large': ('413 Content Too Large', 'payload too large'),
    'too_many': ('429 Too Many Requests', 'too many connections'),
    'unavailable': ('503 Service Unavailable', 'service unavailable'),
}
#: What else than its type a packet's id, endpoint and data mean; the index is the type.
TYPES = ('disconnect', 'connect', 'heartbeat', 'message', 'json', 'event', 'ack', 'error', 'noop')


def http_refusal(reason: str, cause: str = '', transport: str | None = None, jsonp: str | None = None) -> Answer:
    """Plain words, as Node's 0.9 has them; scripts and pages, which see no status, are told so that they hear it."""
    status, text = ERRORS[reason]
    if cause:
        text += f': {cause}'
    if reason == 'unknown_sid' and transport == 'htmlfile':
        return Answer(status, PAGE, PREAMBLE.encode() + script(text))
    if jsonp is not None and JSONP is not None:
        if reason == 'unknown_sid':
            return Answer(status, *pad(JSONP, jsonp, Body(TEXT, text.encode())))
        if transport is None:
            return Answer('200 OK', SCRIPT, f'{JSONP.call}[{jsonp}](new Error({string(text)}));'.encode())
    return Answer(status, TEXT, text.encode())


def hello(sid: str, settings: Settings, upgrades: tuple[str, ...]) -> tuple[Message, ...]:
    """Nothing: the first packet is the global namespace's `1::`."""
    return ()


def handshake(sid: str, settings: Settings) -> Body:
    """`sid:heartbeat timeout:close timeout:transports`; whole seconds, because old clients parse integers."""
    patience = max(1, math.ceil(settings.ping_interval + settings.ping_timeout))
    names = [name for name in OFFERED if TRANSPORTS[name] in settings.transports]
    return Body(TEXT, f'{sid}:{patience}:{patience}:{",".join(names)}'.encode())


def decode(message: Message) -> Packet:
    """One message to a packet; raises RemoteProtocolError."""
    if isinstance(message, bytes):
        raise RemoteProtocolError('0.9 has no binary data', close_code=1003)
    fields = message.split(':', 3)
    if len(fields) < 3 or len(fields[0]) != 1 or not '0' <= fields[0] <= '8':
        raise RemoteProtocolError('not a packet')
    kind = TYPES[int(fields[0])]
    if len(fields[2]) > MAX_ENDPOINT and kind != 'connect':
        raise RemoteProtocolError('a namespace of more than 256 characters')
    packet = Packet(type=kind, endpoint='' if fields[2] == '/' else fields[2])
    if fields[1]:
        packet['id'] = number(fields[1].removesuffix('+'))
        packet['ack'] = 'data' if fields[1][-1] == '+' else True
    _DECODERS[kind](packet, fields[3] if len(fields) == 4 else '')
    return packet


def _nothing(packet: Packet, data: str) -> None:
    pass


def _disconnect(packet: Packet, data: str) -> None:
    """`0::` ends the connection, `0::/chat` leaves a namespace."""
    if not packet['endpoint']:
        packet['type'] = 'close'


def _connect(packet: Packet, data: str) -> None:
    """`1::/test:?test=1`, and `1::/test?test=1` of some clients."""
    endpoint, _, query = packet['endpoint'].partition('?')
    if len(endpoint) > MAX_ENDPOINT:
        raise RemoteProtocolError('a namespace of more than 256 characters')
    packet.update(
        {'endpoint': '' if endpoint == '/' else endpoint, 'qs': query or data.removeprefix('?'), 'auth': None}
    )


def _heartbeat(packet: Packet, data: str) -> None:
    packet['type'] = 'pong'


def _message(packet: Packet, data: str) -> None:
    packet['data'] = data


def _json(packet: Packet, data: str) -> None:
    packet['data'] = loads(data)


def _event(packet: Packet, data: str) -> None:
    value = loads(data)
    name = value.get('name') if type(value) is dict else None
    args = value.get('args', []) if type(value) is dict else None
    if type(name) is not str or type(args) is not list:
        raise RemoteProtocolError('an event without a name')
    packet.update({'name': name, 'args': args})


def _ack(packet: Packet, data: str) -> None:
    """`12`, or `12+["a","b"]`; the values may hold a `+` of their own."""
    ack_id, _, values = data.partition('+')
    args: Any = loads(values) if values else []
    if type(args) is not list:
        raise RemoteProtocolError('an ack whose values are no list')
    packet.update({'ackId': number(ack_id), 'args': args})


def _error(packet: Packet, data: str) -> None:
    reason, _, advice = data.partition('+')
    packet.update({'reason': reason, 'advice': advice, 'data': None})


_DECODERS = {
    'disconnect': _disconnect,
    'connect': _connect,
    'heartbeat': _heartbeat,
    'message': _message,
    'json': _json,
    'event': _event,
    'ack': _ack,
    'error': _error,
    'noop': _nothing,
}


def encode(packet: Packet, default: Default | None = None) -> tuple[Message, ...]:
    """A packet to one message; raises LocalProtocolError for binary data, which 0.9 does not have."""
    return (_ENCODERS[packet['type']](packet, default),)


def _text(value: Any, default: Default | None) -> str:
    text, attachments = serialise(value, default)
    if attachments:
        raise NotInThisDialect('a 0.9 client cannot receive binary data')
    return text


def _head(kind: int, packet: Packet) -> str:
    """`5:1+:/chat`."""
    number = f'{packet["id"]}{"+" if packet.get("ack") == "data" else ""}' if 'id' in packet else ''
    return f'{kind}:{number}:{packet["endpoint"]}'


def _encode_event(packet: Packet, default: Default | None) -> str:
    return f'{_head(5, packet)}:{_event_text(packet["name"], packet["args"], default)}'


def _event_text(name: str, args: Sequence[Any], default: Default | None) -> str:
    """No `args` key where there are none."""
    return _text({'name': name, 'args': list(args)} if args else {'name': name}, default)


def emission(endpoint: str, name: str, args: Sequence[Any], default: Default | None) -> tuple[Message, ...]:
    """`5::/chat:{"name":"news","args":[1]}`."""
    return (f'5::{endpoint}:{_event_text(name, args, default)}',)


def _encode_message(packet: Packet, default: Default | None) -> str:
    data = packet['data']
    if not isinstance(data, str):
        raise LocalProtocolError('a message is a string; send(..., json=True) takes other values')
    return f'{_head(3, packet)}:{data}'


def answer(endpoint: str, ack_id: int, values: Sequence[Any], default: Default | None) -> tuple[Message, ...]:
    """`6::/chat:12+["a"]`, and no more than `6::/chat:12` where there are no values."""
    return (f'6::{endpoint}:{ack_id}' + (f'+{_text(list(values), default)}' if values else ''),)


def _encode_ack(packet: Packet, default: Default | None) -> str:
    (text,) = answer(packet['endpoint'], packet['ackId'], packet['args'], default)
    return str(text)


_ENCODERS: dict[str, Callable[[Packet, Default | None], str]] = {
    'disconnect': lambda packet, default: '0::' + packet['endpoint'],
    'close': lambda packet, default: '0::',
    'connect': lambda packet, default: '1::' + packet['endpoint'],
    'heartbeat': lambda packet, default: '2::',
    'message': _encode_message,
    'json': lambda packet, default: f'{_head(4, packet)}:{_text(packet["data"], default)}',
    'event': _encode_event,
    'ack': _encode_ack,
    'noop': lambda packet, default: '8::',
}


def refusal(endpoint: str, refused: Refused) -> tuple[Message, ...]:
    """`7::/chat:2` (unauthorized), which has no room for words: an `error` event in front of it carries them.

    An unknown namespace gets the event alone, as gevent-socketio sent it.
    """
    if isinstance(refused, NoSuchNamespace):
        detail: Any = f"The endpoint you tried to connect to doesn't exist: {endpoint}"
        return (_error_event(endpoint, refused.name, detail),)
    detail = refused.message if refused.data is None else {'message': refused.message, 'data': refused.data}
    return (_error_event(endpoint, refused.name, detail), f'7::{endpoint}:2')


def _error_event(endpoint: str, name: str, detail: Any) -> str:
    return f'5::{endpoint}:{_text({"name": "error", "args": [name, detail]}, None)}'


def octets(query: Mapping[str, str]) -> Octets:
    """0.9 has no binary data."""
    return Octets.NEVER


def join_payload(messages: list[Message], octets: Octets, memory: Collection[str] = ()) -> Body:
    """One packet as it is, several framed."""
    texts = [str(m) for m in messages]
    text = texts[0] if len(texts) == 1 else ''.join(f'{FRAME}{units(t)}{FRAME}{t}' for t in texts)
    return Body(TEXT, text.encode('utf-8', 'replace'))


def split_payload(body: bytes, content_type: str, memory: set[str]) -> list[Message]:
    """The reverse; raises RemoteProtocolError."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError('a payload that is not UTF-8', close_code=1007) from None
    if text[:1] != FRAME:
        return [text]
    data = text.encode('utf-16-le')
    mark = FRAME.encode('utf-16-le')
    parts: list[Message] = []
    i = 0
    while i < len(data):
        end = data.find(mark, i + 2)
        if data[i : i + 2] != mark or end < 0:
            raise RemoteProtocolError('a payload with a broken frame')
        start = end + 2
        i = start + 2 * number(data[i + 2 : end].decode('utf-16-le', 'replace'))
        if i > len(data):
            raise RemoteProtocolError('a payload that is cut short')
        parts.append(data[start:i].decode('utf-16-le', 'replace'))
    return parts
