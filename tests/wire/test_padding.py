"""JSONP and htmlfile: what a script may hold, what a form brings."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.errors import HandshakeRefused, RemoteProtocolError
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.dialect import Body
from tgsio_middleware.wire.negotiate import negotiate
from tgsio_middleware.wire.padding import PREAMBLE, SCRIPT, index_of, pad, script, unpad

#: What broke out of scripts elsewhere (GS, python-engineio 4.15.1), and what old browsers stumble over.
HOSTILE = [
    '");alert(1)//',
    '</script><script>',
    '<!--',
    '\u2028\u2029',
    '\\',
    '"',
    "'",
    '&amp;',
    '\n\r\0',
    'é😀',
    ']]>',
]


def argument(call, said):
    """The string that a script hands to the page's function; nothing else may stand in the script."""
    found = re.fullmatch(re.escape(call) + r'\(("[ -~]*")\);', said)
    assert found, said
    assert not re.search(r'[<>&\u2028\u2029]|(?<!\\)/', found[1])
    return json.loads(found[1])


@pytest.mark.parametrize('text', HOSTILE)
@pytest.mark.parametrize(('dialect', 'call'), [(sio09, 'io.j[7]'), (eio3, '___eio[7]')])
def test_a_hostile_text_is_a_text(dialect, call, text):
    body = pad(dialect.JSONP, '7', Body('text/plain', text.encode()))
    assert body.content_type == SCRIPT
    assert argument(call, body.data.decode()) == text


@given(st.text(st.characters(exclude_categories=['Cs'])))
def test_any_text_is(text):
    assert argument('___eio[0]', pad(eio3.JSONP, '0', Body('', text.encode())).data.decode()) == text


class TestIndex:
    @pytest.mark.parametrize('index', ['0', '12', '123456789012345'])
    def test_digits(self, index):
        assert index_of(eio3.JSONP, {'j': index}, ('j',)) == index

    @pytest.mark.parametrize('index', ['', 'i', '0](evil)//', '-1', '1.5', '٣', '1' * 16, '0\n'])
    def test_all_else_is_refused(self, index):
        with pytest.raises(HandshakeRefused) as refused:
            index_of(eio3.JSONP, {'j': index}, ('j',))
        assert refused.value.reason == 'bad_request'

    def test_who_asks_for_none(self):
        assert index_of(eio3.JSONP, {'i': '0'}, ('j',)) is None

    def test_a_generation_without(self):
        assert index_of(eio4.JSONP, {'j': 'evil'}, ('j',)) is None


class TestNegotiation:
    @pytest.mark.parametrize(
        ('path', 'query', 'transport', 'index'),
        [
            ('/', 'EIO=3&transport=polling&j=2', 'jsonp', '2'),
            ('/', 'EIO=2&transport=polling&j=0&sid=x', 'jsonp', '0'),
            ('/', 'EIO=3&transport=polling', 'polling', None),
            ('/', 'EIO=4&transport=polling&j=2', 'polling', None),
            ('/', 'EIO=3&transport=websocket&j=2', 'websocket', None),
            ('/1/', 'jsonp=3', None, '3'),
            ('/1/', '', None, None),
            ('/1/jsonp-polling/x', 'i=4', 'jsonp', '4'),
            ('/1/jsonp-polling/x', '', 'jsonp', '0'),
            ('/1/xhr-polling/x', 'i=4', 'polling', None),
            ('/1/htmlfile/x', 'i=4', 'htmlfile', None),
            ('/1/flashsocket/x', '', 'websocket', None),
        ],
    )
    def test_what_is_wanted(self, path, query, transport, index):
        wanted = negotiate('/socketio', '/socketio' + path, query)
        assert (wanted.transport, wanted.jsonp) == (transport, index)


class TestForms:
    @pytest.mark.parametrize('text', ['5:::{"name":"é😀"}', 'a\nb', 'a\\nb', '\ufffd3\ufffd2::', ''])
    def test_a_json_string_of_0_9(self, text):
        assert unpad(sio09.JSONP, urlencode({'d': json.dumps(text)}).encode()).decode() == text

    @pytest.mark.parametrize('text', ['10:42["a\\nb"]', 'a\nb\n\n', 'a\\nb', '\\\\n', '\n\\n\n', 'é😀', '\\', ''])
    def test_escaped_line_ends_of_1_x_and_2_x(self, text):
        """engine.io-client, polling-jsonp.js: first `\\n` gets a second slash, then a line end becomes `\\n`."""
        escaped = text.replace('\\n', '\\\n').replace('\n', '\\n')
        assert unpad(eio3.JSONP, urlencode({'d': escaped}).encode()).decode() == text

    @pytest.mark.parametrize('form', [b'', b'x=1', b'\xff', b'd=%ff', b'&' * 20, b'd=1&' * 20])
    @pytest.mark.parametrize('dialect', [sio09, eio3])
    def test_what_is_no_such_form(self, form, dialect):
        with pytest.raises(RemoteProtocolError, match='without the field d'):
            unpad(dialect.JSONP, form)

    @pytest.mark.parametrize('data', ['1', '[]', '{', '"a', 'null'])
    def test_what_is_no_json_string(self, data):
        with pytest.raises(RemoteProtocolError):
            unpad(sio09.JSONP, urlencode({'d': data}).encode())


class TestHtmlfile:
    def test_the_page_begins_with_256_bytes(self):
        assert len(PREAMBLE) == 83 + 173
        assert PREAMBLE.endswith(' ' * 173)

    @pytest.mark.parametrize('value', [*HOSTILE, 'a/b', 'a\\/b', '\\\\//'])
    def test_the_clients_unescaping_changes_nothing(self, value):
        """socket.io-client 0.9, htmlfile.js: `data.replace(/\\\\\\//g, '/')` (its issue 1251)."""
        packet = sio09.encode({'type': 'event', 'endpoint': '/a/b', 'name': value, 'args': [value]})[0]
        said = script(packet).decode()
        got = argument('<script>_', said.removesuffix('</script>')).replace('\\/', '/')
        assert sio09.decode(got) == sio09.decode(packet)

    def test_a_message_stays_as_it_is(self):
        assert argument('<script>_', script('3:::a\\b').decode().removesuffix('</script>')) == '3:::a\\b'
