"""Registry: who is there. sid -> Socket, and one greenlet that wakes each when its time has come.

The wheel is a heap of (time, sid): a client has one valid entry, its next deadline, and no timer of its own.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection
from heapq import heappop, heappush
from ipaddress import IPv6Address, IPv6Network
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
from gevent import get_hub
from gevent.event import Event

from ..bus.rooms import Rooms
from ..errors import HandshakeRefused
from ..settings import Settings
from ..wire.conversation import SLACK
from .workers import workers

if TYPE_CHECKING:
    from ..bus.node import NodeBus
    from ..namespace import BaseNamespace
    from .socket import Socket

log = logging.getLogger(__name__)

#: Deadlines that fall closer together than this are served in one waking, in seconds.
GRAIN = 0.01


def new_sid() -> str:
    """160 bits from the operating system, in 27 characters safe in a URL. Never from `random` (CVE-2017-16031)."""
    return secrets.token_urlsafe(20)


def address_of(handshake: dict[str, Any]) -> str:
    """What counts as one address: of IPv6 a network of 64 bits, for nobody has less; nothing for a unix socket. One of
    IPv4 is itself, also where the server listens on both.
    """
    address: str = handshake.get('REMOTE_ADDR') or ''
    if ':' not in address:
        return address
    try:
        ip = IPv6Address(address.partition('%')[0])
    except ValueError:
        return address
    return str(ip.ipv4_mapped or IPv6Network((ip, 64), strict=False))


class Registry:
    """The clients of one filter."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sockets: dict[str, Socket] = {}
        self.rooms: Rooms[BaseNamespace] = Rooms()
        #: namespaces by the id that clients and other processes know
        self.sids: dict[str, BaseNamespace] = {}
        #: the other processes, where the setting `bus` names a way to them
        self.bus: NodeBus | None = None
        #: gevent's hub that serves the clients; None in a process that is not patched, until the first one is there
        self.home: Any = None
        #: nobody new comes in: the process is about to end
        self.draining = False
        #: clients by address, where these are counted
        self._addresses: dict[str, int] = {}
        self._heap: list[tuple[float, str]] = []
        self._sweeper: gevent.Greenlet | None = None
        self._earlier = Event()

    def admit(self, handshake: dict[str, Any]) -> None:
        """A client wants to shake hands. Raises HandshakeRefused."""
        if self.draining:
            raise HandshakeRefused('unavailable', 'the server is shutting down')
        most = self.settings.max_clients_per_address
        if most and self._addresses.get(address_of(handshake), 0) >= most:
            raise HandshakeRefused('too_many', f'more than {most} clients of one address (max_clients_per_address)')

    def add(self, socket: Socket) -> None:
        """From now on `get` finds it and the sweep looks after it."""
        self.sockets[socket.sessid] = socket
        self._count(socket, 1)
        self.watch(socket)

    def discard(self, socket: Socket) -> None:
        """It is gone; its entry in the heap dies when its time comes."""
        if self.sockets.pop(socket.sessid, None) is not None:
            self._count(socket, -1)

    def _count(self, socket: Socket, change: int) -> None:
        address = address_of(socket.handshake) if self.settings.max_clients_per_address else ''
        if address:
            self._addresses[address] = self._addresses.get(address, 0) + change
            if not self._addresses[address]:
                del self._addresses[address]

    def get(self, sid: str | None) -> Socket | None:
        """The living client of that sid. One whose time has run out is ended here, not at the next waking; but where
        that was long ago, the process was busy, and what the client said meanwhile comes first, as in the sweep.
        """
        socket = self.sockets.get(sid or '')
        if socket is not None and socket.due <= (now := monotonic()) <= socket.due + SLACK:
            self._tick(socket, now)
            socket = self.sockets.get(sid or '')
        return socket

    def members(self, endpoint: str, room: str | None = None) -> Collection[BaseNamespace]:
        """Who is in the room, or in the namespace; a client's own sid is a room that holds it. Do not change rooms
        while you walk over it.
        """
        members = self.rooms.members(endpoint, room)
        alone = self.sids.get(room) if room is not None else None
        if alone is None or alone.ns_name != endpoint:
            return members
        return {**dict.fromkeys(members), alone: None}

    def watch(self, socket: Socket, not_before: float = 0.0) -> None:
        """Takes the socket's present deadline into the wheel."""
        socket.due = max(socket.conversation.deadline, not_before)
        heappush(self._heap, (socket.due, socket.sessid))
        if self._sweeper is None:
            self.home = get_hub()
            self._sweeper = gevent.spawn(self._sweep_loop)
        elif self._heap[0][0] >= socket.due:
            self._earlier.set()

    def hurry(self, socket: Socket) -> None:
        """The socket's deadline may have come nearer."""
        if socket.conversation.deadline < socket.due:
            self.watch(socket)

    def _sweep_loop(self) -> None:
        heap = self._heap
        while heap:
            pause = heap[0][0] - monotonic()
            if pause > 0:
                self._earlier.clear()
                self._earlier.wait(max(pause, GRAIN))
            if monotonic() - heap[0][0] > SLACK:  # the process was busy: what clients said meanwhile is read first
                gevent.sleep(GRAIN)
            now = monotonic()
            while heap and heap[0][0] <= now:
                due, sid = heappop(heap)
                socket = self.sockets.get(sid)
                if socket is not None and socket.due == due:
                    self._tick(socket, now)
        self._sweeper = None

    def _tick(self, socket: Socket, now: float) -> None:
        """A defect in one client's turn must not stop the others'."""
        try:
            socket.tick(now)
        except Exception:
            log.exception('%s: a defect of tgsio_middleware', socket)
            self.discard(socket)
            return workers().submit(socket.close, 'server error', 1011)
        if socket.connected:
            self.watch(socket, now + GRAIN)  # a deadline that does not move must not hold up the others
