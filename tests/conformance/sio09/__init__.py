"""Node's 0.9 server and ours, with one application, for one scripted client."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import live
from tests.npm import requires_packages

HERE = Path(__file__).parent
PROGRAM = 'import sys; from tests.conformance.sio09.peer import main; main(sys.argv[1])'
#: Seconds; as oracle.js has them.
SETTINGS = {
    'ping_interval': 1,
    'ping_timeout': 1,
    'transports': 'websocket polling jsonp htmlfile',
    'cors_allowed_origins': 'http://friend.example',
}


def requires_oracle() -> None:
    """Skips (with CI set: fails) unless Node and the packages are there; installs the latter."""
    requires_packages(HERE, "Node's socket.io 0.9")


@contextmanager
def oracle() -> Iterator[int]:
    """-> the port of Node's server."""
    process = subprocess.Popen(
        ['node', '--no-deprecation', str(HERE / 'oracle.js')], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield json.loads(process.stdout.readline())['port']
    finally:
        process.stdin.close()
        process.wait(5)
        process.stdout.close()


@contextmanager
def ours() -> Iterator[int]:
    """-> the port of our server. It must have written no traceback when it ends."""
    with live.run(json.dumps(SETTINGS), PROGRAM) as running:
        yield running.port
        assert 'Traceback' not in running.log(), running.log()
