"""Websocket frames, as the Autobahn test suite asks a server for them (without compression)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tgsio_middleware.errors import RemoteProtocolError
from tgsio_middleware.wire import frames
from tgsio_middleware.wire.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Reader

MASK = b'\x37\xfa\x21\x3d'
MAX = 1_000_000
FINAL = 0x80


def client(data, opcode=TEXT, final=True, mask=MASK, reserved=0):
    """A client's frame, written apart from the code under test: byte by byte, as RFC 6455, 5.2 draws it."""
    length = len(data)
    head = bytearray([(FINAL if final else 0) | reserved << 4 | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + length.to_bytes(2, 'big')
    else:
        head += bytes([0x80 | 127]) + length.to_bytes(8, 'big')
    return bytes(head) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


def read(*chunks, max_payload=MAX, **bounds):
    reader = Reader(max_payload, **bounds)
    return [message for chunk in chunks for message in reader.feed(chunk)], reader


def closed(code, reason=b''):
    return client(code.to_bytes(2, 'big') + reason, CLOSE)


# -- what RFC 6455 itself shows --------------------------------------------------------------------------------------


def test_the_examples_of_the_specification():
    """RFC 6455, 5.7."""
    assert read(bytes.fromhex('81 85 37 fa 21 3d 7f 9f 4d 51 58'))[0] == ['Hello']
    assert frames.frame(b'Hello', TEXT) == bytes.fromhex('81 05 48 65 6c 6c 6f')
    assert frames.frame(b'Hello', PING) == bytes.fromhex('89 05 48 65 6c 6c 6f')
    assert read(bytes.fromhex('8a 85 37 fa 21 3d 7f 9f 4d 51 58'))[0] == []
    assert frames.frame(bytes(256), BINARY) == bytes.fromhex('82 7e 01 00') + bytes(256)
    assert frames.frame(bytes(65536), BINARY) == bytes.fromhex('82 7f 00 00 00 00 00 01 00 00') + bytes(65536)


def test_the_accept_of_the_specification():
    """RFC 6455, 1.3."""
    assert frames.accept('dGhlIHNhbXBsZSBub25jZQ==') == 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='


@pytest.mark.parametrize(
    'key', ['', 'x', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25j', 'é' * 24, '!' * 24, 'A' * 28]
)
def test_a_key_that_is_none(key):
    with pytest.raises(RemoteProtocolError):
        frames.accept(key)


# -- lengths ---------------------------------------------------------------------------------------------------------

LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 124, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537]


@pytest.mark.parametrize('length', LENGTHS)
def test_a_text_of_every_kind_of_length(length):
    text = ('0123456789abcdef' * (length // 16 + 1))[:length]
    assert read(client(text.encode()))[0] == [text]


@pytest.mark.parametrize('length', LENGTHS)
def test_binary_data_of_every_kind_of_length(length):
    data = (bytes(range(256)) * (length // 256 + 1))[:length]
    assert read(client(data, BINARY))[0] == [data]


@pytest.mark.parametrize('length', LENGTHS)
@pytest.mark.parametrize('opcode', [TEXT, BINARY])
def test_a_frame_of_ours_says_its_length(length, opcode):
    written = frames.frame(b'x' * length, opcode)
    assert written[0] == FINAL | opcode
    if length < 126:
        assert written[1:2] == bytes([length])
    elif length < 65536:
        assert written[1:4] == b'\x7e' + length.to_bytes(2, 'big')
    else:
        assert written[1:10] == b'\x7f' + length.to_bytes(8, 'big')
    assert written.endswith(b'x' * length)
    assert len(written) - length in (2, 4, 10)


@pytest.mark.parametrize('bound', [1, 10, 124, 125, 126, 1000, 65_536])
@pytest.mark.parametrize('opcode', [TEXT, BINARY])
def test_max_payload_is_allowed_and_no_byte_more(bound, opcode):
    messages, reader = read(client(b'x' * bound, opcode), max_payload=bound)
    assert (len(messages), reader.error) == (1, None)
    messages, reader = read(client(b'x' * (bound + 1), opcode), max_payload=bound)
    assert (messages, reader.error.close_code, reader.error.reason) == ([], 1009, 'max_payload exceeded')


@pytest.mark.parametrize('length', [2**63, 2**64 - 1, 1_000_001])
def test_a_length_is_believed_before_the_data_comes(length):
    _, reader = read(b'\x82\xff' + length.to_bytes(8, 'big'), MASK)
    assert reader.error.close_code == 1009


def test_fragments_share_max_payload():
    _, reader = read(client(b'x' * 600, final=False), client(b'x' * 401, CONTINUATION), max_payload=1000)
    assert reader.error.close_code == 1009


def test_fragments_of_max_payload_are_allowed():
    messages, _ = read(client(b'x' * 600, final=False), client(b'x' * 400, CONTINUATION), max_payload=1000)
    assert messages == ['x' * 1000]


def test_a_ping_between_large_fragments_is_none_of_them():
    chunks = client(b'x' * 990, final=False), client(b'p' * 125, PING), client(b'x' * 10, CONTINUATION)
    messages, reader = read(*chunks, max_payload=1000)
    assert (messages, reader.pings, reader.error) == (['x' * 1000], [b'p' * 125], None)


def test_what_one_message_took_does_not_count_for_the_next():
    chunks = [client(b'x' * 500, BINARY, final=False), client(b'x' * 500, CONTINUATION)]
    assert len(read(*chunks * 3, max_payload=1000)[0]) == 3


@pytest.mark.parametrize(('between', 'code'), [(98, None), (99, 1009)])
def test_a_message_has_only_so_many_fragments(between, code):
    chunks = [client(b'a', final=False), client(b'b', CONTINUATION, final=False) * between, client(b'c', CONTINUATION)]
    messages, reader = read(*chunks, max_fragments=100)
    if code is None:
        assert messages == ['a' + 'b' * between + 'c']
    else:
        assert (messages, reader.error.close_code) == ([], code)
        assert reader.error.reason == 'max_fragments exceeded'


# -- masks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'mask', [bytes(4), b'\xff\xff\xff\xff', b'\x01\x00\x00\x00', b'\x00\x00\x00\x80', b'\x81\x85\x00\x7f']
)
@pytest.mark.parametrize('length', [0, 1, 3, 4, 5, 125, 126, 1000])
def test_every_mask(mask, length):
    text = ('abcdefg' * 200)[:length]
    assert read(client(text.encode(), mask=mask))[0] == [text]


@pytest.mark.parametrize('data', ['81 05 48 65 6c 6c 6f', '81 00', '82 00', '89 00', '88 00'])
def test_a_frame_without_a_mask_is_refused(data):
    messages, reader = read(bytes.fromhex(data))
    assert (messages, reader.error.close_code) == ([], 1002)


# -- reserved bits and opcodes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('reserved', [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize('opcode', [TEXT, BINARY, CLOSE, PING, PONG])
def test_reserved_bits_are_refused(reserved, opcode):
    messages, reader = read(client(b'', opcode, reserved=reserved))
    assert (messages, reader.error.close_code) == ([], 1002)


@pytest.mark.parametrize('opcode', [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize('data', [b'', b'hello'])
def test_reserved_opcodes_are_refused(opcode, data):
    messages, reader = read(client(data, opcode))
    assert (messages, reader.error.close_code) == ([], 1002)


def test_what_came_before_an_error_is_read():
    messages, reader = read(client(b'one') + client(b'two', opcode=5) + client(b'three'))
    assert messages == ['one']
    assert reader.error.close_code == 1002


def test_nothing_is_read_after_an_error():
    _, reader = read(client(b'', opcode=5))
    assert reader.feed(client(b'more')) == []
    assert reader.feed(client(b'', PING)) == []
    assert reader.pings == []


def test_a_forbidden_head_is_refused_before_its_frame_is_whole():
    assert read(b'\xc1')[1].error is None
    assert read(b'\xc1\x80')[1].error.close_code == 1002


# -- control frames --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('length', [0, 1, 124, 125])
def test_a_ping_is_kept_for_its_pong(length):
    messages, reader = read(client(b'\xfe' * length, PING))
    assert (messages, reader.pings, reader.error) == ([], [b'\xfe' * length], None)


@pytest.mark.parametrize('opcode', [PING, PONG, CLOSE])
@pytest.mark.parametrize('length', [126, 127, 65536])
def test_a_control_frame_is_short(opcode, length):
    assert read(client(b'\x03\xe8' + b'x' * (length - 2), opcode))[1].error.close_code == 1002


@pytest.mark.parametrize('opcode', [PING, PONG, CLOSE])
def test_a_control_frame_is_one_piece(opcode):
    assert read(client(b'', opcode, final=False))[1].error.close_code == 1002


def test_pings_in_a_row_keep_their_order():
    assert read(b''.join(client(b'%d' % i, PING) for i in range(10)))[1].pings == [b'%d' % i for i in range(10)]


def test_a_pong_that_nobody_asked_for_is_ignored():
    messages, reader = read(client(b'x', PONG) + client(b'hi'))
    assert (messages, reader.pings) == (['hi'], [])


# -- fragments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(('opcode', 'whole'), [(TEXT, 'fragment1fragment2'), (BINARY, b'fragment1fragment2')])
def test_two_fragments_are_a_message(opcode, whole):
    assert read(client(b'fragment1', opcode, final=False) + client(b'fragment2', CONTINUATION))[0] == [whole]


@pytest.mark.parametrize('opcode', [TEXT, BINARY])
def test_fragments_may_be_empty(opcode):
    chunks = [client(b'', opcode, final=False), client(b'', CONTINUATION, final=False), client(b'', CONTINUATION)]
    assert read(*chunks)[0] == ['' if opcode == TEXT else b'']


def test_a_ping_may_stand_between_fragments():
    messages, reader = read(client(b'a', final=False) + client(b'!', PING) + client(b'b', CONTINUATION))
    assert (messages, reader.pings) == (['ab'], [b'!'])


def test_a_close_may_stand_between_fragments():
    messages, reader = read(client(b'a', final=False) + closed(1000) + client(b'b', CONTINUATION))
    assert (messages, reader.closed) == ([], 1000)


@pytest.mark.parametrize('final', [True, False])
def test_a_continuation_of_nothing_is_refused(final):
    assert read(client(b'x', CONTINUATION, final=final))[1].error.close_code == 1002


def test_a_continuation_after_the_last_one_is_refused():
    messages, reader = read(client(b'a', final=False) + client(b'b', CONTINUATION) + client(b'c', CONTINUATION))
    assert (messages, reader.error.close_code) == (['ab'], 1002)


@pytest.mark.parametrize('opcode', [TEXT, BINARY])
@pytest.mark.parametrize('data', [b'x', b'x' * 126])
def test_a_new_message_inside_another_is_refused(opcode, data):
    messages, reader = read(client(b'a', final=False) + client(data, opcode))
    assert (messages, reader.error.close_code) == ([], 1002)


def test_messages_after_fragments_are_whole_again():
    assert read(client(b'a', final=False) + client(b'b', CONTINUATION) + client(b'c'))[0] == ['ab', 'c']


# -- UTF-8 -----------------------------------------------------------------------------------------------------------

VALID = [
    'κόσμε',
    '\x00',
    '\x7f',
    '\x80',
    '߿',
    'ࠀ',
    '\ufffd',
    '\uffff',
    '\U00010000',
    '\U0010ffff',
    '\ue000',
    'é😀€' * 50,
    # no characters, and UTF-8 all the same
    '\ufffe',
    ''.join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)),
]
INVALID = [
    b'\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64',
    b'\x80',
    b'\xbf',
    b'\xc0\xaf',
    b'\xc1\xbf',
    b'\xc3',
    b'\xc3\x28',
    b'\xe0\x80\xaf',
    b'\xe2\x82',
    b'\xed\xa0\x80',
    b'\xed\xbf\xbf',
    b'\xf0\x80\x80\xaf',
    b'\xf0\x9f\x98',
    b'\xf4\x90\x80\x80',
    b'\xf5\x80\x80\x80',
    b'\xf8\x88\x80\x80\x80',
    b'\xfc\x84\x80\x80\x80\x80',
    b'\xfe',
    b'\xff',
    # continuation bytes alone, first bytes alone, sequences without their last byte one after another
    bytes(range(0x80, 0xC0)),
    *(bytes([first]) + b' ' for first in (0xC2, 0xDF, 0xE0, 0xEF, 0xF0, 0xF4, 0xF8, 0xFB, 0xFC, 0xFD)),
    b'\xdf\xef\xbf\xf7\xbf\xbf\xfb\xbf\xbf\xbf\xfd\xbf\xbf\xbf\xbf',
    # more bytes than needed: '/', the last code point of a shorter form, and NUL
    b'\xf8\x80\x80\x80\xaf',
    b'\xfc\x80\x80\x80\x80\xaf',
    b'\xe0\x9f\xbf',
    b'\xf0\x8f\xbf\xbf',
    b'\xc0\x80',
    b'\xe0\x80\x80',
    b'\xf0\x80\x80\x80',
    # each end of the surrogates, and pairs of them
    *(code.to_bytes(3, 'big') for code in (0xEDADBF, 0xEDAE80, 0xEDAFBF, 0xEDB080, 0xEDBE80)),
    *(high + low for high in (b'\xed\xa0\x80', b'\xed\xaf\xbf') for low in (b'\xed\xb0\x80', b'\xed\xbf\xbf')),
]


@pytest.mark.parametrize('text', VALID, ids=ascii)
def test_utf8(text):
    assert read(client(text.encode()))[0] == [text]


@pytest.mark.parametrize('text', VALID, ids=ascii)
def test_utf8_cut_into_bytes(text):
    chunks = [client(b'', TEXT, final=False)]
    chunks += [client(bytes([byte]), CONTINUATION, final=False) for byte in text.encode()]
    assert read(*chunks, client(b'', CONTINUATION))[0] == [text]


@pytest.mark.parametrize('data', INVALID)
@pytest.mark.parametrize('padding', [b'', b'x' * 200], ids=['short', 'long'])
def test_invalid_utf8(data, padding):
    messages, reader = read(client(padding + data) + client(b'more'))
    assert (messages, reader.error.close_code) == ([], 1007)


@pytest.mark.parametrize('data', INVALID)
def test_invalid_utf8_cut_into_bytes(data):
    chunks = [client(b'', TEXT, final=False)]
    chunks += [client(bytes([byte]), CONTINUATION, final=False) for byte in data]
    assert read(*chunks, client(b'', CONTINUATION))[1].error.close_code == 1007


def test_invalid_utf8_is_seen_in_the_fragment_that_makes_it_invalid():
    _, reader = read(client(b'\xce\xba', final=False), client(b'\xed\xa0\x80', CONTINUATION, final=False))
    assert reader.error.close_code == 1007


@pytest.mark.parametrize('cut', [1, 2, 6, 10, 12, 14, 15, 30])
@pytest.mark.parametrize('fragments', [(b'',), (b'\xce\xba', b'')], ids=['one frame', 'a second fragment'])
def test_invalid_utf8_is_seen_before_its_frame_is_whole(cut, fragments):
    """Autobahn 6.4.3 and 6.4.4. No character begins with F4 90."""
    last = client('κ'.encode() * 30 + b'\xf4\x90' + b'x' * 100_000, TEXT if len(fragments) == 1 else CONTINUATION)
    at = len(last) - 100_000
    before = [client(fragment, final=False) for fragment in fragments[:-1]]
    messages, reader = read(*before, last[:cut], last[cut : at - cut], last[at - cut : at - 1])
    assert (messages, reader.error) == ([], None)
    reader.feed(last[at - 1 : at])
    assert reader.error.close_code == 1007


@pytest.mark.parametrize('size', [1, 3, 1000, 70_000])
def test_a_character_may_be_cut_wherever_a_frame_is(size):
    parts = '€'.encode() * 50_000
    data = client(b'ping', PING).join([client(parts[:100_001], final=False), client(parts[100_001:], CONTINUATION)])
    messages, reader = read(*(data[i : i + size] for i in range(0, len(data), size)))
    assert (messages, reader.pings, reader.error) == (['€' * 50_000], [b'ping'], None)


@pytest.mark.parametrize('data', INVALID)
def test_binary_data_is_no_text(data):
    assert read(client(data, BINARY))[0] == [data]


# -- closing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'code', [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
)
def test_a_close_code(code):
    assert read(closed(code))[1].closed == code


@pytest.mark.parametrize('code', [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_code_that_may_not_stand_on_the_wire(code):
    _, reader = read(closed(code))
    assert (reader.closed, reader.error.close_code) == (None, 1002)


def test_a_close_without_a_code():
    assert read(client(b'', CLOSE))[1].closed == 1005


def test_a_close_with_half_a_code():
    assert read(client(b'\x03', CLOSE))[1].error.close_code == 1002


@pytest.mark.parametrize('reason', [b'', b'bye', 'é😀'.encode(), b'x' * 123])
def test_a_close_with_a_reason(reason):
    assert read(closed(1000, reason))[1].closed == 1000


def test_a_reason_that_is_no_utf8():
    assert read(closed(1000, b'\xce\xba\xed\xa0\x80'))[1].error.close_code == 1007


@pytest.mark.parametrize('after', [client(b'more'), client(b'', PING), closed(1001), b'\xff\xff'])
def test_nothing_is_read_after_a_close(after):
    messages, reader = read(closed(1000) + after)
    assert (messages, reader.pings, reader.closed, reader.error) == ([], [], 1000, None)
    assert reader.feed(after) == []
    assert (reader.pings, reader.closed, reader.error) == ([], 1000, None)


@pytest.mark.parametrize(
    ('code', 'reason', 'written'),
    [
        (1000, '', '88 02 03 e8'),
        (1009, 'big', '88 05 03 f1 62 69 67'),
        (1002, 'x' * 200, '88 7d 03 ea' + ' 78' * 123),
        (1002, 'x' * 122 + 'é', '88 7c 03 ea' + ' 78' * 122),
    ],
    ids=['no reason', 'reason', 'long reason', 'reason cut inside a character'],
)
def test_our_close_frame(code, reason, written):
    assert frames.close_frame(code, reason) == bytes.fromhex(written)


# -- messages to frames ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('messages', 'prefix', 'written'),
    [
        (('40',), b'', b'\x81\x0240'),
        (('4é',), b'', b'\x81\x034\xc3\xa9'),
        (('x' * 126,), b'', b'\x81\x7e\x00\x7e' + b'x' * 126),
        (('4\ud800',), b'', b'\x81\x024?'),
        ((b'\x01',), b'', b'\x82\x01\x01'),
        ((b'\x01',), b'\x04', b'\x82\x02\x04\x01'),
        (('451-[]', b'\x01', b''), b'\x04', b'\x81\x06451-[]\x82\x02\x04\x01\x82\x01\x04'),
        (('a', 'b\ud800'), b'', b'\x81\x01a\x81\x02b?'),
    ],
)
def test_messages_to_frames(messages, prefix, written):
    assert frames.message_frames(messages, prefix) == written


# -- chunks ----------------------------------------------------------------------------------------------------------

CONVERSATION = [
    client(b'first'),
    client(b'', TEXT),
    client(b'\x00\x01\x02', BINARY),
    client(b'a', final=False),
    client(b'ping', PING),
    client('é😀'.encode(), CONTINUATION, final=False),
    client(b'', CONTINUATION),
    client(b'x' * 126),
    client(b'y' * 300, BINARY),
    client(b'', PONG),
    client(b'last'),
    closed(4000, b'bye'),
]
SAID = ['first', '', b'\x00\x01\x02', 'aé😀', 'x' * 126, b'y' * 300, 'last']


@pytest.mark.parametrize('size', [1, 2, 3, 5, 6, 7, 11, 64, 1000, 65536])
def test_chunks_of_every_size(size):
    data = b''.join(CONVERSATION)
    messages, reader = read(*(data[i : i + size] for i in range(0, len(data), size)))
    assert (messages, reader.pings, reader.closed, reader.error) == (SAID, [b'ping'], 4000, None)


def test_a_cut_at_every_byte():
    data = b''.join(CONVERSATION)
    for cut in range(len(data) + 1):
        messages, reader = read(data[:cut], data[cut:])
        assert (messages, reader.pings, reader.closed, reader.error) == (SAID, [b'ping'], 4000, None), cut


@pytest.mark.parametrize('length', [65535, 65536])
def test_a_long_frame_cut_inside_its_head(length):
    data = client(b'x' * length, BINARY)
    for cut in range(16):
        assert read(data[:cut], data[cut:] + client(b'more'))[0] == [b'x' * length, 'more']


def test_feeding_nothing_says_nothing():
    assert read(b'', client(b'x')[:3], b'', client(b'x')[3:], b'')[0] == ['x']


@given(st.data())
def test_the_short_road_agrees_with_the_long_one(data):
    """A short text in one chunk takes the fast path; cut into bytes it cannot."""
    said = data.draw(st.lists(st.tuples(st.binary(max_size=130), st.binary(min_size=4, max_size=4)), max_size=4))
    whole = b''.join(client(text, mask=mask) for text, mask in said)
    fast, fast_reader = read(whole)
    slow, slow_reader = read(*(whole[i : i + 1] for i in range(len(whole))))
    assert fast == slow
    assert repr(fast_reader.error) == repr(slow_reader.error)


@given(st.binary(max_size=300), st.integers(1, 20))
def test_any_bytes_in_any_chunks_never_raise_and_agree(data, size):
    whole, reader = read(data, max_payload=100_000)
    cut, cut_reader = read(*(data[i : i + size] for i in range(0, len(data), size)), max_payload=100_000)
    assert whole == cut
    assert (reader.pings, reader.closed) == (cut_reader.pings, cut_reader.closed)
    assert repr(reader.error) == repr(cut_reader.error)


opcodes = st.sampled_from([CONTINUATION, TEXT, BINARY, PING, PONG, CLOSE, 3])
some_frames = st.lists(
    st.builds(client, st.binary(max_size=10), opcodes, st.booleans(), reserved=st.sampled_from([0] * 9 + [4]))
)


@given(some_frames, st.integers(1, 20))
def test_frames_in_any_order_agree_in_any_chunks(parts, size):
    test_any_bytes_in_any_chunks_never_raise_and_agree.hypothesis.inner_test(b''.join(parts), size)


@given(st.binary(max_size=1000), st.binary(min_size=4, max_size=4))
def test_unmasking_is_byte_by_byte(data, mask):
    assert frames.unmask(mask, data) == bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


MESSAGES = st.lists(st.one_of(st.text(max_size=140), st.binary(max_size=140)), min_size=1, max_size=3).map(tuple)


@given(st.lists(st.one_of(MESSAGES, st.binary()), max_size=4), st.sampled_from([b'', b'\x04']))
@example([('x' * 125,), ('x' * 126,), ('é' * 63,), ('\ud800',)], b'')
def test_all_of_one_send_is_what_each_part_would_be(written, prefix):
    alone = [frames.message_frames(part, prefix) if type(part) is tuple else part for part in written]
    assert frames.joined(written, prefix) == b''.join(alone)
