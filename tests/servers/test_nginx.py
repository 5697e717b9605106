"""The README's configuration of nginx: TLS outside, plain HTTP inside, two processes."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack
from urllib.request import Request, urlopen

import pytest

from tests.functional.clients import GENERATIONS, Client, requires_node
from tests.functional.peers import Peer
from tests.functional.table import PAIRS
from tests.live import INI, PATIENCE, run, serve
from tests.transports.client import handshake

from .nginx import nginx

pytestmark = [pytest.mark.node, pytest.mark.once]

SITE = 'tests.fixtureapps.pingpong'
#: The frame of the global namespace's CONNECT.
CONNECTED = b'\x81\x0240'


@pytest.fixture(scope='module')
def processes(tmp_path_factory):
    """One on a port, one on a unix socket; the connections' lines go to their logs."""
    path = tmp_path_factory.mktemp('unix') / 'site.sock'
    unix = INI.replace('port = {port}\n', f'unix_socket = {path}\n').format(
        site=SITE, settings='trusted_proxies = unix', server='', app='', debug='false', level='INFO'
    )
    with serve(SITE, trusted_proxies='127.0.0.1') as first, run(unix) as second:
        yield {f'127.0.0.1:{first.port}': first, f'unix:{path}': second}


@pytest.fixture(scope='module', params=['port', 'unix'])
def proxied(request, processes, certificate, tmp_path_factory):
    """(URL, the one process behind it)."""
    upstream = [name for name in processes if name.startswith('unix:') == (request.param == 'unix')]
    with nginx(tmp_path_factory.mktemp('nginx'), certificate, upstream) as url:
        yield url, processes[upstream[0]]


@pytest.fixture(scope='module')
def clients(processes, certificate, tmp_path_factory):
    """A Node process for each generation; both processes are behind their nginx."""
    requires_node()
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv('NODE_EXTRA_CA_CERTS', str(certificate.file))
        url = stack.enter_context(nginx(tmp_path_factory.mktemp('nginx'), certificate, list(processes)))
        yield {name: stack.enter_context(Client(name, url)) for name in GENERATIONS}


@pytest.mark.parametrize('pair', PAIRS, ids=str)
def test_clients_of_all_generations_come_through(clients, pair):
    peer = Peer(clients[pair.generation], pair)
    peer.join()
    text = 'é' * 100_000
    assert peer.call('echo', text) == [text]
    peer.settle()
    assert peer.call('ack_one', 1) == [1]
    peer.close()


class Visitor:
    """Somebody at 127.0.0.9, who trusts the certificate."""

    def __init__(self, url, certificate):
        self.port = int(url.rpartition(':')[2])
        self.context = ssl.create_default_context(cafile=certificate.file)

    def open(self, origin, **headers):
        """The status of a websocket's handshake, sent with a page's origin; a client that is let in is connected."""
        raw = socket.create_connection(('127.0.0.1', self.port), PATIENCE, source_address=('127.0.0.9', 0))
        with self.context.wrap_socket(raw, server_hostname='127.0.0.1') as sock:
            path = '/socketio/?EIO=3&transport=websocket'
            sock.sendall(handshake(self.port, path, Origin=origin, **headers))
            heard = sock.recv(4096)
            while heard.split()[1] == b'101' and CONNECTED not in heard:
                heard += sock.recv(4096)
            return int(heard.split()[1])


def test_the_page_that_the_browser_sees_is_our_own_and_another_is_not(proxied, certificate):
    url, _ = proxied
    visitor = Visitor(url, certificate)
    assert visitor.open(url) == 101
    assert visitor.open(url.replace('https', 'http')) == 403
    assert visitor.open('https://evil.example') == 403
    assert visitor.open('https://evil.example', X_Forwarded_Host='evil.example') == 403


def test_the_log_has_the_clients_address_whatever_it_says_itself(proxied, certificate):
    url, process = proxied
    assert Visitor(url, certificate).open(url, X_Forwarded_For='203.0.113.66') == 101
    process.wait_for_log(r"connect '/': 1.x/2.x by websocket from 127\.0\.0\.9, ")
    assert '203.0.113.66' not in process.log()


def test_pages_come_through(proxied, certificate):
    context = ssl.create_default_context(cafile=certificate.file)
    with urlopen(Request(proxied[0]), timeout=PATIENCE, context=context) as page:
        assert page.read() == b'the site'
