"""A line when a client has connected a namespace and one when it has left, for the logger
`tgsio_middleware.connections` at INFO. Nothing is said of packets.

    connect '/chat': 3.x/4.x by websocket from 10.0.0.7, user 'ann', k3J...
    disconnect '/chat': 3.x/4.x by websocket from 10.0.0.7, user 'ann', k3J..., after 312.4 s: transport close

The last word of what both have is the namespace's id: `socket.id` of clients since 3.x, and a room in every process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from ..namespace import BaseNamespace

log = logging.getLogger('tgsio_middleware.connections')

#: When they connected. Empty where nobody reads the log.
_since: WeakKeyDictionary[BaseNamespace, float] = WeakKeyDictionary()


def connected(namespace: BaseNamespace) -> None:
    """Its CONNECT was answered."""
    if log.isEnabledFor(logging.INFO):
        _since[namespace] = monotonic()
        log.info('connect %s', _facts(namespace))


def disconnected(namespace: BaseNamespace, reason: str) -> None:
    """Whoever says it first gives the reason. Of one that had not been connected nothing is said."""
    since = _since.pop(namespace, None) if _since else None
    if since is not None:
        log.info('disconnect %s, after %.1f s: %s', _facts(namespace), monotonic() - since, reason)


def _facts(namespace: BaseNamespace) -> str:
    """What a client says of itself stands in quotes, with nothing in it that could end the line."""
    socket = namespace.socket
    transport = socket.transport.NAME if socket.transport is not None else 'nothing'
    return (
        f'{namespace.ns_name or "/"!r}: {"/".join(socket.dialect.GENERATIONS)} by {transport} from '
        f'{socket.handshake.get("REMOTE_ADDR") or "unix"}, user {user_of(namespace.environ)!r}, {namespace.sid}'
    )


def user_of(environ: Mapping[str, Any]) -> Any:
    """The id under which the site's authentication knows the user, or None."""
    identity = environ.get('repoze.who.identity')
    return identity.get('repoze.who.userid') if identity else environ.get('REMOTE_USER')
