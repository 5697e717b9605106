"""The same on every server: what the clients of all generations do, over each of their transports."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from urllib.request import urlopen

import pytest

from tests.functional.clients import GENERATIONS, Client, requires_node
from tests.functional.peers import Peer
from tests.functional.table import PAIRS, Pair
from tests.live import INI, run

from .programs import SERVERS

pytestmark = [pytest.mark.node, pytest.mark.once]

TEXT = 'é😀漢' * 12_000
BYTES = [b'\x00\x01\xfe\xff', {'deep': [b'\x80' * 70_000]}]


@pytest.fixture(scope='module', params=SERVERS)
def live(request, certificate):
    requires_node()
    server = certificate.lines if 'TLS' in request.param else ''
    ini = INI.format(
        site='tests.fixtureapps.pingpong', settings='', server=server, app='', debug='false', level='INFO', port=0
    )
    with run(ini, SERVERS[request.param]) as live:
        yield live
        assert 'Traceback' not in live.log(), live.log()


@pytest.fixture(scope='module')
def clients(live, certificate):
    """A Node process for each generation."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv('NODE_EXTRA_CA_CERTS', str(certificate.file))
        yield {name: stack.enter_context(Client(name, live.url)) for name in GENERATIONS}


@pytest.fixture(scope='module')
def witness(clients):
    """Somebody else in /pingpong."""
    pair = Pair('4', 'polling')
    witness = Peer(clients[pair.generation], pair)
    witness.join()
    yield witness
    witness.close()
    witness.wait('closed')


@pytest.mark.parametrize('pair', PAIRS, ids=str)
def test_a_client_connects_talks_and_leaves(clients, witness, pair):
    peer = Peer(clients[pair.generation], pair)
    peer.join()
    assert peer.wait('event', event='welcome')['args'] == ['/socketio/pingpong']
    assert peer.call('echo', 'é', {'n': [1, None]}) == ['é', {'n': [1, None]}]
    assert peer.call('ack_one', TEXT) == [TEXT]
    if pair.generation != '09':
        assert peer.call('echo', *BYTES) == BYTES
    peer.reply('question', 'yes', 2)
    peer.emit('ask', 'why')
    peer.wait('event', event='answered', args=[['yes', 2]])
    peer.settle()
    name = str(pair)
    assert peer.call('name', name) == [None]
    peer.emit('burst', 100)
    peer.wait('event', event='number', args=[99])
    assert peer.events('number') == [[number] for number in range(100)]
    peer.disconnect()
    witness.wait('event', event='left', args=[name])
    peer.close()


def test_pages_work_beside_it(live, certificate):
    with urlopen(live.url, timeout=10, context=ssl.create_default_context(cafile=certificate.file)) as page:
        assert page.read() == b'the site'
