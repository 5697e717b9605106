"""For a gunicorn.conf.py: `from tgsio_middleware.gunicorn import post_worker_init`.

gunicorn's gevent worker ends by closing its port and waiting for its connections, and those of Socket.IO do not end by
themselves. With this hook they are sent away first (see `engine.drain`). `graceful_timeout` must be longer than
`drain_timeout`.
"""

from __future__ import annotations

import signal
from time import monotonic
from typing import Any

import gevent

from .engine.drain import drain, patience


def post_worker_init(worker: Any) -> None:
    """gunicorn's hook of that name: the worker's SIGTERM drains as well."""
    end = signal.getsignal(signal.SIGTERM)

    def drain_and_end(number: int, frame: Any) -> None:
        gevent.spawn(drain, monotonic() + patience())
        if callable(end):
            end(number, frame)

    signal.signal(signal.SIGTERM, drain_and_end)
