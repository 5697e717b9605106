"""Two pages beside two namespaces."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import gevent
import tg
from paste.deploy.loadwsgi import ConfigLoader
from tg import MinimalApplicationConfigurator, TGController, expose
from webob.static import FileApp

from tgsio_middleware import SocketIOController

from . import clients
from .chat import Chat
from .pingpong import PingPong

log = logging.getLogger('demo')
HERE = Path(__file__).parent
#: The only files that are served: name in the URL -> file.
FILES = {
    **{file.name: file for file in (HERE / 'static').iterdir()},
    **{client.url.rpartition('/')[2]: client.file for client in (clients.NEW, clients.OLD)},
}
POLICY = (
    "default-src 'none'; script-src 'self'{cdn}; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
COLOURS = re.compile(
    r"(?P<string>'[^']*')|(?P<decorator>@\w+)|\b(?P<keyword>class|def|for|in|if|else|self)\b|(?<=def )(?P<name>\w+)"
)


def coloured(source: str) -> str:
    """Python source as HTML."""
    html, end = [], 0
    for found in COLOURS.finditer(source):
        html += [escape(source[end : found.start()], quote=False), f'<span class="{found.lastgroup}">{found[0]}</span>']
        end = found.end()
    return ''.join([*html, escape(source[end:], quote=False)])


def page(name: str, namespace: type) -> str:
    """The HTML file `name` with the clients and the namespace's source in it."""
    from_cdn = clients.from_cdn()
    tg.response.headers['Content-Security-Policy'] = POLICY.format(cdn=f' {clients.CDN}' if from_cdn else '')
    tg.response.headers['Cache-Control'] = 'no-cache'
    return Template((HERE / name).read_text('utf-8')).substitute(
        new_client=clients.NEW.script(),
        old_client=clients.OLD.script(),
        source=coloured(inspect.getsource(namespace).rstrip()),
    )


class SocketIO(SocketIOController):
    chat = Chat
    pingpong = PingPong


class RootController(TGController):
    socketio = SocketIO()

    @expose(content_type='text/html')
    def index(self) -> str:
        return page('page.html', PingPong)

    @expose(content_type='text/html')
    def chat(self) -> str:
        return page('chat.html', Chat)

    @expose()
    def files(self, name: str = '', *rest: str) -> Any:
        """The page's style, script and picture, and the clients."""
        if rest or name not in FILES or not FILES[name].is_file():
            tg.abort(404)
        return tg.use_wsgi_app(FileApp(str(FILES[name]), cache_control='no-cache'))


def say_where(ini: str) -> None:
    """The last line of the start."""
    address = {'host': '127.0.0.1', 'port': '8080', **ConfigLoader(ini).server_context().local_conf}
    if address['port'] != '0':
        log.info('Open http://%s:%s/ in a browser; Ctrl+C ends the demo', address['host'], address['port'])
    if clients.from_cdn():
        log.info('The page loads its clients from %s; without it: npm ci --prefix demo', clients.CDN)


def make_app(global_conf: dict[str, str], **app_conf: str) -> Callable[..., Any]:
    """What `demo/development.ini` names."""
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint(
        {'root_controller': RootController(), 'renderers': ['json'], 'disable_request_extensions': True}
    )
    # After the server's own line, and not at all where the port is taken and the process ends.
    gevent.spawn_later(0.2, say_where, global_conf['__file__'])
    return configurator.make_wsgi_app(global_conf, app_conf)
