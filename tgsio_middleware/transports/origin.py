"""Which pages may talk to us: their origin against ours and the ini's list. Websockets have no CORS of their own, so
they are checked too.

Without an Origin header the request comes from the same origin or from no browser; with one, from the page that it
names. Behind a proxy our own origin is the one that it forwards (see `forwarded`). A browser's origin has a scheme, or
is `null`; the 0.9 client's websockets under Node (`ws` 0.4) put the host alone there, the one that they connect to.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import HandshakeRefused
from .base import Environ, Headers, StartResponse
from .forwarded import told

DEFAULT_PORTS = {'http': '80', 'https': '443'}


def check(environ: Environ, allowed: tuple[str, ...]) -> Headers:
    """The CORS headers of the answer; raises HandshakeRefused for a page that may not."""
    origin = environ.get('HTTP_ORIGIN')
    if origin is None or same(environ, origin):
        return []
    if any(matches(origin, pattern) for pattern in allowed if pattern != '*'):
        return [
            ('Access-Control-Allow-Origin', origin),
            ('Access-Control-Allow-Credentials', 'true'),
            ('Vary', 'Origin'),
        ]
    if '*' in allowed:
        # Never with credentials: any page could then act as its visitor (CVE-2020-28481).
        return [('Access-Control-Allow-Origin', '*')]
    cause = f'origin {origin[:100]!r} is not in cors_allowed_origins'
    if same(told(environ), origin):
        cause += '; it is our own if X-Forwarded-* is true, but whoever says that is not in trusted_proxies'
    raise HandshakeRefused('forbidden', cause)


def check_page(environ: Environ, allowed: tuple[str, ...]) -> Headers:
    """As `check`, for scripts: any page can place a script element, which comes with cookies and without an Origin, and
    read what it says. So the Referer must name a page that may. `*` does not count: any page could act as its visitor.
    """
    allowed = tuple(pattern for pattern in allowed if pattern != '*')
    if 'HTTP_ORIGIN' in environ:
        return check(environ, allowed)
    scheme, separator, rest = environ.get('HTTP_REFERER', '').partition('://')
    if not separator:
        raise HandshakeRefused('forbidden', 'neither Origin nor Referer names the page')
    return check({**environ, 'HTTP_ORIGIN': f'{scheme}://{rest.partition("/")[0]}'}, allowed)


def same(environ: Environ, origin: str) -> bool:
    """The page comes from this very server: same scheme, host and port."""
    ours = environ['wsgi.url_scheme']
    scheme, separator, netloc = origin.partition('://')
    if not separator:
        scheme, netloc = ours, origin
    host = environ.get('HTTP_HOST') or f'{environ.get("SERVER_NAME")}:{environ.get("SERVER_PORT")}'
    return scheme == ours and _with_port(netloc, scheme) == _with_port(host, ours)


def _with_port(netloc: str, scheme: str) -> str:
    netloc = netloc.lower()
    has_port = ':' in netloc.rpartition(']')[2]
    return netloc if has_port else f'{netloc}:{DEFAULT_PORTS.get(scheme, "")}'


def matches(origin: str, pattern: str) -> bool:
    """`https://*.example.com` means any host below example.com, and not evilexample.com. What has a space in it, or the
    end of a line (a header that goes on in the next one), is no origin that could be said again.
    """
    if len(origin.split()) != 1:
        return False
    scheme, wild, domain = pattern.partition('://*.')
    if not wild:
        return origin.lower() == pattern.lower()
    return origin.lower().startswith(scheme + '://') and origin.lower().endswith('.' + domain.lower())


def preflight(environ: Environ, start_response: StartResponse, headers: Headers) -> Iterable[bytes]:
    """OPTIONS: the page asks whether it may send what it wants to."""
    headers = [
        *headers,
        ('Access-Control-Allow-Methods', 'GET, POST'),
        ('Access-Control-Max-Age', '600'),
        ('Content-Length', '0'),
    ]
    wanted = environ.get('HTTP_ACCESS_CONTROL_REQUEST_HEADERS')
    if wanted:
        headers.append(('Access-Control-Allow-Headers', ' '.join(wanted.split())))  # it may stand in several lines
    start_response('200 OK', headers)
    return [b'']
