"""`emit` and `disconnect` for everybody: controllers, handlers, jobs, threads, scripts.

How they find clients:

1. `namespace` says which; without `room` and `user` all of its clients are meant.
2. `room` (a name or several) and `user` (a TurboGears user id, or several) add up. A client's own sid is a room, too.
An empty list and `user=None`, who is not logged in, are nobody.
3. `skip` leaves out: a client (its namespace object, its socket, its sid), everybody in a room, or several of these.
4. All filters of this process are asked; with the setting `bus` all other processes, too.

    emit('news', {'text': 'hi'}, namespace='/chat', room='lobby', skip=self)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .bus.address import ANYBODY, address
from .bus.outbox import OPEN, current
from .bus.plain import plain
from .engine.exchange import EXCHANGES, Exchange
from .errors import ConfigurationError
from .packet import sayable


def emit(
    event: str,
    *args: Any,
    namespace: str = '/',
    room: Any = None,
    user: Any = ANYBODY,
    skip: Any = None,
    on_commit: bool = False,
) -> None:
    """Sends an event. It leaves at once, from any thread, and waits for nobody.

    `on_commit`: it leaves when the transaction of the request (or event) under way has committed, and not at all when
    that aborts. It always does inside an event of a namespace with `emit_on_commit`.

    Raises ConfigurationError where no client can be reached from here, and LocalProtocolError for what cannot be sent
    and for names that are reserved.
    """
    to = address(namespace, room, user, skip)
    sayable(event)
    for exchange in _exchanges():
        values = plain(args, exchange.host.json_default)
        _when(on_commit, exchange.emit, to, event, values)


def disconnect(
    *,
    namespace: str = '/',
    room: Any = None,
    user: Any = ANYBODY,
    skip: Any = None,
    close: bool = True,
    on_commit: bool = False,
) -> None:
    """Ends the namespace for all who are meant and, with `close`, their connections with all namespaces.

    Their `recv_disconnect` runs. For a logout: `disconnect(namespace='/chat', user=userid)`. Raises ConfigurationError.
    """
    to = address(namespace, room, user, skip)
    for exchange in _exchanges():
        _when(on_commit, exchange.disconnect, to, close)


def _when(on_commit: bool, what: Callable[..., None], *args: Any) -> None:
    if not on_commit or (OPEN and current() is not None):
        return what(*args)
    from .turbogears.commit import after_commit

    after_commit(what, *args)


def _exchanges() -> Iterable[Exchange]:
    """One for each that can be reached separately: filters on the same bus hear each other."""
    found = {exchange.registry.settings.bus or id(exchange): exchange for exchange in list(EXCHANGES)}
    if not found:
        raise ConfigurationError(
            'no filter egg:tgsio_middleware#socketio in this process: load the site first (paste.deploy.loadapp), or '
            "publish with tgsio_middleware.Emitter('redis://...') to servers with the setting bus"
        )
    return found.values()
