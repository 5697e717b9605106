"""Socket.IO 0.9: the table of its own parser's tests, and more."""

from __future__ import annotations

import pytest

from tgsio_middleware.errors import (
    ConnectionRefused,
    HandshakeRefused,
    LocalProtocolError,
    NoSuchNamespace,
    NotInThisDialect,
    RemoteProtocolError,
)
from tgsio_middleware.packet import Packet, ack, event
from tgsio_middleware.settings import Settings
from tgsio_middleware.wire import sio09
from tgsio_middleware.wire.dialect import Octets

PLAIN = 'text/plain;charset=UTF-8'


def message(endpoint, data, **more):
    return Packet(type='message', endpoint=endpoint, data=data, **more)


def json(endpoint, data, **more):
    return Packet(type='json', endpoint=endpoint, data=data, **more)


# (text, packet): in both directions
TABLE = [
    ('3:::woot', message('', 'woot')),
    ('3:5:/tobi:woot', message('/tobi', 'woot', id=5, ack=True)),
    ('3:0::zero', message('', 'zero', id=0, ack=True)),
    ('3:7+::data', message('', 'data', id=7, ack='data')),
    ('3:::a:b::c', message('', 'a:b::c')),
    ('3:::a+b', message('', 'a+b')),
    ('3:::', message('', '')),
    ('3:::é😀', message('', 'é😀')),
    ('3:::line\nline', message('', 'line\nline')),
    ('4:::"2"', json('', '2')),
    ('4:1+::{"a":"b"}', json('', {'a': 'b'}, id=1, ack='data')),
    ('4::/chat:[1,null]', json('/chat', [1, None])),
    ('5:::{"name":"woot"}', event('', 'woot', [])),
    ('5:1+::{"name":"tobi"}', Packet(event('', 'tobi', []), id=1, ack='data')),
    ('5:0+::{"name":"tobi"}', Packet(event('', 'tobi', []), id=0, ack='data')),
    ('5:1::{"name":"tobi"}', Packet(event('', 'tobi', []), id=1, ack=True)),
    ('5::/chat:{"name":"hi","args":[{"a":1}]}', event('/chat', 'hi', [{'a': 1}])),
    ('5:::{"name":"a:b+c","args":["+:"]}', event('', 'a:b+c', ['+:'])),
    ('6:::140', ack('', 140, [])),
    ('6:::0', ack('', 0, [])),
    ('6:::12+["woot","wa"]', ack('', 12, ['woot', 'wa'])),
    ('6:::12+["a+b",":"]', ack('', 12, ['a+b', ':'])),
    ('6::/chat:1+["ok"]', ack('/chat', 1, ['ok'])),
    ('6::/chat:1+[null]', ack('/chat', 1, [None])),
    ('0::/chat', Packet(type='disconnect', endpoint='/chat')),
    ('0::', Packet(type='close', endpoint='')),
    ('8::', Packet(type='noop', endpoint='')),
]
READ_ONLY = [
    ('1::', Packet(type='connect', endpoint='', qs='', auth=None)),
    ('1::/chat', Packet(type='connect', endpoint='/chat', qs='', auth=None)),
    ('1::/test:?test=1', Packet(type='connect', endpoint='/test', qs='test=1', auth=None)),
    ('1::/test?my=param', Packet(type='connect', endpoint='/test', qs='my=param', auth=None)),
    ('1::/?my=param', Packet(type='connect', endpoint='', qs='my=param', auth=None)),
    ('1::/', Packet(type='connect', endpoint='', qs='', auth=None)),
    ('2::', Packet(type='pong', endpoint='')),
    ('2:::', Packet(type='pong', endpoint='')),
    ('0::/', Packet(type='close', endpoint='')),
    ('3::/:woot', message('', 'woot')),
    ('3::', message('', '')),
    ('5:::{"args":[],"name":"woot"}', event('', 'woot', [])),
    ('6:::12+', ack('', 12, [])),
    ('7:::', Packet(type='error', endpoint='', reason='', advice='', data=None)),
    ('7:::0', Packet(type='error', endpoint='', reason='0', advice='', data=None)),
    ('7:::2+0', Packet(type='error', endpoint='', reason='2', advice='0', data=None)),
    ('7::/woot', Packet(type='error', endpoint='/woot', reason='', advice='', data=None)),
]
FORBIDDEN = [
    '',
    ':',
    '3',
    '3:',
    '9::',
    '-1::',
    '30:::x',
    'a::',
    '²::',
    '\ufffd4\ufffd',
    '3:x::woot',
    '3:+::woot',
    '3:-1::woot',
    '3:1++::woot',
    '3:1+1::woot',
    '3: 1::woot',
    '3:²::woot',
    '3:1234567890123456::woot',
    '3::/' + 'a' * 256 + ':x',
    '1::/' + 'a' * 256,
    '4:::',
    '4:::{',
    '4:::NaN',
    '4:::[1e999]',
    '5:::',
    '5:::[]',
    '5:::"x"',
    '5:::{}',
    '5:::{"name":1}',
    '5:::{"name":["toString"]}',
    '5:::{"name":"x","args":{}}',
    '5:::{"name":"x","args":"y"}',
    '5:::{"name":"x","args":null}',
    '5:::{"name":"x"}y',
    '6:::',
    '6:::x',
    '6:::-1',
    '6:::1+x',
    '6:::1+{}',
    '6:::1+"x"',
    '4:::' + '[' * 50_000,
    b'3:::woot',
    b'',
]


@pytest.mark.parametrize(('text', 'packet'), TABLE)
def test_a_text_says(text, packet):
    assert sio09.decode(text) == packet


@pytest.mark.parametrize(('text', 'packet'), TABLE)
def test_a_packet_is_said(text, packet):
    assert sio09.encode(packet) == (text,)


@pytest.mark.parametrize(('text', 'packet'), READ_ONLY)
def test_a_client_may_also_say(text, packet):
    assert sio09.decode(text) == packet


@pytest.mark.parametrize('text', FORBIDDEN, ids=lambda text: repr(text[:20]))
def test_a_client_may_not_say(text):
    with pytest.raises(RemoteProtocolError):
        sio09.decode(text)


def test_a_token_in_the_query_of_a_namespace_may_be_long():
    assert sio09.decode('1::/chat?token=' + 'x' * 1000)['qs'] == 'token=' + 'x' * 1000


@pytest.mark.parametrize(
    ('packet', 'text'),
    [
        (Packet(type='connect', endpoint='', sid='abc'), '1::'),
        (Packet(type='connect', endpoint='/chat', sid='abc'), '1::/chat'),
        (Packet(type='heartbeat'), '2::'),
        (Packet(type='noop', endpoint=''), '8::'),
        (event('', 'é', ['😀']), '5:::{"name":"\\u00e9","args":["\\ud83d\\ude00"]}'),
        (event('', 'x', (1, 2)), '5:::{"name":"x","args":[1,2]}'),
        (event('', 'x', ()), '5:::{"name":"x"}'),
        (
            event('/ns', 'error', ['method_access_denied', 'You do not have access to method "on_x"']),
            '5::/ns:{"name":"error","args":["method_access_denied","You do not have access to method \\"on_x\\""]}',
        ),
    ],
)
def test_the_server_alone_says(packet, text):
    assert sio09.encode(packet) == (text,)


@pytest.mark.parametrize('packet', [event('', 'x', [b'']), json('', b''), ack('', 1, [bytearray(b'x')])])
def test_there_is_no_binary_data(packet):
    with pytest.raises(NotInThisDialect):
        sio09.encode(packet)


@pytest.mark.parametrize('data', [1, None, b'x', ['x']])
def test_a_message_is_a_string(data):
    with pytest.raises(LocalProtocolError, match='json=True'):
        sio09.encode(message('', data))


@pytest.mark.parametrize(
    ('endpoint', 'refused', 'messages'),
    [
        (
            '/chat',
            ConnectionRefused(),
            ('5::/chat:{"name":"error","args":["connection_refused","not authorized"]}', '7::/chat:2'),
        ),
        (
            '',
            ConnectionRefused('no', {'a': 1}),
            ('5:::{"name":"error","args":["connection_refused",{"message":"no","data":{"a":1}}]}', '7:::2'),
        ),
        (
            '/nope',
            NoSuchNamespace('/nope'),
            (
                '5::/nope:{"name":"error","args":["no_such_namespace",'
                '"The endpoint you tried to connect to doesn\'t exist: /nope"]}',
            ),
        ),
    ],
)
def test_a_namespace_is_refused(endpoint, refused, messages):
    assert sio09.refusal(endpoint, refused) == messages


# (body, messages): in both directions
PAYLOADS = [
    ('1::', ['1::']),
    ('3:::é', ['3:::é']),
    ('\ufffd5\ufffd3:::a\ufffd5\ufffd3:::b', ['3:::a', '3:::b']),
    ('\ufffd5\ufffd3:::é\ufffd3\ufffd8::', ['3:::é', '8::']),
    ('\ufffd6\ufffd3:::😀\ufffd3\ufffd8::', ['3:::😀', '8::']),
    ('\ufffd5\ufffd3:::\ufffd\ufffd3\ufffd8::', ['3:::\ufffd', '8::']),
    ('\ufffd0\ufffd\ufffd3\ufffd8::', ['', '8::']),
]


@pytest.mark.parametrize(('text', 'messages'), PAYLOADS)
def test_a_payload_is_joined(text, messages):
    assert sio09.join_payload(messages, Octets.NEVER) == ('text/plain; charset=UTF-8', text.encode())


@pytest.mark.parametrize(('text', 'messages'), PAYLOADS)
def test_a_payload_is_split(text, messages):
    assert sio09.split_payload(text.encode(), PLAIN, set()) == messages


def test_lengths_as_node_counts_them():
    recorded = '\ufffd33\ufffd5:::{"name":"two","args":["é😀"]}\ufffd3\ufffd8::'
    assert sio09.split_payload(recorded.encode(), PLAIN, set()) == ['5:::{"name":"two","args":["é😀"]}', '8::']


def test_one_framed_packet_is_read_too():
    assert sio09.split_payload('\ufffd3\ufffd8::'.encode(), PLAIN, set()) == ['8::']


@pytest.mark.parametrize(
    'text',
    [
        '\ufffd',
        '\ufffd3',
        '\ufffd3\ufffd',
        '\ufffd3\ufffd8:',
        '\ufffd\ufffd8::',
        '\ufffdx\ufffd8::',
        '\ufffd-3\ufffd8::',
        '\ufffd3\ufffd8::x',
        '\ufffd3\ufffd8::\ufffd',
        '\ufffd9999999999\ufffd8::',
        '\ufffd1234567890123456\ufffd8::',
        '\ufffd2\ufffd8::',
    ],
)
def test_a_payload_that_is_none(text):
    with pytest.raises(RemoteProtocolError):
        sio09.split_payload(text.encode(), PLAIN, set())


@pytest.mark.parametrize('body', [b'\xff', b'3:::\xed\xa0\x80'])
def test_a_payload_that_is_no_utf8(body):
    with pytest.raises(RemoteProtocolError) as caught:
        sio09.split_payload(body, PLAIN, set())
    assert caught.value.close_code == 1007


def test_a_lone_surrogate_spoils_no_payload():
    assert sio09.join_payload(['3:::\ud800', '8::'], Octets.NEVER).data == '\ufffd5\ufffd3:::?\ufffd3\ufffd8::'.encode()


@pytest.mark.parametrize(
    ('settings', 'line'),
    [
        ({}, b'abc:45:45:websocket,xhr-polling'),
        ({'ping_interval': 0.3, 'ping_timeout': 0.2}, b'abc:1:1:websocket,xhr-polling'),
        ({'ping_interval': 10.4, 'ping_timeout': 5}, b'abc:16:16:websocket,xhr-polling'),
        ({'transports': 'polling'}, b'abc:45:45:xhr-polling'),
        ({'transports': 'websocket'}, b'abc:45:45:websocket'),
    ],
)
def test_the_handshake(settings, line):
    assert sio09.handshake('abc', Settings.parse(settings)) == ('text/plain; charset=UTF-8', line)


def test_there_is_no_hello():
    assert sio09.hello('abc', Settings.parse(), ()) == ()


@pytest.mark.parametrize(
    ('reason', 'status', 'words'),
    [
        ('unknown_transport', '400 Bad Request', 'unknown transport'),
        ('unknown_sid', '200 OK', '7:::1+0'),
        ('bad_method', '400 Bad Request', 'bad method'),
        ('bad_request', '400 Bad Request', 'bad request'),
        ('forbidden', '403 Forbidden', 'handshake bad origin'),
        ('unsupported_version', '500 Internal Server Error', 'Protocol version not supported.'),
        ('too_large', '413 Content Too Large', 'payload too large'),
        ('too_many', '429 Too Many Requests', 'too many connections'),
        ('unavailable', '503 Service Unavailable', 'service unavailable'),
    ],
)
def test_a_request_is_refused(reason, status, words):
    assert sio09.http_refusal(reason) == (status, 'text/plain; charset=UTF-8', words.encode())
    assert sio09.http_refusal(reason, 'why').data == f'{words}: why'.encode()


def test_there_are_words_for_every_reason():
    assert set(sio09.ERRORS) == set(HandshakeRefused.REASONS)
