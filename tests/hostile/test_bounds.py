"""What a client can make grow, and how it ends: by the setting's name in its disconnect, in the log and on the wire.

CVE-2026-33151 (socket.io-parser), CVE-2026-48804 (python-socketio): attachments without a bound. CVE-2020-36048
(engine.io): bodies of 100 MB. ws CVE-2016-10542: huge frames.
"""

from __future__ import annotations

import pytest

from tests.live import eventually
from tests.transports.client import TEXT, WebSocket, ask, frame

from .peers import PEERS, Peer, census, serve

#: What the servers of this module allow.
SETTINGS = {
    'max_payload': 5000,
    'max_fragments': 50,
    'max_attachments': 3,
    'attachment_timeout': 0.4,
    'max_buffered': 300_000,
    'max_namespaces': 1,
    'max_rooms': 5,
    'max_head': 3000,
    'transports': 'websocket polling htmlfile',
}


@pytest.fixture(scope='module')
def live():
    with serve(**SETTINGS) as live:
        yield live


@pytest.fixture
def watcher(live):
    """Hears of others' ends."""
    peer = Peer(live.port)
    yield peer
    assert peer.call('echo', 'nobody else has noticed') == ['nobody else has noticed']
    peer.close()


CONTINUED = frame(b'', 0, final=False)
BINARY_HEAD = '451-["echo",{"_placeholder":true,"num":0}]'
#: setting -> what crosses it, the close code of a websocket, the status of a POST (None: the end comes later)
CROSSINGS = {
    'max_payload': (lambda peer: peer.emit('echo', 'x' * 5000), 1009, 413),
    'max_namespaces': (lambda peer: peer.join('/chat'), 1008, None),
    'max_rooms': (lambda peer: peer.emit('join', *'abcdef'), 1008, None),
    'max_attachments': (lambda peer: peer.say('454-["echo"]'), 1008, 400),
    'attachment_timeout': (lambda peer: peer.say(BINARY_HEAD), 1008, None),
    'max_fragments': (lambda peer: peer.say_bytes(frame(b'', TEXT, final=False) + CONTINUED * 51), 1009, None),
}


def crossings():
    for setting in CROSSINGS:
        for generation, transport in PEERS:
            binary = 'attachment' in setting
            if (binary and generation == '0.9') or (setting == 'max_fragments' and transport != 'websocket'):
                continue
            yield pytest.param(setting, generation, transport, id=f'{setting}-{generation}-{transport}')


@pytest.mark.parametrize(('setting', 'generation', 'transport'), list(crossings()))
def test_who_crosses_a_bound_is_ended_by_its_name(live, watcher, setting, generation, transport):
    cross, code, status = CROSSINGS[setting]
    peer = Peer(live.port, generation, transport)
    name = f'{setting} {generation} {transport}'
    assert peer.call('name', name) == [True]
    answer = cross(peer)
    if transport == 'websocket':
        peer.wait_ended()
        assert (peer.code, setting in peer.reason) == (code, True)
    elif status is not None:
        assert answer.status == status
    assert watcher.events('left')[:2] == [name, f'{setting} exceeded']
    eventually(lambda: ask(live.port, 'POST', peer.path, '2').text != 'ok')
    lines = [line for line in live.log().splitlines() if f'({setting})' in line and peer_name(peer) in line]
    assert lines
    assert all(line.startswith('WARNING tgsio_middleware.engine.socket') for line in lines)
    peer.close()


def peer_name(peer):
    return {'0.9': 'sio09', '1.x, 2.x': 'eio3', '3.x, 4.x': 'eio4'}[peer.generation] + ' client '


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_a_namespace_too_many_is_refused_in_the_clients_words_before_the_end(live, generation):
    peer = Peer(live.port, generation)
    peer.join('/chat')
    words = {'0.9': '5::/chat:', '1.x, 2.x': '44/chat,', '3.x, 4.x': '44/chat,'}[generation]
    assert 'too many namespaces' in peer.hear(lambda packet: packet.startswith(words))
    peer.wait_ended()
    peer.close()


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
def test_at_the_bound_all_is_well(live, generation, transport):
    peer = Peer(live.port, generation, transport)
    assert peer.call('join', *'abcde') == [5]
    assert peer.call('join', *'abcde') == [5]
    assert peer.call('echo', 'x' * 4900) == ['x' * 4900]
    peer.close()


@pytest.mark.parametrize('generation', ['1.x, 2.x', '3.x, 4.x'])
def test_attachments_that_come_slowly_but_in_time(live, generation):
    peer = Peer(live.port, generation)
    prefix = b'\x04' if peer.eio == 3 else b''
    for _ in range(3):
        peer.say('451-["name",{"_placeholder":true,"num":0}]', prefix + b'x')
    assert peer.call('echo', 1) == [1]
    peer.close()


def test_attachments_before_anybody_was_let_in(live):
    """CVE-2026-48804: they were kept for clients that had not connected."""
    client = WebSocket(live.port)
    client.hear()
    client.send(BINARY_HEAD)
    assert client.hear_close() == 1002
    client.close()


@pytest.mark.parametrize('said', ['455999999999-["x"]', '45-1-["x"]', '451.5-["x"]', '45' + '9' * 400 + '-["x"]'])
def test_a_number_of_attachments_that_is_none(live, said):
    """CVE-2026-33151."""
    peer = Peer(live.port)
    peer.say(said)
    peer.wait_ended()
    assert peer.code in (1002, 1008)
    peer.close()


HANDSHAKES = ['/socketio/?EIO=4&transport=polling', '/socketio/?EIO=3&transport=polling', '/socketio/1/']


@pytest.mark.parametrize('path', HANDSHAKES)
def test_a_head_that_would_be_kept_for_good(live, path):
    """A hundred headers of 64 KiB each, times every client that has shaken hands."""
    answer = ask(live.port, 'GET', path, Cookie='x' * 3000)
    assert answer.status == 413
    assert ask(live.port, 'GET', path, Cookie='x' * 2000).status == 200
    websocket = path.replace('polling', 'websocket')
    if websocket != path:
        client = WebSocket(live.port, websocket, Cookie='x' * 3000)
        assert client.status == 413
        client.close()


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_a_slow_websocket_is_ended_as_one(live, watcher, generation):
    peer = Peer(live.port, generation)
    peer.call('name', f'slow {generation}')
    peer.emit('tell', 200, 100_000)  # more than the kernels' buffers take
    assert watcher.events('left')[:2] == [f'slow {generation}', 'slow consumer']
    live.wait_for_log(rf'WARNING .*{peer_name(peer)}.*\(max_buffered\)')
    peer.close()


@pytest.mark.parametrize('generation', ['0.9', '1.x, 2.x', '3.x, 4.x'])
def test_who_does_not_poll_is_a_slow_consumer_too(live, watcher, generation):
    peer = Peer(live.port, generation, 'polling')
    peer.call('name', f'idle {generation}')
    peer.emit('tell', 40, 100_000)
    assert watcher.events('left')[:2] == [f'idle {generation}', 'slow consumer']
    peer.close()


def test_many_small_packets_wait_as_dearly_as_they_are(live, watcher):
    """Each costs an object besides its characters: 300,000 bytes are not 300,000 packets of one character."""
    peer = Peer(live.port, '1.x, 2.x', 'polling')
    peer.call('name', 'small')
    for _ in range(20):
        if peer.say(*['2'] * 1000).status != 200:
            break
    assert watcher.events('left')[:2] == ['small', 'slow consumer']
    peer.close()


# -- what is off unless it is wanted ----------------------------------------------------------------------------------


def flood(peer, count):
    """Until the server has had enough."""
    for _ in range(count):
        try:
            answer = peer.emit('echo')
        except OSError:
            return
        if answer is not None and answer.status != 200:
            assert answer.status == 400 or peer.eio is None
            return


@pytest.fixture(scope='module')
def metered():
    with serve(max_events_per_second=5) as live:
        yield live


@pytest.mark.parametrize(('generation', 'transport'), PEERS)
def test_events_a_second(metered, generation, transport):
    watcher, peer = Peer(metered.port), Peer(metered.port, generation, transport)
    assert peer.call('name', 'talker') == [True]
    for i in range(40):
        assert peer.call('echo', i, number=i) == [i]
    flood(peer, 500)
    assert watcher.events('left')[:2] == ['talker', 'max_events_per_second exceeded']
    metered.wait_for_log(rf'WARNING .*{peer_name(peer)}.*more than 5 packets a second \(max_events_per_second\)')
    if transport == 'websocket':
        peer.wait_ended()
        assert (peer.code, peer.reason) == (1008, 'max_events_per_second exceeded')
    peer.close()
    watcher.close()


@pytest.mark.parametrize('server', ['ours', 'stock'])
def test_clients_an_address(server):
    with serve(server, max_clients_per_address=3) as live:
        assert [ask(live.port, 'GET', path).status for path in HANDSHAKES] == [200] * 3
        assert [ask(live.port, 'GET', path).status for path in HANDSHAKES] == [429] * 3
        answer = ask(live.port, 'GET', HANDSHAKES[0])
        assert answer.text == '{"code":4,"message":"Too many connections"}'
        live.wait_for_log(r'WARNING .*refused .* of 127\.0\.0\.1: more than 3 clients .*\(max_clients_per_address\)')
    with serve(server, max_clients_per_address=3, ping_interval=0.3, ping_timeout=0.3, connect_timeout=0.3) as live:
        peers = [Peer(live.port) for _ in range(2)]
        ask(live.port, 'GET', HANDSHAKES[0])
        eventually(lambda: census(live.port)['clients'] == 2)  # the third has not connected in time
        peers.append(Peer(live.port))
        for peer in peers:
            peer.close()
        eventually(lambda: census(live.port)['clients'] == 0)
        Peer(live.port).close()


# -- handshakes in waiting --------------------------------------------------------------------------------------------


def test_who_is_let_in_nowhere_dies_in_time_however_alive():
    """The global namespace refuses everybody; heartbeats do not make a guest of such a client."""
    with serve(closed=True, ping_interval=10, ping_timeout=10, connect_timeout=1) as live:
        peers = [Peer(live.port, *kind, joins=False) for kind in PEERS for _ in range(2)]
        assert census(live.port)['clients'] == len(peers)
        for peer in peers:
            if peer.eio == 4:
                peer.say('40')
        eventually(lambda: census(live.port)['clients'] == 0)
        for peer in peers:
            peer.close()


def test_frames_of_the_least_size(live):
    """A message of nothing costs something as well; so do pings, which are answered."""
    peer = Peer(live.port)
    before = census(live.port)['memory']
    for _ in range(100):
        peer.say_bytes(frame(b'p' * 125, 9) * 50)
        while peer.websocket.frame()[0] != 10:
            pass
    assert census(live.port)['memory'] < before + 30_000
    peer.close()
