"""Was the process patched before TurboGears was imported?

TurboGears keeps its context in a `threading.local` made when `tg` is imported. Where that happened before gevent
patched the process, all greenlets share one context: eight events that overlap see each other's user. Our server
patches in time; an embedding program may not.

Private name of TurboGears used here: `____local__` of its stacks.
"""

from __future__ import annotations

import sys
import threading

from gevent import monkey
from tg import request_local

UNPATCHED = (
    'gevent has not patched this process: pages work, Socket.IO does not. '
    'Serve with egg:tgsio_middleware#socketio, or call gevent.monkey.patch_all() before anything imports tg'
)
SHARED_TRANSACTIONS = (
    'the package `transaction` was imported before gevent patched this process, so that events would share one '
    'transaction: pages work, Socket.IO does not. Call gevent.monkey.patch_all() before anything imports transaction'
)


def trouble() -> str | None:
    """Why events cannot be served in this process, or None."""
    if not (monkey.is_module_patched('threading') and monkey.is_module_patched('socket')):
        return UNPATCHED
    transaction = sys.modules.get('transaction')
    if transaction is not None and not isinstance(transaction.manager, threading.local):
        return SHARED_TRANSACTIONS
    return None


def repair() -> None:
    """Gives TurboGears' stacks a local of greenlets where they still have one of threads. Only at start: what they hold
    is kept for the greenlet that calls.
    """
    for stack in (request_local.context, request_local.config):
        local = stack.__dict__['____local__']
        if not isinstance(local, threading.local):
            fresh = threading.local()
            fresh.__dict__.update(local.__dict__)
            stack.__dict__['____local__'] = fresh
