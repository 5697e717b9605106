"""The thread whose hub serves the clients, seen from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent import monkey

_thread: Callable[[], int] = monkey.get_original('_thread', 'get_ident')


def at_home(hub: Any, what: Callable[..., None], *args: Any) -> None:
    """Calls `what(*args)`, which must not block, in the thread of gevent's `hub`; from another thread without
    waiting.
    """
    if hub.thread_ident == _thread():
        what(*args)
    else:
        hub.loop.run_callback_threadsafe(what, *args)
