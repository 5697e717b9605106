"""Transports of browsers that nobody has any more, by the real clients of their time, in Chromium."""

from __future__ import annotations

import pytest

from tests.live import PATIENCE, serve

from .clients import requires_node

pytestmark = [pytest.mark.browser, pytest.mark.node]

TEXT = 'é😀 </script> \u2028 a\\/b "quoted" \\n\n'
NEW = "io('/talk', {path: '/socketio', transports: ['polling'], upgrade: false, forceJSONP: true})"
OLD = "(io.transports = ['%s'], io.connect('/talk', {resource: 'socketio', 'try multiple transports': false}))"
CASES = {
    'sio09 jsonp-polling': ('sio09', OLD % 'jsonp-polling', '/1/jsonp-polling/', 'i=0'),
    'sio09 htmlfile': ('sio09', OLD % 'htmlfile', '/1/htmlfile/', ''),
    'sio1 jsonp': ('sio1', NEW, 'transport=polling', 'j=0'),
    'sio2 jsonp': ('sio2', NEW, 'transport=polling', 'j=0'),
}


@pytest.fixture(scope='module')
def live():
    requires_node()
    with serve('tests.fixtureapps.oldbrowser', transports='websocket polling jsonp htmlfile') as live:
        yield live
        assert 'Traceback' not in live.log(), live.log()


@pytest.mark.parametrize('case', CASES)
def test_it_talks(live, browser, case):
    client, opens, part, query = CASES[case]
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    asked, troubles = [], []
    page.on('request', lambda request: '/socketio/' in request.url and asked.append(request))
    page.on('pageerror', lambda error: troubles.append(str(error)))
    page.goto(f'{live.url}/page/{client}?active_x={case == "sio09 htmlfile" or ""}')
    page.evaluate(f"""() => {{
        window.heard = {{}}; window.numbers = [];
        const socket = window.socket = {opens};
        socket.on('welcome', text => heard.welcome = text);
        socket.on('number', n => numbers.push(n));
    }}""")
    page.wait_for_function('window.heard.welcome !== undefined')
    assert page.evaluate('heard.welcome') == TEXT
    got = page.evaluate(
        'text => new Promise(done => socket.emit("echo", text, {a: [1, null]}, (...got) => done(got)))', TEXT
    )
    assert got == [TEXT, {'a': [1, None]}]
    page.evaluate('socket.emit("count", 100)')
    page.wait_for_function('numbers.length === 100')
    assert page.evaluate('numbers') == list(range(100))
    talked = [request for request in asked if part in request.url]
    assert talked
    assert all(query in request.url for request in talked)
    assert {request.method for request in talked} == {'GET', 'POST'}
    assert not any(request.resource_type in ('xhr', 'fetch') for request in talked if 'htmlfile' not in request.url)
    page.evaluate('socket.disconnect()')
    context.close()
    assert troubles == []
