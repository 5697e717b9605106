"""Emitter: says things to the clients of running servers, from a script without one. The servers' filters need
`bus = redis://...` with the same address; Node's servers with @socket.io/redis-adapter hear it as well.

    Emitter('redis://localhost:6379/0').emit('news', {'text': 'hi'}, namespace='/chat', room='lobby')
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..packet import sayable
from . import adapter
from .address import ANYBODY, Address, address
from .connection import Sender, wire
from .plain import plain

#: What Node's emitter calls itself.
UID = 'emitter'


class Emitter:
    """Each call waits until Redis has it, a few seconds at most. Not for two threads at once.

    Raises ConfigurationError for an address that cannot be; the methods raise redis' `RedisError` where Redis does not
    take it, and LocalProtocolError for what cannot be sent. `default` turns what JSON has no word for into JSON.
    """

    def __init__(self, url: str, default: Callable[[Any], Any] | None = None) -> None:
        self._sender = Sender(wire(url))
        self._default = default

    def emit(
        self, event: str, *args: Any, namespace: str = '/', room: Any = None, user: Any = ANYBODY, skip: Any = None
    ) -> int:
        """As `tgsio_middleware.emit`; -> how many servers' subscriptions it has reached."""
        return self.say(address(namespace, room, user, skip), sayable(event), plain(args, self._default))

    def disconnect(
        self, *, namespace: str = '/', room: Any = None, user: Any = ANYBODY, skip: Any = None, close: bool = True
    ) -> int:
        """As `tgsio_middleware.disconnect`; -> how many servers' subscriptions it has reached."""
        return self.end(address(namespace, room, user, skip), close)

    def say(self, to: Address, event: str, args: list[Any]) -> int:
        """The same with an Address and plain values."""
        return self._publish(adapter.channel(to), adapter.emission(UID, to, event, args))

    def end(self, to: Address, close: bool) -> int:
        """The same with an Address."""
        return self._publish(
            adapter.request_channel(to.endpoint), adapter.request(UID, adapter.DISCONNECT, to, close=close)
        )

    def close(self) -> None:
        """The next call connects again."""
        self._sender.close()

    def __enter__(self) -> Emitter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _publish(self, channel: bytes, data: bytes) -> int:
        self._sender.reach()
        (answer,) = self._sender.send([(channel, data)])
        if isinstance(answer, Exception):
            raise answer
        return int(answer)
