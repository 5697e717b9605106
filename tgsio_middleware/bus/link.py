"""Link: a process's wire to one Redis (or Valkey) server, which may stop, restart, stall or refuse.

One connection listens and one publishes, whatever the number of clients and channels. Both come back by themselves.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import gevent
from gevent.event import Event
from gevent.lock import RLock

from .connection import Sender, Wire, disconnect
from .health import Health
from .publisher import Batch, Publisher, forget

log = logging.getLogger(__name__)

#: Seconds of silence after which a listening connection is asked whether it lives, and in which it must answer.
SILENCE = 5.0
#: What is read in a row before everybody else has a turn.
BURST = 100
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


class Link:
    """`received(message)` runs in the listening greenlet and must not block; for `undelivered` see Publisher."""

    def __init__(
        self,
        wire: Wire,
        received: Callable[[Message], None],
        undelivered: Callable[[Batch], None] = forget,
    ) -> None:
        self.health = Health(wire.name, log)
        self._wire = wire
        self._received = received
        self._publisher = Publisher(Sender(wire), self.health, undelivered)
        #: what shall be subscribed, and whether the server has confirmed it
        self._wanted: dict[Name, Event] = {}
        #: SUBSCRIBEs that are not answered yet
        self._asked: Counter[Name] = Counter()
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

    # -- listening ---------------------------------------------------------------------------------------------------

    def subscribe(self, names: Iterable[Name], seconds: float) -> bool:
        """Waits until the server has confirmed all of them; -> False where it does not within so many seconds, or is
        known to be lost. They stay wanted in any case, and are subscribed when it can be.
        """
        names = list(names)
        fresh = [name for name in names if name not in self._wanted]
        known = {name: self._wanted.setdefault(name, Event()) for name in names}
        self._tell('SUBSCRIBE', fresh)
        if not self._listener:
            self._listener = gevent.spawn(self._listen_loop)
        if not self._hears(known) and not self.health.ill(PART):
            gevent.wait(list(known.values()), timeout=seconds)
        return self._hears(known)

    def _hears(self, known: dict[Name, Event]) -> bool:
        return all(confirmed.is_set() and self._wanted.get(name) is confirmed for name, confirmed in known.items())

    def unsubscribe(self, names: Iterable[Name]) -> None:
        """They are wanted no more; does not wait for the server."""
        self._tell('UNSUBSCRIBE', [name for name in names if self._wanted.pop(name, None) is not None])

    def _tell(self, verb: str, names: list[Name]) -> None:
        """Where it cannot be told, the listener finds that out by itself, and tells all when it is back."""
        with self._lock:
            connection = self._listening
            if connection is None or not names:
                return
            if verb == 'SUBSCRIBE':
                self._asked.update(names)
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
                pause = self.health.failed(PART, e)
                for name, known in self._wanted.items():
                    self._wanted[name] = Event()
                    known.set()  # who waits for it need not wait any longer
                gevent.sleep(pause)

    def _listen(self) -> None:
        connection = self._wire.connect()
        try:
            with self._lock:
                self._listening = connection
                self._asked.clear()
                self._tell('SUBSCRIBE', list(self._wanted))
                connection.send_command('PING', check_health=False)
            self._read(connection)
        finally:
            self._listening = None
            disconnect(connection)

    def _read(self, connection: Any) -> None:
        asked, taken = True, 0
        while True:
            if connection.can_read(timeout=SILENCE):
                self._take(connection.read_response())
                asked, taken = False, taken + 1
                if taken % BURST == 0:
                    gevent.sleep(0)
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
            self._confirmed(Name(answer[1], kind == b'psubscribe'))
        if not self._asked:
            self.health.recovered(PART)

    def _confirmed(self, name: Name) -> None:
        """Only the last one counts: between the answers to two SUBSCRIBEs stands an UNSUBSCRIBE."""
        self._asked[name] -= 1
        if self._asked[name] <= 0:
            del self._asked[name]
            if name in self._wanted:
                self._wanted[name].set()
