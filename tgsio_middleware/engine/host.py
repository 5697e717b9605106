"""Host: whoever owns namespaces and runs their handlers. TurboGears is one, a dict of classes another.

A host runs in a worker greenlet, may block, and handles one packet of a client at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import gevent

from ..errors import NoSuchNamespace
from ..packet import Packet

if TYPE_CHECKING:
    from ..namespace import BaseNamespace
    from .socket import Socket

#: What gevent raises inside a handler that waits too long or is told to stop. `except Exception` lets it pass.
INTERRUPTIONS = (gevent.Timeout, gevent.GreenletExit)
#: All that means that a handler failed. SystemExit and KeyboardInterrupt end the process.
FAILURES = (Exception, *INTERRUPTIONS)
#: (packet, a handler's values) -> what the client is told
Answer = Callable[[Packet, Any], Any]


class Host(Protocol):
    """Three verbs."""

    #: What JSON has no word for -> something it has; None: nothing but JSON, bytes and objects with `__json__`.
    json_default: Callable[[Any], Any] | None
    #: Why no client can be served here, or None.
    unavailable: str | None

    def connect(self, socket: Socket, packet: Packet) -> None:
        """Connects the namespace `packet['endpoint']`: finds its class, `socket.open_namespace`, runs `recv_connect`.

        Raises Refused, or anything else where the site failed.
        """

    def event(self, namespace: BaseNamespace, packet: Packet, answer: Answer) -> Any:
        """Runs what the packet means to the namespace; -> what `answer` makes of its values, asked while the handler's
        transaction is open, for they may be rows. Raises what the handler raised.
        """

    def disconnect(self, namespace: BaseNamespace, reason: str) -> None:
        """Runs `recv_disconnect`."""


class PlainHost:
    """Namespaces in a dict `{'': Lobby, '/chat': Chat}`, as `socketio_manage` of gevent-socketio took them; no
    framework.
    """

    json_default = None
    unavailable = None

    def __init__(self, namespaces: Mapping[str, type[BaseNamespace]]) -> None:
        self.namespaces = namespaces

    def connect(self, socket: Socket, packet: Packet) -> None:
        endpoint = packet['endpoint']
        if endpoint not in self.namespaces:
            raise NoSuchNamespace(endpoint)
        namespace = socket.open_namespace(self.namespaces[endpoint], packet, dict(socket.handshake), None)
        namespace.process_packet(packet)

    def event(self, namespace: BaseNamespace, packet: Packet, answer: Answer) -> Any:
        return answer(packet, namespace.process_packet(packet))

    def disconnect(self, namespace: BaseNamespace, reason: str) -> None:
        namespace.process_disconnect(reason)
