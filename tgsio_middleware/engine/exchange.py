"""Exchange: what is said to many of one filter's clients, from anywhere: handlers, controllers, other greenlets,
threads that are not gevent's, and other processes by the bus.

    anywhere   calls  emit, disconnect          from any thread; passed on to the bus
    the bus    calls  tell, ask, move, ...      `bus.node.Local`; in the hub's thread, never passed on
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gevent import get_hub, monkey

from ..bus.address import Address
from ..bus.home import at_home
from ..bus.outbox import OPEN, current, postponed
from ..errors import ConfigurationError
from ..mixins import deliver, send
from ..packet import event

if TYPE_CHECKING:
    from ..namespace import BaseNamespace
    from .host import Host
    from .registry import Registry

#: Those of this process's filters.
EXCHANGES: weakref.WeakSet[Exchange] = weakref.WeakSet()


class Exchange:
    """One filter's."""

    def __init__(self, registry: Registry, host: Host) -> None:
        self.registry = registry
        self.host = host
        registry.home = get_hub() if monkey.is_module_patched('socket') else None
        EXCHANGES.add(self)

    # -- called from anywhere ----------------------------------------------------------------------------------------

    def emit(self, to: Address, name: str, values: list[Any]) -> None:
        """At once, or when the event under way has committed (`emit_on_commit`). The values are plain.

        Raises ConfigurationError where no client can be reached from here.
        """
        outbox = current() if OPEN else None
        if outbox is not None:
            outbox.hold(self._at_home, self._emit, to, name, values)
        else:
            self._at_home(self._emit, to, name, values)

    def _emit(self, to: Address, name: str, values: list[Any]) -> None:
        bus = self.registry.bus
        self.tell(to, name, values)
        if bus is not None:
            bus.emit(to, name, values)

    def disconnect(self, to: Address, close: bool) -> None:
        """As `emit`; inside an event with an outbox it waits for the event's end, and happens in either case."""
        if not OPEN or not postponed(self._at_home, self._disconnect, to, close):
            self._at_home(self._disconnect, to, close)

    def _disconnect(self, to: Address, close: bool) -> None:
        bus = self.registry.bus
        self.dismiss(to, close)
        if bus is not None:
            bus.disconnect(to, close)

    def _at_home(self, what: Callable[..., None], *args: Any) -> None:
        """Calls it in the thread whose hub serves the clients; from another one, without waiting."""
        home = self.registry.home
        if home is None:
            raise ConfigurationError(
                'gevent has not patched this process, so that no client is served here: serve the site with '
                "egg:tgsio_middleware#socketio, or publish from here with tgsio_middleware.Emitter('redis://...') to "
                'servers with the setting bus'
            )
        at_home(home, what, *args)

    # -- called by the bus: this process's own clients ---------------------------------------------------------------

    def occupied(self, endpoint: str, room: str | None) -> bool:
        """Somebody is there."""
        return bool(self.registry.members(endpoint, room))

    def tell(self, to: Address, name: str, args: Sequence[Any]) -> None:
        """Says an event."""
        deliver(event(to.endpoint, name, args), self.select(to))

    def ask(self, to: Address, name: str, args: Sequence[Any], answer: Callable[[Any], None]) -> int:
        """Says an event, and gives `answer` the first value of each client's ack; -> how many were asked: all whose
        dialect can say it.
        """
        asked = 0
        for member in list(self.select(to)):
            packet = event(to.endpoint, name, args)
            packet['id'] = member.socket.expect_ack(lambda *values: answer(values[0] if values else None))
            packet['ack'] = 'data'
            if send(packet, member.socket):
                asked += 1
            else:
                member.socket.pop_ack(packet['id'])
        return asked

    def move(self, to: Address, join: Iterable[str], leave: Iterable[str]) -> None:
        """They join and leave rooms."""
        rooms = self.registry.rooms
        for member in list(self.select(to)):
            for room in join:
                rooms.join(member, to.endpoint, room)
            for room in rooms.rooms_of(member).intersection(leave):
                rooms.leave(member, to.endpoint, room)

    def dismiss(self, to: Address, close: bool) -> None:
        """Ends the namespace for them; with `close`, their connections."""
        for member in list(self.select(to)):
            member.socket.dismiss(member, close)

    def describe(self, to: Address) -> list[dict[str, Any]]:
        """`{id, handshake, rooms, data}` of each, as Node's `fetchSockets` tells it; cookies and headers stay here."""
        return [
            {
                'id': member.sid,
                'handshake': {'address': member.socket.handshake.get('REMOTE_ADDR', ''), 'headers': {}, 'query': {}},
                'rooms': [member.sid, *self.registry.rooms.rooms_of(member)],
                'data': {},
            }
            for member in self.select(to)
        ]

    def rooms(self, endpoint: str) -> Iterable[str]:
        """The names of all rooms, clients' sids among them."""
        members = self.registry.members(endpoint)
        return {name for one in members for name in (one.sid, *self.registry.rooms.rooms_of(one))}

    def select(self, to: Address) -> Collection[BaseNamespace]:
        """Its members; do not change rooms while you walk over it."""
        if not to.rooms:
            members = self.registry.members(to.endpoint)
        elif len(to.rooms) == 1:
            members = self.registry.members(to.endpoint, to.rooms[0])
        else:
            members = dict.fromkeys(member for room in to.rooms for member in self.registry.members(to.endpoint, room))
        if not to.skipped:
            return members
        skipped = {member for room in to.skipped for member in self.registry.members(to.endpoint, room)}
        return [member for member in members if member not in skipped]
