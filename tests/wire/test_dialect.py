"""What every generation promises, one contract for all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.errors import (
    ConnectionRefused,
    HandshakeRefused,
    NoSuchNamespace,
    NotInThisDialect,
    RemoteProtocolError,
)
from tgsio_middleware.packet import Packet, ack, event
from tgsio_middleware.settings import GENERATIONS, TRANSPORTS, Settings
from tgsio_middleware.wire.conversation import DELIVER, TALKING, URGENT, Conversation
from tgsio_middleware.wire.dialect import Answer, Body, Octets
from tgsio_middleware.wire.javascript import loads
from tgsio_middleware.wire.negotiate import DIALECTS

from .samples import SETTINGS, acks, args, events, text, values, with_bytes

every_dialect = pytest.mark.parametrize('dialect', DIALECTS, ids=lambda dialect: dialect.NAME)
binary_dialects = pytest.mark.parametrize('dialect', [d for d in DIALECTS if d.NAME != 'sio09'], ids=lambda d: d.NAME)

TYPES = ['', 'text/plain;charset=UTF-8', 'application/octet-stream', 'text/html', 'nonsense']
#: Messages that real clients begin with; hypothesis goes on from there.
STARTS = [
    '42["',
    '451-["x",{"_placeholder":true,"num":',
    '40/a,{',
    '43/a,1[',
    '5:1+:/a:{"name":',
    '6:::1+[',
    '1::/a?',
    '4:::',
    '2',
    '',
]


def heard(dialect, messages):
    """What a server makes of messages, through the whole conversation."""
    conversation = Conversation(dialect, replace(SETTINGS, max_attachments=1000), now=0)
    conversation.joined()
    verbs = [conversation.receive(m) for m in messages]
    assert verbs[-1][0] in (DELIVER, URGENT)
    assert conversation.state is TALKING
    return verbs[-1][1]


def through_the_wire(dialect, packet):
    messages = dialect.encode(packet, None)
    return heard(dialect, [m if type(m) is str else dialect.BINARY_PREFIX + m for m in messages])


@every_dialect
class TestEveryDialect:
    def test_its_rows(self, dialect):
        assert dialect.NAME
        assert set(dialect.GENERATIONS) <= set(GENERATIONS)
        assert {'websocket', 'polling'} <= set(dialect.TRANSPORTS.values()) <= set(TRANSPORTS)
        assert type(dialect.HEARTBEAT.server_asks) is bool
        assert type(dialect.POSTED) is Body
        for row in ('GLOBAL_UNASKED', 'STRAY_ENDS', 'UPGRADES', 'FALLS_BACK'):
            assert type(getattr(dialect, row)) is bool
        assert type(dialect.BINARY_PREFIX) is bytes

    def test_its_farewell_can_be_said(self, dialect):
        if dialect.FAREWELL is not None:
            assert len(dialect.encode(dialect.FAREWELL, None)) == 1

    @pytest.mark.parametrize('endpoint', ['', '/chat'])
    @pytest.mark.parametrize(
        'packet',
        [
            Packet(type='connect', sid='abc'),
            Packet(type='disconnect'),
            Packet(type='event', name='x', args=[1]),
            Packet(type='message', data='x'),
            Packet(type='json', data=[1]),
            Packet(type='ack', ackId=0, args=[]),
            Packet(type='noop'),
            Packet(type='close'),
            Packet(type='heartbeat'),
        ],
        ids=lambda packet: packet['type'],
    )
    def test_everything_that_a_server_says_is_ascii_text(self, dialect, packet, endpoint):
        (message,) = dialect.encode(Packet(packet, endpoint=endpoint), None)
        assert message.isascii()

    @pytest.mark.parametrize('endpoint', ['', '/chat'])
    @pytest.mark.parametrize(
        'refused', [ConnectionRefused(), ConnectionRefused('é', {'a': 1}), NoSuchNamespace('/chat')]
    )
    def test_a_refusal_is_text(self, dialect, refused, endpoint):
        messages = dialect.refusal(endpoint, refused)
        assert messages
        assert all(m.isascii() for m in messages)

    @pytest.mark.parametrize('reason', HandshakeRefused.REASONS)
    def test_an_http_refusal_is_a_whole_answer(self, dialect, reason):
        answer = dialect.http_refusal(reason)
        assert type(answer) is Answer
        assert int(answer.status[:3]) in (200, 400, 403, 413, 429, 500, 503)
        assert answer.data

    def test_a_new_client_hears_its_sid(self, dialect):
        said = [*dialect.hello('the-sid', SETTINGS, ('websocket',))]
        body = dialect.handshake('the-sid', SETTINGS)
        if body is not None:
            said.append(body.data.decode())
        assert sum('the-sid' in message for message in said) == 1

    def test_what_the_site_alone_can_turn_into_json(self, dialect):
        messages = dialect.encode(event('', 'x', [{1, 2}]), sorted)
        assert '[[1,2]]' in messages[0] or '["x",[1,2]]' in messages[0]

    @given(packet=events(args))
    def test_an_event_comes_back(self, dialect, packet):
        assert through_the_wire(dialect, packet) == packet

    @given(packet=acks(args))
    def test_an_ack_comes_back(self, dialect, packet):
        assert through_the_wire(dialect, packet) == packet

    @given(data=st.text(max_size=20))
    def test_a_message_comes_back(self, dialect, data):
        packet = through_the_wire(dialect, Packet(type='message', endpoint='/chat', data=data))
        assert packet.get('data', packet.get('args')) in (data, [data])

    @given(data=values)
    def test_json_comes_back(self, dialect, data):
        packet = through_the_wire(dialect, Packet(type='json', endpoint='', data=data))
        assert (packet['args'] if 'args' in packet else [packet['data']]) == [data]

    @given(message=st.builds(str.__add__, st.sampled_from(STARTS), text) | text)
    def test_any_text_is_a_packet_or_the_clients_fault(self, dialect, message):
        try:
            packet = dialect.decode(message)
        except RemoteProtocolError:
            return
        assert type(packet['type']) is str

    @given(message=st.binary(max_size=20))
    def test_any_bytes_are_a_packet_or_the_clients_fault(self, dialect, message):
        try:
            dialect.decode(message)
        except RemoteProtocolError:
            pass

    @given(value=values)
    def test_any_json_in_any_packet_is_heard_or_the_clients_fault(self, dialect, value):
        said = json.dumps(value)
        for head in (
            '42',
            '42/a,',
            '421',
            '451-',
            '450-',
            '431',
            '461-0',
            '40',
            '40/a,',
            '44',
            '41',
            '4:::',
            '5:::',
            '6:::1+',
            '7:::',
        ):
            try:
                dialect.decode(head + said)
            except RemoteProtocolError:
                pass

    @pytest.mark.parametrize(
        'message',
        [
            '42' + '["x",' * 50_000,
            '42["x",' + '{"a":' * 50_000,
            '42["x",' + '9' * 5000 + ']',
            '42["x",-' + '9' * 5000 + ']',
            '42["x",1e999]',
            '42["x",NaN]',
            '42["x",-Infinity]',
            '4' + '2' * 5000,
            '4' + '/' * 5000,
            '5:::{"name":"x","args":' + '[' * 50_000,
            '5:::{"name":"x","args":[1e999]}',
            '6:::' + '9' * 5000,
            '5:' + '9' * 5000 + '::{"name":"x"}',
            ':' * 5000,
            '\ud800',
            '\x00',
        ],
        ids=lambda message: ascii(message[:24]),
    )
    def test_hostile_text_is_the_clients_fault(self, dialect, message):
        with pytest.raises(RemoteProtocolError):
            dialect.decode(message)

    # -- payloads of polling -------------------------------------------------------------------------------------------

    @given(
        messages=st.lists(
            st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\x1e\ufffd'), min_size=1), min_size=1
        )
    )
    def test_a_payload_of_texts_comes_back(self, dialect, messages):
        messages = ['4' + m for m in messages]
        body = dialect.join_payload(messages, Octets.NEVER)
        # a 2.x: a 1.x would have encoded twice
        assert dialect.split_payload(body.data, body.content_type, {'utf8 once'}) == messages

    @given(messages=st.lists(text, min_size=1, max_size=4), octets=st.sampled_from(Octets))
    def test_no_text_spoils_a_payload(self, dialect, messages, octets):
        body = dialect.join_payload(messages, octets)
        if body.content_type != 'application/octet-stream':
            body.data.decode()

    @given(body=st.binary(max_size=60) | st.text(max_size=40).map(str.encode), content_type=st.sampled_from(TYPES))
    def test_any_body_is_a_payload_or_the_clients_fault(self, dialect, body, content_type):
        try:
            messages = dialect.split_payload(body, content_type, set())
        except RemoteProtocolError:
            return
        assert all(type(m) in (str, bytes) for m in messages)

    @given(
        parts=st.lists(
            st.sampled_from(
                ['1', '2', '9', ':', '\ufffd', '\x1e', 'b', 'b4', 'AQI=', '4', '😀', 'Ã©', 'é', ':4', '\x00', '\uff3a']
            )
        ),
        content_type=st.sampled_from(TYPES),
    )
    def test_a_body_of_familiar_parts_is_a_payload_or_the_clients_fault(self, dialect, parts, content_type):
        try:
            dialect.split_payload(''.join(parts).encode(), content_type, set())
        except RemoteProtocolError:
            pass


@binary_dialects
class TestBinaryDialects:
    @given(packet=events(st.lists(with_bytes, max_size=4)))
    def test_an_event_comes_back(self, dialect, packet):
        assert through_the_wire(dialect, packet) == packet

    @given(packet=acks(st.lists(with_bytes, max_size=4)))
    def test_an_ack_comes_back(self, dialect, packet):
        assert through_the_wire(dialect, packet) == packet

    @pytest.mark.parametrize('octets', Octets)
    @given(data=st.lists(st.binary(max_size=20), min_size=1, max_size=4))
    def test_a_payload_of_bytes_comes_back(self, dialect, data, octets):
        messages = ['40', *data, '41']
        body = dialect.join_payload(messages, octets)
        expected = [m if type(m) is str else dialect.BINARY_PREFIX + m for m in messages]
        assert dialect.split_payload(body.data, body.content_type, set()) == expected

    @given(first=values, data=st.lists(st.binary(max_size=5), max_size=3), num=values)
    def test_any_placeholder_is_heard_or_the_clients_fault(self, dialect, first, data, num):
        text = json.dumps(['x', first, {'_placeholder': True, 'num': num}])
        conversation = Conversation(dialect, SETTINGS, now=0)
        conversation.joined()
        try:
            conversation.receive(f'45{len(data)}-{text}')
            for attachment in data:
                conversation.receive(dialect.BINARY_PREFIX + attachment)
        except RemoteProtocolError:
            pass


def test_0_9_has_no_binary_data():
    with pytest.raises(NotInThisDialect):
        DIALECTS[0].encode(event('', 'x', [b'']), None)


def test_every_generation_has_one_dialect():
    spoken = [generation for dialect in DIALECTS for generation in dialect.GENERATIONS]
    assert sorted(spoken) == sorted(GENERATIONS)


def test_names_are_different():
    assert len({dialect.NAME for dialect in DIALECTS}) == len(DIALECTS)


@every_dialect
def test_a_hello_that_promises_fractions_of_a_second(dialect):
    for message in dialect.hello('abc', Settings.parse({'ping_interval': 0.3, 'ping_timeout': 0.25}), ()):
        assert loads(message, 1)['pingInterval'] == 300
        assert loads(message, 1)['pingTimeout'] == 250


def test_one_packet_said_in_all_generations():
    said = {dialect.NAME: dialect.encode(event('/chat', 'hi', ['é']), None) for dialect in DIALECTS}
    assert said == {
        'sio09': ('5::/chat:{"name":"hi","args":["\\u00e9"]}',),
        'eio3': ('42/chat,["hi","\\u00e9"]',),
        'eio4': ('42/chat,["hi","\\u00e9"]',),
    }


def test_one_ack_said_in_all_generations():
    said = {dialect.NAME: dialect.encode(ack('/chat', 0, [None]), None) for dialect in DIALECTS}
    assert said == {'sio09': ('6::/chat:0+[null]',), 'eio3': ('43/chat,0[null]',), 'eio4': ('43/chat,0[null]',)}
