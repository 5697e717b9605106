"""Mine or yours: what is not Socket.IO's reaches the application as it came."""

from __future__ import annotations

import socket

import pytest

from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.errors import ConfigurationError
from tgsio_middleware.middleware import SocketIOMiddleware
from tgsio_middleware.namespace import BaseNamespace

#: As gunicorn shows it: the connection that a websocket or a poll may hold.
CONNECTION = {'gunicorn.socket': socket.socket()}


def environ(path, query='', method='GET', **more):
    return {
        **CONNECTION,
        'REQUEST_METHOD': method,
        'PATH_INFO': path,
        'QUERY_STRING': query,
        'SCRIPT_NAME': '',
        'wsgi.url_scheme': 'http',
        'HTTP_HOST': 'shop.example',
        'REMOTE_ADDR': '10.0.0.1',
        **more,
    }


class Recorder:
    """An application that keeps what it was called with."""

    body = (b'yours',)

    def __init__(self):
        self.calls = []

    def __call__(self, *args):
        self.calls.append(args)
        return self.body


def filtered(**settings):
    app = Recorder()
    return app, SocketIOMiddleware(app, PlainHost({'': BaseNamespace}), **settings)


def answered(middleware, asked):
    """The answer of the middleware itself: (status, headers, body)."""
    said = []
    body = b''.join(middleware(asked, lambda status, headers, exc_info=None: said.append((status, dict(headers)))))
    return said[0][0], said[0][1], body


@pytest.mark.parametrize('method', ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS'])
@pytest.mark.parametrize(
    ('path', 'query'),
    [
        ('/', ''),
        ('/page', 'EIO=4&transport=polling'),
        ('/socketio', ''),
        ('/socketio/', 'page=1'),
        ('/socketio/page', ''),
        ('/socketio/chat', 'EIO=4&transport=websocket'),
        ('/socketioX', 'EIO=4&transport=polling'),
        ('', ''),
    ],
)
def test_yours(path, query, method):
    app, middleware = filtered()
    asked = environ(path, query, method)
    before = dict(asked)

    def start_response(*args):
        raise AssertionError('the application alone answers')

    assert middleware(asked, start_response) is Recorder.body
    ((given, starter),) = app.calls
    assert given is asked
    assert given == before
    assert starter is start_response


def test_an_environ_without_a_path_is_yours():
    _, middleware = filtered()
    asked = environ('/')
    del asked['PATH_INFO']
    assert middleware(asked, None) is Recorder.body


@pytest.mark.parametrize(
    ('path', 'query'),
    [
        ('/socketio/', 'EIO=4&transport=polling&sid=x'),
        ('/socketio/1/', ''),
        ('/socketio/2/', ''),
        ('/socketio/', 'EIO=9'),
    ],
)
def test_mine(path, query):
    app, middleware = filtered()
    answered(middleware, environ(path, query))
    assert app.calls == []


def test_the_resource_may_be_another():
    _, middleware = filtered(socketio_resource='/a/socket.io/')
    assert answered(middleware, environ('/a/socket.io/1/'))[0] == '200 OK'
    assert middleware(environ('/socketio/1/'), None) is Recorder.body


def test_a_setting_that_cannot_be():
    with pytest.raises(ConfigurationError, match='ping_interval'):
        filtered(ping_interval='often')


@pytest.mark.parametrize(
    ('path', 'query'),
    [('/socketio/', f'EIO={eio}&transport={transport}') for eio in (3, 4) for transport in ('polling', 'websocket')]
    + [('/socketio/1/', '')],
)
def test_a_server_without_sockets_serves_nobody_and_says_so(caplog, path, query):
    """waitress, mod_wsgi, a test client: nobody can take a connection there, and a poll would hold a thread."""
    _, middleware = filtered()
    asked = environ(path, query, HTTP_UPGRADE='websocket' if 'websocket' in query else '')
    del asked['gunicorn.socket']
    for _ in range(2):
        status, _, body = answered(middleware, dict(asked))
        assert status == '503 Service Unavailable'
        assert b'this WSGI server lets nobody hold a connection' in body
    assert caplog.text.count('this WSGI server lets nobody hold a connection') == 1
    assert middleware.registry.sockets == {}


def test_a_host_that_can_serve_nobody_says_so():
    app = Recorder()
    host = PlainHost({})
    host.unavailable = 'not patched'
    status, _, body = answered(SocketIOMiddleware(app, host), environ('/socketio/', 'EIO=4&transport=polling'))
    assert (status, body) == ('503 Service Unavailable', b'{"code":3,"message":"Service unavailable: not patched"}')


@pytest.mark.parametrize('query', ['EIO=4&transport=polling', 'EIO=3&transport=polling'])
def test_who_was_refused_left_nothing_behind(query):
    _, middleware = filtered()
    for asked in (
        environ('/socketio/', query, 'POST'),
        environ('/socketio/', query, HTTP_ORIGIN='http://evil.example'),
        environ('/socketio/', query + '&sid=nobody'),
        environ('/socketio/', query, 'OPTIONS'),
        environ('/socketio/', query.replace('polling', 'pigeon')),
    ):
        answered(middleware, asked)
    assert middleware.registry.sockets == {}


def test_the_handshake_that_the_site_sees_holds_plain_values_only():
    _, middleware = filtered()
    asked = environ('/socketio/1/', 't=1&user=Ann', HTTP_COOKIE='a=b', HTTP_UPGRADE='x', CONTENT_LENGTH='0')
    asked.update(
        {'wsgi.input': object(), 'wsgi.errors': 'the log', 'paste.registry': object(), 'wsgi.multithread': False}
    )
    asked['HTTP_SEC_WEBSOCKET_KEY'] = 'secret'
    answered(middleware, asked)
    (socket,) = middleware.registry.sockets.values()
    assert socket.handshake == {
        'REQUEST_METHOD': 'GET',
        'PATH_INFO': '/socketio',
        'QUERY_STRING': 'user=Ann',
        'SCRIPT_NAME': '',
        'wsgi.url_scheme': 'http',
        'wsgi.errors': 'the log',
        'wsgi.multithread': False,
        'HTTP_HOST': 'shop.example',
        'HTTP_COOKIE': 'a=b',
        'REMOTE_ADDR': '10.0.0.1',
    }
