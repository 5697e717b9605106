"""Fast paths agree with the slow ones beside them.

Frames: `tests/wire/test_frames.py`. Here: the short road of an event to its method, and the reader of plain polls, that
must understand nothing otherwise than pywsgi does.
"""

from __future__ import annotations

import json
from io import BytesIO, StringIO

import pytest
from gevent.pywsgi import WSGIServer
from hypothesis import example, given
from hypothesis import strategies as st

from tests.engine.fakes import connected
from tests.test_namespace import FOUND, NOT_FOUND, UNALLOWED, Overriding, Plain
from tgsio_middleware.transports.plainpolls import NotPlain, Reader

# -- from an event to its method --------------------------------------------------------------------------------------

NAMES = sorted({name for name, *_ in FOUND} | {'static', 'keywords'} | set(NOT_FOUND) | set(UNALLOWED))
METHODS = ['on_none', 'on_one', 'on_any', 'on_static', 'on_nope', 'recv_message']
values = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just({'a': [1]})
events = st.tuples(
    st.one_of(st.sampled_from(NAMES), st.text(max_size=4)),
    st.lists(values, max_size=3),
    st.sampled_from(['', '0', '7']),
)
acls = st.none() | st.sets(st.sampled_from(METHODS))


@given(st.lists(st.tuples(acls, events), max_size=6))
def test_the_short_road_of_an_event_agrees_with_the_long_one(steps):
    """In a class that overrides a step of the dispatch, no event takes the short road."""
    outcomes = []
    for cls in (Plain, Overriding):
        client = connected(cls)
        client.forget()
        for acl, (name, args, ack_id) in steps:
            client.socket[''].allowed_methods = acl
            client.say(f'42{ack_id}{json.dumps([name, *args])}')
        outcomes.append((client.heard, client.socket[''].calls))
    assert outcomes[0] == outcomes[1]
    assert not Overriding._short_roads


# -- plain polls ------------------------------------------------------------------------------------------------------


class Connection:
    """pywsgi reads `request` from it and writes to `answer`."""

    def __init__(self, request):
        self.rfile = BytesIO(request)
        self.answer = b''

    def makefile(self, mode='rb', buffering=-1):
        return self.rfile

    def sendall(self, data):
        self.answer += data

    def fileno(self):
        return -1

    def __getattr__(self, name):
        return lambda *args: None


def by_pywsgi(request):
    """-> what an application sees of the first request, None where pywsgi refused it; and what was not read."""
    seen = []

    def app(environ, start_response):
        seen.append((environ, environ['wsgi.input'].read()))
        start_response('200 OK', [('Content-Length', '0')])
        return []

    connection = Connection(request)
    server = WSGIServer(('127.0.0.1', 0), app, log=None, error_log=None)
    server.set_environ({'SERVER_NAME': 'localhost', 'SERVER_PORT': '80', 'wsgi.errors': StringIO()})
    handler = server.handler_class(connection, ('127.0.0.1', 1), server, connection.rfile)
    handler.handle_one_request()
    return (seen[0] if seen else None), connection.rfile.read()


METHOD = st.sampled_from([b'GET', b'POST'])
TARGET = st.sampled_from(
    [
        b'/socketio/?EIO=4&transport=polling&sid=abc',
        b'/socketio?sid=a&transport=polling&sid=b',
        b'/socketio/?transport=polling&x=%20+&sid=?',
        b'/socketio/?transport=polling&sid=\xe9',
        b'/socketio//?transport=polling&sid=a#b',
    ]
)
HEADER_NAME = st.sampled_from(
    [
        b'Host',
        b'HOST',
        b'Origin',
        b'Content-Type',
        b'content-length',
        b'Content_Length',
        b'Connection',
        b'Cookie',
        b'TE',
    ]
)
HEADER_VALUE = st.one_of(
    st.sampled_from(
        [b'', b'a', b' a ', b'keep-alive', b'close', b'0', b'2', b'02', b'+2', b'2 ', b'2, 2', b'text/plain']
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters='\r\n'), max_size=4).map(lambda s: s.encode('latin-1')),
)
SEPARATOR = st.sampled_from([b': ', b':', b': \t', b' : '])
ENDING = st.sampled_from([b'\r\n'] * 6 + [b'\n', b'\r\n '])
HEADER = st.tuples(HEADER_NAME, SEPARATOR, HEADER_VALUE, ENDING).map(b''.join)
LENGTH = st.sampled_from([b'', b'Content-Length: 2\r\n', b'Content-Length: 0\r\n'])
HEAD = st.tuples(
    METHOD, st.just(b' '), TARGET, st.just(b' HTTP/1.1\r\n'), st.lists(HEADER, max_size=4).map(b''.join), LENGTH
).map(b''.join)
REQUEST = st.tuples(HEAD, st.just(b'\r\n'), st.sampled_from([b'', b'40', b'40GET / HTTP/1.1\r\n\r\n'])).map(b''.join)


@given(REQUEST)
@example(b'POST /socketio/?transport=polling&sid=a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n40GET /')
def test_a_plain_poll_is_what_pywsgi_takes_it_for(request):
    agree(request)


@pytest.mark.parametrize('header', [b'Host: a\rContent-Length: 2', b'Host: a\rTransfer-Encoding: chunked'])
def test_a_bare_carriage_return_ends_a_line_for_both(header):
    agree(b'GET /socketio/?transport=polling&sid=a HTTP/1.1\r\n' + header + b'\r\n\r\n40')


def agree(request):
    """Where the reader takes the request, pywsgi reads the same one, to the same byte."""
    try:
        size, environ = Reader(b'/socketio', 1000).read(request)
    except NotPlain:
        return
    if not size:
        return
    seen, unread = by_pywsgi(request)
    assert seen is not None
    full, body = seen
    assert unread == request[size:]
    assert environ['wsgi.input'].read() == body
    for key in ('REQUEST_METHOD', 'QUERY_STRING', 'HTTP_HOST', 'HTTP_ORIGIN', 'CONTENT_TYPE', 'CONTENT_LENGTH'):
        assert environ.get(key, '').strip() == full.get(key, '').strip(), key  # pywsgi leaves spaces at some ends
