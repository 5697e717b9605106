"""Node's socket.io server with its Redis adapter, and its Redis emitter, driven from Python; see bus.js.

with NodeBus(redis.url) as node:
    node.do('emit', '/hall', 'event', 1, to=['room'])
"""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.npm import requires_packages

HERE = Path(__file__).parent


def requires_node_bus() -> None:
    """Skips (with CI set: fails) unless Node and the packages are there; installs the latter."""
    requires_packages(HERE, 'socket.io for Node')


class NodeBus:
    """One Node process: `port` is its server's."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            ['node', str(HERE / 'bus.js'), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._ids = itertools.count(1)
        self.port: int = self._hear()['port']

    def __enter__(self) -> NodeBus:
        return self

    def __exit__(self, *exc_info: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.stdin.close()
        self._process.wait(5)
        self._process.stdout.close()

    def do(self, command: str, namespace: str, *args: Any, **more: Any) -> Any:
        """A command of bus.js; -> its value. Raises RuntimeError with Node's words."""
        number = next(self._ids)
        line = {'id': number, 'cmd': command, 'nsp': namespace, 'args': args, **more}
        self._process.stdin.write(json.dumps(line) + '\n')
        answer = self._hear()
        assert answer['id'] == number, answer
        if 'error' in answer:
            raise RuntimeError(answer['error'])
        return answer['value']

    def _hear(self) -> Any:
        line = self._process.stdout.readline()
        assert line, 'Node has ended'
        return json.loads(line)
