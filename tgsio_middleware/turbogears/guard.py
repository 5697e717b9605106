"""What TurboGears' decorators do to a handler, in the order of `DecoratedController._call`, which itself takes
arguments for paths.

1. `@require`: before anything else runs for a client that may not. A denial is `method_access_denied`; what a
`denial_handler` returns is the ack instead, and the handler does not run all the same.
2. hooks `before_validate`
3. `@validate`; what fails goes to its error handler (`chain_validation`: which is validated too), or becomes
`invalid_method_args`
4. hooks `before_call`, without the requirements among them
5. controller wrappers, and the handler

Private names of TurboGears used here: `Decoration.requirements`, `.validations`, `.hooks`, `.controller_caller`;
`DecoratedController._perform_validate`, `._process_validation_errors`; `tg.hooks._hooks`;
`tg.configurator.components.dispatch._call_controller`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, NamedTuple

from crank.util import flatten_arguments, get_params_with_argspec
from tg import hooks
from tg.configurator.components.dispatch import _call_controller
from tg.controllers.decoratedcontroller import DecoratedController
from tg.decorators import Decoration, require
from tg.predicates import NotAuthorizedError
from tg.validation import TGValidationError

Method = Callable[..., Any]


class Unmet(NamedTuple):
    """A requirement that is not met, and why."""

    requirement: Any
    reason: str


class Denied(Exception):
    """The method's requirements are not met, and there is no `denial_handler`."""


class InvalidArguments(Exception):
    """No validator accepted the arguments and no error handler took them; `detail` is `{field: message}` or a
    string.
    """

    def __init__(self, detail: Any) -> None:
        super().__init__(str(detail))
        self.detail = detail


def requires(method: Any) -> bool:
    """It is decorated with `@require`."""
    decoration = getattr(method, 'decoration', None)
    return decoration is not None and bool(decoration.requirements)


def unmet(method: Any, environ: dict[str, Any]) -> Unmet | None:
    """The first requirement of `method` that is not met, or None. One without a predicate is never met."""
    return _unmet(method.decoration, environ) if requires(method) else None


def _unmet(decoration: Any, environ: dict[str, Any]) -> Unmet | None:
    for requirement in decoration.requirements:
        if requirement.predicate is None:
            return Unmet(requirement, 'no predicate')
        try:
            requirement.predicate.check_authorization(environ)
        except NotAuthorizedError as e:
            return Unmet(requirement, str(e))
    return None


def deny(denial: Unmet, context: Any) -> Any:
    """-> what the requirement's `denial_handler` returns; raises Denied where it has none, and what the handler raises.

    TurboGears' own handler flashes a message for the next page, which an event has not; `smart_denial` chooses between
    that and data, which an event's answer always is.
    """
    handler = denial.requirement.denial_handler
    if getattr(handler, '__func__', None) is require.default_denial_handler:
        raise Denied
    context.response.status = 403 if context.request.environ.get('repoze.who.identity') else 401
    return handler(denial.reason)


def unwrapped(method: Method) -> Method:
    """Decorates what only leads to a handler: the controller wrappers go around that, and not around this as well. The
    profiler of tgext.debugbar is one, and cannot run inside itself on Python 3.12.
    """
    Decoration.get_decoration(method).controller_caller = _call
    return method


def _call(config: Any, method: Method, args: Any, keywords: dict[str, Any]) -> Any:
    return method(*args, **keywords)


def is_bare(function: Any, config: Mapping[str, Any]) -> bool:
    """Steps 1 to 5 would do nothing but call the function: no decorator or hook is about it, no hook or controller
    wrapper about all.
    """
    about_all = hooks._hooks
    return (
        not function.__dict__
        and config['controller_caller'] is _call_controller
        and not (about_all and (about_all.get('before_validate') or about_all.get('before_call')))
    )


def validates(method: Any) -> bool:
    """It has validators: they say what is wrong with its arguments, by name."""
    decoration = getattr(method, 'decoration', None)
    return decoration is not None and bool(decoration.validations)


def call(method: Method, args: tuple[Any, ...], context: Any, decorate: Callable[[Method], Method]) -> Any:
    """Steps 1 to 5. `decorate` is the namespace's `exception_handler_decorator`, around the handler that is called in
    the end.

    Raises Denied and InvalidArguments.
    """
    decoration = getattr(method, 'decoration', None)
    if decoration is None:
        _notify('before_validate', None, args, {})
        _notify('before_call', None, args, {})
        return context.config['controller_caller'](context.config, decorate(method), args, {})
    denied = _unmet(decoration, context.request.environ) if decoration.requirements else None
    if denied is not None:
        return deny(denied, context)
    _notify('before_validate', decoration, args, {})
    target, args, keywords = _validated(method, decoration, args, context)
    if target is not method:
        decoration = Decoration.get_decoration(target.__func__)
        denied = _unmet(decoration, context.request.environ)
        if denied is not None:
            return deny(denied, context)
    _notify('before_call', decoration, args, keywords)
    return decoration.controller_caller(context.config, decorate(target), args, keywords)


def _validated(method: Method, decoration: Any, args: tuple[Any, ...], context: Any) -> Any:
    """-> what is to be called, and with what: the handler and its validated arguments, or an error handler and the raw
    ones.
    """
    if not decoration.validations:
        return method, args, {}
    given = get_params_with_argspec(method, {}, args)
    context.request.args_params = given
    exceptions = tuple(context.config.get('validation.exceptions', ()))
    try:
        params = DecoratedController._perform_validate(method, given, context)
    except exceptions as error:
        return _error_handler(method, args, given, error, context, exceptions)
    context.request.validation.values = params
    return method, *_flat(method, params, args)


def _flat(method: Method, params: dict[str, Any], args: tuple[Any, ...]) -> Any:
    """-> the positional arguments with the validated values among them, and what a validator added for `**keywords`."""
    try:
        return flatten_arguments(method, params, args)
    except TypeError:  # fewer came than it needs, and no validator minded
        name = getattr(method, '__name__', 'handler')
        raise InvalidArguments(f'"{name}" cannot be called with {len(args)} arguments') from None


def _error_handler(
    method: Method, args: tuple[Any, ...], given: dict[str, Any], error: Any, context: Any, exceptions: tuple[Any, ...]
) -> Any:
    """The error handler of the validation that failed, with the raw arguments, or with those that its own validation
    made of them (`chain_validation`). Raises InvalidArguments where there is none.
    """
    status = context.request.validation
    while True:
        instance, handler, chain = DecoratedController._process_validation_errors(method, args, {}, error, context)
        if status.error_handler is None:
            raise InvalidArguments(_detail(error, status.errors))
        method = MethodType(handler, instance)
        if not chain or not validates(method):
            return method, args, {}
        try:
            params = DecoratedController._perform_validate(method, given, context)
        except exceptions as e:
            error = e
        else:
            return method, *_flat(method, params, args)


def _detail(error: Any, exploded: Any) -> Any:
    """`{field: message}` where the validation knows its fields or `validation.explode` of the site finds them, else the
    message.
    """
    fields = getattr(error, 'error_dict', None) or exploded
    if fields:
        return {str(name): str(message) for name, message in fields.items()}
    return str(error) if isinstance(error, TGValidationError) else str(getattr(error, 'msg', error))


def _notify(name: str, decoration: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Application-wide hooks, then the handler's own; its requirements stand among the latter and were checked
    already.
    """
    for hook in hooks._hooks.get(name, ()):
        hook(args, keywords)
    if decoration is not None:
        for hook in decoration.hooks.get(name, ()):
            if getattr(hook, '__self__', None) not in decoration.requirements:
                hook(args, keywords)
