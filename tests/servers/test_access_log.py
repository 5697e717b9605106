"""The logger `tgsio_middleware.server.access`: at DEBUG, a line a request."""

from __future__ import annotations

import pytest

from tests.live import serve
from tests.transports.client import Browser, WebSocket

pytestmark = pytest.mark.once

EIO4 = '/socketio/?EIO=4&transport='


def test_pages_and_websockets_have_a_line_with_their_status_and_polls_have_none():
    """A poll is answered on a connection that the server has let go of."""
    with serve('tests.fixtureapps.pingpong', level='DEBUG') as live:
        client = WebSocket(live.port, EIO4 + 'websocket')
        client.close()
        browser = Browser(live.port)
        assert browser.ask('GET', EIO4 + 'polling').status == 200
        assert browser.ask('GET', '/nowhere').status == 404
        browser.close()
        log = live.wait_for_log('GET /nowhere')
    lines = [line.partition('"')[2] for line in log.splitlines() if ' tgsio_middleware.server.access ' in line]
    assert [line[: line.index('" ') + 5] for line in lines] == [
        f'GET {EIO4}websocket HTTP/1.1" 101',
        'GET /nowhere HTTP/1.1" 404',
    ]
