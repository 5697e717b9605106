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

from ..errors import SocketIOError
from .address import raw, text
from .backend import make_pubsub, redis_wire
from .connection import Wire
from .health import Health
from .link import Link, Message, Name
from .publisher import Batch, Publisher

log = logging.getLogger(__name__)

#: `received(channel, message)`; must not block.
Received = Callable[[str, Any], None]
#: Seconds that a backend may take to subscribe.
PATIENCE = 5.0


class Unavailable(SocketIOError):
    """The backend cannot subscribe now."""


class Line(Protocol):
    """Four verbs."""

    def open(self, channel: str) -> None:
        """Blocks until all that is published from now on arrives. Raises Unavailable."""

    def close(self, channel: str) -> None:
        """Does not wait."""

    def publish(self, channel: str, publication: str) -> None:
        """To all processes, this one too; does not wait for a server."""

    def shut(self) -> None:
        """Ends everything."""


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


def _hand_back(received: Received) -> Callable[[Batch], None]:
    """What did not reach the server goes to this process's own clients."""

    def undelivered(batch: Batch) -> None:
        for channel, data in batch:
            received(text(channel), data)

    return undelivered


class RedisLine:
    """Publications over one Link. While Redis is lost, this process's own publications go to its own clients."""

    def __init__(self, wire: Wire, received: Received) -> None:
        self.link = Link(wire, self._message, _hand_back(received))
        self._received = received

    def _message(self, message: Message) -> None:
        self._received(text(message.channel), message.data)

    def open(self, channel: str) -> None:
        names = [Name(raw(channel))]
        if not self.link.subscribe(names, PATIENCE):
            self.link.unsubscribe(names)
            raise Unavailable(f'{self.link.health.name} does not answer')

    def close(self, channel: str) -> None:
        self.link.unsubscribe([Name(raw(channel))])

    def publish(self, channel: str, publication: str) -> None:
        if not self.link.publish(raw(channel), publication.encode()):
            self._received(channel, publication)

    def shut(self) -> None:
        self.link.close()


class AnyLine:
    """anypubsub's own subscribers, each in a greenlet that subscribes anew when it fails."""

    def __init__(self, connect: Callable[[], Any], received: Received, name: str) -> None:
        self.health = Health(name, log)
        self._connect = connect
        self._received = received
        self._feeds: dict[str, gevent.Greenlet] = {}
        self._publisher = Publisher(Speaker(self._made), self.health, _hand_back(received))

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
            self.health.forget(_part(channel))

    def publish(self, channel: str, publication: str) -> None:
        if not self._publisher.put(raw(channel), publication.encode()):
            self._received(channel, publication)

    def shut(self) -> None:
        self._publisher.close()
        for channel in list(self._feeds):
            self.close(channel)

    def _feed_loop(self, channel: str, ready: Event) -> None:
        while True:
            pubsub = None
            try:
                with gevent.Timeout(PATIENCE):
                    pubsub = self._made()
                    subscriber = pubsub.subscribe(channel)
                ready.set()
                self.health.recovered(_part(channel))
                for message in self._messages(pubsub, subscriber):
                    self._received(channel, message)
                raise Unavailable('the subscription has ended')
            except gevent.GreenletExit:  # `close`; its traceback would keep the subscriber
                return
            except (Exception, gevent.Timeout) as e:
                gevent.sleep(self.health.failed(_part(channel), e))
            finally:
                _end(pubsub)

    def _made(self) -> Any:
        return self._connect()

    def _messages(self, pubsub: Any, subscriber: Any) -> Iterable[Any]:
        return subscriber  # type: ignore[no-any-return]


def _part(channel: str) -> str:
    return f'channel {channel}'


class Speaker:
    """A `publisher.Carrier`: publishes by an object of anypubsub's, made anew when it has failed."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._pubsub: Any = None

    def reach(self) -> None:
        if self._pubsub is None:
            self._pubsub = self._make()

    def send(self, batch: Batch) -> tuple[Any, ...]:
        try:
            for channel, data in batch:
                self._pubsub.publish(text(channel), data.decode())
        except BaseException:
            self.close()
            raise
        return ()

    def close(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        _end(pubsub)


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

    def publish(self, channel: str, publication: str) -> None:
        # Its dict remembers every channel that was ever asked for.
        if channel in self._pubsub.subscribers:
            self._pubsub.publish(channel, publication)

    def close(self, channel: str) -> None:
        feed = self._feeds.get(channel)
        super().close(channel)
        if feed is not None:
            feed.link(lambda _: self._tidy(channel))

    def _tidy(self, channel: str) -> None:
        if not len(self._pubsub.subscribers.get(channel, '?')):
            del self._pubsub.subscribers[channel]


def _end(pubsub: Any) -> None:
    """anypubsub's objects have no `close`; amqp's has a connection, which says good-bye and waits for an answer."""
    connection = getattr(pubsub, 'connection', None)
    if connection is not None:
        gevent.spawn(_close, connection)


def _close(connection: Any) -> None:
    try:
        with gevent.Timeout(PATIENCE):
            connection.close()
    except (Exception, gevent.Timeout) as e:
        log.debug('%s', e)
