"""The messages of Node's socket.io Redis adapter (@socket.io/redis-adapter 8, @socket.io/redis-emitter 5), as bytes.

channel                             what                          form
=================================   ===========================   ==============================
`socket.io#<nsp>#`, `...#<room>#`   `[uid, packet, opts]`         msgpack
`socket.io-request#<nsp>#`          `{type, uid, requestId ...}`  JSON (first byte `{`) or msgpack
`socket.io-response#<nsp>#`         `{requestId, ...}`            the same
=================================   ===========================   ==============================

A packet is `{type: 2, data: [event, ...args], nsp}`; opts are `{rooms: [], except: [], flags: {}}`. The room stands in
the channel where there is exactly one. `nsp` is '/' for the global namespace, which packets here call ''.

Pure, and nothing that comes in is believed: whatever is not of this form raises Garbage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ..errors import ConfigurationError, LocalProtocolError, SocketIOError
from ..packet import UNSAYABLE
from .address import Address, raw

try:
    import msgpack
except ImportError:
    raise ConfigurationError('the bus needs msgpack and redis: pip install tgsio_middleware[redis]') from None

PREFIX = b'socket.io#'
REQUEST_PREFIX = b'socket.io-request#'
RESPONSE_PREFIX = b'socket.io-response#'
#: Types of a request or response.
SOCKETS, ALL_ROOMS, JOIN, LEAVE, DISCONNECT, FETCH, SERVER_SIDE_EMIT, BROADCAST, CLIENT_COUNT, BROADCAST_ACK = range(10)
#: EVENT and BINARY_EVENT; adapters before version 6 told them apart.
EVENTS = (2, 5)
#: How msgpack begins a timestamp (a Date of Node's): these alone are worth a walk over the values.
TIMESTAMPS = (b'\xd6\xff', b'\xd7\xff', b'\xc7\x0c\xff')


class Garbage(SocketIOError):
    """Something on the bus that no adapter and no emitter says."""


class Emitted(NamedTuple):
    """An event of another process."""

    to: Address
    name: str
    args: list[Any]


def pack(value: Any) -> bytes:
    """Plain values and bytes to msgpack. Raises LocalProtocolError."""
    try:
        packed: bytes = msgpack.packb(value, unicode_errors='surrogatepass', default=_number)
    except (ValueError, TypeError, OverflowError) as e:
        raise LocalProtocolError(f'cannot be sent to other processes: {e}') from e
    return packed


def _number(value: Any) -> float | None:
    """A whole number beyond 64 bits is to JavaScript a float, and beyond those what its JSON has for Infinity, null."""
    if type(value) is not int:
        raise TypeError(f'{type(value).__name__} is neither JSON nor bytes')
    try:
        return float(value)
    except OverflowError:
        return None


def unpack(data: bytes) -> Any:
    """msgpack to values; dates become ISO 8601 strings, as they do in the JSON of Node's clients. Raises Garbage."""
    try:
        value = msgpack.unpackb(data, unicode_errors='surrogatepass', timestamp=3, ext_hook=_extension)
    except Exception as e:  # msgpack's errors have no common base
        raise Garbage(f'no msgpack: {type(e).__name__}') from None
    return _without_dates(value) if any(mark in data for mark in TIMESTAMPS) else value


def _extension(code: int, data: bytes) -> None:
    if (code, data) != (0, b'\0'):  # notepack's `undefined`
        raise ValueError(f'extension type {code}')


def _without_dates(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_dates(item) for key, item in value.items()}
    return value


def nsp(endpoint: str) -> bytes:
    """'' -> b'/'."""
    return raw(endpoint or '/')


def channel(to: Address) -> bytes:
    """Where an event to this address is published."""
    room = raw(to.rooms[0]) + b'#' if len(to.rooms) == 1 else b''
    return PREFIX + nsp(to.endpoint) + b'#' + room


def pattern(endpoint: str) -> bytes:
    """What to PSUBSCRIBE to hear all events of a namespace."""
    name = b''.join(b'\\' + bytes([c]) if c in b'*?[]\\^-' else bytes([c]) for c in nsp(endpoint))
    return PREFIX + name + b'#*'


def request_channel(endpoint: str) -> bytes:
    """What to SUBSCRIBE to hear requests; the number of its subscribers is Node's number of servers."""
    return REQUEST_PREFIX + nsp(endpoint) + b'#'


def response_channel(endpoint: str) -> bytes:
    """Where answers are published."""
    return RESPONSE_PREFIX + nsp(endpoint) + b'#'


def options(to: Address) -> dict[str, Any]:
    """The `opts` of a message."""
    return {'rooms': list(to.rooms), 'except': list(to.skipped), 'flags': {}}


def emission(uid: str, to: Address, name: str, args: Iterable[Any]) -> bytes:
    """An event; the values are plain. Raises LocalProtocolError."""
    return pack([uid, {'type': 2, 'data': [name, *args], 'nsp': to.endpoint or '/'}, options(to)])


def beginning(uid: str) -> bytes:
    """What every event of the process `uid` begins with: its own need not be unpacked."""
    return b'\x93' + pack(uid)


def request(uid: str, kind: int, to: Address, **more: Any) -> bytes:
    """A request that wants no answer."""
    opts = {'rooms': list(to.rooms), 'except': list(to.skipped)}
    return json.dumps({'uid': uid, 'type': kind, 'opts': opts, **more}).encode()


def read_emission(endpoint: str, data: bytes) -> Emitted:
    """The event in a message of that namespace's channels. Raises Garbage."""
    message = unpack(data)
    if type(message) is not list or len(message) != 3 or type(message[0]) is not str:
        raise Garbage('not [uid, packet, opts]')
    name, args = read_packet(endpoint, message[1])
    return Emitted(read_options(endpoint, message[2]), name, args)


def read_packet(endpoint: str, packet: Any) -> tuple[str, list[Any]]:
    """`{type: 2, data: [event, ...args], nsp}` -> event, args. Raises Garbage."""
    if type(packet) is not dict or packet.get('type') not in EVENTS or packet.get('nsp', '/') != (endpoint or '/'):
        raise Garbage('not an event of the namespace whose channel it is on')
    data = packet.get('data')
    if type(data) is not list or not data or type(data[0]) is not str or data[0] in UNSAYABLE:
        raise Garbage('an event without a name, or with one that is reserved')
    return data[0], data[1:]


def read_options(endpoint: str, opts: Any) -> Address:
    """`{rooms, except}` -> Address. Raises Garbage."""
    if type(opts) is not dict:
        raise Garbage('opts are no object')
    return Address(endpoint, names(opts.get('rooms')), names(opts.get('except')))


def names(value: Any) -> tuple[str, ...]:
    """A list of rooms; Node's may be numbers. Raises Garbage."""
    if value is None:
        return ()
    if type(value) is not list or not all(type(name) in (str, int) for name in value):
        raise Garbage('rooms that are no list of names')
    return tuple(map(str, value))


def read_request(data: bytes) -> dict[str, Any]:
    """A request or response. Raises Garbage."""
    if data[:1] == b'{':
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            raise Garbage('no JSON') from None
    else:
        message = unpack(data)
    if type(message) is not dict or type(message.get('type')) is not int:
        raise Garbage('not {type: n, ...}')
    return message
