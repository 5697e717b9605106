"""Lines: how a channel's publications come and go, one class for each kind of anypubsub backend.

A line opens a channel once, however many listen to it here; `open` returns when the backend has really subscribed.

backend   how                                                                                     a channel costs
=======   =====================================================================================   ===================
memory    anypubsub's own object, with gevent's queue                                             a greenlet
redis     a `Link`: anypubsub's subscriber neither confirms nor reconnects, and wants a            one SUBSCRIBE
          connection for each; what passes over Redis is the same
others    anypubsub's objects, each in a supervised greenlet; amqp shares no connection among      a connection
          greenlets
=======   =====================================================================================   ===================
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import gevent
from gevent.event import Event
from gevent.queue import Queue

from ..errors import ConfigurationError, SocketIOError
from .address import raw
from .health import Health
from .link import Link, Message, Name, Wire, named, wire, wire_of
from .publisher import Batch, Publisher

log = logging.getLogger(__name__)

#: `received(channel, message)`; must not block.
Received = Callable[[str, Any], None]
#: Seconds that a backend may take to subscribe.
PATIENCE = 5.0
#: What of a given connection pool's arguments says where the server is and who we are.
CONNECTION = ('host', 'port', 'db', 'username', 'password', 'socket_timeout', 'socket_connect_timeout')
#: anypubsub takes these settings as numbers; an ini gives strings.
NUMBERS = ('port', 'db', 'max_connections')


class Unavailable(SocketIOError):
    """The backend cannot subscribe now."""


class Line(Protocol):
    """Four verbs."""

    def open(self, channel: str) -> None:
        """Blocks until all that is published from now on arrives. Raises Unavailable."""

    def close(self, channel: str) -> None:
        """Does not wait."""

    def publish(self, channel: str, text: str) -> None:
        """To all processes, this one too; does not wait for a server."""

    def shut(self) -> None:
        """Ends everything."""


def settings_of(config: Mapping[str, Any], prefix: str = 'anypubsub.') -> dict[str, Any]:
    """anypubsub's settings in the application's configuration. Raises ConfigurationError for `mongodb`."""
    found = {key[len(prefix) :]: value for key, value in config.items() if key.startswith(prefix)}
    found.setdefault('backend', 'memory')
    if found['backend'] == 'mongodb':
        raise ConfigurationError(
            f'{prefix}backend = mongodb: this backend of anypubsub calls collection.insert, which pymongo has no more '
            'since 4.0; use memory, redis or amqp'
        )
    if found['backend'] == 'memory':
        found.setdefault('queue_factory', queue)
    for name in NUMBERS:
        if str(found.get(name, '')).isdigit():
            found[name] = int(found[name])
    return found


def queue(maxsize: int = 0) -> Queue[Any]:
    """What anypubsub's memory backend waits at: gevent's, without end, as long as a greenlet of ours empties it."""
    return Queue(maxsize or None)


def make_pubsub(settings: Mapping[str, Any]) -> Any:
    """anypubsub's object. Raises ConfigurationError."""
    from anypubsub import ConfigurationError as Unknown
    from anypubsub import create_pubsub

    more = dict(settings)
    backend = more.pop('backend')
    try:
        return create_pubsub(backend, **more)
    except (Unknown, ImportError, TypeError) as e:
        raise ConfigurationError(f'anypubsub.backend = {backend} with {sorted(more)}: {e}') from e


def make_line(pubsub: Any, settings: Mapping[str, Any], received: Received) -> Line:
    """The line for the backend that `pubsub` is an object of."""
    backend = settings['backend']
    if backend == 'memory':
        return MemoryLine(lambda: pubsub, received)
    if backend == 'redis':
        return RedisLine(redis_wire(settings), received)
    if backend == 'amqp':
        return AmqpLine(lambda: make_pubsub(settings), received, 'the PubSub backend amqp')
    return AnyLine(lambda: make_pubsub(settings), received, f'the PubSub backend {backend}')


def redis_wire(settings: Mapping[str, Any]) -> Wire:
    """To the server that anypubsub's redis backend would use with these settings."""
    if settings.get('connection_pool') is not None:
        kwargs = dict(settings['connection_pool'].connection_kwargs)
    else:
        kwargs = {key: settings[key] for key in ('host', 'port', 'db', 'password') if settings.get(key) is not None}
    host = str(kwargs.setdefault('host', 'localhost'))
    if host.startswith('redis'):
        return wire(host, f"PubSub's {named(host)}")
    fitting = {key: value for key, value in kwargs.items() if key in CONNECTION}
    return wire_of(fitting, f"PubSub's redis://{host}:{kwargs.get('port', 6379)}")


class RedisLine:
    """Publications over one Link. While Redis is lost, this process's own publications go to its own clients."""

    def __init__(self, wire: Wire, received: Received) -> None:
        self.link = Link(wire, self._message)
        self._received = received

    def _message(self, message: Message) -> None:
        self._received(message.channel.decode('utf-8', 'surrogatepass'), message.data)

    def open(self, channel: str) -> None:
        names = [Name(raw(channel))]
        if not self.link.subscribe(names, PATIENCE):
            self.link.unsubscribe(names)
            raise Unavailable(f'{self.link.health.name} does not answer')

    def close(self, channel: str) -> None:
        self.link.unsubscribe([Name(raw(channel))])

    def publish(self, channel: str, text: str) -> None:
        if not self.link.publish(raw(channel), text.encode()):
            self._received(channel, text)

    def shut(self) -> None:
        self.link.close()


class AnyLine:
    """anypubsub's own subscribers, each in a greenlet that subscribes anew when it fails."""

    def __init__(self, connect: Callable[[], Any], received: Received, name: str) -> None:
        self.health = Health(name, log)
        self._connect = connect
        self._received = received
        self._feeds: dict[str, gevent.Greenlet] = {}
        self._publisher = Publisher(self._send, self.health)
        self._sender: Any = None

    def open(self, channel: str) -> None:
        ready = Event()
        self._feeds[channel] = gevent.spawn(self._feed_loop, channel, ready)
        if not ready.wait(PATIENCE):
            self.close(channel)
            raise Unavailable(f'{self.health.name} does not answer')

    def close(self, channel: str) -> None:
        feed = self._feeds.pop(channel, None)
        if feed is not None:
            feed.kill(block=False)

    def publish(self, channel: str, text: str) -> None:
        if not self._publisher.put(raw(channel), text.encode()):
            self._received(channel, text)

    def shut(self) -> None:
        self._publisher.close()
        for channel in list(self._feeds):
            self.close(channel)

    def _feed_loop(self, channel: str, ready: Event) -> None:
        while True:
            pubsub = None
            try:
                pubsub = self._made()
                subscriber = pubsub.subscribe(channel)
                ready.set()
                self.health.recovered(channel)
                for message in self._messages(pubsub, subscriber):
                    self._received(channel, message)
                raise Unavailable('the subscription has ended')
            except gevent.GreenletExit:  # `close`; its traceback would keep the subscriber
                return
            except Exception as e:
                gevent.sleep(self.health.failed(channel, e))
            finally:
                _end(pubsub)

    def _made(self) -> Any:
        return self._connect()

    def _messages(self, pubsub: Any, subscriber: Any) -> Iterable[Any]:
        return subscriber  # type: ignore[no-any-return]

    def _send(self, batch: Batch) -> None:
        with gevent.Timeout(PATIENCE):
            try:
                if self._sender is None:
                    self._sender = self._made()
                for channel, data in batch:
                    self._sender.publish(channel.decode('utf-8', 'surrogatepass'), data.decode())
            except BaseException:
                sender, self._sender = self._sender, None
                _end(sender)
                raise


class AmqpLine(AnyLine):
    """py-amqp wants to be told to connect since 2.0, and has no more the method by which anypubsub's subscriber waits;
    the latter's queue and callback are fine.
    """

    def _made(self) -> Any:
        pubsub = self._connect()
        pubsub.connection.connect()
        return pubsub

    def _messages(self, pubsub: Any, subscriber: Any) -> Iterable[Any]:
        while True:
            while subscriber.messages.empty():
                pubsub.connection.drain_events()
            yield subscriber.messages.get_nowait()


class MemoryLine(AnyLine):
    """Nothing but this process."""

    def __init__(self, connect: Callable[[], Any], received: Received) -> None:
        super().__init__(connect, received, 'memory')
        self._pubsub = connect()

    def publish(self, channel: str, text: str) -> None:
        # Its dict remembers every channel that was ever asked for.
        if channel in self._pubsub.subscribers:
            self._pubsub.publish(channel, text)

    def close(self, channel: str) -> None:
        feed = self._feeds.get(channel)
        super().close(channel)
        if feed is not None:
            feed.link(lambda _: self._tidy(channel))

    def _tidy(self, channel: str) -> None:
        if not len(self._pubsub.subscribers.get(channel, '?')):
            del self._pubsub.subscribers[channel]


def _end(pubsub: Any) -> None:
    """anypubsub's objects have no `close`; amqp's has a connection."""
    connection = getattr(pubsub, 'connection', None)
    if connection is not None:
        try:
            connection.close()
        except Exception as e:
            log.debug('%s', e)
