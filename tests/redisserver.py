"""A real Redis on a port of its own, without persistence, in a folder of its own; it can stop, start again and stall.

with Redis() as redis:
    redis.url                       # 'redis://127.0.0.1:40123/0'
    redis.ask('PUBSUB', 'NUMSUB', 'x')
"""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from typing import Any

from tests.conftest import requires
from tests.live import PATIENCE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port: int = probe.getsockname()[1]
        return port


class Redis:
    """Started by `with`."""

    def __init__(self) -> None:
        self.program = requires('redis-server', 'apt-get install redis-server')
        self.port = free_port()
        self.url = f'redis://127.0.0.1:{self.port}/0'
        self._folder = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Redis:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self, *options: str) -> None:
        """On the same port as ever."""
        self._process = subprocess.Popen(
            [
                self.program,
                '--port',
                str(self.port),
                '--bind',
                '127.0.0.1',
                '--save',
                '',
                '--appendonly',
                'no',
                *options,
            ],
            cwd=self._folder.name,
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end and self._process.poll() is None, 'redis-server does not start'
                time.sleep(0.02)

    def stop(self) -> None:
        """As a crash does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def stall(self) -> None:
        """It takes connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *command: Any) -> Any:
        """One command; -> its answer as redis-py gives it."""
        import redis

        client = redis.Redis(port=self.port, decode_responses=True, socket_timeout=PATIENCE)
        try:
            return client.execute_command(*command)
        finally:
            client.close()

    def subscribers(self, channel: str) -> int:
        """PUBSUB NUMSUB of one channel."""
        return int(self.ask('PUBSUB', 'NUMSUB', channel)[1])

    def connections(self) -> int:
        """Connections, but for the one that asks."""
        return len(self.ask('CLIENT', 'LIST').splitlines()) - 1
