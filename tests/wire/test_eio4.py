"""Engine.IO 4 with Socket.IO 5: the clients 3.x and 4.x."""

from __future__ import annotations

import pytest

from tgsio_middleware.errors import ConnectionRefused, NoSuchNamespace, RemoteProtocolError
from tgsio_middleware.packet import Packet, event
from tgsio_middleware.wire import eio4
from tgsio_middleware.wire.dialect import Octets

OPAQUE = 'application/octet-stream'
PLAIN = 'text/plain;charset=UTF-8'

# (body of a poll or post, messages): in both directions
PAYLOADS = [
    ('4hello', ['4hello']),
    ('4hello\x1e4world', ['4hello', '4world']),
    ('4hello\x1e2\x1e4world', ['4hello', '2', '4world']),
    ('4€', ['4€']),
    ('42["é😀"]\x1e41', ['42["é😀"]', '41']),
    ('bAQI=', [b'\x01\x02']),
    ('4hello\x1ebAQIDBA==', ['4hello', b'\x01\x02\x03\x04']),
    ('b\x1eb', [b'', b'']),
]


@pytest.mark.parametrize(
    ('message', 'packet'),
    [
        ('42["hi"]', event('', 'hi', [])),
        ('40', Packet(type='connect', endpoint='', qs='', auth=None)),
        ('3', Packet(type='pong', data='')),
        ('3probe', Packet(type='pong', data='probe')),
        ('2probe', Packet(type='ping', data='probe')),
        ('5', Packet(type='upgrade')),
        ('1', Packet(type='close', endpoint='')),
        (b'\x01\x02', Packet(type='attachment', data=b'\x01\x02')),
        (b'', Packet(type='attachment', data=b'')),
    ],
)
def test_a_client_says(message, packet):
    assert eio4.decode(message) == packet


@pytest.mark.parametrize(
    'message', ['', '0', '0{}', '2', '2x', '2probe!', '6', '7', '11', '55', 'b', 'hello', '\x1e', '¹']
)
def test_a_client_may_not_say(message):
    with pytest.raises(RemoteProtocolError):
        eio4.decode(message)


def test_every_namespace_gets_a_sid():
    assert eio4.encode(Packet(type='connect', endpoint='', sid='abc')) == ('40{"sid":"abc"}',)
    assert eio4.encode(Packet(type='connect', endpoint='/admin', sid='abc')) == ('40/admin,{"sid":"abc"}',)


@pytest.mark.parametrize(
    ('endpoint', 'refused', 'text'),
    [
        ('/admin', ConnectionRefused(), '44/admin,{"message":"not authorized"}'),
        ('', ConnectionRefused('no'), '44{"message":"no"}'),
        ('/admin', ConnectionRefused('no', {'a': [1]}), '44/admin,{"message":"no","data":{"a":[1]}}'),
        ('/admin', ConnectionRefused('no', 0), '44/admin,{"message":"no","data":0}'),
        ('/nope', NoSuchNamespace('/nope'), '44/nope,{"message":"Invalid namespace"}'),
    ],
)
def test_a_namespace_is_refused(endpoint, refused, text):
    assert eio4.refusal(endpoint, refused) == (text,)


@pytest.mark.parametrize(('text', 'messages'), PAYLOADS)
def test_a_payload_is_joined(text, messages):
    assert eio4.join_payload(messages, Octets.NEVER) == ('text/plain; charset=UTF-8', text.encode())
    assert eio4.join_payload(messages, Octets.IF_NEEDED) == ('text/plain; charset=UTF-8', text.encode())


@pytest.mark.parametrize(('text', 'messages'), PAYLOADS)
def test_a_payload_is_split(text, messages):
    assert eio4.split_payload(text.encode(), PLAIN, set()) == messages


@pytest.mark.parametrize('body', [b'4\xff', b'b!', b'b\xc3\xa9', b'bAQ', b'4\x1eb===', b'\xed\xa0\x80'])
def test_a_payload_that_is_none(body):
    with pytest.raises(RemoteProtocolError):
        eio4.split_payload(body, PLAIN, set())


@pytest.mark.parametrize('content_type', [OPAQUE, OPAQUE + '; x=y'])
def test_octets_are_refused(content_type):
    with pytest.raises(RemoteProtocolError, match='base64'):
        eio4.split_payload(b'4hello', content_type, set())


def test_a_lone_surrogate_spoils_no_payload():
    assert eio4.join_payload(['4\ud800', '4ok'], Octets.NEVER).data == b'4?\x1e4ok'
