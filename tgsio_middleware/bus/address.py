"""Address: whom something is for. Rooms add up; no room is the whole namespace.

A client's own sid is a room that holds it alone, as in Node's socket.io. A user's connections are in the room
`USER + user id`, which nobody can join by that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import LocalProtocolError

#: What the room of a user's connections begins with, here and on Redis.
USER = 'tg-user:'
#: A room that is always empty.
NOBODY = USER + '\0'
#: `user` where none was given. None is who is not logged in, and has no connections.
ANYBODY: Any = type('Anybody', (), {'__repr__': lambda self: 'ANYBODY'})()


class Address(NamedTuple):
    """`endpoint` as packets have it ('' or '/chat'); rooms reached, and rooms (or sids) left out."""

    endpoint: str
    rooms: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def raw(text: str) -> bytes:
    """UTF-8; lone surrogates, which JavaScript's strings may hold, pass as Node passes them."""
    return text.encode('utf-8', 'surrogatepass')


def text(data: bytes) -> str:
    """The other way. Raises UnicodeDecodeError."""
    return data.decode('utf-8', 'surrogatepass')


def user_room(user: Any) -> str:
    """The room of all connections of a TurboGears user id."""
    return f'{USER}{user}'


def name_of(what: str, name: Any) -> str:
    """The name of a room, a channel, a namespace: text as it is; a number as its digits, as Node's rooms may be. Raises
    LocalProtocolError for all else.
    """
    if isinstance(name, str):
        return name
    if type(name) is int:
        return str(name)
    raise LocalProtocolError(f'{name!r:.60} is no name of a {what}: allowed are text and whole numbers')


def endpoint_of(namespace: str) -> str:
    """'/', '' -> ''; 'chat', '/chat' -> '/chat'. Raises LocalProtocolError."""
    name = name_of('namespace', namespace).strip('/')
    return '/' + name if name else ''


def room_name(room: Any) -> str:
    """A room's. Raises LocalProtocolError."""
    return name_of('room', room)


def joinable(room: Any) -> str:
    """The room's name, if a handler may put a client into it: users' rooms fill themselves. Raises
    LocalProtocolError.
    """
    name = room_name(room)
    if name.startswith(USER):
        raise LocalProtocolError(f"the room {name!r} is the server's: it holds a user's connections by itself")
    return name


def address(namespace: str, room: Any = None, user: Any = ANYBODY, skip: Any = None) -> Address:
    """What `emit` and `disconnect` were told -> an Address.

    `room`: a name or several. `user`: a TurboGears user id or several. `skip`: a namespace object or a socket (that
    client), a sid, the name of a room, or several of these. No rooms at all (an empty list) and the user None are
    nobody, and not everybody. Raises LocalProtocolError for what is no name.
    """
    users = () if user is ANYBODY or user is None else _several(user)
    rooms = (*map(room_name, () if room is None else _several(room)), *map(user_room, users))
    if not rooms and (room is not None or user is not ANYBODY):
        rooms = (NOBODY,)
    return Address(endpoint_of(namespace), rooms, tuple(_skipped(skip, endpoint_of(namespace))))


def _several(value: Any) -> Iterable[Any]:
    return (value,) if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else value


def _skipped(skip: Any, endpoint: str) -> Iterable[str]:
    for item in () if skip is None else _several(skip):
        socket = getattr(item, 'socket', item)
        if hasattr(socket, 'active_ns'):
            if endpoint in socket.active_ns:
                yield socket.active_ns[endpoint].sid
        else:
            yield room_name(item)
