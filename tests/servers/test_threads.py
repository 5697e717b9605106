"""Servers of threads, under gevent or not: pages work, and Socket.IO is refused at once, with the cause."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.live import INI, RUN, run

pytestmark = pytest.mark.once

WAITRESS = INI.replace('[server:main]\nuse = egg:tgsio_middleware#socketio', '[server:main]\nuse = egg:waitress#main')
PATCHED = 'from gevent import monkey; monkey.patch_all()\n'
WSGIREF = """
import sys
from logging.config import fileConfig
from wsgiref.simple_server import make_server
from paste.deploy import loadapp
fileConfig(sys.argv[1], disable_existing_loggers=False)
server = make_server('127.0.0.1', 0, loadapp('config:' + sys.argv[1]))
print('Serving on http://127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
"""
UNPATCHED = 'gevent has not patched this process: pages work, Socket.IO does not'
THREADED = 'this WSGI server lets nobody hold a connection: pages work, Socket.IO does not'


def refusal(url):
    with pytest.raises(HTTPError) as refused:
        urlopen(url, timeout=10)
    return refused.value.code, refused.value.read().decode()


@pytest.mark.parametrize(
    ('program', 'cause'),
    [(RUN, UNPATCHED), (WSGIREF, UNPATCHED), (PATCHED + RUN, THREADED)],
    ids=['waitress', 'wsgiref', 'waitress under gevent'],
)
def test_pages_work_and_sockets_are_refused_with_the_cause(program, cause):
    ini = WAITRESS.format(
        site='tests.fixtureapps.pingpong', settings='', server='', app='', debug='false', level='INFO', port=0
    )
    with run(ini, program) as live:
        lines_at_start = live.log().count(cause)
        assert lines_at_start == (cause is UNPATCHED), live.log()  # the other one is known from a request only
        for query in ('EIO=4&transport=polling', 'EIO=3&transport=websocket'):
            status, body = refusal(f'{live.url}/socketio/?{query}')
            assert status == 503
            assert json.loads(body)['message'].startswith(f'Service unavailable: {cause}')
        status, body = refusal(f'{live.url}/socketio/1/')
        assert status == 503
        assert body.startswith(f'service unavailable: {cause}')
        for path, text in (('', b'the site'), ('/socketio/page', b'a page beside the namespaces')):
            with urlopen(live.url + path, timeout=10) as page:
                assert page.read() == text
        assert live.log().count(cause) == lines_at_start + 1
        assert 'Traceback' not in live.log()
