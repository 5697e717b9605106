"""Engine.IO 3 with Socket.IO 4: the clients 1.x and 2.x."""

from __future__ import annotations

import pytest

from tgsio_middleware.errors import ConnectionRefused, NoSuchNamespace, RemoteProtocolError
from tgsio_middleware.packet import Packet, event
from tgsio_middleware.wire import eio3
from tgsio_middleware.wire.dialect import Octets

OCTETS = 'application/octet-stream'
PLAIN = 'text/plain;charset=UTF-8'

# (body, messages as text or as binary data without its type): in both directions
PAYLOADS = [
    ('6:4hello', ['4hello']),
    ('6:4hello2:4€', ['4hello', '4€']),
    ('2:40', ['40']),
    ('1:61:3', ['6', '3']),
    ('11:42["b","é"]', ['42["b","é"]']),
    ('12:42["b","😀"]', ['42["b","😀"]']),
    ('6:b4AQI=', [b'\x01\x02']),
    ('2:406:b4AQI=2:41', ['40', b'\x01\x02', '41']),
    ('2:b4', [b'']),
    ('13:42["b","é😀"]6:b4AQI=', ['42["b","é😀"]', b'\x01\x02']),
]
# (body in hexadecimal, messages): in both directions
OCTET_PAYLOADS = [
    ('00 02 ff 34 30', ['40']),
    ('01 03 ff 04 01 02', [b'\x01\x02']),
    ('00 02 ff 34 30 01 03 ff 04 01 02 00 02 ff 34 31', ['40', b'\x01\x02', '41']),
    ('00 03 ff 34 c3 a9', ['4é']),
    ('00 05 ff 34 f0 9f 98 80', ['4😀']),
    ('01 01 ff 04', [b'']),
    ('01 01 00 01 ff 04' + ' 78' * 100, [b'x' * 100]),
]
PLACEHOLDER_EVENT = '451-["b",{"_placeholder":true,"num":0}]'


@pytest.mark.parametrize(
    ('message', 'packet'),
    [
        ('42["hi"]', event('', 'hi', [])),
        ('40/admin?token=abc,', Packet(type='connect', endpoint='/admin', qs='token=abc', auth=None)),
        ('2', Packet(type='ping', data='')),
        ('2probe', Packet(type='ping', data='probe')),
        ('5', Packet(type='upgrade')),
        ('1', Packet(type='close', endpoint='')),
        (b'\x04\x01\x02', Packet(type='attachment', data=b'\x01\x02')),
        (b'\x04', Packet(type='attachment', data=b'')),
    ],
)
def test_a_client_says(message, packet):
    assert eio3.decode(message) == packet


@pytest.mark.parametrize(
    'message', ['', '0', '0{}', '3', '3probe', '6', '7', '11', '5x', 'b4AQI=', b'', b'\x01\x02', b'4']
)
def test_a_client_may_not_say(message):
    with pytest.raises(RemoteProtocolError):
        eio3.decode(message)


def test_a_namespace_gets_no_sid():
    assert eio3.encode(Packet(type='connect', endpoint='', sid='abc')) == ('40',)
    assert eio3.encode(Packet(type='connect', endpoint='/admin', sid='abc')) == ('40/admin,',)


@pytest.mark.parametrize(
    ('endpoint', 'refused', 'text'),
    [
        ('/admin', ConnectionRefused(), '44/admin,"not authorized"'),
        ('', ConnectionRefused('no'), '44"no"'),
        ('/admin', ConnectionRefused('no', {'a': [1]}), '44/admin,{"a":[1]}'),
        ('/admin', ConnectionRefused('no', 0), '44/admin,0'),
        ('/nope', NoSuchNamespace('/nope'), '44/nope,"Invalid namespace"'),
    ],
)
def test_a_namespace_is_refused(endpoint, refused, text):
    assert eio3.refusal(endpoint, refused) == (text,)


def received(messages):
    """As a transport hands them over: binary data after its type."""
    return [m if type(m) is str else b'\x04' + m for m in messages]


@pytest.mark.parametrize(('text', 'messages'), PAYLOADS)
def test_a_payload_is_joined(text, messages):
    assert eio3.join_payload(messages, Octets.NEVER) == ('text/plain; charset=UTF-8', text.encode())


@pytest.mark.parametrize(('text', 'messages'), PAYLOADS)
def test_a_payload_of_2x_is_split(text, messages):
    assert eio3.split_payload(text.encode(), PLAIN, set()) == received(messages)


@pytest.mark.parametrize(('octets', 'messages'), OCTET_PAYLOADS)
def test_a_payload_of_octets_is_split(octets, messages):
    assert eio3.split_payload(bytes.fromhex(octets), OCTETS, set()) == received(messages)


@pytest.mark.parametrize(
    ('octets', 'messages'), [row for row in OCTET_PAYLOADS if any(type(m) is bytes for m in row[1])]
)
def test_a_payload_with_bytes_is_joined_in_octets(octets, messages):
    assert eio3.join_payload(messages, Octets.IF_NEEDED) == (OCTETS, bytes.fromhex(octets))


OCTETS_OF_TEXT = bytes.fromhex('00 02 ff 34 30')


@pytest.mark.parametrize(
    ('messages', 'octets', 'body'),
    [
        (['40'], Octets.NEVER, ('text/plain; charset=UTF-8', b'2:40')),
        (['40'], Octets.IF_NEEDED, ('text/plain; charset=UTF-8', b'2:40')),
        (['40'], Octets.ALWAYS, (OCTETS, OCTETS_OF_TEXT)),
        (['40', '4é'], Octets.NEVER, ('text/plain; charset=UTF-8', '2:402:4é'.encode())),
        # 1.x and 2.x read other characters in a text differently, and in octets alike
        (['40', '4é'], Octets.IF_NEEDED, (OCTETS, OCTETS_OF_TEXT + bytes.fromhex('00 03 ff 34 c3 a9'))),
    ],
)
def test_when_a_payload_is_octets(messages, octets, body):
    assert eio3.join_payload(messages, octets) == body


def test_the_name_of_a_namespace_for_a_1x_that_takes_no_octets():
    """It was seen to encode twice; the length is that of what it decodes first."""
    memory: set[str] = set()
    eio3.split_payload('8:40/chÃ¤t'.encode(), PLAIN, memory)
    assert eio3.join_payload(['40/chät,'], Octets.NEVER, memory).data == '9:40/chÃ¤t,'.encode()


@pytest.mark.parametrize(
    ('query', 'octets'),
    [
        ({'t': 'Q85XN7D', 'b64': '1'}, Octets.NEVER),
        ({'t': '1795390031065-0', 'b64': '1'}, Octets.NEVER),
        ({'t': 'Q85XN7D'}, Octets.IF_NEEDED),
        ({'t': 'Q85XN7D', 'b64': '0'}, Octets.IF_NEEDED),
        ({}, Octets.IF_NEEDED),
        ({'t': '1795390031065-0'}, Octets.ALWAYS),  # 1.0 to 1.3 in a browser
    ],
)
def test_what_a_client_takes(query, octets):
    assert eio3.octets(query) is octets


@pytest.mark.parametrize(
    ('bodies', 'last'),
    [
        # nothing is known of the client: what can be 1.x's is
        ([(12, '42["b","Ã©"]')], '42["b","é"]'),
        ([(11, '42["b","é"]'), (12, '42["b","Ã©"]')], '42["b","Ã©"]'),
        # 2.x ends a namespace with a comma
        ([(8, '40/chat,'), (12, '42["b","Ã©"]')], '42["b","Ã©"]'),
        ([(16, '40/chat?a=b%20c,'), (12, '42["b","Ã©"]')], '42["b","Ã©"]'),
        ([(8, '41/chat,'), (12, '42["b","Ã©"]')], '42["b","Ã©"]'),
        # 1.x does not, and then no text makes it a 2.x
        ([(7, '40/chat'), (12, '42["b","Ã©"]')], '42["b","é"]'),
        ([(7, '40/chat'), (11, '42["b","é"]'), (12, '42["b","Ã©"]')], '42["b","é"]'),
    ],
)
def test_a_client_of_1_is_told_from_one_of_2(bodies, last):
    memory = set()
    for length, text in bodies:
        messages = eio3.split_payload(f'{length}:{text}'.encode(), 'text/plain;charset=UTF-8', memory)
    assert messages == [last]


def test_octets_as_node_sends_them():
    recorded = b'\x00\x03\x09\xff' + PLACEHOLDER_EVENT.encode() + b'\x01\x03\xff\x04\x01\x02\x00\x08\xff431["x"]'
    messages = [PLACEHOLDER_EVENT, b'\x01\x02', '431["x"]']
    assert len(PLACEHOLDER_EVENT) == 39
    assert eio3.join_payload(messages, Octets.IF_NEEDED).data == recorded
    assert eio3.split_payload(recorded, OCTETS, set()) == received(messages)


def test_the_length_of_an_emoji_is_two():
    assert eio3.split_payload('3:4😀2:40'.encode(), PLAIN, set()) == ['4😀', '40']


# What 1.x sends: UTF-8 twice, and the length counts the bytes of the first time.
@pytest.mark.parametrize(
    ('text', 'messages'),
    [
        ('12:42["b","Ã©"]', ['42["b","é"]']),
        ('14:42["b","ð\x9f\x98\x80"]', ['42["b","😀"]']),
        ('4:4â\x82¬2:40', ['4€', '40']),
        ('12:42["b","Ã©"]6:b4AQI=', ['42["b","é"]', b'\x01\x02']),
    ],
)
def test_a_payload_of_1x_is_split(text, messages):
    assert eio3.split_payload(text.encode(), PLAIN, set()) == received(messages)


def test_who_was_seen_to_be_a_2x_is_a_2x_for_good():
    memory: set[str] = set()
    assert eio3.split_payload('11:42["b","é"]'.encode(), PLAIN, memory) == ['42["b","é"]']
    assert eio3.split_payload('12:42["b","Ã©"]'.encode(), PLAIN, memory) == ['42["b","Ã©"]']


def test_who_was_seen_to_be_a_1x_stays_undecided():
    memory: set[str] = set()
    assert eio3.split_payload('12:42["b","Ã©"]'.encode(), PLAIN, memory) == ['42["b","é"]']
    assert eio3.split_payload('11:42["b","é"]'.encode(), PLAIN, memory) == ['42["b","é"]']


def test_ascii_teaches_nothing():
    memory: set[str] = set()
    eio3.split_payload(b'2:40', PLAIN, memory)
    assert memory == set()


@pytest.mark.parametrize(
    'body',
    [
        '4',
        ':4',
        '40',
        '3:40',
        '-1:4',
        '+1:4',
        '1.0:4',
        '2:402',
        '2:402:',
        '1234567890123456:4',
        '9999999999:4',
        '٣:440',
        '3:4é',
        '1:😀',
        '2:4😀2:40',
        '²:4é',
        'é',
        '4:b4A',
        '5:b4AQI',
        '6:b4!!!!',
        '4:b4éé',
    ],
)
def test_a_payload_that_is_none(body):
    with pytest.raises(RemoteProtocolError):
        eio3.split_payload(body.encode(), PLAIN, set())


def test_an_empty_payload_says_nothing():
    assert eio3.split_payload(b'', PLAIN, set()) == []
    assert eio3.split_payload(b'', OCTETS, set()) == []


@pytest.mark.parametrize('body', [b'2:4\xff', b'\xff', b'4:4\xed\xa0\x80'])
def test_a_payload_that_is_no_utf8(body):
    with pytest.raises(RemoteProtocolError) as caught:
        eio3.split_payload(body, PLAIN, set())
    assert caught.value.close_code == 1007


@pytest.mark.parametrize(
    'octets',
    [
        '00',
        '00 ff',
        '00 02',
        '00 02 ff',
        '00 02 ff 34',
        '02 02 ff 34 30',
        '00 0a ff 34 30 34 30 34 30 34 30 34 30',
        '00 02 ff 34 30 00',
        '00 02 ff c3 28',
        '00 02 34 30',
        '00' + ' 09' * 16 + ' ff 34',
        '00' + ' 01' * 100,
    ],
)
def test_octets_that_are_no_payload(octets):
    with pytest.raises(RemoteProtocolError):
        eio3.split_payload(bytes.fromhex(octets), OCTETS, set())


def test_a_lone_surrogate_spoils_no_payload():
    assert eio3.join_payload(['4\ud800', '40'], Octets.NEVER).data == b'2:4?2:40'
    assert eio3.join_payload(['4\ud800', b''], Octets.IF_NEEDED).data == bytes.fromhex('00 02 ff 34 3f 01 01 ff 04')
