"""What binds a client's sid to whoever shook hands: a sid stands in URLs, and so in logs and Referers.

A later request with the sid must have, as far as the setting `sid_bound_to` names it:

origin   no other Origin than the handshake's, where both have one (a browser's GET of its own site has none)
cookie   one of the handshake's cookies with the same value, where there was any that could be a secret. One is enough,
         for a site renews its cookies at will; whoever has only the sid has none of them
user     the handshake's REMOTE_USER, which a server or a middleware in front of the filter has set

To all others the sid is unknown: they are told nothing more, and the client whose sid it is notices nothing. A browser
whose cookies have all changed, after a logout, connects anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from .base import Environ

#: A value that is shorter is a preference, no secret.
SECRET = 16


def holds(handshake: Mapping[str, Any], environ: Environ, bound_to: tuple[str, ...]) -> bool:
    """The request may come from whoever shook hands."""
    return (
        ('origin' not in bound_to or _same_origin(handshake.get('HTTP_ORIGIN'), environ.get('HTTP_ORIGIN')))
        and ('cookie' not in bound_to or _share_a_cookie(handshake.get('HTTP_COOKIE'), environ.get('HTTP_COOKIE')))
        and ('user' not in bound_to or handshake.get('REMOTE_USER') == environ.get('REMOTE_USER'))
    )


def _same_origin(first: str | None, later: str | None) -> bool:
    return first is None or later is None or first.lower() == later.lower()


def _share_a_cookie(first: str | None, later: str | None) -> bool:
    if first is None or first == later:  # the common cases
        return True
    secrets = _secrets(first)
    return not secrets or not secrets.isdisjoint(_secrets(later or ''))


def _secrets(cookies: str) -> Set[str]:
    """`name=value` of those that could be one."""
    pairs = (pair.strip() for pair in cookies.split(';'))
    return {pair for pair in pairs if len(pair.partition('=')[2]) >= SECRET}
