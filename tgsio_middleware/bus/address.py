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


class Address(NamedTuple):
    """`endpoint` as packets have it ('' or '/chat'); rooms reached, and rooms (or sids) left out."""

    endpoint: str
    rooms: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def endpoint_of(namespace: str) -> str:
    """'/', '' -> ''; 'chat', '/chat' -> '/chat'."""
    name = namespace.strip('/')
    return '/' + name if name else ''


def raw(text: str) -> bytes:
    """UTF-8; lone surrogates, which JavaScript's strings may hold, pass as Node passes them."""
    return text.encode('utf-8', 'surrogatepass')


def user_room(user: Any) -> str:
    """The room of all connections of a TurboGears user id."""
    return f'{USER}{user}'


def joinable(room: str) -> str:
    """The room, if a handler may put a client into it: users' rooms fill themselves. Raises LocalProtocolError."""
    if room.startswith(USER):
        raise LocalProtocolError(f"the room {room!r} is the server's: it holds a user's connections by itself")
    return room


def address(namespace: str, room: Any = None, user: Any = None, skip: Any = None) -> Address:
    """What `emit` and `disconnect` were told -> an Address.

    `room`: a name or several. `user`: a TurboGears user id or several. `skip`: a namespace object, a socket, a sid or
    the name of a room, or several of these. No rooms at all (an empty list) are nobody, and not everybody.
    """
    rooms = (*_names(room), *map(user_room, _names(user)))
    if not rooms and (room is not None or user is not None):
        rooms = (NOBODY,)
    return Address(endpoint_of(namespace), rooms, _skipped(skip, endpoint_of(namespace)))


def _names(room: Any) -> tuple[str, ...]:
    if room is None:
        return ()
    return (room,) if isinstance(room, str) else tuple(map(str, room)) if isinstance(room, Iterable) else (str(room),)


def _skipped(skip: Any, endpoint: str) -> tuple[str, ...]:
    if skip is None:
        return ()
    if isinstance(skip, (list, tuple, set, frozenset)):
        return tuple(name for item in skip for name in _skipped(item, endpoint))
    if isinstance(skip, str):
        return (skip,)
    if hasattr(skip, 'active_ns'):  # a socket
        skip = skip.active_ns.get(endpoint)
        return () if skip is None else (skip.sid,)
    return (skip.sid,)
