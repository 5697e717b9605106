"""Which pages may talk to us."""

from __future__ import annotations

import json

import pytest

from tgsio_middleware.errors import HandshakeRefused
from tgsio_middleware.settings import Settings
from tgsio_middleware.transports import origin
from tgsio_middleware.transports.forwarded import believed

from .client import Browser, WebSocket, ask, serve

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
        ('https://a\r\n .example.com', 'https://*.example.com'),
        ('https://a b.example.com', 'https://*.example.com'),
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


def test_headers_that_are_asked_for_in_two_lines_are_answered_in_one():
    """Servers other than ours show such a header as it came."""
    said = {}
    asked = environ(HTTP_ACCESS_CONTROL_REQUEST_HEADERS='x-one,\r\n x-two')
    origin.preflight(asked, lambda status, headers: said.update(headers), [])
    assert said['Access-Control-Allow-Headers'] == 'x-one, x-two'


def test_the_log_says_what_a_proxy_that_is_not_trusted_would_have_changed():
    asked = environ(HTTP_ORIGIN='https://shop.example', HTTP_X_FORWARDED_PROTO='https', REMOTE_ADDR='127.0.0.1')
    with pytest.raises(HandshakeRefused, match=r'if X-Forwarded-\* is true, but whoever'):
        origin.check(asked, ())
    with pytest.raises(HandshakeRefused) as plain:
        origin.check(environ(HTTP_ORIGIN='https://other.example', HTTP_X_FORWARDED_PROTO='https'), ())
    assert 'trusted_proxies' not in str(plain.value)


# -- behind a proxy ---------------------------------------------------------------------------------------------------

PROXIES = Settings.parse({'trusted_proxies': '127.0.0.1, 10.0.0.0/8, ::1, 2001:db8::/32'}).trusted_proxies
OVER_UNIX = Settings.parse({'trusted_proxies': 'unix'}).trusted_proxies


def seen(peer, trusted=PROXIES, **headers):
    """(address, scheme, host) of a request from `peer`."""
    given = environ(REMOTE_ADDR=peer, **{f'HTTP_X_FORWARDED_{name.upper()}': value for name, value in headers.items()})
    before = dict(given)
    asked = believed(given, trusted)
    assert given == before
    return asked['REMOTE_ADDR'], asked['wsgi.url_scheme'], asked['HTTP_HOST']


HEADERS = {'for': '203.0.113.9', 'proto': 'https', 'host': 'www.example'}


@pytest.mark.parametrize('peer', ['127.0.0.1', '10.1.2.3', '::1', '2001:db8::7', '::ffff:127.0.0.1'])
def test_a_trusted_proxy_is_believed(peer):
    assert seen(peer, **HEADERS) == ('203.0.113.9', 'https', 'www.example')


@pytest.mark.parametrize('peer', ['127.0.0.2', '11.0.0.1', '192.0.2.1', '::2', '::ffff:192.0.2.1', '', 'unix', 'x'])
def test_nobody_else_is(peer):
    assert seen(peer, **HEADERS) == (peer, 'http', 'shop.example')


def test_a_proxy_on_a_unix_socket_is_trusted_by_name():
    assert seen('', OVER_UNIX, **HEADERS) == ('203.0.113.9', 'https', 'www.example')
    assert seen('127.0.0.1', OVER_UNIX, **HEADERS) == ('127.0.0.1', 'http', 'shop.example')


@pytest.mark.parametrize(
    ('said', 'client'),
    [
        ('203.0.113.9', '203.0.113.9'),
        ('1.1.1.1, 203.0.113.9', '203.0.113.9'),  # the client has written the first
        ('1.1.1.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'),
        ('127.0.0.1, 203.0.113.9', '203.0.113.9'),
        ('10.0.0.3, 10.0.0.2', '10.0.0.3'),
        ('203.0.113.9:4711', '203.0.113.9'),
        ('[2001:db9::1]:4711', '2001:db9::1'),
        ('2001:db9::1', '2001:db9::1'),
        ('::ffff:203.0.113.9', '203.0.113.9'),
        ('203.0.113.9, nonsense, 10.0.0.2', '10.0.0.2'),
        ('nonsense', '127.0.0.1'),
        ('<script>', '127.0.0.1'),
        ('', '127.0.0.1'),
        (',', '127.0.0.1'),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(said, client):
    assert seen('127.0.0.1', **{'for': said})[0] == client


@pytest.mark.parametrize(
    ('said', 'scheme'),
    [('https', 'https'), ('HTTPS', 'https'), ('http, https', 'https'), ('wss', 'https'), ('ws', 'http'), ('x', 'http')],
)
def test_the_scheme_is_what_the_last_proxy_says(said, scheme):
    assert seen('127.0.0.1', proto=said)[1] == scheme


def test_the_host_is_what_the_last_proxy_says():
    assert seen('127.0.0.1', host='evil.example, www.example')[2] == 'www.example'
    assert seen('127.0.0.1', host='')[2] == 'shop.example'


def test_the_port_of_a_proxy_is_not_the_clients():
    asked = believed(environ(REMOTE_ADDR='::1', REMOTE_PORT='5', HTTP_X_FORWARDED_FOR='192.0.2.1'), PROXIES)
    assert 'REMOTE_PORT' not in asked


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


@pytest.fixture(scope='module')
def proxied():
    with serve(trusted_proxies='127.0.0.1') as live:
        yield live


TOLD = {'X_Forwarded_For': '203.0.113.9', 'X_Forwarded_Proto': 'https', 'X_Forwarded_Host': 'www.example'}


@pytest.mark.parametrize('path', WEBSOCKETS + POLLS)
def test_our_own_pages_may_behind_a_trusted_proxy_and_behind_no_other(proxied, strict, path):
    for port, status in ((proxied.port, 101 if path in WEBSOCKETS else 200), (strict, 403)):
        headers = {**TOLD, 'Origin': 'https://www.example'}
        if path in WEBSOCKETS:
            client = WebSocket(port, path, **headers)
            client.close()
        else:
            client = ask(port, 'GET', path, **headers)
        assert client.status == status


@pytest.mark.parametrize('path', WEBSOCKETS + POLLS)
def test_a_trusted_proxy_lets_no_foreign_page_in(proxied, path):
    answer = ask(proxied.port, 'GET', path, **TOLD, Origin='http://127.0.0.1')
    assert answer.status == 403
    assert 'refused' in proxied.wait_for_log(r'refused \w+ of 203\.0\.113\.9: origin')


def test_clients_that_share_a_proxys_connection_are_told_apart(proxied):
    """nginx sends the requests of many over each of the connections that it keeps."""
    browser = Browser(proxied.port)
    sids = {}
    for address in ('203.0.113.1', '203.0.113.2'):
        said = browser.ask('GET', POLLS[0], **{**TOLD, 'X_Forwarded_For': address}).text
        sids[address] = json.loads(said[1:])['sid']
        path = f'{POLLS[0]}&sid={sids[address]}'
        assert browser.ask('POST', path, '40', **{**TOLD, 'X_Forwarded_For': address}).text == 'ok'
    for address, sid in sids.items():
        path = f'{POLLS[0]}&sid={sid}'
        assert browser.ask('GET', path, **TOLD).text.startswith('40')
        browser.ask('POST', path, '420["environ","REMOTE_ADDR"]', **TOLD)
        answer = browser.ask('GET', path, **TOLD, Origin='https://www.example')
        assert answer.text == f'430[{{"REMOTE_ADDR":"{address}"}}]'
