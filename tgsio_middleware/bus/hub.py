"""Hub: channels of PubSub in one process, whatever the number of clients: one subscription a channel.

A publication is decoded once, and `deliver`ed once a namespace with all its members that listen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import gevent

from ..errors import LocalProtocolError, RemoteProtocolError
from ..wire.binary import serialise
from ..wire.javascript import loads
from .lines import Line, Received
from .seldom import Seldom

log = logging.getLogger(__name__)

Member = TypeVar('Member')


class Channel(Generic[Member]):
    """Who listens, by endpoint."""

    #: subscribes or has subscribed; -> None, or why it could not
    opening: gevent.Greenlet

    def __init__(self) -> None:
        self.members: dict[str, dict[Member, None]] = {}
        #: those who wait until it is open, and `opening` itself
        self.waiting = 1


class Hub(Generic[Member]):
    """Publish, subscribe. `deliver(endpoint, value, members)` must not block."""

    def __init__(
        self,
        make_line: Callable[[Received], Line],
        deliver: Callable[[str, Any, Iterable[Member]], None],
        default: Callable[[Any], Any] | None = None,
    ) -> None:
        self.line = make_line(self._received)
        self._deliver = deliver
        self._default = default
        self._channels: dict[str, Channel[Member]] = {}
        self.garbage = Seldom(log)

    def publication(self, value: Any) -> str:
        """Any JSON value as what is published. Raises LocalProtocolError."""
        text, attachments = serialise(value, self._default)
        if attachments:
            raise LocalProtocolError('a publication is JSON, and JSON has no word for bytes')
        return text

    def publish(self, channel: str, publication: str) -> None:
        """To all who listen in all processes. Never waits for a server."""
        self.line.publish(channel, publication)

    def subscribe(self, channel: str, endpoint: str, member: Member) -> None:
        """Blocks until the backend has subscribed: what is published afterwards arrives. Raises lines.Unavailable."""
        known = self._channels.get(channel)
        if known is None:
            known = self._channels[channel] = Channel()
            # In a greenlet of its own: others may wait for it when the one that began is killed.
            known.opening = gevent.spawn(self._open, channel, known)
        known.waiting += 1
        try:
            failure = known.opening.get()
            if failure is not None:
                raise failure
            known.members.setdefault(endpoint, {})[member] = None
        finally:
            known.waiting -= 1
            self._forget_if_empty(channel, known)

    def unsubscribe(self, channel: str, endpoint: str, member: Member) -> None:
        """Nothing happens where it was not subscribed."""
        known = self._channels.get(channel)
        members = known.members.get(endpoint) if known is not None else None
        if known is None or members is None:
            return
        members.pop(member, None)
        if not members:
            del known.members[endpoint]
        self._forget_if_empty(channel, known)

    def _open(self, channel: str, known: Channel[Member]) -> Exception | None:
        try:
            self.line.open(channel)
        except Exception as e:
            return e
        finally:
            known.waiting -= 1
            self._forget_if_empty(channel, known)
        return None

    def _forget_if_empty(self, channel: str, known: Channel[Member]) -> None:
        if not known.members and not known.waiting and self._channels.get(channel) is known:
            del self._channels[channel]
            self.line.close(channel)

    def _received(self, channel: str, message: Any) -> None:
        known = self._channels.get(channel)
        if known is None or not known.members:
            return
        try:
            value = loads(message if isinstance(message, str) else bytes(message).decode())
        except (RemoteProtocolError, UnicodeDecodeError, TypeError) as e:
            self.garbage('dropped a publication on %.80r that is no JSON: %s', channel, e)
            return
        for endpoint, members in list(known.members.items()):
            try:
                self._deliver(endpoint, value, members)
            except Exception:
                log.exception('a publication on %r could not be delivered to %s', channel, endpoint or '/')
