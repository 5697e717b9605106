"""Draining: before a process ends, its clients go elsewhere.

1. Nobody new comes in: who shakes hands is refused (`Registry.draining`).
2. A few at a time are told, for told all at once they would come back all at once, to processes that have clients of
   their own. Each when what it said has been handled and the acks have left; no more is read of it then.
3. Who is still there when the time is up is cut off, whatever its handlers do.
"""

from __future__ import annotations

import logging
import math
from time import monotonic

import gevent

from ..settings import Settings
from .exchange import EXCHANGES
from .socket import RESTART, Socket

log = logging.getLogger(__name__)

#: What `recv_disconnect` is told.
REASON = 'server shutting down'
#: So many are told at once at least, and the next ones so many seconds later.
BATCH, PAUSE = 10, 0.1
#: All have been told after this share of the time; the rest is for handlers that are still at work.
TELLING = 0.5
#: A client that polls comes again within a round trip: so long, in seconds, what it was told waits for that.
FETCHING = 2.0
#: Before the time is up, in seconds: for those that are cut off to hear it, and for their handlers.
ENDING = 0.5


def patience() -> float:
    """The longest `drain_timeout` of this process's filters, in seconds."""
    return max((each.registry.settings.drain_timeout for each in EXCHANGES), default=Settings.parse().drain_timeout)


def drain(until: float) -> None:
    """Sends all clients of this process's filters away; returns when they have gone, or at `until` (of `monotonic`)."""
    for exchange in EXCHANGES:
        exchange.registry.draining = True
    sockets = [socket for exchange in EXCHANGES for socket in exchange.registry.sockets.values()]
    log.info('draining: %d clients, at most %.1f s', len(sockets), until - monotonic())
    last = until - min(ENDING, (until - monotonic()) / 2)
    _send_away(sockets, last)
    cut_off = [socket for socket in sockets if socket.connected]
    for socket in cut_off:
        socket.close(REASON, RESTART)
    while any(s.working or s.inbox or s.unsent for s in sockets) and monotonic() < until:
        gevent.sleep(PAUSE / 10)
    if cut_off:
        log.warning('drained: %d clients were cut off in the middle of something', len(cut_off))


def _send_away(sockets: list[Socket], until: float) -> None:
    told_by = monotonic() + (until - monotonic()) * TELLING
    told = 0
    leaving: dict[Socket, float] = {}
    while (told < len(sockets) or leaving) and (now := monotonic()) < until:
        rounds = max(1.0, (told_by - now) / PAUSE)
        size = max(BATCH, math.ceil((len(sockets) - told) / rounds))
        leaving.update(dict.fromkeys(sockets[told : told + size], now + FETCHING))
        told += size
        leaving = {socket: fetched_by for socket, fetched_by in leaving.items() if not _left(socket, now < fetched_by)}
        if told < len(sockets) or leaving:
            gevent.sleep(PAUSE)


def _left(socket: Socket, may_fetch: bool) -> bool:
    """It is gone, or goes now, for it has nothing under way. What a poller has not fetched is lost with its sid."""
    if socket.working or socket.inbox or (may_fetch and socket.unsent):
        if socket.transport is not None:
            socket.transport.pause()
        return not socket.connected
    socket.close(REASON, RESTART)
    return True
