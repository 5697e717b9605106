"""SocketIOTGNamespace: a namespace whose events are TurboGears requests."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from tg import request_local
from tg.request_local import Request

from ..namespace import BaseNamespace
from ..packet import Packet
from . import guard, hints, mount


class SocketIOTGNamespace(BaseNamespace):
    """Handlers take `@require` and `@validate`; `allow_only` on the class guards the connection.

    Mounted by naming the class in a controller: `chat = ChatNamespace`. In a handler `tg.request`, `tg.session`,
    `tg.tmpl_context` and the others are that event's own, and one transaction is open; it is committed after the
    handler and aborted when that fails.
    """

    #: a predicate (or a `require`) that must be met to connect
    allow_only: Any = None
    #: what a handler says (`emit`, `send`, rooms, broadcasts, `tgsio_middleware.emit`) leaves when the transaction of
    #: its event has committed, before the ack, and not at all when it aborts. A disconnect waits, but always happens.
    emit_on_commit = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        hints.resolve(cls)

    def __init__(self, environ: MutableMapping[str, Any], ns_name: str, request: Any = None) -> None:
        #: TurboGears' context of the request or event under way; a namespace is made inside its connect's
        self._context: Any = None if request is None else request_local.context._current_obj()
        #: the controller that the namespace hangs on: where `_lookup` made one for this client's path, that one
        self.controller: Any = None if request is None else request.dispatch_state.controller
        super().__init__(environ, ns_name, request)

    @classmethod
    def _dispatch(cls, state: Any, remainder: Any = None) -> Any:
        """Called by TurboGears' dispatcher."""
        return mount.dispatch(cls, state, remainder)

    @property
    def request(self) -> Any:
        """The request of the event under way; between events, one made of the client's handshake."""
        if self._context is None:
            return Request(dict(self.environ))
        return self._context.request

    @request.setter
    def request(self, request: Any) -> None:
        """The constructor's; the context knows it."""

    def event_failed(self) -> None:
        """Called when a handler has raised, or its transaction could not commit: at the end, and before another try."""

    def process_packet(self, packet: Packet) -> Any:
        """As ever; the short road of an event is for a handler about which TurboGears has nothing to do."""
        if packet['type'] != 'event':
            return super().process_packet(packet)
        short = self._short_roads.get(packet['name'])
        if short is not None and self.allowed_methods is None and self._context is not None:
            args = packet['args']
            if short.least <= len(args) <= short.most and guard.is_bare(short.attribute, self._context.config):
                return short.attribute(self, *args)
        return self.process_event(packet)

    def is_method_allowed(self, method_name: str) -> bool:
        """The ACL, and the method's `@require`."""
        if not super().is_method_allowed(method_name):
            return False
        method = getattr(type(self), method_name, None)
        return not guard.requires(method) or guard.unmet(method, self.request.environ) is None

    def call_method(self, method_name: str, packet: Packet, *args: Any) -> Any:
        """Validation, hooks and wrappers around the handler; see `guard`."""
        handler = self.handler(method_name)
        if handler is None or self._context is None:
            return super().call_method(method_name, packet, *args)
        method = handler.attribute.__get__(self)
        if handler.takes_packet:
            args = (packet,)
        elif not handler.fits(len(args)) and (len(args) > handler.most or not guard.validates(method)):
            return super().call_method(method_name, packet, *args)
        try:
            return guard.call(method, args, self._context, self._decorated)
        except guard.Denied:
            return super()._denied(method_name)
        except guard.InvalidArguments as e:
            self.error('invalid_method_args', e.detail)
        return None

    def _denied(self, method_name: str) -> Any:
        """Where a requirement forbids the method, and not the ACL: its `denial_handler` has the word."""
        method = getattr(type(self), method_name, None)
        if self._context is not None and super().is_method_allowed(method_name):
            denial = guard.unmet(method, self.request.environ)
            if denial is not None:
                try:
                    return guard.deny(denial, self._context)
                except guard.Denied:
                    pass
        return super()._denied(method_name)
