"""BaseNamespace: what a site subclasses, with gevent-socketio's programming interface.

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
from collections.abc import Callable, Iterable, MutableMapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent

from .bus.outbox import OPEN, postponed
from .engine.auth import AUTH
from .packet import UNSAYABLE, Packet, event

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
    #: the class's attribute: a function in the common case
    attribute: Any
    #: positional arguments besides self: at least, at most
    least: int
    most: float
    #: its only parameter is named `packet`: it takes the whole packet
    takes_packet: bool

    def fits(self, count: int) -> bool:
        """It can be called with so many arguments."""
        return self.least <= count <= self.most


def _is_ours(step: Any) -> bool:
    """A step of the dispatch that no site has overridden."""
    return str(getattr(step, '__module__', '')).startswith(__package__ + '.')


def _nothing(*values: Any) -> None:
    """The callback of who wants to hear of a failure alone."""


def look_at(cls: type, name: str) -> Handler | None:
    """The method `name` of `cls`, or None where there is none that a client may reach: no property, no data, no
    class.
    """
    method = inspect.getattr_static(cls, name, None)
    if not callable(method) or isinstance(method, type):
        return None
    parameters = list(inspect.signature(method).parameters.values())
    if not isinstance(method, staticmethod):
        parameters = parameters[1:]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is p.empty for p in positional)
    most = float('inf') if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(positional)
    return Handler(name, method, least, most, [p.name for p in parameters] == ['packet'])


class BaseNamespace:
    """One client's connection to one namespace. Its handlers run one at a time, in the order of the client's events."""

    #: method name -> what is known of it; event name -> method name. Of each class its own.
    _handlers: dict[str, Handler] = {}
    _events: dict[str, str] = {}
    #: event name -> handler, where rules 3 to 5 need nothing but a look at the ACL: no step of the way is overridden
    _short_roads: dict[str, Handler] = {}
    _dispatches_plainly = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._handlers, cls._events, cls._short_roads = {}, {}, {}
        cls._dispatches_plainly = not hasattr(cls, 'exception_handler_decorator') and all(
            _is_ours(getattr(cls, step)) for step in STEPS
        )

    def __init__(self, environ: MutableMapping[str, Any], ns_name: str, request: Any = None) -> None:
        self.environ = environ
        self.socket: Socket = environ['socketio']
        #: the id that clients of 3.x and 4.x, and other processes, know it by
        self.sid = ''
        self.request = request
        self.ns_name = ns_name
        #: what the client said of itself: query strings, and `auth` of 3.x and 4.x; see `engine.auth`
        self.auth: dict[str, Any] = environ.get(AUTH, {})
        #: names of the methods that this client may call; None: all
        self.allowed_methods: set[str] | None = None
        self.jobs: list[gevent.Greenlet] = []
        self.reset_acl()
        super().__init__()

    @property
    def session(self) -> dict[Any, Any]:
        """A dict that lives as long as the connection, shared by the client's namespaces."""
        return self.socket.session

    # -- what a site overrides ---------------------------------------------------------------------------------------

    def initialize(self) -> None:
        """Runs right after `__init__`, for every class of the MRO that defines it: no super() needed."""

    def get_initial_acl(self) -> Iterable[str] | None:
        """Names of the methods that a new client may call, such as `{'recv_connect', 'on_login'}`; None: all."""
        return None

    def recv_connect(self) -> Any:
        """The client asks for this namespace; what is emitted here arrives after the CONNECT."""

    def recv_disconnect(self) -> Any:
        """The client has left or is gone; runs exactly once. Rooms, identity and session can still be read.

        Written with a parameter, `recv_disconnect(self, reason)`, it is told why: `transport close`, `ping timeout`,
        `client namespace disconnect`, `server namespace disconnect`, `parse error`, `slow consumer` and others.
        """
        self.disconnect(silent=True)

    def recv_message(self, data: str) -> Any:
        """What the client gave to `send`."""
        return data

    def recv_json(self, data: Any) -> Any:
        """What a 0.9 client gave to `json.send`."""
        return data

    def recv_error(self, packet: Packet) -> Any:
        """The client reports an error of its own."""

    # -- what a site calls -------------------------------------------------------------------------------------------

    def emit(self, event_name: str, *args: Any, **options: Any) -> None:
        """Sends an event to this client. Options:

        callback     is called with the values of the client's ack, in its turn, as a handler is
        timeout      seconds for that ack; without one it may come as long as the namespace is connected
        on_failure   is called, in its turn, with an AnswerTimeout or a Disconnected where no ack came
        volatile     True: the event is dropped where it would have to wait (for a poll, for a slow client's reading)

        Raises ValueError for other keywords, as gevent-socketio did, and LocalProtocolError for what cannot be sent.
        """
        if not options:
            return self.socket.send_event(self.ns_name, event_name, args)
        packet = event(self.ns_name, event_name, args)
        if self._prepare(packet, 'data', **options):
            self.socket.send_packet(packet)

    def send(self, message: Any, json: bool = False, **options: Any) -> None:
        """Sends a message, a string; with `json`, any value. Options as for `emit`; the `callback` is called when the
        client has received it.
        """
        packet = Packet(type='json' if json else 'message', endpoint=self.ns_name, data=message)
        if not options or self._prepare(packet, True, **options):
            self.socket.send_packet(packet)

    def call(self, event_name: str, *args: Any, timeout: float | None = 60.0) -> Any:
        """Sends an event and waits for the client's ack; -> None, its one value, or a tuple of several.

        The event leaves at once, also with `emit_on_commit`. Meanwhile the client's other events wait, and so does
        the transaction of the handler that calls. Raises AnswerTimeout after `timeout` seconds, Disconnected when the
        client leaves, and LocalProtocolError inside `recv_connect`, where the client cannot answer yet.
        """
        return self.socket.answers.call(self, event(self.ns_name, event_name, args), timeout)

    def _prepare(
        self,
        packet: Packet,
        ack: Any,
        *,
        callback: Callable[..., Any] | None = None,
        timeout: float | None = None,
        on_failure: Callable[..., Any] | None = None,
        volatile: bool = False,
        **unknown: Any,
    ) -> bool:
        """`emit`'s options; -> the packet is to be sent."""
        if unknown:
            raise ValueError(
                f'{next(iter(unknown))!r} is no option: a client is given positional arguments only, such as a dict'
            )
        if volatile and not self.socket.takes:
            return False
        if callback is not None or on_failure is not None:
            packet['id'] = self.socket.answers.ask(self, callback or _nothing, on_failure, timeout)
            packet['ack'] = ack
        return True

    def error(self, error_name: str, error_message: Any, msg_id: int | None = None, quiet: bool = False) -> None:
        """Sends the event `error` with (name, message) to the client; `quiet` only logs it."""
        self.socket.error(error_name, error_message, endpoint=self.ns_name, msg_id=msg_id, quiet=quiet)

    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> gevent.Greenlet:
        """A greenlet that is killed when the client leaves. It is no request: TurboGears' context is not there."""
        job = gevent.spawn(self._decorated(fn), *args, **kwargs)
        self.jobs = [j for j in self.jobs if not j.dead]
        self.jobs.append(job)
        return job

    def disconnect(self, silent: bool = False) -> None:
        """Ends this namespace for the client, kills its jobs, leaves its rooms. The last one ends the connection.

        `silent`: the client is not told (it has left by itself) and the connection stays.
        """
        socket = self.socket
        if OPEN and not silent and postponed(self.disconnect):
            return
        if not silent:
            socket.send_packet(Packet(type='disconnect', endpoint=self.ns_name))
        try:
            socket.remove_namespace(self.ns_name)
            if not silent and not socket.active_ns:
                socket.disconnect()
        finally:
            self.kill_local_jobs()

    def kill_local_jobs(self) -> None:
        """Kills what `spawn` started; a job that calls this itself is spared until it ends."""
        jobs, self.jobs = self.jobs, []
        gevent.killall([job for job in jobs if job is not gevent.getcurrent()], block=False)

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

    def process_disconnect(self, reason: str) -> Any:
        """Calls `recv_disconnect`, with the reason where it takes one."""
        handler = self.handler('recv_disconnect')
        method = self._decorated(self.recv_disconnect)
        if handler is None or handler.least != 1:
            return method()
        if handler.takes_packet:
            return method(Packet(type='disconnect', endpoint=self.ns_name, reason=reason))
        return method(reason)

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
            if self._dispatches_plainly and isinstance(handler.attribute, FunctionType) and not handler.takes_packet:
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
        method = self._decorated(getattr(self, method_name))
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
