"""Type hints that `@validate()` could not read.

Without arguments, `@validate()` converts by the handler's type hints. Under `from __future__ import annotations` these
are text when TurboGears reads them, and a text converts nothing: every argument would be invalid. Here they are read
again, when the class is complete.

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
    """Gives the validators of the methods that `cls` itself defines the types that their hints mean.

    Raises ConfigurationError for a hint that cannot be read yet, or that is no type to be called with one value.
    """
    for method, name, validator in _unread(cls):
        try:
            hint = inspect.signature(method, eval_str=True).parameters[name].annotation
        except Exception as e:
            raise _unreadable(method, name, validator._func, str(e)) from e
        if not callable(hint):
            raise _unreadable(method, name, validator._func, 'it cannot be called with a value')
        validator._func = asbool if hint is bool else hint


def _unread(cls: type) -> Iterator[tuple[Any, str, Convert]]:
    """(method, parameter, its validator) for each that converts by a text."""
    for method in vars(cls).values():
        decoration = getattr(method, 'decoration', None)
        for intent in getattr(decoration, 'validations', ()):
            if isinstance(intent.validators, dict):
                for name, validator in intent.validators.items():
                    if isinstance(validator, Convert) and isinstance(validator._func, str):
                        yield method, name, validator


def _unreadable(method: Any, name: str, hint: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f'@validate() of {method.__qualname__} cannot convert {name!r} by its type hint {hint!r}: {why}. '
        f'Say how: @validate({{{name!r}: Convert(...)}})'
    )
