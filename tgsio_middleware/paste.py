"""What an ini names: `egg:tgsio_middleware#socketio` as a filter and as a server.

This module and the package's root import nothing of tg: the server is made before the application is loaded, and
patching must come before `tg` is imported.
"""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from .errors import ConfigurationError
from .settings import NAMES

log = logging.getLogger(__name__)
Application = Callable[..., Any]
#: Those of the server's section that are not the filter's, and where it listens unless they say otherwise.
SERVER_KEYS = ('host', 'port', 'unix_socket', 'unix_socket_perms', 'certfile', 'keyfile')
HOST, PORT = '127.0.0.1', '8080'


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Application], Application]:
    """`[filter:socketio] use = egg:tgsio_middleware#socketio`; the keys are `settings.OPTIONS`. Raises
    ConfigurationError.
    """
    from .middleware import SocketIOMiddleware
    from .settings import Settings

    _look_for_trouble()
    Settings.parse(local_conf)
    return lambda app: SocketIOMiddleware(app, None, **local_conf)


def server_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Application], None]:
    """`[server:main] use = egg:tgsio_middleware#socketio`; keys: `host` (127.0.0.1) and `port` (8080), or
    `unix_socket`, a path, with `unix_socket_perms` (600); `certfile` and `keyfile` for TLS.

    A factory and not a runner: paste and gearbox call it before they load the application, and it patches the process.
    With `socketio_resource` and other keys of the filter it wraps the application, unless a pipeline begins with the
    filter.
    Raises ConfigurationError.
    """
    from gevent import get_hub, monkey, signal_handler

    monkey.patch_all()
    _adopt_older_threads()
    _look_for_trouble()
    own = {key: local_conf.pop(key) for key in SERVER_KEYS if key in local_conf}
    listener = _listener(own)
    tls = _tls(own.get('certfile'), own.get('keyfile'))
    for key, value in local_conf.items():
        if key not in NAMES:
            known = ', '.join((*SERVER_KEYS, *NAMES))
            raise ConfigurationError(f'unknown setting {key!r} = {value!r}; known are: {known}')
    wrap = filter_factory(global_conf, **local_conf) if local_conf else None

    def serve(app: Application) -> None:
        from .middleware import SocketIOMiddleware
        from .server import SocketIOServer

        if wrap is not None and not isinstance(app, SocketIOMiddleware):
            app = wrap(app)
        server = SocketIOServer(listener(), app, **tls)
        try:
            server.start()
        except OSError as e:
            address = f'host = {own.get("host", HOST)!r}, port = {own.get("port", PORT)!r}'
            raise SystemExit(f'cannot listen on {address}: {e.strerror}') from None
        signal_handler(signal.SIGTERM, server.drain)
        scheme = 'https' if tls else 'http'
        where = f'{scheme}://{own.get("host", HOST)}:{server.server_port}'
        print(f'Serving on {where if server.server_port else "unix://" + own["unix_socket"]}', flush=True)
        get_hub().NOT_ERROR += (KeyboardInterrupt,)  # Ctrl+C is how a server ends; gevent would report it
        server.serve_forever()

    return serve


def _listener(own: dict[str, str]) -> Callable[[], Any]:
    """What the server listens on, once it is called: (host, port), or a unix socket."""
    path, perms = own.get('unix_socket'), own.get('unix_socket_perms', '600')
    host, port = own.get('host', HOST), own.get('port', PORT)
    if not re.fullmatch(r'[0-7]{3,4}', perms):
        raise ConfigurationError(f'unix_socket_perms = {perms!r}: allowed is an octal number such as 600 or 660')
    if path is None and (not port.isdecimal() or int(port) > 65535):
        raise ConfigurationError(f'port = {port!r}: allowed is a number from 0 to 65535')
    if path is None:
        return lambda: (host, int(port))
    if 'host' in own or 'port' in own:
        raise ConfigurationError(f'unix_socket = {path!r} beside host or port: the server listens on one of them')

    def listen() -> Any:
        from .server import listen_on

        try:
            return listen_on(path, int(perms, 8))
        except OSError as e:
            raise ConfigurationError(f'unix_socket = {path!r}: {e.strerror}') from None

    return listen


def _tls(certfile: str | None, keyfile: str | None) -> dict[str, Any]:
    """What the server takes for TLS; `keyfile` may be left out where the certificate's file holds the key, too."""
    if certfile is None:
        if keyfile is not None:
            raise ConfigurationError('keyfile without certfile: TLS needs both')
        return {}
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certfile, keyfile)
    except OSError as e:
        raise ConfigurationError(f'certfile = {certfile!r}, keyfile = {keyfile!r}: allowed is PEM: {e}') from None
    return {'ssl_context': context}


def _adopt_older_threads() -> None:
    """A thread from before the patch, such as the one of gearbox's reloader, is listed by the system's number for it;
    when it ends it would be looked for by gevent's, and leave a traceback.

    Private names of `threading` used here: `_active`, and `_delete` of a thread.
    """
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread._delete = partial(threading._active.pop, thread.ident, None)  # type: ignore[attr-defined]


@cache
def _look_for_trouble() -> None:
    """Two packages that share an import name: said before the site's own import of it fails."""
    from .engine.adoption import trouble

    found = trouble()
    if found is not None:
        log.warning('namespaces of gevent-socketio cannot be served: %s', found)
