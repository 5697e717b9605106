"""Link: a process's wire to one Redis (or Valkey) server, which may stop, restart, stall or refuse.

One connection listens and one publishes, whatever the number of clients and channels. Both come back by themselves;
every command has its time-out. redis-py's `Connection` is used and not its client: that one reconnects and repeats
behind one's back, where this must know what was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from gevent.lock import RLock

from ..errors import ConfigurationError
from .health import Health
from .publisher import Batch, Publisher

log = logging.getLogger(__name__)

#: Seconds that connecting may take, and one read of an answer.
PATIENCE = 2.0
#: Seconds of silence after which a listening connection is asked whether it lives, and in which it must answer.
SILENCE = 5.0
PART = 'listening'


class Name(NamedTuple):
    """A channel, or a pattern of channels."""

    name: bytes
    is_pattern: bool = False


class Message(NamedTuple):
    """What was published; `pattern` is the one that matched, or None where the channel itself was subscribed."""

    channel: bytes
    data: bytes
    pattern: bytes | None


class Wire(NamedTuple):
    """How a server is reached: redis-py's connection class, its arguments, and a name without password."""

    connection_class: Any
    kwargs: dict[str, Any]
    name: str

    def connect(self) -> Any:
        """A connected `redis.Connection`. Raises redis' errors."""
        connection = self.connection_class(**self.kwargs)
        connection.connect()
        return connection


def wire(url: str, name: str = '') -> Wire:
    """`redis://[user:password@]host[:port][/db]`, `rediss://`, `unix:///path`; `name` is for the log.

    Raises ConfigurationError.
    """
    connection = _redis()
    try:
        kwargs = connection.parse_url(url)
    except ValueError as e:
        raise ConfigurationError(f'{named(url)} is no address of a Redis server: {e}') from None
    return wire_of(kwargs, name or named(url))


def wire_of(kwargs: dict[str, Any], name: str) -> Wire:
    """To the server that redis-py knows by these arguments of a connection; with time-outs where they have none."""
    connection = _redis()
    import redis

    kwargs = {'socket_timeout': PATIENCE, 'socket_connect_timeout': PATIENCE, **kwargs}
    connection_class = kwargs.pop('connection_class', connection.Connection)
    kwargs.update(decode_responses=False, health_check_interval=0)
    if int(redis.__version__.split('.')[0]) >= 5:
        kwargs['protocol'] = 2  # what every server speaks, and what a listening connection is simplest in
    return Wire(connection_class, kwargs, name)


def _redis() -> Any:
    try:
        from redis import connection
    except ImportError:
        raise ConfigurationError('Redis needs its client: pip install tgsio_middleware[redis]') from None
    return connection


def named(url: str) -> str:
    """The URL without its user and password."""
    parts = urlsplit(url)
    return f'{parts.scheme}://{parts.netloc.rpartition("@")[2]}{parts.path}'


class Link:
    """`received(message)` runs in the listening greenlet and must not block."""

    def __init__(self, wire: Wire, received: Callable[[Message], None]) -> None:
        self.health = Health(wire.name, log)
        self._wire = wire
        self._received = received
        self._publisher = Publisher(self._send, self.health)
        self._sending: Any = None
        #: what shall be subscribed, and whether the server has confirmed it
        self._wanted: dict[Name, Event] = {}
        self._listening: Any = None
        self._lock = RLock()
        self._listener: gevent.Greenlet | None = None
        # A script may emit and end at once. gevent looks the server's name up in a thread, and Python 3.12 starts no
        # thread while it ends: so that there is one by then, it is started now.
        gevent.get_hub().threadpool.spawn(int)

    def close(self) -> None:
        """Ends both connections."""
        self._publisher.close()
        if self._listener is not None:
            self._listener.kill(block=False)

    # -- publishing --------------------------------------------------------------------------------------------------

    def publish(self, channel: bytes, data: bytes) -> bool:
        """Never blocks; -> False where the server is known to be lost. What is lost later is counted."""
        return self._publisher.put(channel, data)

    def drain(self, seconds: float) -> bool:
        """Waits until all that was published has left."""
        return self._publisher.drain(seconds)

    def _send(self, batch: Batch) -> None:
        try:
            with gevent.Timeout(2 * PATIENCE):
                connection = self._sending
                if connection is None or _ended(connection):
                    _disconnect(connection)
                    self._sending = connection = self._wire.connect()
                commands: list[tuple[Any, ...]] = [('PUBLISH', *pair) for pair in batch] or [('PING',)]
                connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                for _ in commands:
                    connection.read_response()
        except BaseException:
            connection, self._sending = self._sending, None
            _disconnect(connection)
            raise

    # -- listening ---------------------------------------------------------------------------------------------------

    def subscribe(self, names: Iterable[Name], seconds: float) -> bool:
        """Waits until the server has confirmed all of them; -> False where it does not within so many seconds, or is
        known to be lost. They stay wanted in any case, and are subscribed when it can be.
        """
        names = list(names)
        fresh = [name for name in names if name not in self._wanted]
        for name in fresh:
            self._wanted[name] = Event()
        self._tell('SUBSCRIBE', fresh)
        if not self._listener:
            self._listener = gevent.spawn(self._listen_loop)
        if self.health.ill(PART):
            return False
        return len(gevent.wait([self._wanted[name] for name in names], timeout=seconds)) == len(names)

    def unsubscribe(self, names: Iterable[Name]) -> None:
        """They are wanted no more; does not wait for the server."""
        self._tell('UNSUBSCRIBE', [name for name in names if self._wanted.pop(name, None) is not None])

    def _tell(self, verb: str, names: list[Name]) -> None:
        """Where it cannot be told, the listener finds that out by itself, and tells all when it is back."""
        with self._lock:
            connection = self._listening
            if connection is None or not names:
                return
            for is_pattern in (False, True):
                some = [name.name for name in names if name.is_pattern is is_pattern]
                if some:
                    try:
                        connection.send_command('P' * is_pattern + verb, *some, check_health=False)
                    except Exception as e:
                        log.debug('%s of %r: %s', verb, some, e)

    def _listen_loop(self) -> None:
        while True:
            try:
                self._listen()
            except Exception as e:
                for confirmed in self._wanted.values():
                    confirmed.clear()
                gevent.sleep(self.health.failed(PART, e))

    def _listen(self) -> None:
        connection = self._wire.connect()
        try:
            self._listening = connection
            self._tell('SUBSCRIBE', list(self._wanted))
            self._read(connection)
        finally:
            self._listening = None
            _disconnect(connection)

    def _read(self, connection: Any) -> None:
        asked = False
        while True:
            if connection.can_read(timeout=SILENCE):
                self._take(connection.read_response())
                asked = False
            elif asked:
                raise TimeoutError('it does not answer')
            else:
                with self._lock:
                    connection.send_command('PING', check_health=False)
                asked = True

    def _take(self, answer: Any) -> None:
        kind = answer[0] if isinstance(answer, list) else b'pong'  # PING's, where nothing is subscribed
        if kind == b'pmessage':
            self._received(Message(answer[2], answer[3], answer[1]))
        elif kind == b'message':
            self._received(Message(answer[1], answer[2], None))
        elif kind in (b'subscribe', b'psubscribe'):
            confirmed = self._wanted.get(Name(answer[1], kind == b'psubscribe'))
            if confirmed is not None:
                confirmed.set()
        if self.health.ill(PART) and all(event.is_set() for event in self._wanted.values()):
            self.health.recovered(PART)


def _ended(connection: Any) -> bool:
    """The server has closed it while it was idle, as a restart does; or has said what nobody asked for."""
    try:
        return bool(connection.can_read(timeout=0))
    except Exception:
        return True


def _disconnect(connection: Any) -> None:
    if connection is not None:
        try:
            connection.disconnect()
        except Exception as e:
            log.debug('%s', e)
