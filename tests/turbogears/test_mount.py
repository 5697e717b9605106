"""Where namespaces hang, how they are found, and that everything else reaches the application as it came."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.eio4client import Client
from tests.live import Live, eventually, run, serve

from .conftest import ini, tracebacks


@pytest.fixture
def client(workshop) -> Iterator[Client]:
    with Client(workshop.port) as client:
        yield client


def get(live: Live, path: str, method: str = 'GET', body: bytes | None = None, headers: Any = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection('127.0.0.1', live.port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# -- where -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'namespace',
    [
        '/bench',
        '/other',
        '/admin/bench',
        '/looked/else/bench',
        '/looked/e-l.s_e/bench',
        '/looked/lobby',
        '/own_packets',
        '/',
    ],
)
def test_a_namespace_is_found_where_the_controllers_hang_it(client, namespace):
    client.join(namespace)


def test_a_nested_namespace_knows_its_path(client):
    client.join('/admin/bench')
    assert client.call('/admin/bench', 'self')[0][0] == '/admin/bench'
    assert client.call('/admin/bench', 'self')[0][4] == '/socketio/admin/bench'


def test_the_global_namespace_is_an_attribute_of_that_name(client):
    client.join('/')
    assert client.call('/', 'where') == [['', '/socketio']]


def test_ordinary_controllers_have_namespaces_too():
    with serve('tests.fixtureapps.workshop', socketio_resource='ordinary') as live:
        with Client(live.port, path='/ordinary') as client:
            for namespace in ('/bench', '/admin/bench', '/'):
                client.join(namespace)
            assert client.call('/', 'where') == [['', '/ordinary']]
        assert get(live, '/ordinary/page') == (200, 'an ordinary page')


def test_without_a_global_namespace_there_is_none():
    with serve('tests.fixtureapps.workshop', socketio_resource='empty') as live, Client(live.port, '/empty') as client:
        assert client.refusal('/')['message'] == 'Invalid namespace'
        client.join('/bench')


@pytest.mark.parametrize(
    ('resource', 'path'),
    [('socket.io', '/socket.io'), ('/ordinary/admin/', '/ordinary/admin'), ('deep', '/deep')],
)
def test_socketio_resource_may_be_any_path(resource, path):
    with serve('tests.fixtureapps.workshop', socketio_resource=resource) as live, Client(live.port, path) as client:
        client.join('/bench')
        assert client.call('/bench', 'self')[0][4] == f'{path}/bench'


# -- pages beside ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('path', 'page'),
    [
        ('/', 'the site'),
        ('/socketio', 'beside the namespaces'),
        ('/socketio/', 'beside the namespaces'),
        ('/socketio?x=1', 'beside the namespaces'),
        ('/socketio/page', 'a page () {}'),
        ('/socketio/page/1/2?q=3', "a page ('1', '2') {'q': '3'}"),
        ('/socketio/admin/page', 'a deep page'),
    ],
)
def test_pages_beside_namespaces_are_pages(workshop, path, page):
    assert get(workshop, path) == (200, page)


@pytest.mark.parametrize(
    'path', ['/socketio/bench', '/socketio/bench/', '/socketio/admin/bench', '/socketio/plain', '/socketio/bench/x?y=z']
)
@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_a_browser_at_a_namespaces_url_is_told_what_it_is(workshop, path, method):
    status, page = get(workshop, path, method)
    assert status == 400
    assert 'This is a Socket.IO namespace: connect to it with a Socket.IO client.' in page


def test_who_may_not_enter_learns_not_even_that_it_is_a_namespace(office):
    assert get(office.live, '/socketio/closed')[0] == 401


@pytest.mark.parametrize('path', ['/socketio/nothing', '/socketio/helper', '/socketio/a_number', '/socketiofoo'])
def test_what_is_not_there_is_404(workshop, path):
    assert get(workshop, path)[0] == 404


# -- refusals ----------------------------------------------------------------------------------------------------------

UNKNOWN = {'message': 'Invalid namespace', 'data': {'status': 404}}


@pytest.mark.parametrize(
    'namespace',
    [
        '/nothing',
        '/bench/deeper',
        '/bench/recv_connect',
        '/page',
        '/admin',
        '/admin/page',
        '/helper',
        '/a_number',
        '/a_string',
        '/a_list',
        '/allow_only',
        '/mount_point',
        '/moody/nothing',
        '/moody/anything',
        '/né❄',
        '/bench/né',
        '/"quoted"',
        '/;a=b',
    ],
)
def test_an_unknown_namespace_is_refused(workshop, client, namespace):
    before = tracebacks(workshop.log())
    answer = client.ask(namespace)
    assert answer.data['message'] == 'Invalid namespace'
    assert answer.data.get('data', UNKNOWN['data']) == UNKNOWN['data']
    client.join('/bench')
    assert tracebacks(workshop.log()) == before


@pytest.mark.parametrize(
    'namespace', ['/own-packets', '/own:packets', '/bench.json', '/bench.', '/looked/else/bench.1']
)
def test_a_namespace_has_one_name(client, namespace):
    """Rooms, broadcasts and `disconnect` of that name reach all who are in it."""
    assert client.refusal(namespace) == UNKNOWN


@pytest.mark.parametrize('query', ['self=1', 'remainder=1&query=2', 'controller=1&params=2&args=3', '__class__=1'])
def test_no_query_is_in_the_way_of_a_connect(workshop, query):
    with Client(workshop.port, query=f'&{query}') as client:
        client.join('/bench')
    assert get(workshop, f'/socketio/bench?{query}')[0] == 400


@pytest.mark.parametrize(
    ('namespace', 'status'),
    [
        ('/moody/login', 302),
        ('/moody/forbidden', 403),
        ('/moody/unauthorized', 401),
        ('/moody/gone', 410),
        ('/leaves?abort=403', 403),
        ('/leaves?abort=410', 410),
        ('/leaves?redirect=1', 302),
    ],
)
def test_what_the_application_answers_instead_is_the_errors_status(client, namespace, status):
    assert client.refusal(namespace) == {'message': 'not authorized', 'data': {'status': status}}
    client.join('/bench')


def test_a_page_that_fails_in_a_namespaces_place_refuses(workshop, client):
    assert client.refusal('/moody/broken')['message'] == 'internal error'
    client.join('/bench')


def test_a_refused_namespace_is_in_no_ones_way(workshop, client):
    client.join('/bench')
    client.refusal('/leaves?abort=403')
    assert client.call('/bench', 'neighbour', '/leaves') == [None]
    client.join('/leaves')


PRIVATE = [
    '/__class__',
    '/_dispatch',
    '/bench/__class__',
    '/../bench',
    '/..',
    '/.',
    '/./bench',
    '/admin/../bench',
    '/admin/_lookup',
    '/looked/_lookup',
    '/-dispatch',
    '/--class--',
    '/~~class~~/bench',
    '/.-class-.',
    '/admin/-check_security',
    '/;;init;;',
    '/global_namespace',
    '/global-namespace',
    '/%5f%5fclass%5f%5f',
    '/bench%2f',
    '/bench%00',
    '//bench',
    '/bench/',
    '/bench#x',
    '/ bench',
    '/bench\n',
    '/bench\x00',
]


@pytest.mark.parametrize('namespace', PRIVATE)
def test_no_client_reaches_a_private_name(workshop, namespace):
    """Refused, or the end of the client; never a traceback, never an attribute."""
    before = tracebacks(workshop.log())
    with Client(workshop.port) as client:
        client.say(f'40{namespace},')
        eventually(lambda: client.closed or client.heard())
        assert all(packet.kind == '4' for packet in client.heard())
    assert tracebacks(workshop.log()) == before


def test_no_attribute_of_a_controller_leads_to_a_traceback(workshop):
    """All of them: methods, properties, classes, and what object itself has."""
    from tg import TGController

    before = tracebacks(workshop.log())
    names = {*dir(TGController), *dir(object), 'mount_steps', 'helper', 'a_number', 'a_list'} - {'index'}
    with Client(workshop.port) as client:
        client.join('/bench')
        for name in sorted(names):
            for namespace in (f'/{name}', f'/admin/{name}', f'/bench/{name}'):
                assert client.ask(namespace).data['message'] in ('Invalid namespace', 'internal error'), namespace
    assert tracebacks(workshop.log()) == before


# -- what is not Socket.IO's -------------------------------------------------------------------------------------------

#: What differs from one connection to the next.
OWN = ('REMOTE_PORT', 'SERVER_PORT', 'HTTP_HOST')
REQUESTS = [
    ('GET', '/', b'', {}),
    ('GET', '/socketio', b'', {}),
    ('GET', '/socketio/', b'', {'Cookie': 'a=b'}),
    ('GET', '/socketio?EIOX=4&transports=websocket', b'', {}),
    ('GET', '/socketio/bench?EIO=4&transport=polling', b'', {}),
    ('GET', '/socketio/page?transport=websocket', b'', {'Upgrade': 'websocket', 'Connection': 'Upgrade'}),
    ('GET', '/socketioo/?EIO=4&transport=polling', b'', {}),
    ('GET', '/other/socketio/?EIO=4&transport=polling', b'', {}),
    ('GET', '/%73ocketi/%F0%9F%98%80/%2F?q=%zz&&;=', b'', {'X-Odd': 'é'.encode().decode('latin-1')}),
    ('POST', '/socketio/page', b'\x00\xff' * 1000, {'Content-Type': 'application/octet-stream'}),
    ('PUT', '/socketio', b'{}', {'Content-Type': 'application/json', 'Origin': 'http://evil.example'}),
    ('OPTIONS', '/socketio/page', b'', {'Origin': 'http://evil.example', 'Access-Control-Request-Method': 'PUT'}),
    ('DELETE', '/socketio/1x/websocket/sid', b'', {}),
]


@pytest.fixture(scope='module')
def mirrors() -> Iterator[tuple[Live, Live]]:
    """The same application behind the filter and without it."""
    with serve('tests.fixtureapps.mirror') as behind, run(ini('tests.fixtureapps.mirror', 'site')) as without:
        yield behind, without


@pytest.mark.parametrize(('method', 'path', 'body', 'headers'), REQUESTS)
def test_what_is_not_ours_reaches_the_application_as_it_came(mirrors, method, path, body, headers):
    seen = []
    for live in mirrors:
        status, said = get(live, path, method, body, headers)
        assert status == 200
        mirrored = json.loads(said)
        seen.append(([(k, v) for k, v in mirrored['environ'].items() if k not in OWN], mirrored['body']))
    assert seen[0] == seen[1]
    assert seen[0][1].encode('latin-1') == body


def test_the_answer_goes_back_byte_for_byte(mirrors):
    answers = []
    for live in mirrors:
        with socket.create_connection(('127.0.0.1', live.port), timeout=5) as connection:
            connection.sendall(b'GET /socketio/x HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n')
            answer = b''.join(iter(lambda connection=connection: connection.recv(65536), b''))
        head, _, _ = answer.partition(b'\r\n\r\n')
        answers.append([line for line in head.split(b'\r\n') if not line.startswith((b'Date:', b'Content-Length:'))])
    assert answers[0] == answers[1]
    assert answers[0][0] == b'HTTP/1.1 200 Mirrored'
