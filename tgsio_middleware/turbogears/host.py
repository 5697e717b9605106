"""TurboGearsHost: the application behind the filter as a Host. Connecting is a request through it, an event a visit to
it.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tg import config as tg_config
from tg.jsonify import JSONEncoder
from webob.exc import HTTPException

from ..bus.address import user_room
from ..engine.host import Answer
from ..engine.socket import Socket
from ..errors import NoSuchNamespace, Refused
from ..namespace import BaseNamespace
from ..packet import Packet
from ..settings import Settings
from . import channels, commit, green, guard, sessions
from .mount import TICKET, Ticket
from .namespace import SocketIOTGNamespace
from .unitofwork import UnitOfWork

log = logging.getLogger(__name__)

#: The attribute under which a controller offers the namespace `/`.
GLOBAL = 'global_namespace'
#: No piece of an endpoint may be private or climb, and none reaches the global namespace by its attribute's name.
#: Each begins with a letter or digit, for TurboGears' dispatcher reads other characters as `_`.
ENDPOINT = re.compile(r'(/(?!global[\W_]namespace)[^\W_][^/?#%\s]*)*')


class TurboGearsHost:
    """Namespaces hang on the controller tree of the application `app`, below `settings.socketio_resource`."""

    def __init__(self, app: Callable[..., Any], settings: Settings) -> None:
        self.app = app
        self.resource = settings.socketio_resource
        self._unit: UnitOfWork | None = None
        self.json_default = JSONEncoder().default
        self.unavailable = green.trouble()
        if self.unavailable:
            log.error('%s', self.unavailable)
        else:
            green.repair()
        channels.check()

    # -- Host --------------------------------------------------------------------------------------------------------

    @commit.settles
    def connect(self, socket: Socket, packet: Packet) -> None:
        endpoint = packet['endpoint']
        if not ENDPOINT.fullmatch(endpoint):
            raise NoSuchNamespace(endpoint)
        ticket = Ticket(socket, packet, self._enter)
        errors = io.StringIO()
        status = self._request(ticket, errors)
        if ticket.failure is not None:  # logged by who called, and not a second time by what the site has put around
            raise ticket.failure
        if errors.tell():
            socket.handshake['wsgi.errors'].write(errors.getvalue())
        if not ticket.connected or status >= 400:  # or what it did could not be committed
            self._raise_refused(endpoint, status)
        namespace = socket.active_ns.get(endpoint)
        if isinstance(namespace, SocketIOTGNamespace):
            namespace.environ['PATH_INFO'] = self._path(endpoint)
            namespace._context = None

    def event(self, namespace: BaseNamespace, packet: Packet, answer: Answer) -> Any:
        if not isinstance(namespace, SocketIOTGNamespace):
            return self._outside(_answered, namespace, packet, answer)
        said = self._visit(namespace, _answered, namespace, packet, answer)
        if isinstance(said, HTTPException):
            namespace.error('aborted', _told(said))
            return answer(packet, None)
        return said

    def disconnect(self, namespace: BaseNamespace, reason: str) -> None:
        if isinstance(namespace, SocketIOTGNamespace):
            self._visit(namespace, namespace.process_disconnect, reason)
        else:
            self._outside(namespace.process_disconnect, reason)

    # -- connecting --------------------------------------------------------------------------------------------------

    def _request(self, ticket: Ticket, errors: io.StringIO) -> int:
        """The client's handshake through the application, which reports to `errors`; -> the answer's status. Its body
        is of no interest.
        """
        statuses: list[str] = []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
            statuses.append(status)
            return lambda data: None

        body = self.app(self._environ(ticket, errors), start_response)
        try:
            for _ in body:
                pass
        finally:
            close = getattr(body, 'close', None)
            if close is not None:
                close()
        return int(statuses[-1].split()[0]) if statuses else 500

    def _environ(self, ticket: Ticket, errors: io.StringIO) -> dict[str, Any]:
        packet = ticket.packet
        environ = dict(ticket.socket.handshake)
        query = '&'.join(filter(None, (environ.get('QUERY_STRING'), packet.get('qs'))))
        environ.update(
            {
                'PATH_INFO': self._path(packet['endpoint'] or '/' + GLOBAL),
                'QUERY_STRING': _wsgi(query),
                'wsgi.errors': errors,
                'wsgi.input': io.BytesIO(),
                'CONTENT_LENGTH': '0',
                TICKET: ticket,
                # Useless work for an answer that nobody sees: the page for errors, the redirect to a login form.
                'tg.status_code_redirect': False,
                'tg.wsgi.skip_auth_challenge': True,
            }
        )
        return environ

    def _path(self, endpoint: str) -> str:
        return self.resource + _wsgi(endpoint)

    def _enter(self, namespace: BaseNamespace, packet: Packet) -> None:
        """The dispatcher has found the namespace and all on the way has agreed; runs inside the request."""
        if self._unit is None:
            self._unit = UnitOfWork(tg_config._current_obj())
        identity = namespace.environ.get('repoze.who.identity')
        if identity and identity.get('repoze.who.userid') is not None:
            room = user_room(identity['repoze.who.userid'])
            namespace.socket.registry.rooms.join(namespace, namespace.ns_name, room)
        if not isinstance(namespace, SocketIOTGNamespace):
            namespace.process_packet(packet)
            return
        if namespace.emit_on_commit:
            commit.hold(tg_config)
        self._check(namespace)
        namespace.process_packet(packet)
        if namespace._context.session is not None:
            sessions.settle(namespace._context.session, tg_config, namespace)

    def _check(self, namespace: SocketIOTGNamespace) -> None:
        """The requirements of `recv_connect`. Raises Refused, or how a `denial_handler` refuses."""
        environ = namespace.request.environ
        denial = guard.unmet(type(namespace).recv_connect, environ)
        if denial is not None:
            with suppress(guard.Denied):
                guard.deny(denial, namespace._context)
            raise Refused('not authorized', {'status': 403 if environ.get('repoze.who.identity') else 401})

    def _raise_refused(self, endpoint: str, status: int) -> None:
        if status in (200, 204, 400, 404):  # nothing there, or a page
            raise NoSuchNamespace(endpoint, {'status': 404})
        raise Refused('internal error' if status >= 500 else 'not authorized', {'status': status})

    # -- events ------------------------------------------------------------------------------------------------------

    def _visit(self, namespace: SocketIOTGNamespace, what: Callable[..., Any], *args: Any) -> Any:
        """-> the value of `what(*args)`, or the HTTPException with which `abort` or `redirect` has ended it."""
        assert self._unit is not None
        run = commit.settles(self._unit.run) if namespace.emit_on_commit else self._unit.run
        try:
            return run(namespace.environ, _inside, namespace, what, args)
        except BaseException:
            namespace.event_failed()
            raise
        finally:
            namespace._context = None

    def _outside(self, what: Callable[..., Any], *args: Any) -> Any:
        """Without a visit. What such a handler leaves open would be found by another client's, in the same greenlet."""
        assert self._unit is not None
        try:
            return what(*args)
        finally:
            self._unit.put_away()


def _inside(context: Any, namespace: SocketIOTGNamespace, what: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    if namespace._context is not None:  # once more: `tm.attempts`
        namespace.event_failed()
    namespace._context = context
    if namespace.emit_on_commit:
        commit.hold(context.config)
    try:
        said = what(*args)
    except HTTPException as e:  # as for a controller: an answer, at whose status `tm.commit_veto` may look
        said = context.response = e
        namespace.event_failed()
    if context.session is not None:
        sessions.settle(context.session, context.config, namespace)
    return said


def _answered(namespace: BaseNamespace, packet: Packet, answer: Answer) -> Any:
    return answer(packet, namespace.process_packet(packet))


def _told(error: Any) -> dict[str, Any]:
    """What a client hears of the HTTPException `error`."""
    told = {'status': error.status_int, 'message': str(error)}
    return {**told, 'location': error.location} if error.location else told


def _wsgi(text: str) -> str:
    """PEP 3333: strings of an environ are bytes in disguise."""
    return text if text.isascii() else text.encode('utf-8', 'replace').decode('latin-1')
