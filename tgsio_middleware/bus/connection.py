"""How one Redis (or Valkey) server is reached, with a time-out for everything.

redis-py's `Connection` is used and not its client: that one reconnects and repeats behind one's back, where a `Link`
must know what was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..errors import ConfigurationError

log = logging.getLogger(__name__)

#: Seconds that connecting may take, and one read of an answer.
PATIENCE = 2.0
ALLOWED = 'redis://[user:password@]host[:port][/db], rediss://... for TLS, or unix:///path'


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


def wire(url: str, key: str = 'bus', name: str = '') -> Wire:
    """`redis://[user:password@]host[:port][/db]`, `rediss://`, `unix:///path`, and redis-py's options behind a `?`; the
    setting `key` said so, `name` is for the log. Raises ConfigurationError.
    """
    connection = _redis()
    try:
        made = wire_of(connection.parse_url(url), name or named(url))
        made.connection_class(**made.kwargs)
    except (ValueError, TypeError) as e:
        raise ConfigurationError(f'{key} = {named(url)}: {e}; allowed is {ALLOWED}') from None
    return made


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


class Sender:
    """Publishes, over a connection that is made when it is first needed, and anew when the server has ended it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._connection: Any = None

    def reach(self) -> None:
        """Connects, unless it is connected. Raises redis' errors."""
        if self._connection is not None and _ended(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._wire.connect()

    def send(self, batch: Sequence[tuple[bytes, bytes]]) -> list[Any]:
        """Publishes (channel, data) pairs in one round trip; an empty batch only asks whether the server is there.

        -> an answer for each: to how many it went, or the exception by which the server has refused it. Raises redis'
        errors where it is not known what has arrived.
        """
        connection = self._connection
        commands: list[tuple[Any, ...]] = [('PUBLISH', *pair) for pair in batch] or [('PING',)]
        try:
            connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [_answer(connection) for _ in commands]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """`reach` connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            disconnect(connection)


def disconnect(connection: Any) -> None:
    """Whatever state it is in."""
    try:
        connection.disconnect()
    except Exception as e:
        log.debug('%s', e)


def _answer(connection: Any) -> Any:
    from redis.exceptions import ResponseError

    try:
        return connection.read_response()
    except ResponseError as e:
        return e


def _ended(connection: Any) -> bool:
    """The server has closed it while it was idle, as a restart does; or has said what nobody asked for."""
    try:
        return bool(connection.can_read(timeout=0))
    except Exception:
        return True
