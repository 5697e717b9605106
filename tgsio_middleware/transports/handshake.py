"""The client's first request, reduced to what the site's code may see of it for as long as the connection lives."""

from __future__ import annotations

from typing import Any

from ..errors import HandshakeRefused
from ..wire.negotiate import own_query
from .base import Environ

#: What belongs to the transport and not to the request that the site sees.
TRANSPORT_KEYS = frozenset(
    (
        'HTTP_UPGRADE',
        'HTTP_CONNECTION',
        'HTTP_TRANSFER_ENCODING',
        'HTTP_CONTENT_LENGTH',
        'HTTP_EXPECT',
        'CONTENT_LENGTH',
        'CONTENT_TYPE',
        'REQUEST_URI',
        'RAW_URI',
    )
)


def reduced(environ: Environ, resource: str, limit: int) -> dict[str, Any]:
    """A copy with plain values only (and `wsgi.errors`): a GET of the resource with the site's own query.

    Raises HandshakeRefused where its texts are longer than `limit`.
    """
    kept = {
        key: value
        for key, value in environ.items()
        if (isinstance(value, (str, bool, tuple)) or key == 'wsgi.errors')
        and key not in TRANSPORT_KEYS
        and not key.startswith('HTTP_SEC_WEBSOCKET')
    }
    kept.update(REQUEST_METHOD='GET', PATH_INFO=resource, QUERY_STRING=own_query(environ.get('QUERY_STRING', '')))
    if sum(len(value) for value in kept.values() if isinstance(value, str)) > limit:
        raise HandshakeRefused('too_large', f'a head of more than {limit} bytes (max_head)')
    return kept
