"""What a client said of itself when it connected."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from ..errors import Refused
from ..packet import Packet
from ..wire.javascript import dumps
from ..wire.negotiate import MAX_FIELDS

#: Under this key a namespace finds it in its environ.
AUTH = 'tgsio_middleware.auth'


def auth_of(handshake: dict[str, Any], packet: Packet, limit: int) -> dict[str, Any]:
    """The fields of the connection's query (every generation), of the namespace's (0.9, 1.x, 2.x: `/chat?token=x`) and
    of the payload `auth` (3.x, 4.x), the latter before the former. Of a query every value is a string, the last of a
    name counts.

    Raises Refused, also where the packet says more than `limit` bytes: they are kept as long as the namespace.
    """
    if len(packet.get('qs') or '') + len(dumps(packet.get('auth'))) > limit:
        raise Refused(f'connect data of more than {limit} bytes')
    auth: dict[str, Any] = {}
    for query in (handshake.get('QUERY_STRING'), packet.get('qs')):
        if query:
            auth.update(_fields(query))
    auth.update(packet.get('auth') or ())
    return auth


def _fields(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refused(f'a query of more than {MAX_FIELDS} fields') from None
