"""Socket.IO for TurboGears 2, as a Paste filter.

Words, from below:

Packet        one thing said, in any generation of the protocol
Dialect       a generation, as a module: `wire.sio09` (0.9), `wire.eio3` (1.x, 2.x), `wire.eio4` (3.x, 4.x)
Conversation  the pure state of talking a dialect with one client
Transport     how text travels: polling, websocket
Socket        one client, as gevent-socketio means it
Namespace     the user's class; one object a client and namespace
Host          whoever owns namespaces and runs their handlers: TurboGears, or a plain dict

The public names are imported when they are first asked for: `tg` must not be imported before gevent has patched the
process, and the server that patches it lives in this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .anywhere import disconnect, emit
    from .bus.emitter import Emitter
    from .errors import AnswerTimeout, ConfigurationError, ConnectionRefused, Disconnected, NoAnswer
    from .middleware import SocketIOMiddleware
    from .mixins import BroadcastMixin, RoomsMixin
    from .namespace import BaseNamespace
    from .turbogears.controller import SocketIOController
    from .turbogears.namespace import SocketIOTGNamespace

__version__ = '0.1.0'
__all__ = [
    'AnswerTimeout',
    'BaseNamespace',
    'BroadcastMixin',
    'ConfigurationError',
    'ConnectionRefused',
    'Disconnected',
    'Emitter',
    'NoAnswer',
    'RoomsMixin',
    'SocketIOController',
    'SocketIOMiddleware',
    'SocketIOTGNamespace',
    'disconnect',
    'emit',
]

_HOMES = {
    'AnswerTimeout': 'errors',
    'BaseNamespace': 'namespace',
    'BroadcastMixin': 'mixins',
    'ConfigurationError': 'errors',
    'ConnectionRefused': 'errors',
    'Disconnected': 'errors',
    'Emitter': 'bus.emitter',
    'NoAnswer': 'errors',
    'RoomsMixin': 'mixins',
    'SocketIOController': 'turbogears.controller',
    'SocketIOMiddleware': 'middleware',
    'SocketIOTGNamespace': 'turbogears.namespace',
    'disconnect': 'anywhere',
    'emit': 'anywhere',
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(import_module(f'.{_HOMES[name]}', __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
