"""The visit that every event is: TurboGears' own context, identity, session and transaction around one handler.

A second TGApp over the same configuration gives the application's wrappers a chain of their own. The page for errors is
left out: an event has no page, and a failure must leave the chain as an exception, so that the transaction aborts.

What `TGApp._setup_app_env` makes for a request of HTTP is made here too, but what few handlers look at (response,
template context, translator) only when it is first asked for: a visit costs less than half of the plain one.

Private names of TurboGears used here: `TGApp.wrapped_dispatch`, `.globals`, `.lang`, `.strict_tmpl_context`,
`.resp_options`; `tg.wsgiapp.RequestLocals`, `TemplateContext`, `AttribSafeTemplateContext`;
`tg.request_local.context._push_object` and `_pop_object`; `tg.support.registry.Registry`; `tg.i18n._get_translator`;
`tg.validation._ValidationStatus`; a request's `_language`, `_response_type`, `_decode_json_params`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from tg import request_local
from tg.appwrappers.errorpage import ErrorPageApplicationWrapper
from tg.i18n import _get_translator
from tg.request_local import Request, Response
from tg.support.registry import Registry
from tg.validation import _ValidationStatus
from tg.wsgiapp import AttribSafeTemplateContext, RequestLocals, TemplateContext, TGApp

from ..engine.host import INTERRUPTIONS
from .commit import managed

#: The environ's key for who asks.
IDENTITY = 'repoze.who.identity'


class Interrupted(Exception):
    """gevent ended the handler: the cause is a Timeout or a GreenletExit, for which no wrapper would abort."""


class NotHandled(Exception):
    """An application wrapper answered in the handler's place."""


class Handler:
    """What stands in a controller's place, innermost of the wrappers: `what(context, *args)`, and how it ended."""

    __slots__ = ('args', 'failure', 'value', 'what')

    def __init__(self, what: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.what = what
        self.args = args
        self.value: Any = NotHandled
        self.failure: BaseException | None = None

    def __call__(self, environ: dict[str, Any], context: Any) -> Any:
        try:
            self.value = self.what(context, *self.args)
        except INTERRUPTIONS as e:
            self.failure = Interrupted(repr(e))
            raise self.failure from e
        except BaseException as e:
            self.failure = e
            raise
        self.failure = None
        return context.response

    def result(self) -> Any:
        """Its value; raises what it raised, also where a wrapper has made an answer of that."""
        if self.failure is not None:
            raise self.failure
        if self.value is NotHandled:
            raise NotHandled(NotHandled.__doc__)
        return self.value


class UnitOfWork:
    """Visits to the application with the configuration `config`."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        wrappers = [
            (key, wrapper) for key, wrapper in config.get('application_wrappers', ()) if not _is_error_page(wrapper)
        ]
        self._app = TGApp({**config, 'application_wrappers': wrappers})
        self._app.config = config
        self._wrapped = self._app.wrapped_dispatch != self._app._dispatch
        self._tidy = _tidiers(config)
        self._request = type(
            'EventRequest',
            (EventRequest,),
            {'_language': self._app.lang, '_response_type': None, '_decode_json_params': self._app.decode_json_params},
        )

    def run(self, base: Mapping[str, Any], what: Callable[..., Any], *args: Any) -> Any:
        """`what(context, *args)` inside a visit that begins with a copy of the environ `base`; -> its value, once all
        is committed.

        Raises what `what` raised, or what failed while committing; then the transaction was aborted. Raises
        Interrupted and NotHandled where the application has wrappers.
        """
        environ = dict(base)
        if IDENTITY in environ:  # TurboGears will write the user's objects into it
            environ[IDENTITY] = type(base[IDENTITY])(base[IDENTITY])
        context = self._context(environ)
        request_local.config._push_object(context.config)
        request_local.context._push_object(context)
        try:
            if not self._wrapped:
                return what(context, *args)
            handler = Handler(what, args)
            self._app.wrapped_dispatch(handler, environ, context)
        finally:
            self._leave(environ, context)
        return handler.result()

    def put_away(self) -> None:
        """Ends what a handler outside of a visit has left open, the transaction included."""
        if managed(self._app.config):
            import transaction

            transaction.abort()
        for tidy in self._tidy:
            tidy()

    def _context(self, environ: dict[str, Any]) -> EventLocals:
        environ['paste.registry'] = EventRegistry()
        context = environ['tg.locals'] = EventLocals(self._app)
        context.request = self._request(environ)
        context.app_globals = self._app.globals
        context.config = self._app.config
        context.session = context.cache = None
        return context

    def _leave(self, environ: dict[str, Any], context: EventLocals) -> None:
        try:
            registry = environ['paste.registry']
            if registry.reglist[-1]:
                registry.cleanup()
        finally:
            request_local.context._pop_object(context)
            request_local.config._pop_object(context.config)
            del environ['tg.locals']  # a cycle, as TGApp says
            for tidy in self._tidy:
                tidy()


class EventRegistry(Registry):  # type: ignore[misc]
    """Already prepared."""

    def __init__(self) -> None:
        self.reglist: list[dict[int, Any]] = [{}]
        self.enable_preservation = False


class EventRequest(Request):  # type: ignore[misc]
    """What TGApp gives every request, given to the class once."""

    @cached_property
    def validation(self) -> Any:
        """Made when it is first read, in most events by nobody."""
        return _ValidationStatus()


class EventLocals(RequestLocals):  # type: ignore[misc]
    """TurboGears' request locals; a slot that is empty is filled when it is first read."""

    __slots__ = ('_app',)

    def __init__(self, app: TGApp) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        make = _MADE_LATE.get(name)
        if make is None:
            raise AttributeError(name)
        value = make(self._app)
        setattr(self, name, value)
        return value


class LateResponse(Response):  # type: ignore[misc]
    """A response that becomes a real one when somebody looks at it; most events' is looked at by nobody."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.__dict__['_options'] = options

    def __getattr__(self, name: str) -> Any:
        options = self.__dict__.pop('_options', None)
        if options is None:
            raise AttributeError(name)
        already_set = dict(self.__dict__)
        Response.__init__(
            self, content_type=options['content_type'], charset=options['charset'], headers=options['headers']
        )
        self.__dict__.update(already_set)
        return getattr(self, name)


_MADE_LATE: dict[str, Callable[[TGApp], Any]] = {
    'response': lambda app: LateResponse(app.resp_options),
    'tmpl_context': lambda app: TemplateContext() if app.strict_tmpl_context else AttribSafeTemplateContext(),
    'translator': lambda app: _get_translator(app.lang, tg_config=app.config),
}


def _tidiers(config: Mapping[str, Any]) -> list[Callable[[], Any]]:
    """What TurboGears' middlewares do with the database sessions of a greenlet when its request ends."""
    tidiers: list[Callable[[], Any]] = []
    if config.get('use_sqlalchemy'):
        session = config.get('SQLASession')
        tidiers.append((config['DBSession'] if session is None else session).remove)
    if config.get('ming.enabled'):
        from ming.odm import ThreadLocalODMSession

        tidiers.append(ThreadLocalODMSession.close_all)
    return tidiers


def _is_error_page(wrapper: Any) -> bool:
    return isinstance(wrapper, type) and issubclass(wrapper, ErrorPageApplicationWrapper)
