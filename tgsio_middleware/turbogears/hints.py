"""Type hints that `@validate()` cannot convert by.

Without arguments, `@validate()` converts by the handler's type hints, and a hint that cannot be called makes every
argument invalid. Under `from __future__ import annotations` all are text when TurboGears reads them; here they are read
again, when the class is made. Others (`int | None`) are told at once.

Private name of TurboGears used here: `Convert._func`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from tg.support.converters import asbool
from tg.validation import Convert

from ..errors import ConfigurationError


def resolve(cls: type) -> None:
    """Gives the validators of the methods of `cls`, its mixins' too, the types that their hints mean.

    Raises ConfigurationError for a hint that cannot be read yet, or that cannot be called.
    """
    for method, name, validator in _useless(cls):
        try:
            hint = inspect.signature(method, eval_str=True).parameters[name].annotation
        except Exception as e:
            raise _error(method, name, validator._func, str(e)) from e
        if not callable(hint):
            raise _error(method, name, validator._func, 'it cannot be called with a value')
        validator._func = asbool if hint is bool else hint


def _useless(cls: type) -> Iterator[tuple[Any, str, Convert]]:
    """(method, parameter, its validator) for each that calls what cannot be called."""
    for method in filter(inspect.isfunction, [value for base in cls.__mro__ for value in vars(base).values()]):
        decoration = getattr(method, 'decoration', None)
        for intent in getattr(decoration, 'validations', ()):
            if isinstance(intent.validators, dict):
                for name, validator in intent.validators.items():
                    if isinstance(validator, Convert) and not callable(validator._func):
                        yield method, name, validator


def _error(method: Any, name: str, hint: Any, why: str) -> ConfigurationError:
    return ConfigurationError(
        f'@validate() of {method.__qualname__} cannot convert {name!r} by its type hint {hint}: {why}. '
        f'Say how: @validate({{{name!r}: Convert(...)}})'
    )
