"""NodeBus: the other processes, Node's or ours, on one Redis. It speaks Node's Redis adapter protocol (`adapter`).

1. A namespace is subscribed when its first client connects here, before any client of it is answered.
2. What is said here has already reached this process's own clients; the bus only passes it on, and never waits.
3. What others say is applied to this process's own clients by `local`, and never passed on.
4. What is no message of the protocol is dropped, and one line a minute says so.
"""

from __future__ import annotations

import atexit
import json
import logging
import secrets
import string
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

from ..errors import LocalProtocolError
from . import adapter
from .adapter import Garbage
from .address import USER, Address, text
from .connection import Wire
from .link import Link, Message, Name
from .seldom import Seldom

log = logging.getLogger(__name__)

#: Seconds that a namespace's first clients wait for Redis; after that they are served all the same.
PATIENCE = 2.0
#: Namespaces that stay subscribed although nobody is connected to them; where the site makes them up, they have an end.
MAX_IDLE = 100


class Local(Protocol):
    """This process's own clients."""

    def occupied(self, endpoint: str, room: str | None) -> bool:
        """Somebody is there."""

    def tell(self, to: Address, name: str, args: Sequence[Any]) -> None:
        """Says an event."""

    def ask(self, to: Address, name: str, args: Sequence[Any], answer: Callable[[Any], None]) -> int:
        """Says an event, and gives `answer` the first value of each client's ack; -> how many were asked."""

    def move(self, to: Address, join: Iterable[str], leave: Iterable[str]) -> None:
        """They join and leave rooms."""

    def dismiss(self, to: Address, close: bool) -> None:
        """Ends the namespace for them; with `close`, their connections."""

    def describe(self, to: Address) -> list[dict[str, Any]]:
        """`{id, handshake, rooms, data}` of each, as Node's `fetchSockets` tells it."""

    def rooms(self, endpoint: str) -> Iterable[str]:
        """The names of all rooms, clients' sids among them."""


class NodeBus:
    """One filter's."""

    def __init__(self, wire: Wire, local: Local) -> None:
        self.link = Link(wire, self._received)
        atexit.register(_say_the_rest, weakref.ref(self.link))
        self.garbage = Seldom(log)
        self._local = local
        #: what is subscribed for a namespace, and what patterns and channels of messages mean
        self._names: dict[str, list[Name]] = {}
        self._patterns: dict[bytes, str] = {}
        self._requests: dict[bytes, str] = {}

    @cached_property
    def uid(self) -> str:
        """This process's name on the bus, six letters as Node's. Made when it is first needed: a process that loads the
        site and then forks its workers must not give them one name.
        """
        return ''.join(secrets.choice(string.ascii_letters + string.digits) for _ in range(6))

    @cached_property
    def _own(self) -> bytes:
        return adapter.beginning(self.uid)

    # -- called by the filter ----------------------------------------------------------------------------------------

    def enter(self, endpoint: str) -> None:
        """A client has come into the namespace; blocks until others can be heard there."""
        names = self._names.get(endpoint)
        if names is None:
            if len(self._names) >= MAX_IDLE:
                self._leave_idle()
            pattern, requests = adapter.pattern(endpoint), adapter.request_channel(endpoint)
            self._patterns[pattern] = self._requests[requests] = endpoint
            names = self._names[endpoint] = [Name(pattern, True), Name(requests)]
        self.link.subscribe(names, PATIENCE)

    def emit(self, to: Address, name: str, args: Sequence[Any]) -> None:
        """To the other processes; the values are plain. Raises LocalProtocolError."""
        self.link.publish(adapter.channel(to), adapter.emission(self.uid, to, name, args))

    def disconnect(self, to: Address, close: bool) -> None:
        """In the other processes."""
        request = adapter.request(self.uid, adapter.DISCONNECT, to, close=close)
        self.link.publish(adapter.request_channel(to.endpoint), request)

    def _leave_idle(self) -> None:
        for endpoint, names in list(self._names.items()):
            if not self._local.occupied(endpoint, None):
                pattern, requests = names
                del self._names[endpoint], self._patterns[pattern.name], self._requests[requests.name]
                self.link.unsubscribe(names)

    # -- called by the link ------------------------------------------------------------------------------------------

    def _received(self, message: Message) -> None:
        try:
            if message.pattern is not None:
                self._emitted(message)
            else:
                self._requested(message)
        except (Garbage, LocalProtocolError, UnicodeDecodeError) as e:
            self.garbage('dropped what is no message of socket.io on %r: %s', message.channel[:80], e)
        except Exception:
            log.exception('what came on %r could not be done', message.channel[:80])

    def _emitted(self, message: Message) -> None:
        endpoint = self._patterns.get(message.pattern or b'')
        if endpoint is None or message.data.startswith(self._own):
            return
        beginning = len(adapter.PREFIX) + len(adapter.nsp(endpoint)) + 1
        if self._local.occupied(endpoint, text(message.channel[beginning:-1]) or None):
            self._local.tell(*adapter.read_emission(endpoint, message.data))

    def _requested(self, message: Message) -> None:
        endpoint = self._requests.get(message.channel)
        if endpoint is None:
            return
        request = adapter.read_request(message.data)
        if request.get('uid') == self.uid:
            return
        act = REQUESTS.get(request['type'])
        if act is None:
            log.debug('a request of the type %r, which this server does not know', request['type'])
        else:
            act(self, endpoint, request)

    # -- requests ----------------------------------------------------------------------------------------------------

    def _to(self, endpoint: str, request: dict[str, Any]) -> Address:
        """Whom a request is for: `opts`, or one client's `sid` as older adapters have it. Raises Garbage."""
        if 'opts' in request:
            return adapter.read_options(endpoint, request['opts'])
        if type(request.get('sid')) is not str:
            raise Garbage('a request that names nobody')
        return Address(endpoint, (request['sid'],))

    def _answer(self, endpoint: str, request: dict[str, Any], **answer: Any) -> None:
        if type(request.get('requestId')) is not str:
            return
        answer['requestId'] = request['requestId']
        self.link.publish(adapter.response_channel(endpoint), json.dumps(answer).encode())

    def _sockets(self, endpoint: str, request: dict[str, Any]) -> None:
        found = self._local.describe(Address(endpoint, adapter.names(request.get('rooms'))))
        self._answer(endpoint, request, sockets=[one['id'] for one in found])

    def _all_rooms(self, endpoint: str, request: dict[str, Any]) -> None:
        self._answer(endpoint, request, rooms=list(self._local.rooms(endpoint)))

    def _fetch(self, endpoint: str, request: dict[str, Any]) -> None:
        self._answer(endpoint, request, sockets=self._local.describe(self._to(endpoint, request)))

    def _join(self, endpoint: str, request: dict[str, Any]) -> None:
        self._act(endpoint, request, lambda to: self._local.move(to, _rooms(request), ()))

    def _leave(self, endpoint: str, request: dict[str, Any]) -> None:
        self._act(endpoint, request, lambda to: self._local.move(to, (), _rooms(request)))

    def _disconnect(self, endpoint: str, request: dict[str, Any]) -> None:
        self._act(endpoint, request, lambda to: self._local.dismiss(to, request.get('close') is True))

    def _act(self, endpoint: str, request: dict[str, Any], act: Callable[[Address], None]) -> None:
        """Older adapters name one client, and wait for the answer of the process that has it."""
        to = self._to(endpoint, request)
        wanted = 'opts' not in request and self._local.occupied(endpoint, to.rooms[0])
        act(to)
        if wanted:
            self._answer(endpoint, request)

    def _broadcast(self, endpoint: str, request: dict[str, Any]) -> None:
        """An event that every client acknowledges. How many were asked must be told before the first answer."""
        name, args = adapter.read_packet(endpoint, request.get('packet'))
        to = self._to(endpoint, request)
        request_id = request.get('requestId')
        respond = adapter.response_channel(endpoint)

        def answer(value: Any) -> None:
            acknowledged = {'type': adapter.BROADCAST_ACK, 'requestId': request_id, 'packet': value}
            self.link.publish(respond, adapter.pack(acknowledged))

        asked = self._local.ask(to, name, args, answer)
        self._answer(endpoint, request, type=adapter.CLIENT_COUNT, clientCount=asked)


def _say_the_rest(link: weakref.ref[Link]) -> None:
    """A script that has loaded the site, has emitted and ends: the greenlet that publishes had no turn yet."""
    alive = link()
    if alive is not None:
        alive.drain(PATIENCE)


def _rooms(request: dict[str, Any]) -> list[str]:
    """Rooms to join or leave; nobody comes into a user's room by its name."""
    rooms = adapter.names(request.get('rooms') if 'opts' in request else [request.get('room')])
    return [room for room in rooms if not room.startswith(USER)]


#: Request type -> what is done. SERVER_SIDE_EMIT is for code that listens on other servers; here none does.
REQUESTS: dict[int, Callable[[NodeBus, str, dict[str, Any]], None]] = {
    adapter.SOCKETS: NodeBus._sockets,
    adapter.ALL_ROOMS: NodeBus._all_rooms,
    adapter.JOIN: NodeBus._join,
    adapter.LEAVE: NodeBus._leave,
    adapter.DISCONNECT: NodeBus._disconnect,
    adapter.FETCH: NodeBus._fetch,
    adapter.BROADCAST: NodeBus._broadcast,
    adapter.SERVER_SIDE_EMIT: lambda bus, endpoint, request: None,
}
