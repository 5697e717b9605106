"""What a proxy says of a request that it passes on: whose it is, by which scheme and to which host it came.

Anybody can say so. `X-Forwarded-For`, `-Proto` and `-Host` count only where the TCP connection's peer is one of
`trusted_proxies`; of several values the last, for a proxy appends to what it was told. The client is the last address
of X-Forwarded-For that is no trusted proxy.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from ..settings import UNIX, Proxy
from .base import Environ

#: Traefik says `wss` of a websocket.
SCHEMES = {'http': 'http', 'https': 'https', 'ws': 'http', 'wss': 'https'}


def believed(environ: Environ, trusted: tuple[Proxy, ...]) -> Environ:
    """The environ that the client's request would have had without the proxy; the same one where the peer is none that
    is trusted.
    """
    peer = environ.get('REMOTE_ADDR') or UNIX
    if not _trusts(peer, trusted):
        return environ
    asked = told(environ)
    client = _client(environ.get('HTTP_X_FORWARDED_FOR', ''), trusted)
    if client is not None:
        asked['REMOTE_ADDR'] = client
        asked.pop('REMOTE_PORT', None)
    return asked


def told(environ: Environ) -> Environ:
    """A copy with the scheme and the host that the last proxy tells, believed or not."""
    asked = dict(environ)
    scheme = SCHEMES.get(_last(environ, 'HTTP_X_FORWARDED_PROTO').lower())
    host = _last(environ, 'HTTP_X_FORWARDED_HOST')
    if scheme:
        asked['wsgi.url_scheme'] = scheme
    if host:
        asked['HTTP_HOST'] = host
    return asked


def _last(environ: Environ, key: str) -> str:
    value: str = environ.get(key, '')
    return value.rpartition(',')[2].strip()


def _client(forwarded: str, trusted: tuple[Proxy, ...]) -> str | None:
    """Read from the right: each address was written by the one after it, and the first was written by anybody."""
    client = None
    for said in reversed(forwarded.split(',')):
        address = _plain(said)
        if address is None:
            return client
        client = address
        if not _trusts(address, trusted):
            return client
    return client


def _plain(said: str) -> str | None:
    """An address as `ipaddress` writes it, without the port that some proxies add; None where it is none."""
    said = said.strip()
    if said.startswith('['):
        said = said[1:].partition(']')[0]
    elif said.count(':') == 1:
        said = said.partition(':')[0]
    try:
        address = ip_address(said.partition('%')[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _trusts(peer: str, trusted: tuple[Proxy, ...]) -> bool:
    address = _plain(peer)
    if address is None:
        return peer in trusted
    parsed = ip_address(address)
    return any(parsed in network for network in trusted if not isinstance(network, str))
