"""Conversations of real clients with real servers, replayed against our dialects in both directions.

What a client said must mean something to us, and what Node's server answered must be what we would say. Our JSON
escapes what is not ASCII, so JSON is compared as values; and Node's 1.x leaves out the comma behind a namespace, which
its clients do not miss.
"""

from __future__ import annotations

import json
import re

import pytest

from tgsio_middleware.errors import ConnectionRefused, NoSuchNamespace
from tgsio_middleware.packet import Packet
from tgsio_middleware.settings import Settings
from tgsio_middleware.wire import engineio, sio09
from tgsio_middleware.wire.binary import attach
from tgsio_middleware.wire.conversation import Conversation
from tgsio_middleware.wire.negotiate import negotiate

from . import transcript
from .samples import SETTINGS
from .transcript import Answer, Request, Said

NAMES = transcript.names()
#: of the recorder's servers; those of 1.x and 2.x promise no maxPayload
OPTIONAL = {'maxPayload'}


class Replay:
    """One conversation: `client` is all that the client said, as packets; `server` all that the server said, as text
    and bytes, beside what we would have said.
    """

    def __init__(self, name):
        self.name = name
        self.dialect = None
        self.conversation = None
        self.memory = set()
        self.requests = {}
        self.probing = False
        self.waiting = []
        self.client = []
        self.server = []
        for step in transcript.read(name):
            if type(step) is Request:
                self._asked(step)
            elif type(step) is Answer:
                self._answered(step)
            elif type(step) is Said and step.by_client:
                self._client_said(step.message)
            elif type(step) is Said:
                self._server_said(step.message)

    # -- the client --------------------------------------------------------------------------------------------------

    def _asked(self, request):
        wanted = negotiate('/socketio', request.path, request.query)
        self.requests[request.number] = request, wanted
        if self.dialect is None:
            self.dialect = wanted.dialect
            self.conversation = Conversation(self.dialect, SETTINGS, now=0)
        assert wanted.dialect is self.dialect
        assert wanted.sid in (None, 'SID1________________')
        if wanted.transport == 'websocket':
            self.probing = self.dialect.UPGRADES and wanted.sid is not None
        if request.body is not None:
            for message in self.dialect.split_payload(request.body, request.content_type, self.memory):
                self._client_said(message)

    def _client_said(self, message):
        if self.probing:
            packet = self.dialect.decode(message)
            self.probing = packet['type'] != 'upgrade'
        else:
            packet = self.conversation.receive(message)[1]
        self.client.append(packet)

    # -- the server --------------------------------------------------------------------------------------------------

    def _answered(self, answer):
        request, wanted = self.requests[answer.number]
        if answer.status == 101 or wanted.leaves:
            return
        if request.method == 'POST':
            assert (answer.content_type, answer.body) == self.dialect.POSTED
        elif wanted.transport is None:
            self._handshake(answer)
        else:
            self._payload(answer, wanted)

    def _handshake(self, answer):
        sid, heartbeat, close, transports = answer.body.decode().split(':')
        settings = Settings.parse({'ping_interval': 1, 'ping_timeout': int(heartbeat) - 1})
        ours = self.dialect.handshake(sid, settings).data.decode().split(':')
        assert ours[:3] == [sid, heartbeat, close]
        assert set(ours[3].split(',')) <= set(transports.split(','))

    def _payload(self, answer, wanted):
        """A payload in which all is ASCII has one spelling only; where it is not, 1.x and 2.x differ."""
        memory = {'utf8 twice'} if self.name.startswith('sio1/') else {'utf8 once'}
        messages = self.dialect.split_payload(answer.body, answer.content_type, memory)
        plain = [m if type(m) is str else m[len(self.dialect.BINARY_PREFIX) :] for m in messages]
        if answer.body.isascii():
            assert self.dialect.join_payload(plain, self.dialect.octets(wanted.query)).data == answer.body
        for message in messages:
            self._server_said(message)

    def _server_said(self, message):
        if self.dialect is not sio09 and type(message) is bytes:
            self.waiting.append(message[len(self.dialect.BINARY_PREFIX) :])
        else:
            self.waiting.append(message)
        first = self.waiting[0]
        if first[:2] in ('45', '46') and len(self.waiting) <= int(first[2 : first.index('-')]):
            return
        self.server.append((tuple(self.waiting), self._ours(*self.waiting)))
        self.waiting = []

    def _ours(self, message, *attachments):
        """What we say where Node said `message`."""
        if self.dialect is sio09:
            return self._ours_of_sio09(message)
        if message[0] == '0':
            return self._hello(json.loads(message[1:]))
        if message[:2] == '40':
            self.conversation.joined()
            packet = engineio.decode(message)
            return self.dialect.encode({**packet, 'sid': (packet['auth'] or {}).get('sid')})
        if message[:2] == '44':
            return self.dialect.refusal(*self._refused(engineio.decode(message)))
        if message[0] == '4':
            return self.dialect.encode(whole(engineio.decode(message), attachments))
        kinds = {'1': 'close', '2': 'heartbeat', '3': 'pong', '6': 'noop'}
        return self.dialect.encode(Packet(type=kinds[message[0]], endpoint='', data=message[1:]))

    def _hello(self, data):
        settings = Settings.parse(
            {'ping_interval': data['pingInterval'] / 1000, 'ping_timeout': data['pingTimeout'] / 1000}
        )
        (hello,) = self.dialect.hello(data['sid'], settings, tuple(data['upgrades']))
        ours = json.loads(hello[1:])
        assert set(ours) - set(data) <= OPTIONAL
        return ('0' + json.dumps({key: ours[key] for key in data}),)

    def _refused(self, error):
        said, endpoint = error['data'], error['endpoint']
        if 'Invalid namespace' in (said, type(said) is dict and said.get('message')):
            return endpoint, NoSuchNamespace(endpoint)
        if self.dialect.NAME == 'eio4':
            return endpoint, ConnectionRefused(said['message'], said.get('data'))
        return endpoint, ConnectionRefused(said) if type(said) is str else ConnectionRefused('words', said)

    def _ours_of_sio09(self, message):
        if message == '2::':
            return sio09.encode(Packet(type='heartbeat'))
        packet = sio09.decode(message)
        if packet['type'] == 'error':
            return sio09.refusal(packet['endpoint'], ConnectionRefused())[-1:]
        return sio09.encode(packet)


def whole(packet, attachments):
    """A packet with its attachments in place."""
    if packet['type'] != 'binary':
        return packet
    attach(packet['whole']['args'], attachments)
    return packet['whole']


def alike(message):
    """What two spellings of one message have in common."""
    if type(message) is bytes:
        return message
    head, data = re.fullmatch(r'(.*?)([\[{"].*)?', message, re.DOTALL).groups()
    if head[:1] == '3' and head[1:2] == ':':  # 0.9: a message's text is no JSON
        return message
    return head.rstrip(','), json.loads(data) if data else None


def test_there_are_transcripts_of_every_generation():
    assert {name.partition('/')[0] for name in NAMES} == {'sio09', 'sio1', 'sio2', 'sio3', 'sio4'}
    assert len(NAMES) > 150


@pytest.mark.parametrize('name', NAMES)
def test_what_the_server_said_is_what_we_say(name):
    replay = Replay(name)
    assert replay.server or replay.dialect is sio09
    for theirs, ours in replay.server:
        assert [*map(alike, ours)] == [*map(alike, theirs)]


#: What clients said in a scene, whatever the road and the generation: (kind, what is looked at) -> it must be among it.
SCENES = {
    'events': ('event', 'name', 'echo'),
    'acks': ('ack', 'ackId', None),
    'namespace': ('connect', 'endpoint', '/chat'),
    'leave': ('disconnect', 'endpoint', '/chat'),
    'binary': ('event', 'name', 'echo'),
    'unicode': ('event', 'name', 'echo'),
    'messages': (None, None, None),
}


@pytest.mark.parametrize('name', [name for name in NAMES if name.rpartition('-')[2] in SCENES])
def test_what_the_client_said_means_something(name):
    kind, key, value = SCENES[name.rpartition('-')[2]]
    packets = Replay(name).client
    if kind is None:
        assert {p['type'] for p in packets} & {'message', 'json', 'event'}
    else:
        assert any(p['type'] == kind and (value is None or p[key] == value) for p in packets)


@pytest.mark.parametrize('name', [name for name in NAMES if name.endswith('-unicode')])
def test_what_the_client_said_in_unicode(name):
    said = json.dumps([p['args'] for p in Replay(name).client if p['type'] == 'event'], ensure_ascii=False)
    assert 'é' in said
    assert '😀' in said
    assert 'Ã' not in said


@pytest.mark.parametrize('name', [name for name in NAMES if name.endswith('-binary')])
def test_what_the_client_said_in_bytes(name):
    args = [p['args'] for p in Replay(name).client if p['type'] == 'event']
    assert [b'\x00\x01\x02\xfd\xfe\xff'] in args


@pytest.mark.parametrize('name', [name for name in NAMES if name.endswith('upgrade')])
def test_the_client_moved(name):
    kinds = [p['type'] for p in Replay(name).client]
    assert kinds.index('ping') < kinds.index('upgrade')
    assert 'event' in kinds[kinds.index('upgrade') :]


def test_the_reader_reads_every_kind_of_line():
    kinds = {type(step).__name__ for name in NAMES for step in transcript.read(name)}
    assert kinds == {'Time', 'Request', 'Answer', 'GivenUp', 'Said', 'Closed'}
