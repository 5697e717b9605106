"""BaseNamespace: what a site subclasses, with gevent-socketio's programming interface. How an event finds its method
is told in `dispatch`.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import gevent

from .bus.outbox import OPEN, hold_packet, postponed
from .dispatch import Dispatch
from .engine.auth import AUTH
from .engine.membership import has_ended
from .packet import Packet, event

if TYPE_CHECKING:
    from .engine.socket import Socket


def _nothing(*values: Any) -> None:
    """The callback of who wants to hear of a failure alone."""


class BaseNamespace(Dispatch):
    """One client's connection to one namespace. Its handlers run one at a time, in the order of the client's events.

    `get_initial_acl` may be overridden, too.
    """

    def __init__(self, environ: MutableMapping[str, Any], ns_name: str, request: Any = None) -> None:
        self.environ = environ
        self.socket: Socket = environ['socketio']
        #: the id that clients of 3.x and 4.x, and other processes, know it by
        self.sid = ''
        self.request = request
        self.ns_name = ns_name
        #: what the client said of itself: query strings, and `auth` of 3.x and 4.x; see `engine.auth`
        self.auth: dict[str, Any] = environ.get(AUTH, {})
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
        self._say(event(self.ns_name, event_name, args), 'data', **options)

    def send(self, message: Any, json: bool = False, **options: Any) -> None:
        """Sends a message, a string; with `json`, any value. Options as for `emit`; the `callback` is called when the
        client has received it.
        """
        packet = Packet(type='json' if json else 'message', endpoint=self.ns_name, data=message)
        if not options:
            return self.socket.send_packet(packet)
        self._say(packet, True, **options)

    def call(self, event_name: str, *args: Any, timeout: float | None = 60.0) -> Any:
        """Sends an event and waits for the client's ack; -> None, its one value, or a tuple of several.

        The event leaves at once, also with `emit_on_commit`. Meanwhile the client's other events wait, and so does
        the transaction of the handler that calls. Raises AnswerTimeout after `timeout` seconds, Disconnected when the
        client leaves, and LocalProtocolError inside `recv_connect`, where the client cannot answer yet.
        """
        return self.socket.answers.call(self, event(self.ns_name, event_name, args), timeout)

    def _say(
        self,
        packet: Packet,
        ack: Any,
        *,
        callback: Callable[..., Any] | None = None,
        timeout: float | None = None,
        on_failure: Callable[..., Any] | None = None,
        volatile: bool = False,
        **unknown: Any,
    ) -> None:
        """Sends a packet with `emit`'s options, which count from the moment at which it leaves."""
        if unknown:
            raise ValueError(
                f'{next(iter(unknown))!r} is no option: a client is given positional arguments only, such as a dict'
            )

        def say(packet: Packet) -> None:
            if volatile and not self.socket.takes:
                return
            if callback is None and on_failure is None:
                return self.socket.send_packet(packet)
            packet['id'] = self.socket.answers.ask(self, callback or _nothing, on_failure, timeout)
            packet['ack'] = ack
            try:
                self.socket.send_packet(packet)
            except BaseException:
                self.socket.pop_ack(packet['id'])  # nobody was asked
                raise

        if not (OPEN and hold_packet(self.socket, packet, say)):
            say(packet)

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
        """Ends this namespace for the client, kills its jobs, leaves its rooms. The last one ends the connection. Once
        it has ended, nothing but the jobs does: the client may have come back, to another object.

        `silent`: the client is not told (it has left by itself) and the connection stays.
        """
        socket = self.socket
        if OPEN and not silent and postponed(self.disconnect):
            return
        try:
            if has_ended(self):
                return
            if not silent:
                socket.send_packet(Packet(type='disconnect', endpoint=self.ns_name))
            socket.remove_namespace(self.ns_name)
            if not silent and not socket.active_ns:
                socket.disconnect()
        finally:
            self.kill_local_jobs()

    def _ended(self) -> None:
        """Called when the client has left, also where `disconnect` is a site's own that does not call ours."""

    def kill_local_jobs(self) -> None:
        """Kills what `spawn` started; a job that calls this itself is spared until it ends."""
        jobs, self.jobs = self.jobs, []
        gevent.killall([job for job in jobs if job is not gevent.getcurrent()], block=False)

    def process_disconnect(self, reason: str) -> Any:
        """Calls `recv_disconnect`, with the reason where its first parameter is required or has that name. Others are
        what a site has used it for itself.
        """
        handler = self.handler('recv_disconnect')
        method = self._decorated(self.recv_disconnect)
        if handler is None or (handler.least == 0 and handler.first != 'reason') or handler.least > 1:
            return method()
        if handler.takes_packet:
            return method(Packet(type='disconnect', endpoint=self.ns_name, reason=reason))
        return method(reason)
