"""Binary attachments: bytes leave a JSON text as placeholders and come back into it.

socket.io-protocol: "the binary attachments are extracted from the packet and replaced by a placeholder",
`{"_placeholder":true,"num":0}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import LocalProtocolError, RemoteProtocolError
from .javascript import Default, NotPlain, encoder, pieces

BYTES = (bytes, bytearray, memoryview)


def serialise(value: Any, default: Default | None = None) -> tuple[str, Sequence[bytes]]:
    """`value` as JSON text and the attachments that were found in it.

    `default` turns what is neither JSON nor bytes into something that is. Raises LocalProtocolError where nothing can.
    """
    try:
        return ''.join(pieces(value, 0)), ()
    except NotPlain:
        return _serialise_any(value, default)
    except (ValueError, TypeError, RecursionError) as e:
        raise LocalProtocolError(f'cannot be sent as JSON: {e}') from e


def _serialise_any(value: Any, default: Default | None) -> tuple[str, Sequence[bytes]]:
    attachments: list[bytes] = []

    def special(item: Any) -> Any:
        if isinstance(item, BYTES):
            attachments.append(bytes(item))
            return {'_placeholder': True, 'num': len(attachments) - 1}
        if hasattr(item, '__json__'):
            return item.__json__()
        if default is None:
            raise TypeError(f'{type(item).__name__} is not JSON')
        return default(item)

    try:
        return encoder(special).encode(value), attachments
    except (ValueError, TypeError, RecursionError) as e:
        raise LocalProtocolError(f'cannot be sent as JSON: {e}') from e


def attach(value: list[Any], attachments: Sequence[bytes]) -> list[Any]:
    """Puts each attachment in its placeholder's place, in `value` itself.

    Raises RemoteProtocolError unless every attachment is named exactly once. No recursion: depth is the client's
    choice.
    """
    used: set[int] = set()
    todo: list[Any] = [value]
    while todo:
        box = todo.pop()
        for key, item in enumerate(box) if type(box) is list else list(box.items()):
            if type(item) is list:
                todo.append(item)
            elif type(item) is dict:
                if item.get('_placeholder') is True:
                    box[key] = attachments[_number(item, used, len(attachments))]
                else:
                    todo.append(item)
    if len(used) != len(attachments):
        raise RemoteProtocolError('an attachment without a placeholder')
    return value


def _number(placeholder: dict[str, Any], used: set[int], limit: int) -> int:
    number = placeholder.get('num')
    if type(number) is not int or not 0 <= number < limit or number in used:
        raise RemoteProtocolError('a placeholder without its attachment')
    used.add(number)
    return number
