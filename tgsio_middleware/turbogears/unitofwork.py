"""The visit that every event is: TurboGears' own context, identity, session and transaction around one handler.

A second TGApp over the same configuration gives the application's wrappers a chain of their own. The page for errors is
left out: an event has no page, and a failure must leave the chain as an exception, so that the transaction aborts.

Private names of TurboGears used here: `TGApp._setup_app_env`, `TGApp.wrapped_dispatch`, `tg.support.registry.Registry`,
`tg.validation._ValidationStatus`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tg.appwrappers.errorpage import ErrorPageApplicationWrapper
from tg.support.registry import Registry
from tg.validation import _ValidationStatus
from tg.wsgiapp import TGApp


class UnitOfWork:
    """Visits to the application with the configuration `config`."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        wrappers = [
            (key, wrapper) for key, wrapper in config.get('application_wrappers', ()) if not _is_error_page(wrapper)
        ]
        self._app = TGApp({**config, 'application_wrappers': wrappers})
        self._app.config = config

    def run(self, base: Mapping[str, Any], what: Callable[[Any], Any]) -> Any:
        """`what(context)` inside a visit that begins with a copy of the environ `base`; -> its value, once all is
        committed.

        Raises what `what` raised, or what failed while committing; then the transaction was aborted.
        """
        environ = dict(base)
        registry = environ['paste.registry'] = Registry()
        registry.prepare()
        value: Any = None

        def controller(environ: dict[str, Any], context: Any) -> Any:
            nonlocal value
            context.request._fast_setattr('validation', _ValidationStatus())
            value = what(context)
            return context.response

        try:
            _, context, _ = self._app._setup_app_env(environ)
            self._app.wrapped_dispatch(controller, environ, context)
        finally:
            registry.cleanup()
            environ.pop('tg.locals', None)
        return value


def _is_error_page(wrapper: Any) -> bool:
    return isinstance(wrapper, type) and issubclass(wrapper, ErrorPageApplicationWrapper)
