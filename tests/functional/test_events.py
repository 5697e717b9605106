"""Events and acks, both ways, and whatever they carry."""

from __future__ import annotations

import pytest

from tests.functional.table import MODERN, covers

pytestmark = pytest.mark.node

ARGUMENTS = {
    'none': [],
    'one': ['hello'],
    'several': [1, 'two', {'three': [4, None, True, {}]}, []],
    'null': [None],
    'falsy': [0, '', False],
    'numbers': [-1, 1.5, 2**53 - 1, 1e300],
}
TEXTS = {
    'a letter with an accent': 'é',
    'an emoji, two units of UTF-16': '😀',
    'Chinese': '你好，世界',
    'line ends of JavaScript': 'a\u2028b\u2029c',
    'what looks like UTF-8 read as Latin-1': 'Ã© ÿ \x80',
    'separators of payloads and packets': '\x1e\ufffd7\ufffd2:40::+"\\u00e9\\',
    'longer than 64 KiB': 'é😀漢' * 12_000,
}
BYTES = {
    'one': [b'\x00\x01\xfe\xff'],
    'empty': [b''],
    'nested': [{'deep': [{'down': b'\x04\x05'}]}, 'text'],
    'several': [b'first', {'second': b'2', 'third': [b'3', None]}, 4, b'last'],
    'beside text': ['é😀', b'\xf0\x9f\x98\x80'],
    'longer than 64 KiB': [b'\x00\xff\x1e\x80' * 20_000],
}


@covers('events')
@pytest.mark.parametrize('args', ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_event_goes_there_and_comes_back(peer, args):
    peer.emit('echo', *args)
    assert peer.wait('event', event='echo')['args'] == args


@covers('events')
def test_events_keep_their_order(peer):
    for number in range(100):
        peer.emit('echo', number)
    peer.wait('event', event='echo', args=[99])
    assert peer.events('echo') == [[number] for number in range(100)]


@covers('events')
def test_a_space_in_an_event_name_is_an_underscore_of_the_method(peer):
    assert peer.call('ack one', 1) == [1]


@covers('events', only=lambda pair: pair.generation not in ('1', '2'))
def test_the_readmes_ping_is_answered_by_ten_pongs(peer):
    """1.x and 2.x keep the names ping and pong to themselves."""
    assert peer.call('ping', {'type': 'fireball'}) == [{'type': 'fireball'}]
    assert peer.events('pong') == [[{'sound': 'bang!'}]] * 10


@covers('acks')
@pytest.mark.parametrize(
    'event, args, values',
    [
        ('ack_none', [], [None]),
        ('ack_one', ['x'], ['x']),
        ('ack_one', [[1, 2]], [[1, 2]]),
        ('echo', ['several', {'values': 3}, None], ['several', {'values': 3}, None]),
        ('echo', [], []),
    ],
)
def test_the_server_acknowledges(peer, event, args, values):
    """It is the client's first emit: from 1.x on the ack's id is 0."""
    assert peer.call(event, *args) == values


@covers('acks')
def test_acks_of_many_events_find_their_own_callbacks(peer):
    tags = [peer.emit('ack_one', number, ack=True) for number in range(50)]
    assert [peer.wait('ack', tag=tag)['args'] for tag in tags] == [[number] for number in range(50)]


@covers('acks')
def test_an_ack_comes_once_and_after_the_events_of_its_handler(peer):
    tag = peer.emit('echo', 1, ack=True)
    peer.wait('ack', tag=tag)
    assert peer.call('ack_none') == [None]
    told = [one['kind'] for one in peer.history() if one.get('event') == 'echo' or one.get('tag') == tag]
    assert told == ['event', 'ack']


@covers('acks')
@pytest.mark.parametrize('values', [[], ['yes'], ['yes', 2, {'three': None}]], ids=len)
def test_the_client_acknowledges(peer, values):
    peer.reply('question', *values)
    peer.emit('ask', 'why', 42)
    assert peer.wait('event', event='question')['args'] == ['why', 42]
    assert peer.wait('event', event='answered')['args'] == [values]


@covers('text')
@pytest.mark.parametrize('text', TEXTS.values(), ids=TEXTS)
def test_any_text_in_events_and_acks(peer, text):
    peer.reply('question', text)
    tag = peer.emit('echo', text, {text: [text]}, ack=True)
    assert peer.wait('event', event='echo')['args'] == [text, {text: [text]}]
    assert peer.wait('ack', tag=tag)['args'] == [text, {text: [text]}]
    peer.emit('ask', text)
    assert peer.wait('event', event='question')['args'] == [text]
    assert peer.wait('event', event='answered')['args'] == [[text]]


@covers('text')
def test_any_text_in_a_row(peer):
    """Several packets in one poll: their lengths and separators are counted in each generation's own units."""
    for text in TEXTS.values():
        peer.emit('echo', text)
    for text in TEXTS.values():
        peer.wait('event', event='echo', args=[text])
    assert peer.events('echo') == [[text] for text in TEXTS.values()]


@covers('binary')
@pytest.mark.parametrize('args', BYTES.values(), ids=BYTES)
def test_bytes_in_events_and_acks(peer, args):
    peer.reply('question', *args)
    tag = peer.emit('echo', *args, ack=True)
    assert peer.wait('event', event='echo')['args'] == args
    assert peer.wait('ack', tag=tag)['args'] == args
    peer.emit('ask', *args)
    assert peer.wait('event', event='question')['args'] == args
    assert peer.wait('event', event='answered')['args'] == [args]


@covers('binary')
def test_bytes_between_texts_keep_the_order(peer):
    sent = [['é'], [b'\x00', b'\x01'], ['text'], [{'b': b'\x02'}], []] * 5
    for args in sent:
        peer.emit('echo', *args)
    assert peer.call('ack_none') == [None]
    assert peer.events('echo') == sent


@covers('messages')
@pytest.mark.parametrize('text', ['hello', '', 'é😀你\u2028:+', '{"not": "json"}'])
def test_a_message_comes_back(peer, pair, text):
    """0.9's `send` asks for a receipt, which the library gives without values; later ones are the event `message`."""
    tag = peer.send(text, ack=True)
    message = peer.wait('event', event='message')
    assert (message['args'], message.get('as')) == ([text], 'message' if pair.generation == '09' else None)
    assert peer.wait('ack', tag=tag)['args'] == ([text] if pair.generation in MODERN else [])


@covers('messages')
@pytest.mark.parametrize('text', ['', 'é😀你\u2028:+', '\ufffd7\ufffd\x1e'])
def test_many_messages_at_once(peer, text):
    """In one poll, in 0.9 as they are: their lengths are counted in its own units."""
    assert peer.call('repeat', text, 20) == [None]
    assert peer.events('message') == [[text]] * 20


@covers('json')
@pytest.mark.parametrize('value', [{'a': ['é', None, {}]}, [], 0, 'text', None], ids=repr)
def test_json_comes_back_as_json(peer, value):
    tag = peer.send(value, json=True, ack=True)
    message = peer.wait('event', event='message')
    assert (message['args'], message['as']) == ([value], 'json')
    assert peer.wait('ack', tag=tag)['args'] == []
