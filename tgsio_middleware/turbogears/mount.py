"""How TurboGears' dispatcher finds a namespace.

The filter sends the client's own handshake through the application, to `<resource>/<namespace path>`, with a `Ticket`
in the environ. TurboGears walks the root object and checks `allow_only` on the way; a namespace class offers the
dispatcher `_dispatch`, which sets an action; the action connects the ticket's client. The same URL without a ticket, in
a browser, is answered with 400.

Private name of TurboGears used here: `DecoratedController._check_security`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tg
from tg import abort, expose
from tg.controllers.decoratedcontroller import DecoratedController
from webob.exc import HTTPException

from ..engine.host import INTERRUPTIONS
from ..engine.membership import end
from ..engine.socket import Socket
from ..errors import Refused
from ..namespace import BaseNamespace
from ..packet import Packet
from . import commit, guard
from .unitofwork import Interrupted

#: The environ's key for the ticket of a connect.
TICKET = 'tgsio_middleware.ticket'


class Ticket:
    """One client's wish for one namespace, on its way through the application."""

    def __init__(self, socket: Socket, packet: Packet, enter: Callable[[BaseNamespace, Packet], None]) -> None:
        self.socket = socket
        self.packet = packet
        #: runs recv_connect, guarded
        self.enter = enter
        self.connected = False
        self.failure: BaseException | None = None

    def connect(self, cls: type[BaseNamespace]) -> None:
        """The dispatcher has found the class; raises what refuses or fails, and remembers it for who holds the
        ticket.
        """
        request = tg.request._current_obj()
        earlier = self.socket.active_ns.get(self.packet['endpoint'])
        if earlier is not None:  # its transaction could not commit and is tried once more: `tm.attempts`
            end(self.socket, earlier)
        try:
            environ = kept(request.environ, self.socket.handshake)
            namespace = self.socket.open_namespace(cls, self.packet, environ, request)
            self.enter(namespace, self.packet)
        except HTTPException:  # the answer's status says it
            raise
        except INTERRUPTIONS as e:
            self.failure = Interrupted(repr(e))
            raise self.failure from e
        except BaseException as e:
            self.failure = e
            raise
        self.connected = True


#: What of a request's environ means something to that request alone.
_OF_ONE_REQUEST = ('webob.', 'tg.', 'paste.', 'beaker.', 'backlash.', 'repoze.tm.active', 'repoze.who.api', TICKET)


def kept(environ: dict[str, Any], handshake: dict[str, Any]) -> dict[str, Any]:
    """What of the connect's environ every event of the client begins with; without the user's objects, which are asked
    for anew.
    """
    base = {key: value for key, value in environ.items() if not key.startswith(_OF_ONE_REQUEST)}
    identity = base.pop('repoze.who.identity', None)
    if identity:  # TurboGears makes it empty where the user is unknown, and then cannot read it again
        fresh = type(identity)()
        fresh.update({k: v for k, v in identity.items() if k not in ('user', 'groups', 'permissions')})
        base['repoze.who.identity'] = fresh
    base.pop('repoze.what.credentials', None)
    if 'wsgi.errors' in handshake:
        base['wsgi.errors'] = handshake['wsgi.errors']
    return base


class Mount:
    """The action that stands for a namespace class."""

    def __init__(self, cls: type[BaseNamespace]) -> None:
        self.cls = cls

    @guard.unwrapped
    @expose()
    def connect(self, /, *remainder: str, **query: str) -> str:
        """Connects the client whose ticket is in the environ. A query may have a parameter `self`."""
        ticket = tg.request.environ.get(TICKET)
        if ticket is None:
            abort(400, 'This is a Socket.IO namespace: connect to it with a Socket.IO client.')
        if remainder or _misspelt(ticket.packet['endpoint'], tg.request.dispatch_state):
            abort(404)
        try:
            ticket.connect(self.cls)
        except Refused as e:
            commit.doom(tg.config)  # nothing stays of a connection that never came to be
            abort(403, str(e), passthrough=True)
        return ''


def _misspelt(endpoint: str, state: Any) -> bool:
    """TurboGears reads punctuation as `_` and drops what follows a dot: `/my-chat` and `/my_chat.x` lead to `my_chat`,
    too. But a namespace has one name, by which its rooms are reached and its clients can be told to go.
    """
    names = {name for name, _ in state.controller_path}
    pieces = ((piece, state.translate_path_piece(piece)) for piece in endpoint.split('/'))
    return state.extension is not None or any(name != piece and name in names for piece, name in pieces)


def dispatch(cls: type[BaseNamespace], state: Any, remainder: Any) -> Any:
    """Crank's protocol: what a controller class's `_dispatch` does; here the walk ends. Connecting is to the controller
    that the namespace hangs on what a page of its own is: its `_before` and `_after` go around it.
    """
    _check_security(cls)
    location, controller = state.controller_path[-2]
    state.add_controller(location, controller)
    state.set_action(Mount(cls).connect, [piece for piece in remainder or () if piece])
    return state


def _check_security(cls: type[BaseNamespace]) -> None:
    """As TurboGears checks a controller; but a `denial_handler` that returns has let nobody in."""
    DecoratedController._check_security(cls)
    requirement: Any = getattr(cls, 'allow_only', None)
    if hasattr(requirement, 'predicate') and not requirement.predicate.is_met(tg.request.environ):
        abort(tg.response.status_int, passthrough=True)
