"""Clients that never read, among others that do: `python -m tests.hostile.slow_consumers`, some minutes of two cores.

Broadcasts come in batches; the next one is asked for when every reader has all of the last. So a server that waits for
the deaf stands still, and one that keeps everything for them grows. Small messages and small buffers of the kernel keep
it short: what counts is how many there are of each.
"""

from __future__ import annotations

import argparse
import re
import selectors
import socket
import sys
import time
from pathlib import Path
from statistics import median

from tests.live import eventually
from tests.transports.client import frame, handshake

from .peers import Peer, census, serve

BATCH = 100
#: Bytes that the server keeps for a client, and its kernel for a connection.
BOUND = 200_000
KERNEL = 65_536
NUMBER = re.compile(rb'\["told",(\d+),')


def connect(port: int, deaf: bool) -> socket.socket:
    sock = socket.socket()
    if deaf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(('127.0.0.1', port))
    sock.sendall(handshake(port, '/socketio/?EIO=4&transport=websocket') + frame(b'40'))
    return sock


class Reader:
    """Counts what comes; every number must be the last one's successor."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.next = 0
        self._rest = b''

    def read(self) -> None:
        data = self.sock.recv(1 << 20)
        assert data, 'a client that reads was ended'
        data = self._rest + data
        end = 0
        for found in NUMBER.finditer(data):
            assert int(found[1]) == self.next, 'lost, doubled or out of order'
            self.next += 1
            end = found.end()
        self._rest = data[max(end, len(data) - 30) :]


def peak(pid: int) -> int:
    """The most memory that the process ever had, in KiB."""
    found = re.search(r'VmHWM:\s+(\d+)', Path(f'/proc/{pid}/status').read_text())
    assert found
    return int(found[1])


def run(clients: int, deaf: int, broadcasts: int, size: int) -> dict[str, float]:
    """-> what was measured; fails where a reader lost something."""
    with serve(max_buffered=BOUND, SNDBUF=KERNEL, ping_interval=3600) as live:
        speaker = Peer(live.port)
        silent = [connect(live.port, True) for _ in range(deaf)]
        readers = [Reader(connect(live.port, False)) for _ in range(clients - deaf)]
        eventually(lambda: census(live.port)['sids'] == clients + 1, patience=60)
        before, times = peak(live.process.pid), []
        waiting = selectors.DefaultSelector()
        for reader in readers:
            waiting.register(reader.sock, selectors.EVENT_READ, reader)
        cut_after = 0
        for first in range(0, broadcasts, BATCH):
            began = time.monotonic()
            speaker.emit('tell_others', first, BATCH, size)
            behind = len(readers)
            while behind:
                ready = waiting.select(timeout=30)
                assert ready, 'the server waits for somebody'
                for key, _ in ready:
                    already = key.data.next
                    key.data.read()
                    behind -= already < first + BATCH <= key.data.next
            times.append(time.monotonic() - began)
            if not cut_after and 'slow consumer' in live.log():
                cut_after = first + BATCH
        ended = eventually(lambda: live.log().count('(max_buffered)') >= deaf and live.log().count('(max_buffered)'))
        result = {
            'readers': sum(reader.next == broadcasts for reader in readers),
            'ended': ended,
            'cut_after': cut_after,
            'grown': peak(live.process.pid) - before,
            'median': median(times),
            'longest': max(times),
            'left': census(live.port)['clients'],
        }
        for sock in (*silent, *(reader.sock for reader in readers)):
            sock.close()
        speaker.close()
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--clients', type=int, default=1000)
    parser.add_argument('--deaf', type=int, default=50)
    parser.add_argument('--broadcasts', type=int, default=20_000)
    parser.add_argument('--size', type=int, default=50)
    arguments = parser.parse_args()
    result = run(**vars(arguments))
    print(
        f'{result["readers"]:.0f} of {arguments.clients - arguments.deaf} readers heard all {arguments.broadcasts} in '
        f'order; {result["ended"]:.0f} of {arguments.deaf} slow consumers were ended, the first after '
        f'{result["cut_after"]:.0f} broadcasts; memory grew by {result["grown"] / 1024:.1f} MiB (bound: '
        f'{arguments.deaf * BOUND / (1 << 20):.1f}); a batch of {BATCH} took {result["median"]:.2f} s, at most '
        f'{result["longest"]:.2f}',
        file=sys.stdout,
    )


if __name__ == '__main__':
    main()
