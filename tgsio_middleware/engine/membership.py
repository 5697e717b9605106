"""How a client comes into its namespaces and out of them.

Nothing leaves for a namespace before its CONNECT is answered: until then the socket `holds` it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import Exceeded, LocalProtocolError, NoSuchNamespace, Refused
from ..packet import Packet
from . import journal
from .host import FAILURES
from .registry import new_sid

if TYPE_CHECKING:
    from ..namespace import BaseNamespace
    from .socket import Socket

log = logging.getLogger(__name__)


def connect(socket: Socket, packet: Packet) -> None:
    """The client asks for a namespace: it is answered by a CONNECT, or refused in its dialect's words."""
    endpoint = packet['endpoint']
    if endpoint in socket.active_ns or not socket.connected:
        return
    most = socket.settings.max_namespaces
    if len(socket.active_ns) >= most:
        socket.say(socket.dialect.refusal(endpoint, Refused('too many namespaces')))
        return socket.fail(Exceeded('max_namespaces', f'more than {most} namespaces'))
    socket.holds[endpoint], socket.held = [], 0
    try:
        socket.host.connect(socket, packet)
    except Refused as e:
        _refuse(socket, packet, e)
    except FAILURES:
        log.exception('%s: connecting %r failed', socket, endpoint or '/')
        _refuse(socket, packet, Refused('internal error'))
    else:
        _connected(socket, packet)


def _connected(socket: Socket, packet: Packet) -> None:
    socket.conversation.joined()
    held = socket.holds.pop(packet['endpoint'])
    namespace = socket.active_ns.get(packet['endpoint'])
    sid = namespace.sid if namespace is not None else new_sid()  # none: it has left while it was connected
    socket.send_packet(Packet(type='connect', endpoint=packet['endpoint'], sid=sid))
    for messages in held:
        socket.say(messages)
    if namespace is not None:
        journal.connected(namespace)


def hold(socket: Socket, packet: Packet) -> None:
    """It is said when its namespace's CONNECT has been answered. More than `max_buffered` ends the client."""
    messages = socket.dialect.encode(packet, socket.host.json_default)
    held = socket.holds.get(packet['endpoint'])
    if held is None:  # `encode` runs code of the site's, which may have waited for just that
        return socket.say(messages)
    held.append(messages)
    socket.held += sum(map(len, messages))
    if socket.held > socket.settings.max_buffered:
        socket.fail(Exceeded('max_buffered', 'too much is said to a namespace that is not connected yet'))


def _refuse(socket: Socket, packet: Packet, refused: Refused) -> None:
    endpoint = packet['endpoint']
    namespace = socket.active_ns.get(endpoint)
    if namespace is not None:
        end(socket, namespace)
    del socket.holds[endpoint]
    if endpoint == '' and socket.dialect.GLOBAL_UNASKED and isinstance(refused, NoSuchNamespace):
        # Nobody asked for it, but these clients take its CONNECT for the connection's.
        socket.conversation.joined()
        socket.send_packet(Packet(type='connect', endpoint=''))
        return
    log.info('%s: refused %r: %s', socket, endpoint or '/', refused)
    try:
        socket.say(socket.dialect.refusal(endpoint, refused))
    except LocalProtocolError:
        log.exception('%s: the data of a refusal of %r cannot be sent', socket, endpoint or '/')
        socket.say(socket.dialect.refusal(endpoint, Refused(refused.message)))


def has_ended(namespace: BaseNamespace) -> bool:
    """It was connected and is no more; the client may have come back, to another object. In its `__init__` it has no
    sid yet.
    """
    return namespace.sid != '' and namespace.socket.active_ns.get(namespace.ns_name) is not namespace


def leave(socket: Socket, namespace: BaseNamespace, reason: str) -> None:
    """`recv_disconnect` runs exactly once; jobs and rooms go after it."""
    journal.disconnected(namespace, reason)
    try:
        socket.host.disconnect(namespace, reason)
    except FAILURES:
        log.exception('%s: recv_disconnect of %s failed', socket, type(namespace).__name__)
    finally:
        if not has_ended(namespace):
            end(socket, namespace)


def end(socket: Socket, namespace: BaseNamespace) -> None:
    """`disconnect` may be the site's own: nothing is left behind, whatever it does."""
    try:
        namespace.disconnect(silent=True)
    except FAILURES:
        log.exception('%s: disconnect of %s failed', socket, type(namespace).__name__)
    if not has_ended(namespace):
        socket.remove_namespace(namespace.ns_name)
        namespace.kill_local_jobs()


def leave_all(socket: Socket) -> None:
    """The connection has ended."""
    for namespace in list(socket.active_ns.values()):
        leave(socket, namespace, socket.reason or '')
