"""What Engine.IO 3 and 4 have in common: the Socket.IO packets inside, the hello, the words of a refusal.

Engine.IO's packet types are the first character of a message: 0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade,
6 noop. Socket.IO's are the second, inside a message: 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 ERROR, 5 BINARY_EVENT,
6 BINARY_ACK.

Socket.IO protocol: `<packet type>[<# of binary attachments>-][<namespace>,][<acknowledgment id>][JSON-stringified
payload]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..errors import LocalProtocolError, RemoteProtocolError
from ..packet import UNSAYABLE, Message, Packet, sayable
from ..settings import Settings
from .binary import serialise
from .dialect import Answer
from .javascript import INVALID, Default, dumps, loads, scan

TRANSPORTS = {'websocket': 'websocket', 'polling': 'polling'}
#: A number has no more digits than a double can count exactly.
MAX_DIGITS = 15
MAX_ENDPOINT = 256

#: engine.io's own table of errors.
ERRORS = {
    'unknown_transport': ('400 Bad Request', 0, 'Transport unknown'),
    'unknown_sid': ('400 Bad Request', 1, 'Session ID unknown'),
    'bad_method': ('400 Bad Request', 2, 'Bad handshake method'),
    'bad_request': ('400 Bad Request', 3, 'Bad request'),
    'forbidden': ('403 Forbidden', 4, 'Forbidden'),
    'unsupported_version': ('400 Bad Request', 5, 'Unsupported protocol version'),
    'too_large': ('413 Content Too Large', 3, 'Payload too large'),
    'too_many': ('429 Too Many Requests', 4, 'Too many connections'),
    'unavailable': ('503 Service Unavailable', 3, 'Service unavailable'),
}


def http_refusal(reason: str, cause: str = '', transport: str | None = None, jsonp: str | None = None) -> Answer:
    """engine.io answers a bad request with `{"code":n,"message":"..."}`."""
    status, code, message = ERRORS[reason]
    if cause:
        message += f': {cause}'
    return Answer(status, 'application/json', dumps({'code': code, 'message': message}).encode())


def hello(sid: str, settings: Settings, upgrades: tuple[str, ...]) -> tuple[Message, ...]:
    """The open packet."""
    rest = _rest_of_hello(upgrades, settings.ping_interval, settings.ping_timeout, settings.max_payload)
    return (f'0{{"sid":"{sid}",{rest}',)


@lru_cache
def _rest_of_hello(upgrades: tuple[str, ...], ping_interval: float, ping_timeout: float, max_payload: int) -> str:
    """All but the sid is the same for everybody. Milliseconds are the wire's unit, seconds ours."""
    data = {
        'upgrades': list(upgrades),
        'pingInterval': round(ping_interval * 1000),
        'pingTimeout': round(ping_timeout * 1000),
        'maxPayload': max_payload,
    }
    return dumps(data)[1:]


def handshake(sid: str, settings: Settings) -> None:
    """The hello is the handshake."""
    return None


def decode(text: str) -> Packet:
    """A Socket.IO packet inside an Engine.IO message; `text` begins with Engine.IO's '4'.

    A packet with attachments comes wrapped in the packet `binary`: `count` messages of bytes must follow.
    """
    kind = text[1:2]
    if kind == '2':  # the common case first
        return event(text, 2)
    if kind in ('5', '6'):
        dash = text.find('-', 2, 2 + MAX_DIGITS)
        whole = event(text, dash + 1) if kind == '5' else _ack(text, dash + 1)
        return Packet(type='binary', whole=whole, count=number(text[2 : max(dash, 2)]))
    if kind == '3':
        return _ack(text, 2)
    if kind == '0':
        return _connect(text)
    endpoint, start = endpoint_at(text, 2)
    if kind == '1':
        return Packet(type='disconnect', endpoint=endpoint)
    if kind == '4':
        return Packet(type='error', endpoint=endpoint, data=loads(text, start) if start < len(text) else None)
    raise RemoteProtocolError(f'unknown packet type {kind!r}')


def endpoint_at(text: str, start: int, limit: int = MAX_ENDPOINT) -> tuple[str, int]:
    """`/chat,...` at `start` -> ('/chat', where the rest begins); the global namespace is ''."""
    if text[start : start + 1] != '/':
        return '', start
    comma = text.find(',', start)
    end = len(text) if comma < 0 else comma
    if end - start > limit:
        raise RemoteProtocolError('a namespace of more than 256 characters')
    endpoint = text[start:end]
    return ('' if endpoint == '/' else endpoint), end + 1


def number(digits: str) -> int:
    """A decimal number of the wire: ASCII digits only, at most 15 of them."""
    if digits.isdecimal() and len(digits) <= MAX_DIGITS and digits.isascii():
        return int(digits)
    raise RemoteProtocolError('not a number')


def units(text: str) -> int:
    """Its length as JavaScript counts it, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode('utf-16-le', 'surrogatepass')) // 2


def event(text: str, start: int) -> Packet:
    """The event whose namespace, id and values begin at `start`."""
    endpoint = ''
    bracket = text.find('[', start)
    if bracket > start and text[start] == '/':
        endpoint, start = endpoint_at(text, start)
        bracket = text.find('[', start)
    if bracket < 0:
        raise RemoteProtocolError('an event without a name')
    try:
        args, end = scan(text, bracket)
        if end != len(text):  # spaces, or what is no JSON
            args = loads(text, bracket)
    except INVALID:
        raise RemoteProtocolError('an event whose values are no JSON') from None
    if not args or type(args[0]) is not str:
        raise RemoteProtocolError('an event without a name')
    name = args.pop(0)
    if bracket == start:
        return {'type': 'event', 'endpoint': endpoint, 'name': name, 'args': args}
    ack_id = number(text[start:bracket])
    return {'type': 'event', 'endpoint': endpoint, 'name': name, 'args': args, 'id': ack_id, 'ack': 'data'}


def _ack(text: str, start: int) -> Packet:
    endpoint, start = endpoint_at(text, start)
    bracket = text.find('[', start)
    if bracket < 0:
        raise RemoteProtocolError('an ack without values')
    return Packet(type='ack', endpoint=endpoint, ackId=number(text[start:bracket]), args=loads(text, bracket))


def _connect(text: str) -> Packet:
    """`40/admin?token=abc,` (2.x: the query inside the namespace), `40/admin,{"token":"abc"}` (4.x: a payload)."""
    endpoint, start = endpoint_at(text, 2, len(text))
    endpoint, _, query = endpoint.partition('?')
    if len(endpoint) > MAX_ENDPOINT:
        raise RemoteProtocolError('a namespace of more than 256 characters')
    auth = loads(text, start) if start < len(text) else None
    if auth is not None and type(auth) is not dict:
        raise RemoteProtocolError('a CONNECT payload that is no object')
    return Packet(type='connect', endpoint='' if endpoint == '/' else endpoint, qs=query, auth=auth)


def emission(
    endpoint: str, name: str, args: Sequence[Any], default: Default | None, ack_id: int | str = ''
) -> tuple[Message, ...]:
    """EVENT, or BINARY_EVENT with its attachments. Raises LocalProtocolError for a name that ends clients of 4.x."""
    if type(name) is not str or name in UNSAYABLE:
        sayable(name)
    text, attachments = serialise([name, *args], default)
    if endpoint:
        text = f'{endpoint},{ack_id}{text}'
    elif ack_id != '':
        text = f'{ack_id}{text}'
    if not attachments:
        return ('42' + text,)
    return (f'45{len(attachments)}-{text}', *attachments)


def encode_event(packet: Packet, default: Default | None) -> tuple[Message, ...]:
    """An event as a packet."""
    return emission(packet['endpoint'], packet['name'], packet['args'], default, packet.get('id', ''))


def encode_message(packet: Packet, default: Default | None) -> tuple[Message, ...]:
    """`send` is the event `message` since 1.0."""
    return encode_event({**packet, 'name': 'message', 'args': [packet['data']]}, default)


def answer(endpoint: str, ack_id: int, values: Sequence[Any], default: Default | None) -> tuple[Message, ...]:
    """ACK, or BINARY_ACK with its attachments."""
    text, attachments = serialise(values, default)
    whose = f'{endpoint},{ack_id}' if endpoint else ack_id
    if not attachments:
        return (f'43{whose}{text}',)
    return (f'46{len(attachments)}-{whose}{text}', *attachments)


def encode_ack(packet: Packet, default: Default | None) -> tuple[Message, ...]:
    """An ack as a packet."""
    return answer(packet['endpoint'], packet['ackId'], packet['args'], default)


def encode_disconnect(packet: Packet, default: Default | None) -> tuple[Message, ...]:
    """DISCONNECT of one namespace."""
    return ('41' + prefix(packet),)


def prefix(packet: Packet) -> str:
    """`/chat,` or nothing for the global namespace."""
    endpoint: str = packet['endpoint']
    return endpoint + ',' if endpoint else ''


def encode_error(endpoint: str, data: Any) -> str:
    """ERROR of version 4, CONNECT_ERROR of version 5. Raises LocalProtocolError."""
    text, attachments = serialise(data)
    if attachments:
        raise LocalProtocolError('an error cannot carry bytes')
    return '44' + (endpoint + ',' if endpoint else '') + text


#: The encoders that both versions share, by packet type.
ENCODERS = {
    'event': encode_event,
    'message': encode_message,
    'json': encode_message,
    'ack': encode_ack,
    'disconnect': encode_disconnect,
    'noop': lambda packet, default: ('6',),
    'pong': lambda packet, default: ('3' + packet.get('data', ''),),
    'heartbeat': lambda packet, default: ('2',),
    'close': lambda packet, default: ('1',),
}
