"""What comes before and after a websocket, on servers that keep the connection's greenlet."""

from __future__ import annotations

import time

import pytest

from tests.live import PATIENCE
from tests.transports.client import CLOSE, WebSocket, ask, frame, talking

from .programs import SERVERS
from .shop import Shop

pytestmark = pytest.mark.once

#: What one read of ours takes at most.
READ = 65536


@pytest.fixture(params=['gevent.pywsgi', 'gevent.pywsgi with gevent-websocket', 'gunicorn -k gevent'])
def served(request, tmp_path):
    shop = Shop(tmp_path)
    with shop.serve(program=SERVERS[request.param]) as live:
        yield shop, live
        assert 'Traceback' not in live.log()


def test_a_frame_that_came_with_the_handshake_is_heard_and_no_request_after_the_end(served):
    """A proxy takes all that follows the handshake for the websocket's: it would see no such request."""
    shop, live = served
    client = WebSocket(live.port, glued=frame(b'40'))
    assert [client.hear()[:2], client.hear()[:2]] == ['0{', '40']
    client.close()
    request = b'GET /note?line=smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
    end = frame(b'', CLOSE)
    for _ in range(10):
        client = talking(live.port)
        client.sock.sendall(end + b'x' * (READ - len(end)) + request * 3)
        client.close()
    assert ask(live.port, 'GET', '/note?line=seen').text == 'seen'
    end_of_time = time.monotonic() + PATIENCE
    while 'seen' not in shop.lines():
        assert time.monotonic() < end_of_time
    assert shop.lines() == ['seen']
