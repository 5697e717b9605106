"""The application's PubSub: anypubsub's object, configured as `anypubsub.*`, and the Hub over it. One of each an
application, kept where the original kept its own: in TurboGears' app_globals, as `anypubsub`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

import tg
from tg.jsonify import JSONEncoder

from ..bus.backend import PREFIX, make_pubsub, settings_of
from ..bus.hub import Hub
from ..bus.lines import make_line
from ..errors import ConfigurationError

_CREATION = Lock()
HUB = '_tgsio_hub'


def pubsub() -> Any:
    """anypubsub's object. Raises ConfigurationError."""
    return _made('anypubsub', lambda config: make_pubsub(settings_of(config)))


def check() -> None:
    """At the start of the site: what its configuration says of PubSub, if it does, can be. Raises
    ConfigurationError.
    """
    if any(key.startswith(PREFIX) for key in tg.config):
        pubsub()


def hub(deliver: Callable[[str, Any, Iterable[Any]], None]) -> Hub[Any]:
    """The Hub; who asks first says how it delivers. Raises ConfigurationError."""
    made = getattr(_globals()[1], HUB, None)
    if made is not None:
        return made  # type: ignore[no-any-return]
    backend = pubsub()

    def make(config: Any) -> Hub[Any]:
        settings = settings_of(config)
        return Hub(lambda received: make_line(backend, settings, received), deliver, JSONEncoder().default)

    return _made(HUB, make)  # type: ignore[no-any-return]


def _made(name: str, make: Callable[[Any], Any]) -> Any:
    config, app_globals = _globals()
    made = getattr(app_globals, name, None)
    if made is None:
        with _CREATION:
            made = getattr(app_globals, name, None)
            if made is None:
                made = make(config)
                setattr(app_globals, name, made)
    return made


def _globals() -> tuple[Any, Any]:
    config = tg.config
    app_globals = config.get('tg.app_globals')
    if app_globals is None:
        raise ConfigurationError(
            'PubSub is configured by the application: load it first (make_wsgi_app, paste.deploy.loadapp)'
        )
    return config, app_globals
