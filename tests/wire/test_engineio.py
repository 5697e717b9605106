"""What Engine.IO 3 and 4 have in common: Socket.IO's packets inside, the hello, the refusals."""

from __future__ import annotations

import json

import pytest

from tgsio_middleware.errors import HandshakeRefused, RemoteProtocolError
from tgsio_middleware.packet import Packet, ack, event
from tgsio_middleware.settings import Settings
from tgsio_middleware.wire import engineio

PLACEHOLDER = {'_placeholder': True, 'num': 0}


def binary(count, whole):
    return Packet(type='binary', whole=whole, count=count)


# (text, packet): in both directions
TABLE = [
    ('42["hi"]', event('', 'hi', [])),
    ('42["hi",{"a":1}]', event('', 'hi', [{'a': 1}])),
    ('42/admin,["x"]', event('/admin', 'x', [])),
    ('42/admin/chat,["x",[],null]', event('/admin/chat', 'x', [[], None])),
    ('420["m"]', Packet(event('', 'm', []), id=0, ack='data')),
    ('421["m","x"]', Packet(event('', 'm', ['x']), id=1, ack='data')),
    ('42/chat,7["say","hi"]', Packet(event('/chat', 'say', ['hi']), id=7, ack='data')),
    ('42/a[b,["x"]', event('/a[b', 'x', [])),
    ('42["[","]"]', event('', '[', [']'])),
    ('42["\\u00e9"]', event('', 'é', [])),
    ('430[]', ack('', 0, [])),
    ('431["x"]', ack('', 1, ['x'])),
    ('43/admin,12[null]', ack('/admin', 12, [None])),
    ('41', Packet(type='disconnect', endpoint='')),
    ('41/admin,', Packet(type='disconnect', endpoint='/admin')),
]
READ_ONLY = [
    ('42/,["x"]', event('', 'x', [])),
    ('42[ "x" , 1 ]', event('', 'x', [1])),
    ('42["é😀"]', event('', 'é😀', [])),
    ('41/admin', Packet(type='disconnect', endpoint='/admin')),
    ('41/', Packet(type='disconnect', endpoint='')),
    ('44', Packet(type='error', endpoint='', data=None)),
    ('44"no"', Packet(type='error', endpoint='', data='no')),
    ('44/admin,{"message":"no"}', Packet(type='error', endpoint='/admin', data={'message': 'no'})),
    ('40', Packet(type='connect', endpoint='', qs='', auth=None)),
    ('40/', Packet(type='connect', endpoint='', qs='', auth=None)),
    ('40/,', Packet(type='connect', endpoint='', qs='', auth=None)),
    ('40/?a=b', Packet(type='connect', endpoint='', qs='a=b', auth=None)),
    ('40{}', Packet(type='connect', endpoint='', qs='', auth={})),
    ('40{"token":"x"}', Packet(type='connect', endpoint='', qs='', auth={'token': 'x'})),
    ('40/admin,', Packet(type='connect', endpoint='/admin', qs='', auth=None)),
    ('40/random', Packet(type='connect', endpoint='/random', qs='', auth=None)),
    ('40/admin?token=abc,', Packet(type='connect', endpoint='/admin', qs='token=abc', auth=None)),
    ('40/admin?token=abc', Packet(type='connect', endpoint='/admin', qs='token=abc', auth=None)),
    ('40/admin,{"token":"abc"}', Packet(type='connect', endpoint='/admin', qs='', auth={'token': 'abc'})),
    ('451-["b",{"_placeholder":true,"num":0}]', binary(1, event('', 'b', [PLACEHOLDER]))),
    ('450-["b"]', binary(0, event('', 'b', []))),
    ('451-/admin,["b",{"_placeholder":true,"num":0}]', binary(1, event('/admin', 'b', [PLACEHOLDER]))),
    (
        '451-/admin,0["b",{"_placeholder":true,"num":0}]',
        binary(1, Packet(event('/admin', 'b', [PLACEHOLDER]), id=0, ack='data')),
    ),
    ('461-/admin,1[{"_placeholder":true,"num":0}]', binary(1, ack('/admin', 1, [PLACEHOLDER]))),
    ('4612-0[]', binary(12, ack('', 0, []))),
]
FORBIDDEN = [
    '4',
    '47',
    '4a',
    '4²["x"]',
    '42',
    '42[]',
    '42{}',
    '42{"a":["x"]}',
    '42"["',
    '42[1]',
    '42[null]',
    '42[{"toString":1}]',
    '42[["toString"]]',
    '42["x"',
    '42["x"]y',
    '42["x",NaN]',
    '42["x",1e999]',
    '42-1["x"]',
    '42+1["x"]',
    '42 1["x"]',
    '42٣["x"]',
    '42²["x"]',
    '421.5["x"]',
    '421234567890123456["x"]',
    '42/chat["x"]',
    '42/' + 'a' * 256 + ',["x"]',
    '43',
    '43[]',
    '431',
    '431{}',
    '43/admin',
    '43x[]',
    '45["x"]',
    '45-["x"]',
    '45x-["x"]',
    '455999999999999999999-["x"]',
    '451-',
    '451-{"_placeholder":true,"num":0}',
    '46["x"]',
    '461-[]',
    '40x',
    '40,',
    '40[]',
    '40"token"',
    '40/admin,[]',
    '40/admin,1',
    '40/admin,{',
    '40/' + 'a' * 256 + ',',
    '44{',
    '44/admin,nope',
    '42["x",' + '[' * 50_000,
    '42["x",' + '9' * 5000 + ']',
]


@pytest.mark.parametrize(('text', 'packet'), TABLE)
def test_a_text_says(text, packet):
    assert engineio.decode(text) == packet


@pytest.mark.parametrize(('text', 'packet'), TABLE)
def test_a_packet_is_said(text, packet):
    assert engineio.ENCODERS[packet['type']](packet, None) == (text,)


@pytest.mark.parametrize(('text', 'packet'), READ_ONLY)
def test_a_client_may_also_say(text, packet):
    assert engineio.decode(text) == packet


@pytest.mark.parametrize('text', FORBIDDEN, ids=lambda text: text[:20])
def test_a_client_may_not_say(text):
    with pytest.raises(RemoteProtocolError):
        engineio.decode(text)


def test_a_token_in_the_query_of_a_namespace_may_be_long():
    token = 'eyJhbGciOi' * 100
    assert engineio.decode(f'40/admin?token={token},')['qs'] == f'token={token}'


@pytest.mark.parametrize(
    ('packet', 'messages'),
    [
        (event('', 'b', [b'\x01\x02']), ('451-["b",{"_placeholder":true,"num":0}]', b'\x01\x02')),
        (event('/admin', 'b', [b'\x01']), ('451-/admin,["b",{"_placeholder":true,"num":0}]', b'\x01')),
        (
            Packet(event('/admin', 'b', [b'\x01']), id=0),
            ('451-/admin,0["b",{"_placeholder":true,"num":0}]', b'\x01'),
        ),
        (ack('/admin', 1, [b'\x01']), ('461-/admin,1[{"_placeholder":true,"num":0}]', b'\x01')),
        (
            event('', 'b', [b'\x01', {'x': b'\x02'}]),
            ('452-["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]', b'\x01', b'\x02'),
        ),
    ],
)
def test_bytes_follow_their_packet(packet, messages):
    assert engineio.ENCODERS[packet['type']](packet, None) == messages


@pytest.mark.parametrize(
    ('packet', 'text'),
    [
        (Packet(type='message', endpoint='', data='hi'), '42["message","hi"]'),
        (Packet(type='message', endpoint='/chat', data='hi', id=3, ack=True), '42/chat,3["message","hi"]'),
        (Packet(type='json', endpoint='', data={'a': 1}), '42["message",{"a":1}]'),
        (Packet(type='noop', endpoint=''), '6'),
        (Packet(type='close', endpoint=''), '1'),
        (Packet(type='heartbeat'), '2'),
        (Packet(type='pong', data=''), '3'),
        (Packet(type='pong', data='probe'), '3probe'),
        (event('', 'é😀', ['\u2028']), '42["\\u00e9\\ud83d\\ude00","\\u2028"]'),
        (event('', 'x', (1, 2)), '42["x",1,2]'),
    ],
)
def test_the_server_alone_says(packet, text):
    assert engineio.ENCODERS[packet['type']](packet, None) == (text,)


def test_the_hello_counts_in_milliseconds():
    (text,) = engineio.hello('abc', Settings.parse({'ping_interval': 0.3, 'ping_timeout': 0.2}), ('websocket',))
    assert text[0] == '0'
    assert json.loads(text[1:]) == {
        'sid': 'abc',
        'upgrades': ['websocket'],
        'pingInterval': 300,
        'pingTimeout': 200,
        'maxPayload': 1_000_000,
    }


def test_the_hello_is_the_handshake():
    assert engineio.handshake('abc', Settings.parse()) is None


@pytest.mark.parametrize(
    ('reason', 'status', 'body'),
    [
        ('unknown_transport', '400 Bad Request', '{"code":0,"message":"Transport unknown"}'),
        ('unknown_sid', '400 Bad Request', '{"code":1,"message":"Session ID unknown"}'),
        ('bad_method', '400 Bad Request', '{"code":2,"message":"Bad handshake method"}'),
        ('bad_request', '400 Bad Request', '{"code":3,"message":"Bad request"}'),
        ('forbidden', '403 Forbidden', '{"code":4,"message":"Forbidden"}'),
        ('unsupported_version', '400 Bad Request', '{"code":5,"message":"Unsupported protocol version"}'),
        ('too_large', '413 Content Too Large', '{"code":3,"message":"Payload too large"}'),
        ('too_many', '429 Too Many Requests', '{"code":4,"message":"Too many connections"}'),
        ('unavailable', '503 Service Unavailable', '{"code":3,"message":"Service unavailable"}'),
    ],
)
def test_a_request_is_refused(reason, status, body):
    assert engineio.http_refusal(reason) == (status, 'application/json', body.encode())


def test_a_refusal_with_its_cause():
    body = b'{"code":3,"message":"Service unavailable: the \\"why\\""}'
    assert engineio.http_refusal('unavailable', 'the "why"').data == body


def test_there_are_words_for_every_reason():
    assert set(engineio.ERRORS) == set(HandshakeRefused.REASONS)


@pytest.mark.parametrize(('digits', 'number'), [('0', 0), ('007', 7), ('9' * 15, 10**15 - 1)])
def test_a_number(digits, number):
    assert engineio.number(digits) == number


@pytest.mark.parametrize('digits', ['', '-1', '+1', ' 1', '1 ', '1_0', '1.0', '٣', '²', '9' * 16, '9' * 5000])
def test_no_number(digits):
    with pytest.raises(RemoteProtocolError):
        engineio.number(digits)
