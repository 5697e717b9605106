"""What an ini names: `egg:tgsio_middleware#socketio` as a filter and as a server.

This module and the package's root import nothing of tg: the server is made before the application is loaded, and
patching must come before `tg` is imported.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from .errors import ConfigurationError
from .settings import NAMES

log = logging.getLogger(__name__)
Application = Callable[..., Any]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Application], Application]:
    """`[filter:socketio] use = egg:tgsio_middleware#socketio`; the keys are `settings.OPTIONS`. Raises
    ConfigurationError.
    """
    from .middleware import SocketIOMiddleware
    from .settings import Settings

    _look_for_trouble()
    Settings.parse(local_conf)
    return lambda app: SocketIOMiddleware(app, None, **local_conf)


def server_factory(
    global_conf: dict[str, str], host: str = '127.0.0.1', port: str = '8080', **local_conf: str
) -> Callable[[Application], None]:
    """`[server:main] use = egg:tgsio_middleware#socketio`; keys: `host`, `port`, `keyfile` and `certfile` for TLS.

    A factory and not a runner: paste and gearbox call it before they load the application, and it patches the process.
    With `socketio_resource` and other keys of the filter it wraps the application, unless the pipeline holds the filter
    already.
    Raises ConfigurationError.
    """
    from gevent import monkey

    monkey.patch_all()
    _look_for_trouble()
    tls = _tls(local_conf.pop('certfile', None), local_conf.pop('keyfile', None))
    if not port.isdigit() or int(port) > 65535:
        raise ConfigurationError(f'port = {port!r}: allowed is a number from 0 to 65535')
    for key, value in local_conf.items():
        if key not in NAMES:
            known = ', '.join(('host', 'port', 'certfile', 'keyfile', *NAMES))
            raise ConfigurationError(f'unknown setting {key!r} = {value!r}; known are: {known}')
    wrap = filter_factory(global_conf, **local_conf) if local_conf else None

    def serve(app: Application) -> None:
        from .middleware import SocketIOMiddleware
        from .server import SocketIOServer

        if wrap is not None and not isinstance(app, SocketIOMiddleware):
            app = wrap(app)
        server = SocketIOServer((host, int(port)), app, **tls)
        server.start()
        scheme = 'https' if tls else 'http'
        print(f'Serving on {scheme}://{host}:{server.server_port}', flush=True)
        server.serve_forever()

    return serve


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


@cache
def _look_for_trouble() -> None:
    """Two packages that share an import name: said before the site's own import of it fails."""
    from .engine.adoption import trouble

    found = trouble()
    if found is not None:
        log.warning('namespaces of gevent-socketio cannot be served: %s', found)
