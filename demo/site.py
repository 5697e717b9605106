"""The pages beside the namespaces."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import tg
from markupsafe import Markup
from paste.deploy.loadwsgi import ConfigLoader
from tg import MinimalApplicationConfigurator, TGController, expose
from webob.static import FileApp

import demo
from tgsio_middleware import SocketIOController

from .chat import Chat
from .clients import CDN, CLIENTS, from_cdn
from .lobby import Lobby
from .pingpong import PingPong
from .workshop import Workshop

log = logging.getLogger('demo')
#: The only files that are served: name in the URL -> file.
FILES = {file.name: file for file in (Path(__file__).parent / 'static').iterdir()}
FILES.update({f'socket.io-client-{name}.js': client.file for name, client in CLIENTS.items()})
POLICY = (
    "default-src 'none'; script-src 'self'{cdn}; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
COLOURS = re.compile(
    r"(?P<comment>#.*)|(?P<string>'[^']*')|(?P<decorator>@\w+)|(?<=def )(?P<name>\w+)"
    r'|\b(?P<keyword>class|def|for|in|if|else|not|return|try|except|self)\b'
)


def coloured(source: str) -> Markup:
    """Python source as HTML."""
    html, end = Markup(), 0
    for found in COLOURS.finditer(source):
        html += source[end : found.start()] + Markup('<span class="{}">{}</span>').format(found.lastgroup, found[0])
        end = found.end()
    return html + source[end:]


def page(namespace: type, client: str = '4.x') -> dict[str, Any]:
    """What the templates want to know. A page connects to `namespace` with `client`."""
    if client not in CLIENTS:
        tg.abort(404)
    cdn = f' {CDN}' if from_cdn() else ''
    tg.response.headers['Content-Security-Policy'] = POLICY.format(cdn=cdn)
    tg.response.headers['Cache-Control'] = 'no-cache'
    source = coloured(inspect.getsource(namespace).rstrip())
    return {'clients': CLIENTS, 'client': CLIENTS[client], 'namespace': namespace.__name__.lower(), 'source': source}


class SocketIO(SocketIOController):
    lobby = Lobby
    chat = Chat
    workshop = Workshop
    pingpong = PingPong


class RootController(TGController):
    socketio = SocketIO()

    @expose('demo.templates.index')
    def index(self):
        return page(Lobby)

    @expose('demo.templates.lobby')
    def lobby(self, client='4.x'):
        return page(Lobby, client)

    @expose('demo.templates.chat')
    def chat(self, client='4.x'):
        return page(Chat, client)

    @expose('demo.templates.workshop')
    def workshop(self, client='4.x'):
        return page(Workshop, client)

    @expose('demo.templates.pingpong')
    def pingpong(self):
        return page(PingPong)

    @expose()
    def files(self, name: str = '', *rest: str) -> Any:
        """Styles, scripts and the picture, and the clients."""
        if rest or name not in FILES or not FILES[name].is_file():
            tg.abort(404)
        return tg.use_wsgi_app(FileApp(str(FILES[name]), cache_control='no-cache'))


def say_where(ini: str) -> None:
    """The last line of the start."""
    address = {'host': '127.0.0.1', 'port': '8080', **ConfigLoader(ini).server_context().local_conf}
    if address['port'] != '0':
        log.info('Open http://%s:%s/ in a browser; Ctrl+C ends the demo', address['host'], address['port'])
    if from_cdn():
        log.info('The pages load their clients from %s; without it: npm ci --prefix demo', CDN)


def make_app(global_conf: dict[str, str], **app_conf: str) -> Callable[..., Any]:
    """What `demo/development.ini` names."""
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint(
        {
            'root_controller': RootController(),
            'package': demo,
            'renderers': ['kajiki'],
            'use_dotted_templatenames': True,
            'disable_request_extensions': True,  # `/lobby/2.x` is no file of the type x
        }
    )
    # After the server's own line, and not at all where the port is taken and the process ends.
    gevent.spawn_later(0.2, say_where, global_conf['__file__'])
    return configurator.make_wsgi_app(global_conf, app_conf)
