"""PubSubTGNamespace: clients subscribe channels; what is published on them arrives as the event `pubblication`.

How `emit('subscribe', name, ...arguments)` of a client becomes a subscription:

1. Without a name: `channel_not_specified`.
2. The method is `subscribe_` and the name, spaces become `_`. Without one: `channel_not_available`.
3. It is called as a handler is, with its `@require`, its `@validate` and the arguments.
4. Only where it ran and returned, what it returned counts: another name is the real channel, None means the name
   itself, False is a refusal: `subscription_rejected`. Whatever else happened (denied, invalid, raised, not called),
   there is no subscription.
5. When the backend has subscribed, the ack is `true`; otherwise it is `false`, or `null` where the handler failed.

    socket.emit('subscribe', 'room', 1)   ->   subscribe_room(1)   ->   'room-1'

`emit('unsubscribe', name, ...arguments)` with the same arguments ends it; without arguments, all of that name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from .bus.address import name_of
from .bus.home import at_home
from .bus.lines import Unavailable
from .bus.outbox import OPEN, current
from .dispatch import MAX_NAME, Handler
from .engine.membership import has_ended
from .errors import Exceeded, LocalProtocolError
from .mixins import deliver
from .namespace import BaseNamespace
from .packet import Packet, event
from .turbogears import channels, guard
from .turbogears.namespace import SocketIOTGNamespace

log = logging.getLogger(__name__)

#: The original's spelling.
EVENT = 'pubblication'
#: Characters of a channel's name: a client chooses them.
MAX_CHANNEL = 1000
#: The environ's key for what the event under way has subscribed; it ends with the event.
FRESH = 'tgsio_middleware.subscribed'

Key = tuple[str, bytes]


class PubSubTGNamespace(SocketIOTGNamespace):
    """A namespace with channels; they reach this application's clients in all processes that share the backend."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        #: (name, digest of the arguments) -> channel
        self._subscriptions: dict[Key, str] = {}
        super().__init__(*args, **kwargs)

    @classmethod
    def pubsub(cls) -> Any:
        """anypubsub's object, as configured by `anypubsub.*` in the application's configuration; memory by default.

        What is published on it directly must be JSON text. Raises ConfigurationError.
        """
        return channels.pubsub()

    def publish(self, channel: str | int, message: Any) -> None:
        """Any JSON value, to all who have subscribed the channel, in all processes. From any thread; never waits for a
        server.

        Raises LocalProtocolError for what is no name of a channel, and for what JSON has no word for.
        """
        hub, channel = _hub(), name_of('channel', channel)
        publication = hub.publication(message)
        outbox = current() if OPEN else None
        if outbox is not None:
            outbox.hold(hub.publish, channel, publication)
        else:
            at_home(self.socket.registry.home, hub.publish, channel, publication)

    @property
    def channels(self) -> set[str]:
        """Those that this client listens to."""
        return set(self._subscriptions.values())

    @guard.unwrapped
    def on_subscribe(self, packet: Packet) -> bool:
        """-> whether the client listens now; see the rules above."""
        args = list(packet['args'])
        if not args:
            self.error('channel_not_specified', 'You must specify the channel you want to subscribe')
            return False
        name = args.pop(0)
        method_name = f'subscribe_{name}'.replace(' ', '_')
        handler = self.handler(method_name) if isinstance(name, str) and len(name) <= MAX_NAME else None
        if handler is None:
            self.error('channel_not_available', 'Trying to subscribe to a channel not available')
            return False
        ran, suggested = self._ask(handler, packet, args)
        if not ran:
            return False
        if suggested is not False and self._subscribe((name, _digest(args)), _channel(method_name, suggested, name)):
            return True
        self.error('subscription_rejected', 'Your subscription has been rejected by server')
        return False

    def on_unsubscribe(self, packet: Packet) -> bool:
        """-> whether the client had subscribed that."""
        args = list(packet['args'])
        if not args:
            self.error('channel_not_specified', 'You must specify the channel you want to unsubscribe')
            return False
        name = args.pop(0)
        found = [key for key in self._subscriptions if key[0] == name and (not args or key[1] == _digest(args))]
        for key in found:
            self._unsubscribe(key)
        return bool(found)

    def unsubscribe(self, channel: str | int) -> None:
        """The client listens to the real channel no more, under whatever name it has subscribed it."""
        name = name_of('channel', channel)
        for key in [key for key, real in self._subscriptions.items() if real == name]:
            self._unsubscribe(key)

    def event_failed(self) -> None:
        """Rule 4: what was subscribed by an event that failed in the end is subscribed no more."""
        for key in self.request.environ.pop(FRESH, ()):
            self._unsubscribe(key)

    # -- rules 3 and 4 -----------------------------------------------------------------------------------------------

    def _ask(self, handler: Handler, packet: Packet, args: list[Any]) -> tuple[bool, Any]:
        """-> whether the method ran and returned, and what came of it. An error handler of `@validate` is not the
        method; a decorator around it may have swallowed what it raised.
        """
        method = handler.attribute.__get__(self)
        returned: list[Any] = []
        decorated = super()._decorated

        def watched(*args: Any, **kwargs: Any) -> Any:
            value = method(*args, **kwargs)
            returned.append(value)
            return value

        watched.__name__ = handler.name
        # Only for this call, so that other events need not pass here.
        self.__dict__['_decorated'] = lambda fn: decorated(watched if fn == method else fn)
        try:
            value = self.call_method_with_acl(handler.name, packet, *args)
        finally:
            del self.__dict__['_decorated']
        return bool(returned), value

    def _subscribe(self, key: Key, channel: str) -> bool:
        if self._subscriptions.get(key) == channel:
            return True
        if len(channel) > MAX_CHANNEL:
            log.info('%s: no subscription of %.50r: its name is too long', self.socket, channel)
            return False
        most = self.socket.settings.max_subscriptions
        if key not in self._subscriptions and len(self._subscriptions) >= most:
            self.error('subscription_rejected', 'Too many subscriptions')
            self.socket.fail(Exceeded('max_subscriptions', f'more than {most} subscriptions'))
            return False
        try:
            _hub().subscribe(channel, self.ns_name, self)
        except Unavailable as e:
            log.info('%s: no subscription of %r: %s', self.socket, channel, e)
            return False
        self._unsubscribe(key)  # another channel by the same name and arguments
        self._subscriptions[key] = channel
        self.request.environ.setdefault(FRESH, []).append(key)
        if has_ended(self):  # it has left meanwhile
            self._ended()
            return False
        return True

    def _unsubscribe(self, key: Key) -> None:
        channel = self._subscriptions.pop(key, None)
        if channel is not None and channel not in self._subscriptions.values():
            _hub().unsubscribe(channel, self.ns_name, self)

    def _ended(self) -> None:
        for key in list(self._subscriptions):
            self._unsubscribe(key)


def _digest(args: list[Any]) -> bytes:
    return sha256(repr(args).encode('utf-8', 'surrogatepass')).digest()


def _channel(method_name: str, suggested: Any, name: str) -> str:
    if suggested is None or suggested == '' or suggested is True:
        return name
    if isinstance(suggested, (str, int)):
        return str(suggested)
    raise LocalProtocolError(f'{method_name} returned {suggested!r}: a channel is a name, None or False')


def _deliver(endpoint: str, value: Any, members: Iterable[BaseNamespace]) -> None:
    deliver(event(endpoint, EVENT, (value,)), members)


def _hub() -> Any:
    return channels.hub(_deliver)
