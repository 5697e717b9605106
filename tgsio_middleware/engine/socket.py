"""Socket: one client, as gevent-socketio means it, whatever transport carries it at the moment.

    transports      call   take, work, close          what came in
    the sweep       calls  tick                       time has passed
    namespaces      call   send_packet, error, ...    what goes out

Packets wait in its inbox (see `Inbox`) while reading goes on: heartbeats are answered, a client that leaves is seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent

from ..bus.outbox import OPEN, hold_packet, postponed
from ..errors import Disconnected, LocalProtocolError, NoAnswer, RemoteProtocolError, Silence
from ..packet import Message, Packet, ack, event
from ..wire.conversation import ANSWER, DELIVER, END, EXPECT, URGENT, begin
from ..wire.dialect import Dialect
from . import journal, membership
from .adoption import adopted
from .answers import Answers, Callback
from .auth import AUTH, auth_of
from .host import FAILURES
from .inbox import Inbox
from .legacy import LegacyNames
from .registry import Registry, new_sid

if TYPE_CHECKING:
    from ..namespace import BaseNamespace
    from ..transports.base import Transport
    from .host import Host

log = logging.getLogger(__name__)

#: The last item of an inbox: the client is gone.
GONE = Packet(type='gone', endpoint='')
#: The packets that are more than said to a namespace.
COMING_AND_GOING = ('connect', 'disconnect', 'gone')
#: The reason of a disconnect where the client left by itself: it needs no telling.
LEFT = 'transport close'
#: A close code of RFC 6455's registry, Service Restart: the client is to come back. Of 0.9's clients none does that was
#: told `disconnect`; so with this code nothing is said but the connection's end.
RESTART = 1012


class Socket(Inbox, LegacyNames):
    """One client. `handshake` is the environ of its first request, reduced to what the site may see."""

    __slots__ = (
        '__weakref__',
        '_answers',
        '_jobs',
        '_session',
        'active_ns',
        'conversation',
        'dialect',
        'due',
        'environ',
        'failure',
        'handshake',
        'held',
        'holds',
        'host',
        'memory',
        'reason',
        'registry',
        'request',
        'sessid',
        'transport',
    )

    def __init__(self, dialect: Dialect, host: Host, registry: Registry, handshake: dict[str, Any]) -> None:
        super().__init__(registry.settings)
        self.sessid = new_sid()
        self.dialect = dialect
        self.host = host
        self.registry = registry
        self.handshake = handshake
        self.conversation = begin(dialect, self.settings, monotonic())
        self.due = 0.0
        self.transport: Transport | None = None
        self.active_ns: dict[str, BaseNamespace] = {}
        self.reason: str | None = None
        #: what the client did that ended it
        self.failure: RemoteProtocolError | None = None
        self.environ: MutableMapping[str, Any] = handshake
        self.request: Any = None
        #: what the dialect learned of this client's payloads (see `Dialect.split_payload`)
        self.memory: set[str] = set()
        #: the endpoint whose CONNECT is not answered yet, what waits for that, and its bytes
        self.holds: dict[str, list[tuple[Message, ...]]] = {}
        self.held = 0
        self._answers: Answers | None = None
        self._session: dict[Any, Any] | None = None
        self._jobs: list[gevent.Greenlet] | None = None
        registry.add(self)

    # -- called by transports ----------------------------------------------------------------------------------------

    def open(self, transport: Transport, upgrades: tuple[str, ...] = ()) -> None:
        """The first transport is there: the hello leaves on it, and what the generation connects unasked is
        connected.
        """
        self.transport = transport
        transport.put(self.dialect.hello(self.sessid, self.settings, upgrades))
        if self.dialect.GLOBAL_UNASKED:
            self.inbox.append(Packet(type='connect', endpoint='', qs='', auth=None))
            self.work_later()

    def take(self, messages: list[Message]) -> None:
        """What the client said, in order, into the inbox; never blocks."""
        conversation = self.conversation
        conversation.heard = monotonic()
        if self.working:
            self.weigh(sum(map(len, messages)))
        try:
            for message in messages:
                verb, packet = conversation.receive(message)
                if verb is DELIVER:
                    self.inbox.append(packet)
                    if packet.get('ack') is True:  # 0.9: the library confirms receipt
                        self.send_packet(ack(packet['endpoint'], packet['id'], []))
                elif verb is ANSWER:
                    self.send_packet(packet)
                elif verb is URGENT:
                    self._urgent(packet)
                elif verb is EXPECT:
                    self.registry.hurry(self)
                elif verb is END:
                    self.close(LEFT)
        except RemoteProtocolError as e:
            self.fail(e)
        except Exception:
            self.broken()

    def _urgent(self, packet: Packet) -> None:
        if self._answers is not None:
            if packet['type'] == 'disconnect':
                self._answers.interrupt(packet['endpoint'], Disconnected('client namespace disconnect'))
            elif self._answers.heard(packet):
                return
        self.inbox.append(packet)

    def fail(self, error: RemoteProtocolError) -> None:
        """The client broke its protocol, or a bound: one line for the operator, and the end."""
        if self.connected:
            self.failure = error
            log.warning('%s: %s', self, error)
            self.close(error.reason, error.close_code)

    def close(self, reason: str, code: int = 1000) -> None:
        """The connection ends; whoever calls it first gives the reason. Never blocks; handlers of it run in a
        worker.
        """
        if self.reason is not None:
            return
        self.reason = reason
        self.conversation.close()
        self.registry.discard(self)
        if self.transport is not None:
            self.transport.close(reason, code)
        if self._answers is not None:
            self._answers.interrupt(None, Disconnected(reason))
        self.inbox.append(GONE)
        self.release()
        self.work_later()

    # -- called by the sweep -----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """The conversation's deadline has come."""
        if self.crowded or self.paused:
            self.conversation.excuse(now)  # its silence is ours: we do not read
        try:
            streaming = self.transport is not None and self.transport.STREAMING
            packet = self.conversation.tick(now, streaming, bool(self.holds))
        except Silence as e:
            self.close(str(e))
        except RemoteProtocolError as e:
            self.fail(e)
        else:
            if packet is not None:
                self.send_packet(packet)

    # -- working off the inbox ---------------------------------------------------------------------------------------

    def handle(self, packet: Packet) -> None:
        namespace = self.active_ns.get(packet['endpoint'])
        kind = packet['type']
        if kind != 'event':
            if kind in COMING_AND_GOING:
                return self._come_or_go(namespace, packet)
            namespace = packet.get('whose', namespace)
        if namespace is None:
            return self._stray(packet)
        try:
            messages = self.host.event(namespace, packet, self._answer)
            if messages and self.reason is None and self.transport is not None:
                self.transport.put(messages)
        except NoAnswer as e:
            log.info('%s: %r: %s', self, packet.get('name', kind), e)
            self._give_up(packet)
        except FAILURES:
            self._failed(namespace, packet)

    def broken(self) -> None:
        log.exception('%s: a defect of tgsio_middleware', self)
        self.close('server error', 1011)

    def drained(self) -> None:
        if self.transport is not None:
            self.transport.drained()

    def _come_or_go(self, namespace: BaseNamespace | None, packet: Packet) -> None:
        if packet['type'] == 'connect':
            membership.connect(self, packet)
        elif packet is GONE:
            membership.leave_all(self)
            self._kill_jobs()
        elif namespace is not None:
            membership.leave(self, namespace, packet.get('reason', 'client namespace disconnect'))
            if 'reason' in packet and not self.active_ns:
                self.disconnect()

    def _answer(self, packet: Packet, values: Any) -> tuple[Message, ...]:
        """The ack, if the client asked for one, ready to be sent. A tuple is several values, anything else one, None
        too.
        """
        if packet.get('ack') != 'data':
            return ()
        values = list(values) if type(values) is tuple else [values]
        return self.dialect.answer(packet['endpoint'], packet['id'], values, self.host.json_default)

    def say(self, messages: tuple[Message, ...]) -> None:
        """To the client as it is connected now, whatever is held."""
        if self.reason is None and self.transport is not None:
            self.transport.put(messages)

    def _failed(self, namespace: BaseNamespace, packet: Packet) -> None:
        """The site's handler failed: one traceback here, no detail of it for the client, and an ack if one was asked
        for.
        """
        what = packet.get('name', packet['type'])
        log.exception('%s: %s failed on %r', self, type(namespace).__name__, what)
        self._give_up(packet)

    def _give_up(self, packet: Packet) -> None:
        what = packet.get('name', packet['type'])
        self.error('internal_error', f'The server failed to handle "{what}"', endpoint=packet['endpoint'])
        self.say(self._answer(packet, None))

    def _stray(self, packet: Packet) -> None:
        if not self.connected or packet['type'] in ('ack', 'error'):
            return
        if self.dialect.STRAY_ENDS:
            self.fail(RemoteProtocolError(f'{packet["type"]} for a namespace that is not connected'))
        else:
            self.error(
                'no_such_namespace', f"The endpoint doesn't exist: {packet['endpoint']}", endpoint=packet['endpoint']
            )
            self.say(self._answer(packet, None))

    def _kill_jobs(self) -> None:
        if self._jobs:
            gevent.killall(self._jobs, block=False)
            self._jobs = None

    # -- called by hosts and namespaces ------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """False from the moment at which the connection has ended."""
        return self.reason is None

    @property
    def session(self) -> dict[Any, Any]:
        """A dict for the site's code, as long as the connection lives. Not TurboGears' session."""
        if self._session is None:
            self._session = {}
        return self._session

    def __getitem__(self, endpoint: str) -> BaseNamespace:
        """The client's other namespace: `self.socket['/admin'].add_acl_method('on_kick')`; KeyError if not
        connected.
        """
        return self.active_ns[endpoint]

    def __contains__(self, endpoint: str) -> bool:
        return endpoint in self.active_ns

    def open_namespace(
        self, cls: type[BaseNamespace], packet: Packet, environ: MutableMapping[str, Any], request: Any
    ) -> BaseNamespace:
        """A host found the class of a namespace: makes the instance and runs every `initialize` along its MRO."""
        registry = self.registry
        environ['socketio'] = self
        environ[AUTH] = auth_of(self.handshake, packet, self.settings.max_head)
        cls = adopted(cls)
        namespace = cls(environ, packet['endpoint'], request=request)
        namespace.sid = new_sid()
        registry.sids[namespace.sid] = namespace
        self.active_ns[packet['endpoint']] = namespace
        registry.rooms.join(namespace, packet['endpoint'])
        if registry.bus is not None:
            registry.bus.enter(packet['endpoint'])
        for base in cls.__mro__:
            if 'initialize' in vars(base):
                base.initialize(namespace)  # type: ignore[attr-defined]
        return namespace

    def remove_namespace(self, endpoint: str) -> None:
        """It is connected no more and in no room; called by `BaseNamespace.disconnect`, or in its place."""
        namespace = self.active_ns.pop(endpoint, None)
        if namespace is not None:
            journal.disconnected(namespace, 'server namespace disconnect')
            self.registry.rooms.leave_all(namespace)
            self.registry.sids.pop(namespace.sid, None)
            if self._answers is not None:
                self._answers.fail(namespace, Disconnected(self.reason or 'namespace disconnect'))
            namespace._ended()

    def dismiss(self, namespace: BaseNamespace, close: bool) -> None:
        """The server ends the namespace, from outside of its handlers; with `close`, the connection. Never blocks;
        `recv_disconnect` runs in its turn.
        """
        for endpoint in list(self.active_ns) if close else (namespace.ns_name,):
            self.send_packet(Packet(type='disconnect', endpoint=endpoint))
        if close:
            return self.disconnect()
        self.inbox.append(Packet(type='disconnect', endpoint=namespace.ns_name, reason='server namespace disconnect'))
        self.work_later()

    def send_event(self, endpoint: str, name: str, args: Sequence[Any]) -> None:
        """`send_packet(event(endpoint, name, args))`, by a shorter road where nothing is held."""
        if OPEN or self.holds:
            self.send_packet(event(endpoint, name, args))
        elif self.reason is None and self.transport is not None:
            messages = self.dialect.emission(endpoint, name, args, self.host.json_default)
            self.transport.put(messages)  # `emission` may have waited, and the client moved to another transport

    def send_packet(self, packet: Packet) -> None:
        """Says a packet (gevent-socketio's dict will do) to the client; at once, or after its namespace's CONNECT, or
        when the event under way has committed.
        """
        if OPEN and hold_packet(self, packet):
            return
        if self.holds and packet.get('endpoint') in self.holds:
            return membership.hold(self, packet)
        if self.reason is None and self.transport is not None:
            messages = self.dialect.encode(packet, self.host.json_default)
            self.transport.put(messages)

    def say_now(self, packet: Packet) -> None:
        """Says it inside the event under way, also where `emit_on_commit` holds the others. Raises LocalProtocolError
        before the namespace's CONNECT, which would wait for the answer while the answer waits for it.
        """
        if packet['endpoint'] in self.holds:
            raise LocalProtocolError('the client hears nothing before it is connected: spawn what waits for its answer')
        self.say(self.dialect.encode(packet, self.host.json_default))

    @property
    def takes(self) -> bool:
        """What is said now is on its way now, and waits for nothing."""
        return not self.holds and self.transport is not None and self.transport.takes

    @property
    def unsent(self) -> bool:
        """Something was said that has not left yet and still can."""
        return self.transport is not None and self.transport.unsent

    def error(
        self, error_name: str, error_message: Any, endpoint: str = '', msg_id: int | None = None, quiet: bool = False
    ) -> None:
        """The event `error` with (name, message); `quiet` tells the log only."""
        log.debug('%s: error %s: %r', self, error_name, error_message)
        if not quiet:
            self.send_packet(event(endpoint, 'error', [error_name, error_message]))

    @property
    def answers(self) -> Answers:
        """What the client was asked."""
        if self._answers is None:
            self._answers = Answers(self)
        return self._answers

    def expect_ack(self, callback: Callback) -> int:
        """`callback` gets the client's answer, and is forgotten beyond `max_acks`; -> the id to send."""
        return self.answers.ask(None, callback)

    def pop_ack(self, ack_id: int, endpoint: str | None = None) -> Callback | None:
        """The callback that waits for this answer, once."""
        return self._answers.pop(ack_id, endpoint) if self._answers is not None else None

    def tell(self, namespace: BaseNamespace, callback: Callback, *args: Any) -> None:
        """Calls it in its turn, among the namespace's events and like one of them; also when that has ended."""
        self.inbox.append(
            Packet(type='ack', endpoint=namespace.ns_name, whose=namespace, callback=callback, ackId=-1, args=args)
        )
        self.work_later()

    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> gevent.Greenlet:
        """A greenlet that is killed when the connection ends."""
        job = gevent.spawn(fn, *args, **kwargs)
        self._jobs = [j for j in self._jobs or () if not j.dead]
        self._jobs.append(job)
        return job

    def disconnect(self, silent: bool = False) -> None:
        """Ends the connection; every namespace's `recv_disconnect` runs. `silent` is gevent-socketio's and changes
        nothing.
        """
        if OPEN and postponed(self.disconnect):
            return
        self.close('server namespace disconnect')

    def kill(self, detach: bool = False) -> None:
        """gevent-socketio's name for it."""
        self.disconnect()

    def __repr__(self) -> str:
        address = self.handshake.get('REMOTE_ADDR') or 'unix'
        return f'{self.dialect.NAME} client {self.sessid[:6]}… of {address}'
