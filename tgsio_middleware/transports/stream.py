"""Stream: a TCP connection in the hub's care. No greenlet belongs to it.

A worker reads when a libev watcher has seen that something came; what is written leaves at the end of the turn, in one
non-blocking send. What the kernel does not take waits for a write watcher, up to a bound.
"""

from __future__ import annotations

from typing import Any

import gevent

from ..engine.workers import workers
from .takeover import SEND_SIZE, Connection

READ, WRITE = 1, 2
READ_SIZE = 65536
#: A client that was told good-bye has so long to read it, in seconds.
LINGER = 5.0


class Stream:
    """Subclasses say what `received` data, a `lost` connection and an overflow (`choked`) mean."""

    __slots__ = ('_connection', '_ending', '_out', '_rest', '_watcher', '_workers', '_write_watcher')

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._ending = False
        self._out: list[Any] = []
        self._rest: bytes | bytearray = b''
        self._workers = workers()
        self._watcher: Any = self._workers.hub.loop.io(connection.fileno(), READ)
        self._write_watcher: Any = None

    # -- what a subclass says ----------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Something came, never empty; runs in a worker and may block."""
        raise NotImplementedError

    def lost(self) -> None:
        """The connection is gone; must not block."""

    def joined(self, written: list[Any]) -> bytes:
        """The bytes of all that was written in one turn."""
        return b''.join(written)

    def choked(self, waiting: int) -> bool:
        """So many bytes wait to be sent: too many? Then the connection is cut, and `lost` is called."""
        raise NotImplementedError

    # -- reading: in a worker ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to read, what came with the request first."""
        connection = self._connection
        if connection is None or self._ending:
            return
        unread, connection.unread = connection.unread, b''
        if unread:
            self._workers.submit(self._begin, unread)
        else:
            self._watcher.start(self._workers.read_later, self)

    def _begin(self, unread: bytes) -> None:
        """In a worker; nothing else is read before, however long the loop has taken to come to this."""
        connection = self._connection
        if connection is None or self._ending:
            return
        self.resume()
        if connection.pending is not None:  # there may be more of the same record (see `Connection`)
            self._workers.submit(self.read)
        self.received(unread)

    def pause(self) -> None:
        """Reads no more until `resume`."""
        if self._watcher is not None:
            self._watcher.stop()

    def resume(self) -> None:
        """Reads again, if it had stopped and has not ended."""
        if self._watcher is not None and not self._watcher.active and not self._ending:
            self._watcher.start(self._workers.read_later, self)

    def read(self) -> None:
        """Runs in a worker, when something has come."""
        connection = self._connection
        if connection is None or self._ending:  # since it was seen that something has come
            return
        try:
            data = connection.recv(READ_SIZE)
            while connection.pending is not None and data and connection.pending():
                data += connection.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b''
        if data:
            self.received(data)
        else:
            self.cut()

    # -- writing: anywhere, never blocks -----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Leaves at the end of the turn."""
        if not self._out:
            self._workers.flush_later(self)
        self._out.append(data)

    def flush(self) -> None:
        """Runs in the hub."""
        out, connection = self._out, self._connection
        data = out[0] if len(out) == 1 and type(out[0]) is bytes else self.joined(out)
        out.clear()
        if connection is None:
            return
        if not self._rest:
            try:
                sent = connection.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                return self.cut()
            if sent == len(data):
                return
            data = data[sent:]
        self._keep(data, connection)

    def _keep(self, data: bytes, connection: Connection) -> None:
        """The kernel takes no more for now."""
        if self._rest:
            self._rest += data  # in place: it may be long, and news may come often
        else:
            self._rest = bytearray(data)
        if self.choked(len(self._rest)):
            return self.cut()
        if self._write_watcher is None:
            self._write_watcher = self._workers.hub.loop.io(connection.fileno(), WRITE)
        if not self._write_watcher.active:
            self._write_watcher.start(self._writable, connection)

    def _writable(self, connection: Connection) -> None:
        """Runs in the hub."""
        try:
            with memoryview(self._rest) as rest:
                sent = connection.send(rest[:SEND_SIZE])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            return self.cut()
        del self._rest[:sent]  # type: ignore[union-attr]
        if not self._rest:
            self._rest = b''
            self._write_watcher.stop()

    # -- ending ------------------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """It was not cut and does not end."""
        return self._connection is not None and not self._ending

    @property
    def alive(self) -> bool:
        """It was not cut yet."""
        return self._connection is not None

    def end(self) -> None:
        """Reads no more and is cut when all has been sent, or has had the time to be."""
        if self.open:
            self._ending = True
            self.pause()
            self._workers.hub.loop.run_callback(self._cut_when_sent, 0.0)

    def _cut_when_sent(self, waited: float) -> None:
        if (self._out or self._rest) and self._connection is not None and waited < LINGER:
            gevent.spawn_later(0.1, self._cut_when_sent, waited + 0.1)
        else:
            self.cut()

    def cut(self) -> None:
        """Closes the connection, whatever still waits."""
        connection = self.detach()
        if connection is not None:
            connection.close()
            self.lost()

    def detach(self) -> Connection | None:
        """Lets go of the connection without closing it."""
        connection, self._connection = self._connection, None
        for watcher in (self._watcher, self._write_watcher):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._write_watcher = None
        self._rest = b''
        return connection
