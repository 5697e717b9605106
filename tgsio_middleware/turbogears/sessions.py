"""`tg.session` in an event. It is read once, and written, whole, when the handler has returned:

1. Only what the handler has saved is written. Beaker would write what it read in any case, with a new time of access,
and so undo what a page has saved while the handler ran; and handlers may run for minutes.
2. Where that time counts (`session.timeout`) it is written all the same, with what is in the session by then.
3. A change that wants a cookie is lost, for an event has no response to set one in; the log says so, once a cause.

Private name of Beaker used here, as TurboGears itself uses it where it shall touch no session: `SessionObject._sess`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from tg.support.converters import asbool

log = logging.getLogger(__name__)

LOST = 'tg.session was changed in an event of %s and that is lost, because an event can set no cookie: %s'
IN_THE_COOKIE = 'session.type = cookie keeps all of a session in its cookie; another type keeps it on the server'
NOT_BEGUN = 'the client has no session yet; let a page begin it'

_said: set[str] = set()


def settle(session: Any, config: Mapping[str, Any], namespace: object) -> None:
    """Called when a handler has returned, before Beaker writes `session`."""
    if not session.accessed() or asbool(config.get('session.auto')):
        return
    in_the_cookie = config.get('session.type') == 'cookie'
    if session.dirty():
        cause = IN_THE_COOKIE if in_the_cookie else NOT_BEGUN if session.is_new else ''
        if cause and cause not in _said:
            _said.add(cause)
            log.warning(LOST, type(namespace).__name__, cause)
        return
    session.__dict__['_sess'] = None
    if config.get('session.timeout') and not in_the_cookie:
        session.get('')  # reads it again
