"""RoomsMixin and BroadcastMixin, with gevent-socketio's names; a broadcast reaches members of the namespace only.

A broadcast is encoded once a dialect and framed once a transport; every recipient gets the same bytes object. With the
setting `bus` it reaches the namespace's members in other processes, too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .bus.address import USER, Address, joinable, room_name
from .bus.outbox import OPEN, current
from .bus.plain import plain
from .bus.seldom import Seldom
from .errors import Exceeded, NotInThisDialect
from .packet import Packet, event

if TYPE_CHECKING:
    from .engine.socket import Socket
    from .namespace import BaseNamespace

log = logging.getLogger(__name__)
_left_out = Seldom(log)
#: Characters of a room's name: handlers join what clients name.
MAX_ROOM = 1000


def deliver(packet: Packet, members: Iterable[BaseNamespace], skip: Socket | None = None) -> None:
    """Sends the packet to each member's client but `skip`; to those who are members now, for what is said is encoded by
    code of the site's, which may wait.
    """
    prepared: dict[tuple[Any, Any], Any] = {}
    dialect = prepare = said = None
    for member in list(members):
        socket = member.socket
        if socket is skip or socket.reason is not None:
            continue
        transport = socket.transport
        if transport is None or socket.holds:
            send(packet, socket)
            continue
        if socket.dialect is not dialect or transport.prepare is not prepare:
            dialect, prepare = socket.dialect, transport.prepare
            if (dialect, prepare) not in prepared:
                prepared[dialect, prepare] = _prepare(packet, socket)
            said = prepared[dialect, prepare]
            if socket.transport is not transport:  # `_prepare` has waited, and the client moved to another
                send(packet, socket)
                continue
        if said is not None:
            transport.put_prepared(said)


def send(packet: Packet, socket: Socket) -> bool:
    """Sends the packet to one client of many; -> False where its dialect cannot say it, as the log then tells."""
    try:
        socket.send_packet(packet)
    except NotInThisDialect as e:
        _leave_out(packet, socket, e)
        return False
    return True


def _leave_out(packet: Packet, socket: Socket, why: NotInThisDialect) -> None:
    _left_out('a broadcast of %.80r leaves out the clients of %s: %s', packet['name'], socket.dialect.NAME, why)


def _prepare(packet: Packet, socket: Socket) -> Any:
    """The packet for every client of this one's dialect and transport; None where that dialect cannot say it."""
    assert socket.transport is not None
    try:
        messages = socket.dialect.encode(packet, socket.host.json_default)
    except NotInThisDialect as e:
        _leave_out(packet, socket, e)
        return None
    return socket.transport.prepare(messages, socket.dialect.BINARY_PREFIX)


def say_to_room(speaker: Any, room: str | None, name: str, args: Sequence[Any], skip: Socket | None) -> None:
    """Sends to the members of the speaker's namespace in the room (None: to all) but `skip`, its own socket or None."""
    outbox = current() if OPEN else None
    if outbox is not None:
        outbox.hold(say_to_room, speaker, room, name, plain(args, speaker.socket.host.json_default), skip)
        return
    endpoint: str = speaker.ns_name
    registry = speaker.socket.registry
    deliver(event(endpoint, name, args), registry.members(endpoint, room), skip)
    if registry.bus is not None:
        to = Address(endpoint, () if room is None else (room,), () if skip is None else (speaker.sid,))
        registry.bus.emit(to, name, plain(args, speaker.socket.host.json_default))


class RoomsMixin:
    """Rooms of one namespace. They are left at disconnect."""

    socket: Socket
    ns_name: str

    def join(self, room: str | int) -> None:
        """From now on `emit_to_room(room, ...)` reaches this client; nothing happens where it has left the namespace
        already. More than `max_rooms` end the client. Raises LocalProtocolError for what is no name of a room, and
        for a room that holds a user's connections.
        """
        socket, name = self.socket, joinable(room)
        if socket.active_ns.get(self.ns_name) is not self:  # type: ignore[comparison-overlap]
            return
        rooms, most = socket.registry.rooms, socket.settings.max_rooms
        if len(name) > MAX_ROOM:
            socket.fail(Exceeded('max_rooms', f'the name of a room of more than {MAX_ROOM} characters'))
        elif rooms.count(self) < most or self in rooms.members(self.ns_name, name):  # type: ignore[arg-type]
            rooms.join(self, self.ns_name, name)  # type: ignore[arg-type]
        else:
            socket.fail(Exceeded('max_rooms', f'more than {most} rooms'))

    def leave(self, room: str | int) -> None:
        """Raises KeyError where the client is not in the room."""
        self.socket.registry.rooms.leave(self, self.ns_name, joinable(room))  # type: ignore[arg-type]

    @property
    def rooms(self) -> set[str]:
        """The names of the rooms that this client is in."""
        rooms = self.socket.registry.rooms.rooms_of(self)  # type: ignore[arg-type]
        return {room for room in rooms if not room.startswith(USER)}

    def emit_to_room(self, room: str | int, event_name: str, *args: Any) -> None:
        """Sends to all in the room but this client, as gevent-socketio did."""
        say_to_room(self, room if type(room) is str else room_name(room), event_name, args, self.socket)


class BroadcastMixin:
    """Events to everybody in the namespace."""

    socket: Socket
    ns_name: str

    def broadcast_event(self, event_name: str, *args: Any) -> None:
        """Sends to all clients of the namespace, this one too."""
        say_to_room(self, None, event_name, args, None)

    def broadcast_event_not_me(self, event_name: str, *args: Any) -> None:
        """Sends to all clients of the namespace but this one."""
        say_to_room(self, None, event_name, args, self.socket)
