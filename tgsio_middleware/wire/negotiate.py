"""(path, query) -> which dialect, which transport, which client; or that the request is not Socket.IO's.

The paths, below the resource:

    /?EIO=4&transport=websocket[&sid=...]      Engine.IO; with or without the last slash
    /1/                                        0.9: the handshake
    /1/<transport>/<sid>                       0.9: a transport
    /1/<anything or nothing>/<sid>/?disconnect 0.9: the client leaves

All else, `/page` and `/` without `EIO` or `transport` among it, belongs to the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from ..errors import HandshakeRefused
from . import eio2, eio3, eio4, sio09
from .dialect import Dialect
from .padding import index_of

SIO09: Dialect = sio09
EIO2: Dialect = eio2
EIO3: Dialect = eio3
EIO4: Dialect = eio4
#: One for each of the clients' generations but 1.0, which has its own shade of Engine.IO 3.
DIALECTS = (SIO09, EIO3, EIO4)
#: Node's server takes all but 4 for 3; 1.0 says 2 (socket.io#1739). What is no number is refused.
ENGINES: dict[str, Dialect] = {'2': EIO2, '3': EIO3, '4': EIO4}
MAX_FIELDS = 100
#: The keys of a query that are the engine's own; the others are the site's.
ENGINE_KEYS = frozenset(('EIO', 'transport', 'sid', 't', 'j', 'b64', 'i', 'jsonp', 'disconnect'))


class Wanted(NamedTuple):
    """What a request asks for."""

    dialect: Dialect
    #: 'websocket', 'polling', 'jsonp', 'htmlfile', or None: a handshake of 0.9
    transport: str | None
    sid: str | None
    query: dict[str, str]
    #: 0.9 says good-bye in a request of its own
    leaves: bool = False
    #: the index of the function of a page that a script is to call
    jsonp: str | None = None


def negotiate(resource: str, path: str, query_string: str, engines: Mapping[str, Dialect] = ENGINES) -> Wanted | None:
    """`resource` is `/socketio`. -> Wanted, or None: not ours. `engines`: the dialects by their EIO.

    Raises HandshakeRefused, whose answer is in the words of `dialect_of(path)`.
    """
    if not path.startswith(resource):
        return None
    rest = path[len(resource) :]
    if rest in ('', '/'):
        return _engineio(_query(query_string), engines)
    if rest == '/1' or rest.startswith('/1/'):
        return _sio09(rest.split('/')[2:], _query(query_string))
    if rest == '/2' or rest == '/2/':
        raise HandshakeRefused('unsupported_version', 'protocol 2 of Socket.IO 0.9')
    return None


def dialect_of(resource: str, path: str) -> Dialect:
    """In whose words a request is refused that could not be understood."""
    return EIO4 if path[len(resource) :] in ('', '/') else SIO09


def own_query(query_string: str) -> str:
    """The query without the engine's own keys: what the site's code may see."""
    return '&'.join(pair for pair in query_string.split('&') if pair and pair.partition('=')[0] not in ENGINE_KEYS)


def _query(query_string: str) -> dict[str, str]:
    pairs = query_string.split('&')
    if len(pairs) <= MAX_FIELDS and not ('%' in query_string or '+' in query_string):  # the common case first
        return {key: value for key, _, value in (pair.partition('=') for pair in pairs) if key}
    try:
        return dict(parse_qsl(query_string, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HandshakeRefused('bad_request', f'a query of more than {MAX_FIELDS} fields') from None


def _engineio(query: dict[str, str], engines: Mapping[str, Dialect]) -> Wanted | None:
    if 'EIO' not in query and 'transport' not in query:
        return None
    dialect = engines.get(query.get('EIO', ''))
    if dialect is None:
        raise HandshakeRefused('unsupported_version', f'EIO={query.get("EIO", "")[:20]!r}')
    transport = _transport(dialect, query.get('transport', ''))
    index = index_of(dialect.JSONP, query, ('j',)) if transport == 'polling' else None
    return Wanted(dialect, transport if index is None else 'jsonp', query.get('sid'), query, jsonp=index)


def _sio09(parts: list[str], query: dict[str, str]) -> Wanted:
    parts += [''] * (2 - len(parts))
    name, sid = parts[0], parts[1]
    if sid and 'disconnect' in query:
        return Wanted(SIO09, None, sid, query, leaves=True)
    if not name and not sid:
        return Wanted(SIO09, None, None, query, jsonp=index_of(SIO09.JSONP, query, ('jsonp',)))
    transport = _transport(SIO09, name)
    index = (index_of(SIO09.JSONP, query, ('i',)) or '0') if transport == 'jsonp' else None
    return Wanted(SIO09, transport, sid, query, jsonp=index)


def _transport(dialect: Dialect, name: str) -> str:
    try:
        return dialect.TRANSPORTS[name]
    except KeyError:
        raise HandshakeRefused('unknown_transport', f'transport {name[:20]!r}') from None
