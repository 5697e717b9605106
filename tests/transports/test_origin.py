"""Which pages may talk to us."""

from __future__ import annotations

import pytest

from tgsio_middleware.errors import HandshakeRefused
from tgsio_middleware.transports import origin

from .client import WebSocket, ask, serve

CREDENTIALS = ('Access-Control-Allow-Credentials', 'true')


def environ(**more):
    return {'wsgi.url_scheme': 'http', 'HTTP_HOST': 'shop.example', **more}


def echoed(name):
    return [('Access-Control-Allow-Origin', name), CREDENTIALS, ('Vary', 'Origin')]


SAME = [
    ('http', 'shop.example', 'http://shop.example'),
    ('http', 'shop.example', 'http://SHOP.example'),
    ('http', 'shop.example', 'http://shop.example:80'),
    ('http', 'shop.example:80', 'http://shop.example'),
    ('http', 'shop.example:8080', 'http://shop.example:8080'),
    ('https', 'shop.example', 'https://shop.example'),
    ('https', 'shop.example:443', 'https://shop.example'),
    ('http', '127.0.0.1:8080', 'http://127.0.0.1:8080'),
    ('http', '[::1]:8080', 'http://[::1]:8080'),
    ('http', '[::1]', 'http://[::1]:80'),
    ('http', 'shop.example:8080', 'shop.example:8080'),  # 0.9 under Node
]
FOREIGN = [
    ('http', 'shop.example', 'https://shop.example'),
    ('https', 'shop.example', 'http://shop.example'),
    ('http', 'shop.example', 'http://shop.example:8080'),
    ('http', 'shop.example:8080', 'http://shop.example'),
    ('http', 'shop.example', 'http://evil.example'),
    ('http', 'shop.example', 'http://shop.example.evil.example'),
    ('http', 'shop.example', 'http://evilshop.example'),
    ('http', 'shop.example', 'http://shop.example@evil.example'),
    ('http', 'shop.example', 'null'),
    ('http', 'shop.example', ''),
    ('http', 'shop.example', 'evil.example'),
    ('http', 'shop.example', 'file://'),
    ('http', 'shop.example', '://shop.example'),
]


@pytest.mark.parametrize(('scheme', 'host', 'page'), SAME)
def test_the_same_origin_needs_no_permission_and_no_headers(scheme, host, page):
    asked = environ(HTTP_HOST=host, HTTP_ORIGIN=page)
    asked['wsgi.url_scheme'] = scheme
    assert origin.check(asked, ()) == []


@pytest.mark.parametrize(('scheme', 'host', 'page'), FOREIGN)
def test_a_foreign_page_is_refused(scheme, host, page):
    asked = environ(HTTP_HOST=host, HTTP_ORIGIN=page)
    asked['wsgi.url_scheme'] = scheme
    with pytest.raises(HandshakeRefused) as caught:
        origin.check(asked, ('https://friend.example',))
    assert caught.value.reason == 'forbidden'


def test_no_origin_comes_from_no_foreign_page():
    assert origin.check(environ(), ()) == []


def test_without_a_host_header_the_servers_name_counts():
    asked = {'wsgi.url_scheme': 'http', 'SERVER_NAME': 'shop.example', 'SERVER_PORT': '8080'}
    assert origin.check({**asked, 'HTTP_ORIGIN': 'http://shop.example:8080'}, ()) == []


def test_a_forwarded_host_is_not_believed():
    asked = environ(
        HTTP_ORIGIN='http://evil.example', HTTP_X_FORWARDED_HOST='evil.example', HTTP_X_FORWARDED_PROTO='http'
    )
    with pytest.raises(HandshakeRefused):
        origin.check(asked, ())


@pytest.mark.parametrize(
    ('page', 'pattern'),
    [
        ('https://friend.example', 'https://friend.example'),
        ('https://FRIEND.example', 'https://friend.example'),
        ('https://a.example.com', 'https://*.example.com'),
        ('https://a.b.example.com', 'https://*.example.com'),
        ('https://a.example.com:8443', 'https://*.example.com:8443'),
        ('capacitor://localhost', 'capacitor://localhost'),
    ],
)
def test_a_friend_may_with_credentials(page, pattern):
    assert origin.check(environ(HTTP_ORIGIN=page), ('https://other.example', pattern)) == echoed(page)
    assert origin.check(environ(HTTP_ORIGIN=page), ('*', pattern)) == echoed(page)


@pytest.mark.parametrize(
    ('page', 'pattern'),
    [
        ('http://friend.example', 'https://friend.example'),
        ('https://friend.example:8443', 'https://friend.example'),
        ('https://evilexample.com', 'https://*.example.com'),
        ('https://example.com', 'https://*.example.com'),
        ('http://a.example.com', 'https://*.example.com'),
        ('https://a.example.com:8443', 'https://*.example.com'),
        ('https://a.example.com.evil.example', 'https://*.example.com'),
        ('null', 'https://*.example.com'),
    ],
)
def test_who_only_looks_like_a_friend_may_not(page, pattern):
    with pytest.raises(HandshakeRefused):
        origin.check(environ(HTTP_ORIGIN=page), (pattern,))


@pytest.mark.parametrize('page', ['http://evil.example', 'null', 'file://'])
def test_any_page_may_without_credentials(page):
    assert origin.check(environ(HTTP_ORIGIN=page), ('*',)) == [('Access-Control-Allow-Origin', '*')]


# -- on the wire ------------------------------------------------------------------------------------------------------

WEBSOCKETS = ['/socketio/?EIO=4&transport=websocket', '/socketio/?EIO=3&transport=websocket']
POLLS = ['/socketio/?EIO=4&transport=polling', '/socketio/?EIO=3&transport=polling', '/socketio/1/']


@pytest.fixture(scope='module')
def strict():
    with serve(cors_allowed_origins='https://friend.example https://*.example.com') as live:
        yield live.port


@pytest.fixture(scope='module')
def open_to_all():
    with serve(cors_allowed_origins='*') as live:
        yield live.port


@pytest.mark.parametrize('page', ['http://evil.example', 'null', 'https://evilexample.com'])
@pytest.mark.parametrize('path', WEBSOCKETS)
def test_a_websocket_of_a_foreign_page_is_refused_before_it_opens(strict, path, page):
    client = WebSocket(strict, path, Origin=page)
    assert (client.status, client.body()) == (403, '{"code":4,"message":"Forbidden"}')
    assert 'access-control' not in client.head.lower()
    client.close()


def test_a_0_9_websocket_of_a_foreign_page_is_refused_too(strict):
    sid = ask(strict, 'GET', '/socketio/1/').text.partition(':')[0]
    client = WebSocket(strict, f'/socketio/1/websocket/{sid}', Origin='http://evil.example')
    assert (client.status, client.body()) == (403, 'handshake bad origin')
    client.close()


@pytest.mark.parametrize('path', POLLS)
@pytest.mark.parametrize('method', ['GET', 'POST', 'OPTIONS'])
def test_a_foreign_page_is_refused_whatever_it_asks(strict, path, method):
    answer = ask(strict, method, path, Origin='http://evil.example')
    assert answer.status == 403
    assert answer.headers['Access-Control-Allow-Origin'] is None


@pytest.mark.parametrize('page', ['https://friend.example', 'https://www.example.com'])
@pytest.mark.parametrize('path', POLLS)
def test_a_friends_page_may(strict, path, page):
    answer = ask(strict, 'GET', path, Origin=page)
    assert answer.status == 200
    assert answer.headers['Access-Control-Allow-Origin'] == page
    assert answer.headers['Access-Control-Allow-Credentials'] == 'true'
    assert answer.headers['Vary'] == 'Origin'


@pytest.mark.parametrize('path', WEBSOCKETS)
def test_a_friends_websocket_opens(strict, path):
    client = WebSocket(strict, path, Origin='https://friend.example')
    assert client.status == 101
    client.close()


@pytest.mark.parametrize('path', WEBSOCKETS + POLLS)
def test_our_own_pages_may(strict, path):
    headers = {'Origin': f'http://127.0.0.1:{strict}'}
    if path in WEBSOCKETS:
        client = WebSocket(strict, path, **headers)
        assert client.status == 101
        client.close()
    else:
        answer = ask(strict, 'GET', path, **headers)
        assert answer.status == 200
        assert answer.headers['Access-Control-Allow-Origin'] is None


def test_a_friends_browser_asks_first(strict):
    answer = ask(
        strict, 'OPTIONS', POLLS[0] + '&sid=x', Origin='https://friend.example', Access_Control_Request_Headers='x-mine'
    )
    assert (answer.status, answer.body) == (200, b'')
    assert answer.headers['Access-Control-Allow-Origin'] == 'https://friend.example'
    assert answer.headers['Access-Control-Allow-Methods'] == 'GET, POST'
    assert answer.headers['Access-Control-Allow-Headers'] == 'x-mine'


def test_a_refusal_of_a_friend_can_be_read_by_its_page(strict):
    answer = ask(strict, 'GET', POLLS[0] + '&sid=nobody', Origin='https://friend.example')
    assert answer.status == 400
    assert answer.headers['Access-Control-Allow-Origin'] == 'https://friend.example'


@pytest.mark.parametrize('path', POLLS)
def test_the_star_never_comes_with_credentials(open_to_all, path):
    for method in ('GET', 'OPTIONS'):
        answer = ask(open_to_all, method, path, Origin='http://anybody.example')
        assert answer.status == 200
        assert answer.headers['Access-Control-Allow-Origin'] == '*'
        assert answer.headers['Access-Control-Allow-Credentials'] is None


@pytest.mark.parametrize('path', WEBSOCKETS)
@pytest.mark.parametrize('page', ['http://anybody.example', 'null'])
def test_the_star_opens_websockets_to_all(open_to_all, path, page):
    client = WebSocket(open_to_all, path, Origin=page)
    assert client.status == 101
    client.close()
