"""JSON as both sides must read and write it."""

from __future__ import annotations

import json
import json.encoder
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.errors import RemoteProtocolError
from tgsio_middleware.wire import javascript
from tgsio_middleware.wire.javascript import NotPlain, dumps, loads, string

from .samples import values

# (value, text): in both directions
TABLE = [
    (None, 'null'),
    (True, 'true'),
    (0, '0'),
    (-2.5, '-2.5'),
    ('', '""'),
    ('é', '"\\u00e9"'),
    ('😀', '"\\ud83d\\ude00"'),
    ('\ud800', '"\\ud800"'),
    ('\u2028\x00\x7f"\\', '"\\u2028\\u0000\\u007f\\"\\\\"'),
    ([], '[]'),
    ({}, '{}'),
    ([1, {'a': [2, None]}], '[1,{"a":[2,null]}]'),
]
NOT_JSON = [
    '',
    ' ',
    '[',
    '[1,]',
    '{"a"}',
    "['a']",
    '[1]x',
    '[1][2]',
    'NaN',
    '[Infinity]',
    '[-Infinity]',
    '[1e999]',
    '[-1e999]',
    '[01]',
    '"\n"',
    'nul',
    '\ufeff[]',
    '[' * 100_000,
    '[' * 100_000 + ']' * 100_000,
    '{"a":' * 100_000,
    '9' * 5000,
    '[' + '9' * 5000 + ']',
]


@pytest.mark.parametrize(('value', 'text'), TABLE)
def test_it_writes(value, text):
    assert dumps(value) == text


@pytest.mark.parametrize(('value', 'text'), TABLE)
def test_it_reads(value, text):
    assert loads(text) == value


@pytest.mark.parametrize('text', ['["é"]', '[ 1 , 2 ]', '[1]\n'])
def test_it_reads_what_it_would_not_write(text):
    assert loads(text) == json.loads(text)


def test_it_reads_from_the_middle_of_a_text():
    assert loads('42/chat,7["say"]', 9) == ['say']


def test_a_start_behind_the_end_holds_no_json():
    with pytest.raises(RemoteProtocolError):
        loads('42', 7)


@pytest.mark.parametrize('text', NOT_JSON, ids=lambda text: text[:12])
def test_what_is_no_json_is_the_clients_fault(text):
    with pytest.raises(RemoteProtocolError):
        loads(text)


@pytest.mark.parametrize('value', [b'bytes', date(2000, 1, 1), {1, 2}, object()])
def test_what_json_has_no_word_for_is_not_plain(value):
    with pytest.raises(NotPlain):
        dumps([value])


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_numbers_that_json_lacks_are_refused(value):
    with pytest.raises(ValueError, match='JSON'):
        dumps([value])


@pytest.mark.parametrize(
    ('text', 'literal'),
    [
        ('1::', '"1::"'),
        ('</script>', '"\\u003c\\/script\\u003e"'),
        ('");alert(1)//', '"\\");alert(1)\\/\\/"'),
        ('\u2028\u2029', '"\\u2028\\u2029"'),
        ('<!--', '"\\u003c!--"'),
        ('a&b', '"a\\u0026b"'),
        ('\\', '"\\\\"'),
    ],
)
def test_a_string_is_safe_inside_a_script(text, literal):
    assert string(text) == literal
    assert json.loads(literal) == text


def test_without_cpythons_private_encoder_json_itself_serves(monkeypatch):
    monkeypatch.setattr(json.encoder, 'c_make_encoder', None)
    assert ''.join(javascript._prebuilt()([1, 'é'], 0)) == '[1,"\\u00e9"]'


def test_an_encoder_that_writes_something_else_is_not_trusted(monkeypatch):
    monkeypatch.setattr(javascript, '_slow_dumps', lambda value: 'as json writes it')
    assert ''.join(javascript._prebuilt()([], 0)) == 'as json writes it'


@given(values)
def test_it_writes_what_json_writes(value):
    assert dumps(value) == json.dumps(value, separators=(',', ':'))


@given(values)
def test_what_it_wrote_it_reads(value):
    assert loads(dumps(value)) == value


@given(st.text() | st.text('[]{}",:0123456789eE+-.\\unltrfasN \n', max_size=30))
def test_any_text_is_json_or_the_clients_fault(text):
    try:
        value = loads(text)
    except RemoteProtocolError:
        return
    dumps(value)
