"""SocketIOMiddleware: mine or yours?

What is not Socket.IO's reaches the wrapped application as it came: the same environ, the same start_response.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from .bus.connection import wire
from .bus.seldom import Seldom
from .engine.exchange import Exchange
from .engine.host import Host
from .engine.registry import Registry
from .engine.socket import LEFT, Socket
from .errors import HandshakeRefused
from .packet import Packet
from .settings import Settings
from .transports import bond, origin
from .transports.base import Environ, Headers, StartResponse, Transport, respond
from .transports.forwarded import believed
from .transports.handshake import reduced
from .transports.jsonp import JsonpPolling
from .transports.keptalive import adopt, adoptable
from .transports.polling import Polling
from .transports.streaming import HtmlFile
from .transports.takeover import CANNOT_TAKE, OPENED, can_take
from .transports.upgrade import Upgrade
from .transports.websocket import WebSocket, hold, opens_websocket, shake_hands, turn_away
from .wire import bare
from .wire.dialect import Body, Dialect
from .wire.negotiate import ENGINES, Wanted, dialect_of, negotiate
from .wire.padding import pad

log = logging.getLogger(__name__)

Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class SocketIOMiddleware:
    """A WSGI application in front of another; `settings` as in `settings.OPTIONS`, strings or Python values.

    `host` owns the namespaces; by default the TurboGears application behind `app` does.
    Raises ConfigurationError for a setting that cannot be.
    """

    ENGINES = ENGINES

    def __init__(self, app: Application, host: Host | None = None, **settings: Any) -> None:
        self.app = app
        self.settings = Settings.parse(settings)
        self.registry = Registry(self.settings)
        self._refusals = {reason: Seldom(log) for reason in HandshakeRefused.REASONS}
        if host is None:
            from .turbogears.host import TurboGearsHost

            host = TurboGearsHost(app, self.settings)
        self.host = host
        self.exchange = Exchange(self.registry, host)
        if self.settings.bus:
            from .bus.node import NodeBus  # needs the extra `redis`

            self.registry.bus = NodeBus(wire(self.settings.bus), self.exchange)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = self._dispatch(environ, start_response)
        return [] if body is None else body

    def _dispatch(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
        """-> the answer's body, or None where the answer comes later."""
        resource = self.settings.socketio_resource
        path = environ.get('PATH_INFO', '')
        if not path.startswith(resource):
            return self.app(environ, start_response)
        dialect = dialect_of(resource, path)
        headers: Headers = []
        wanted: Wanted | None = None
        try:
            wanted = negotiate(resource, path, environ.get('QUERY_STRING', ''), self.ENGINES)
            if wanted is None:
                return self.app(environ, start_response)
            dialect = wanted.dialect
            polls = wanted.transport == 'polling' and dialect.UPGRADES
            if polls and adoptable(environ, self, self.settings):
                return adopt(environ, self._dispatch, self.settings.max_payload)
            if self.settings.trusted_proxies:
                environ = believed(environ, self.settings.trusted_proxies)
            check = origin.check_page if wanted.jsonp is not None else origin.check
            headers = check(environ, self.settings.cors_allowed_origins)
            return self._serve(wanted, environ, start_response, headers)
        except HandshakeRefused as e:
            self._refusals[e.reason]('refused %s of %s: %s', dialect.NAME, environ.get('REMOTE_ADDR') or 'unix', e)
            # What the operator can mend may be told to anybody; other causes repeat what the client said.
            cause = str(e) if e.reason == 'unavailable' else ''
            heard = (wanted.transport, wanted.jsonp) if wanted and environ['REQUEST_METHOD'] == 'GET' else ()
            answer = dialect.http_refusal(e.reason, cause, *heard)
            if environ.get(OPENED) is not None and can_take(environ):
                return turn_away(environ, answer)
            body = respond(start_response, answer, headers)
            return [] if environ['REQUEST_METHOD'] == 'HEAD' else body

    def _serve(
        self, wanted: Wanted, environ: Environ, start_response: StartResponse, headers: Headers
    ) -> Iterable[bytes] | None:
        self._check(wanted, environ)
        if environ['REQUEST_METHOD'] == 'OPTIONS':
            return origin.preflight(environ, start_response, headers)
        if wanted.leaves:
            return self._leave(wanted, environ, start_response, headers)
        if wanted.sid is None:
            return self._handshake(wanted, environ, start_response, headers)
        socket = self._known(wanted, environ)
        if socket.dialect is not wanted.dialect:
            raise HandshakeRefused('bad_request', 'the sid of a client of another protocol version')
        if wanted.transport == 'websocket':
            return self._websocket(socket, environ, start_response, headers)
        return self._poll(socket, wanted, environ, start_response, headers)

    def _check(self, wanted: Wanted, environ: Environ) -> None:
        settings = self.settings
        if self.host.unavailable:
            raise HandshakeRefused('unavailable', self.host.unavailable)
        if not set(wanted.dialect.GENERATIONS) & set(settings.generations):
            raise HandshakeRefused('unsupported_version', f'{wanted.dialect.NAME} is switched off')
        if wanted.transport is not None and wanted.transport not in settings.transports:
            raise HandshakeRefused('unknown_transport', f'{wanted.transport} is switched off')
        if wanted.jsonp is not None and 'jsonp' not in settings.transports:
            raise HandshakeRefused('unknown_transport', 'jsonp is switched off')
        if wanted.transport == 'polling' and opens_websocket(environ):
            raise HandshakeRefused('bad_request', 'a websocket handshake for polling')

    def _handshake(
        self, wanted: Wanted, environ: Environ, start_response: StartResponse, headers: Headers
    ) -> Iterable[bytes] | None:
        if environ['REQUEST_METHOD'] not in ('GET',) + (('POST',) if wanted.transport is None else ()):
            raise HandshakeRefused('bad_method', f'a handshake by {environ["REQUEST_METHOD"][:10]}')
        if not can_take(environ):
            raise HandshakeRefused('unavailable', CANNOT_TAKE)
        settings = self.settings
        handshake = reduced(environ, settings.socketio_resource, settings.max_head)
        self.registry.admit(handshake)
        if wanted.transport == 'websocket':
            connection = shake_hands(environ, start_response, headers)
            transport = WebSocket(Socket(wanted.dialect, self.host, self.registry, handshake), connection)
            transport.socket.open(transport)
            return hold(transport, environ)
        socket = Socket(wanted.dialect, self.host, self.registry, handshake)
        body = wanted.dialect.handshake(socket.sessid, settings)
        if body is not None:
            return respond(start_response, _padded(wanted, body), headers)
        polling = _half_duplex(socket, wanted)
        socket.open(polling, self._upgrades(wanted.dialect))
        return polling.get(environ, start_response, headers)

    def _upgrades(self, dialect: Dialect) -> tuple[str, ...]:
        return ('websocket',) if dialect.UPGRADES and 'websocket' in self.settings.transports else ()

    def _known(self, wanted: Wanted, environ: Environ) -> Socket:
        socket = self.registry.get(wanted.sid)
        if socket is None:
            raise HandshakeRefused('unknown_sid', f'sid {(wanted.sid or "")[:8]!r}…')
        if not bond.holds(socket.handshake, environ, self.settings.sid_bound_to):
            raise HandshakeRefused('unknown_sid', f'{socket} has another origin, cookie or user (sid_bound_to)')
        return socket

    def _websocket(
        self, socket: Socket, environ: Environ, start_response: StartResponse, headers: Headers
    ) -> Iterable[bytes]:
        """A client that has a sid opens a websocket: 0.9's first transport, or an upgrade from polling."""
        transport = WebSocket(socket, shake_hands(environ, start_response, headers))
        current = socket.transport
        if isinstance(current, WebSocket) or (isinstance(current, Polling) and current.probe is not None):
            transport.close('a second websocket for one client', 1000)
        elif current is None:
            socket.open(transport)
        elif isinstance(current, Polling) and socket.dialect.UPGRADES:
            Upgrade(socket, current, transport)
        elif isinstance(current, (Polling, HtmlFile)):
            _fall_back(socket, current, transport)
        return hold(transport, environ)

    def _poll(
        self, socket: Socket, wanted: Wanted, environ: Environ, start_response: StartResponse, headers: Headers
    ) -> Iterable[bytes] | None:
        current = socket.transport
        if current is None:
            socket.open(_half_duplex(socket, wanted))
        elif (
            socket.dialect.FALLS_BACK
            and environ['REQUEST_METHOD'] == 'GET'
            and isinstance(current, (Polling, HtmlFile))
            and wanted.transport != current.NAME
        ):
            _fall_back(socket, current, _half_duplex(socket, wanted))
        polling = socket.transport
        if not isinstance(polling, (Polling, HtmlFile)) or wanted.transport != polling.NAME:
            raise HandshakeRefused('bad_request', f'{wanted.transport} of a client that has moved to another transport')
        if isinstance(polling, JsonpPolling) and wanted.jsonp is not None:
            polling.index = wanted.jsonp
        if environ['REQUEST_METHOD'] == 'GET':
            return polling.get(environ, start_response, headers)
        if environ['REQUEST_METHOD'] == 'POST':
            return polling.post(environ, start_response, headers)
        raise HandshakeRefused('bad_request', f'a poll by {environ["REQUEST_METHOD"][:10]}')

    def _leave(
        self, wanted: Wanted, environ: Environ, start_response: StartResponse, headers: Headers
    ) -> Iterable[bytes]:
        try:
            socket = self._known(wanted, environ)
        except HandshakeRefused:  # it has left already
            pass
        else:
            if socket.dialect is wanted.dialect:
                socket.close(LEFT)
        return respond(start_response, wanted.dialect.POSTED._replace(data=b''), headers)


def _half_duplex(socket: Socket, wanted: Wanted) -> Polling | HtmlFile:
    """What carries a client that has no websocket."""
    if wanted.transport == 'htmlfile':
        return HtmlFile(socket)
    if wanted.jsonp is not None:
        polling = JsonpPolling(socket)
        polling.index = wanted.jsonp
        return polling
    return Polling(socket, wanted.dialect.octets(wanted.query))


def _fall_back(socket: Socket, current: Polling | HtmlFile, transport: Transport) -> None:
    """What waits leaves on the client's next transport, after what it has not heard: that it is connected."""
    socket.transport = transport
    waiting = current.hand_over()
    connected = socket.dialect.encode(Packet(type='connect', endpoint=''), None)
    if '' not in socket.holds and not set(connected) <= set(waiting):
        transport.put(connected)
    transport.put(waiting)


def _padded(wanted: Wanted, body: Body) -> Body:
    jsonp = wanted.dialect.JSONP
    return body if wanted.jsonp is None or jsonp is None else pad(jsonp, wanted.jsonp, body)


class EngineIOMiddleware(SocketIOMiddleware):
    """Engine.IO alone, for a host whose global namespace takes raw messages in `recv_message` and `send`s them."""

    ENGINES = bare.ENGINES
