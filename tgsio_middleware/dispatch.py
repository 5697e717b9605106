"""Dispatch: how what a client says finds its method. A namespace's other half.

How an event finds its method:

1. Its name must match `[A-Za-z][A-Za-z0-9_ ]*` and must not be one of `RESERVED`; else the client gets
`unallowed_event_name`. Where rule 4 leads to `recv_event`, any name of at most 256 characters will do that is not
reserved.
2. The method is `on_` and the name, spaces become `_`.
3. `is_method_allowed` (the ACL) must agree; else `method_access_denied`.
4. The class must have such a method; else `no_such_method`. `message` falls back to `recv_message`, where `send` of 0.9
arrives. A class with `recv_event` gets all events there for which it has no method; to the ACL, too, it is that method.
5. The method must take as many arguments as came; else `invalid_method_args`.

    socket.emit('user message', 'hi')   ->   on_user_message('hi')
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .packet import UNSAYABLE, Packet

if TYPE_CHECKING:
    from .engine.socket import Socket

log = logging.getLogger(__name__)

ALLOWED_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_ ]*')
#: Names that no client may send; socket.io refuses them too (and `error`, CVE-2024-38355).
RESERVED = UNSAYABLE | {'error'}
MAX_NAME = 256
#: The method for the events that have none of their own.
ANY = 'recv_event'
#: The steps of the dispatch between `process_packet` and the method.
STEPS = ('process_event', 'call_method_with_acl', 'is_method_allowed', 'call_method')


class Handler(NamedTuple):
    """What is known of a method, looked at once a class."""

    name: str
    #: the class's attribute: a function in the common case, a descriptor always
    attribute: Any
    #: positional arguments besides self: at least, at most
    least: int
    most: float
    #: its only parameter is named `packet`: it takes the whole packet
    takes_packet: bool
    #: the name of its first positional parameter besides self, or nothing
    first: str

    def fits(self, count: int) -> bool:
        """It can be called with so many arguments."""
        return self.least <= count <= self.most


def _is_ours(step: Any) -> bool:
    """A step of the dispatch that no site has overridden."""
    return str(getattr(step, '__module__', '')).startswith(__package__ + '.')


def look_at(cls: type, name: str) -> Handler | None:
    """The method `name` of `cls`, or None where there is none that a client may reach: no property, no data, no
    class.
    """
    method = inspect.getattr_static(cls, name, None)
    if not callable(method) or isinstance(method, type):
        return None
    if not hasattr(method, '__get__') or (isinstance(method, partial) and sys.version_info < (3, 14)):
        method = staticmethod(method)  # it is not given the object; Python 3.13 has `partial.__get__` and only warns
    parameters = list(inspect.signature(method).parameters.values())
    if not isinstance(method, staticmethod):
        parameters = parameters[1:]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is p.empty for p in positional)
    most = float('inf') if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(positional)
    takes_packet = [p.name for p in parameters] == ['packet']
    return Handler(name, method, least, most, takes_packet, positional[0].name if positional else '')


class Dispatch:
    """Its only subclass of ours is `BaseNamespace`, which says how the client is told of an error."""

    #: method name -> what is known of it; event name -> method name. Of each class its own.
    _handlers: dict[str, Handler] = {}
    _events: dict[str, str] = {}
    #: event name -> handler, where rules 3 to 5 need nothing but a look at the ACL: no step of the way is overridden
    _short_roads: dict[str, Handler] = {}
    _dispatches_plainly = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._handlers, cls._events, cls._short_roads = {}, {}, {}
        cls._dispatches_plainly = all(_is_ours(getattr(cls, step)) for step in STEPS)

    socket: Socket
    #: names of the methods that this client may call; None: all
    allowed_methods: set[str] | None

    def get_initial_acl(self) -> Iterable[str] | None:
        """Names of the methods that a new client may call, such as `{'recv_connect', 'on_login'}`; None: all."""
        return None

    def error(self, error_name: str, error_message: Any) -> None:
        """Tells the client."""
        raise NotImplementedError

    def process_disconnect(self, reason: str) -> Any:
        """Calls `recv_disconnect`."""
        raise NotImplementedError

    # -- ACL ---------------------------------------------------------------------------------------------------------

    def is_method_allowed(self, method_name: str) -> bool:
        """The client may call the method."""
        return self.allowed_methods is None or method_name in self.allowed_methods

    def add_acl_method(self, method_name: str) -> None:
        """Allows a method; where all were allowed, only this one is from now on."""
        if self.allowed_methods is None:
            self.allowed_methods = set()
        self.allowed_methods.add(method_name)

    def del_acl_method(self, method_name: str) -> None:
        """Forbids a method. Raises ValueError where there is no ACL, KeyError where the method was not allowed."""
        if self.allowed_methods is None:
            raise ValueError('there is no ACL yet from which a method could be taken: see get_initial_acl')
        self.allowed_methods.remove(method_name)

    def lift_acl_restrictions(self) -> None:
        """Allows all methods."""
        self.allowed_methods = None

    def reset_acl(self) -> None:
        """Back to `get_initial_acl`."""
        acl = self.get_initial_acl()
        self.allowed_methods = None if acl is None else set(acl)

    # -- dispatch ----------------------------------------------------------------------------------------------------

    def process_packet(self, packet: Packet) -> Any:
        """Calls what the packet means; -> the values of its ack. Override it to dispatch in a way of your own."""
        kind = packet['type']
        if kind == 'event':
            short = self._short_roads.get(packet['name'])
            if short is not None and self.allowed_methods is None:
                args = packet['args']
                if short.least <= len(args) <= short.most:
                    return short.attribute(self, *args)
            return self.process_event(packet)
        if kind == 'message':
            return self.call_method_with_acl('recv_message', packet, packet['data'])
        if kind == 'json':
            return self.call_method_with_acl('recv_json', packet, packet['data'])
        if kind == 'connect':
            return self.call_method_with_acl('recv_connect', packet)
        if kind == 'error':
            return self.call_method_with_acl('recv_error', packet, packet)
        if kind == 'ack':
            return self.process_ack(packet)
        if kind == 'disconnect':
            return self.process_disconnect(packet.get('reason', ''))
        return None

    def process_event(self, packet: Packet) -> Any:
        """Calls the method of an event: rules 1 and 2 of this module."""
        name = packet['name']
        method_name = self._events.get(name)
        if method_name is None:
            method_name = self._method_of(name)
            if method_name is None:
                return None
            if method_name is ANY:
                return self.call_method_with_acl(ANY, packet, name, *packet['args'])
        return self.call_method_with_acl(method_name, packet, *packet['args'])

    def _method_of(self, name: str) -> str | None:
        """Rules 1 and 2, looked at once a class and name; -> None where the client was told that it may not be."""
        if name in RESERVED:
            self.error('unallowed_event_name', f'"{name}" is reserved')
            return None
        if len(name) > MAX_NAME or not ALLOWED_NAME.fullmatch(name):
            if len(name) <= MAX_NAME and self.handler(ANY) is not None:
                return ANY
            self.error('unallowed_event_name', 'name must only contains alpha numerical characters')
            return None
        method_name = 'on_' + name.replace(' ', '_')
        if name == 'message' and self.handler('on_message') is None:
            method_name = 'recv_message'
        handler = self.handler(method_name)
        if handler is not None:
            self._events[name] = method_name
            plain = self._dispatches_plainly and not hasattr(self, 'exception_handler_decorator')
            if plain and isinstance(handler.attribute, FunctionType) and not handler.takes_packet:
                self._short_roads[name] = handler
            return method_name
        return method_name if self.handler(ANY) is None else ANY

    def process_ack(self, packet: Packet) -> None:
        """Calls back who waits for this answer."""
        callback = packet.get('callback') or self.socket.pop_ack(packet['ackId'], packet['endpoint'])
        if callback is None:
            log.debug('%s: an answer that nobody waits for', self.socket)
            return
        callback(*packet['args'])

    def call_method_with_acl(self, method_name: str, packet: Packet, *args: Any) -> Any:
        """Rule 3, then `call_method`."""
        if not self.is_method_allowed(method_name):
            return self._denied(method_name)
        return self.call_method(method_name, packet, *args)

    def _denied(self, method_name: str) -> Any:
        """-> the ack of an event that its client may not send."""
        self.error('method_access_denied', f'You do not have access to method "{method_name}"')
        return None

    def call_method(self, method_name: str, packet: Packet, *args: Any) -> Any:
        """Rules 4 and 5, then the method itself."""
        handler = self.handler(method_name)
        if handler is None:
            self.error('no_such_method', f'The method "{method_name}" was not found')
            return None
        method = self._decorated(handler.attribute.__get__(self))
        if handler.takes_packet:
            return method(packet)
        if not handler.fits(len(args)):
            self.error('invalid_method_args', f'"{method_name}" cannot be called with {len(args)} arguments')
            return None
        return method(*args)

    @classmethod
    def handler(cls, method_name: str) -> Handler | None:
        """What is known of the method; a missing one is not remembered, because clients invent names."""
        known = cls._handlers.get(method_name)
        if known is None:
            known = look_at(cls, method_name)
            if known is not None:
                cls._handlers[method_name] = known
        return known

    def _decorated(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        decorator = getattr(self, 'exception_handler_decorator', None)
        return fn if decorator is None else decorator(fn)
