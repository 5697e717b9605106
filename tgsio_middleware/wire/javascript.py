"""JSON as JavaScript's peers want it: compact, ASCII only, without NaN.

ASCII only, because the generations disagree on how other characters are counted and encoded in a polling payload (1.x:
UTF-8 twice; 0.9 and 2.x: lengths in UTF-16 units). An escaped string is the same in all of them, survives lone
surrogates and is safe inside a script; it also lets one encoding serve every dialect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import isinf
from typing import Any

from ..errors import RemoteProtocolError

Default = Callable[[Any], Any]


class NotPlain(TypeError):
    """The value holds something that JSON has no word for (bytes, a date, an object of the site's)."""


def _not_plain(value: Any) -> Any:
    raise NotPlain(f'{type(value).__name__} is not JSON')


def _no_constant(name: str) -> Any:
    raise ValueError(f'{name} is not JSON')


def encoder(default: Default) -> json.JSONEncoder:
    """An encoder that asks `default` about what is not plain JSON."""
    return json.JSONEncoder(separators=(',', ':'), allow_nan=False, check_circular=False, default=default)


def _finite(digits: str) -> float:
    """JavaScript would read 1e999 as Infinity, which nobody could send back."""
    number = float(digits)
    if isinf(number):
        raise ValueError(f'{digits} is too large')
    return number


_decoder = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
_slow_dumps: Callable[[Any], str] = encoder(_not_plain).encode


def _prebuilt() -> Callable[[Any, int], Sequence[str]]:
    """The C encoder of CPython's json, built once instead of at every call (718 ns instead of 2,450).

    It is CPython's private matter, so it is tried on a sample first; `json` itself serves where it is gone or has
    changed.
    """
    sample: Any = {'a': [1, 2.5, None, True, 'é😀"', {}]}
    try:
        from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]

        encode = c_make_encoder(None, _not_plain, encode_basestring_ascii, None, ':', ',', False, False, False)
        if ''.join(encode(sample, 0)) == _slow_dumps(sample):
            return encode  # type: ignore[no-any-return]
    except Exception:
        pass
    return lambda value, level: (_slow_dumps(value),)


#: (value, 0) -> pieces of compact ASCII JSON, to be joined. Raises NotPlain, ValueError (NaN) or RecursionError.
pieces = _prebuilt()
#: (text, start) -> (the JSON value at `start`, its end). Raises one of INVALID.
scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]
INVALID = (StopIteration, ValueError, RecursionError)


def dumps(value: Any) -> str:
    """Value -> compact ASCII JSON; raises as `pieces` does."""
    return ''.join(pieces(value, 0))


def loads(text: str, start: int = 0) -> Any:
    """The JSON value that fills `text` from `start`; raises RemoteProtocolError where it does not."""
    try:
        value, end = scan(text, start)
        if end == len(text):
            return value
        return _decoder.decode(text[start:])
    except INVALID as e:
        raise RemoteProtocolError(f'invalid JSON: {type(e).__name__}') from None


def string(text: str) -> str:
    """`text` as a JavaScript string literal that is safe inside a script element."""
    return dumps(text).replace('<', '\\u003c').replace('>', '\\u003e').replace('&', '\\u0026').replace('/', '\\/')
