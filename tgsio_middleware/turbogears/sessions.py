"""What an event changes in `tg.session` stays where the site keeps sessions on the server and the client's handshake
brought the cookie of one. Everything else would want a cookie set, and an event has no response to set one in: that is
lost, and said in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)

LOST = 'tg.session was changed in an event of %s and that is lost, because an event can set no cookie: %s'
IN_THE_COOKIE = 'session.type = cookie keeps all of a session in its cookie; another type keeps it on the server'
NOT_BEGUN = 'the client has no session yet; let a page begin it'

_said: set[str] = set()


def look(session: Any, config: Mapping[str, Any], namespace: object) -> None:
    """Called when a handler is done. `session` is Beaker's, or None; a cause is logged once a process."""
    if session is None or not session.dirty():
        return
    cause = IN_THE_COOKIE if config.get('session.type') == 'cookie' else NOT_BEGUN if session.is_new else ''
    if cause and cause not in _said:
        _said.add(cause)
        log.warning(LOST, type(namespace).__name__, cause)
