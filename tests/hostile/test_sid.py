"""The sid: it cannot be guessed, and whoever finds one in a log cannot use it.

CVE-2017-16031: sids of Math.random. gevent-socketio's come from random.random().
"""

from __future__ import annotations

import ast

import pytest

from tests.live import ROOT
from tests.transports.client import Browser, WebSocket, ask
from tgsio_middleware.engine.registry import new_sid
from tgsio_middleware.transports.bond import holds

from .peers import PEERS, Peer, serve

UNKNOWN = '{"code":1,"message":"Session ID unknown"}'
COOKIE = 'lang=en; session=0123456789abcdef; authtkt=fedcba9876543210'


@pytest.fixture(scope='module', params=['ours', 'stock'])
def port(request):
    with serve(request.param, cors_allowed_origins='http://friend.example http://other.example') as live:
        yield live.port


@pytest.mark.once
def test_a_million_sids_are_a_million():
    sids = {new_sid() for _ in range(1_000_000)}
    assert len(sids) == 1_000_000
    assert {len(sid) for sid in sids} == {27}


def test_nothing_random_is_imported():
    """The Mersenne twister tells its future to who has heard enough of it."""
    for path in (ROOT / 'tgsio_middleware').rglob('*.py'):
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in (*node.names, ast.alias(getattr(node, 'module', '') or ''))
        }
        assert 'random' not in names, path


@pytest.mark.parametrize('eio', [3, 4])
def test_the_ids_that_others_see_are_not_the_sid(port, eio):
    """A namespace's id travels in `fetchSockets` and in rooms; it opens nothing."""
    peer = Peer(port, '3.x, 4.x' if eio == 4 else '1.x, 2.x', 'polling')
    public = [peer.call('sid'), peer.call('ids')]
    assert peer.sid not in str(public)
    answer = ask(port, 'GET', f'/socketio/?EIO={eio}&transport=polling&sid={public[0][0]}')
    assert (answer.status, answer.text) == (400, UNKNOWN)
    peer.close()


class Stolen:
    """A session of a browser with cookies, whose sid somebody else has."""

    def __init__(self, port, generation, **headers):
        self.port, self.generation = port, generation
        self.owner = Peer(port, generation, 'polling', **headers)

    def tries(self, method, body=None, **headers):
        answer = ask(self.port, method, self.owner.path, body, **headers)
        return answer.status, answer.text

    def websocket(self, **headers):
        path = self.owner.path.replace('polling', 'websocket').replace('xhr-websocket', 'websocket')
        client = WebSocket(self.port, path, **headers)
        client.close()
        return client.status


OTHERS = [
    {},
    {'Cookie': 'session=ffffffffffffffff'},
    {'Cookie': 'lang=en'},
    {'Cookie': 'session=0123456789abcde'},
    {'Cookie': 'other=0123456789abcdef'},
    {'Cookie': 'session='},
    {'Cookie': ';;;='},
]


@pytest.mark.parametrize('headers', OTHERS, ids=str)
@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_who_has_only_the_sid_has_nothing(port, generation, headers):
    stolen = Stolen(port, generation, Cookie=COOKIE)
    refused = (200, '7:::1+0') if generation == '0.9' else (400, UNKNOWN)
    assert stolen.tries('GET', **headers) == refused
    assert stolen.tries('POST', 'nonsense', **headers) == refused
    assert stolen.tries('PUT', **headers) == refused
    assert stolen.websocket(**headers) != 101
    if generation == '0.9':
        ask(port, 'GET', f'/socketio/1//{stolen.owner.sid}/?disconnect=1', **headers)
    assert stolen.owner.call('echo', 'still here') == ['still here']
    stolen.owner.close()


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_a_cookie_that_is_renewed_and_others_that_come_and_go_change_nothing(port, generation):
    stolen = Stolen(port, generation, Cookie=COOKIE)
    for cookie in ('session=0123456789abcdef', 'authtkt=fedcba9876543210;new=1', 'a=b;  session=0123456789abcdef ; c'):
        stolen.owner.headers = {'Cookie': cookie}
        assert stolen.owner.call('echo', cookie) == [cookie]
        assert stolen.owner.call('whoami') == [COOKIE]
    stolen.owner.close()


def test_a_client_without_secrets_may_get_some(port):
    for cookie in ({}, {'Cookie': 'lang=en'}):
        stolen = Stolen(port, '3.x, 4.x', **cookie)
        stolen.owner.headers = {'Cookie': COOKIE}
        assert stolen.owner.call('echo', 1) == [1]
        stolen.owner.close()


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_another_page_is_refused(port, generation):
    stolen = Stolen(port, generation, Origin='http://friend.example')
    refused = (200, '7:::1+0') if generation == '0.9' else (400, UNKNOWN)
    assert stolen.tries('GET', Origin='http://other.example') == refused
    assert stolen.tries('POST', '3', Origin=f'http://127.0.0.1:{port}') == refused
    assert stolen.websocket(Origin='http://other.example') != 101
    assert stolen.owner.call('echo', 1) == [1]
    stolen.owner.close()


def test_a_browser_names_its_own_site_in_posts_only(port):
    stolen = Stolen(port, '3.x, 4.x')
    assert stolen.tries('POST', '3', Origin=f'http://127.0.0.1:{port}') == (200, 'ok')
    stolen.owner.close()


@pytest.mark.parametrize('port', ['ours'], indirect=True)
def test_a_kept_connection_is_asked_at_every_request(port):
    """Plain polls do not pass through pywsgi; the cookie of each counts all the same."""
    owner = Peer(port, '3.x, 4.x', 'polling', Cookie=COOKIE)
    thief = Browser(port)
    mine = Peer(port, '3.x, 4.x', 'polling', Cookie='session=ffffffffffffffff')
    assert thief.ask('POST', mine.path, '3', Cookie='session=ffffffffffffffff').status == 200
    assert thief.ask('POST', mine.path, '3', Cookie='session=ffffffffffffffff').status == 200
    assert thief.ask('POST', owner.path, '3', Cookie='session=ffffffffffffffff').status == 400
    assert thief.ask('POST', owner.path, '3').status == 400
    assert thief.ask('POST', owner.path, '3', Cookie=COOKIE).status == 200
    for peer in (owner, thief, mine):
        peer.close()


def test_what_is_bound_can_be_opened_and_the_operator_finds_the_reason():
    with serve(sid_bound_to='origin user') as live:
        stolen = Stolen(live.port, '3.x, 4.x', Cookie=COOKIE)
        assert stolen.tries('POST', '3') == (200, 'ok')
        stolen.owner.close()
    with serve() as live:
        stolen = Stolen(live.port, '3.x, 4.x', Cookie=COOKIE)
        assert stolen.tries('POST', '3') == (400, UNKNOWN)
        assert stolen.owner.sid not in live.wait_for_log(r'WARNING .*refused eio4 of 127\.0\.0\.1: .*sid_bound_to')
        stolen.owner.close()


@pytest.mark.parametrize(
    ('first', 'later', 'held'),
    [
        ({'REMOTE_USER': 'ann'}, {'REMOTE_USER': 'ann'}, True),
        ({'REMOTE_USER': 'ann'}, {'REMOTE_USER': 'bob'}, False),
        ({'REMOTE_USER': 'ann'}, {}, False),
        ({}, {'REMOTE_USER': 'ann'}, False),
        ({}, {}, True),
    ],
)
def test_the_user_of_a_server_in_front(first, later, held):
    assert holds(first, later, ('user',)) is held
    assert holds(first, later, ('origin', 'cookie'))


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
def test_two_clients_never_see_each_others_identity(port, generation, transport):
    """CVE-2020-35681 (channels): scopes of overlapping requests got mixed."""
    cookies = [f'session={i:032}' for i in range(6)]
    peers = [Peer(port, generation, transport, Cookie=cookie) for cookie in cookies]
    for _ in range(3):
        for peer in peers:
            peer.emit('whoami', number=1)
        for peer, cookie in zip(peers, cookies, strict=True):
            assert peer.hear(lambda p: 'session=' in p).count(cookie) == 1
    for peer in peers:
        peer.close()
