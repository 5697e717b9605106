"""Our server's reading of a request's head agrees with pywsgi's, on the short road and beside it."""

from __future__ import annotations

import io
import re
from http.client import HTTPException

import pytest
from gevent.pywsgi import headers_factory
from hypothesis import example, given
from hypothesis import strategies as st

from tgsio_middleware.transports.heads import MAX_LINE, PLAIN_HEADERS, read_headers

NAMES = st.sampled_from(
    [b'Host', b'X-A', b'content-length', b'Transfer-Encoding', b'a b', b'', b'\xc3\xa9', b' folded', b'From x']
)
VALUES = st.one_of(
    st.sampled_from(
        [b' v', b'v', b'\t v \t', b'', b' a: b', b' a\rb', b' \x85', b' \xa0x', b' \x00', b'\r\n folded', b' \x1c']
    ),
    st.binary(max_size=8).filter(lambda value: b'\n' not in value),
)
LINES = st.builds(
    lambda name, colon, value, end: name + colon + value + end,
    NAMES,
    st.sampled_from([b':', b':', b':', b' :', b'']),
    VALUES,
    st.sampled_from([b'\r\n', b'\r\n', b'\r\n', b'\n']),
)


def has_no_header(head):
    """RFC 9112, 5: a line is a name with a colon, or goes on with the line before; there is no bare CR in it."""
    for at, line in enumerate(re.findall(rb'[^\n]*\n', head)):
        if line in (b'\r\n', b'\n'):
            return False
        if not re.fullmatch(rb"([!#-'*+.^-z|~0-9A-Z-]+:|[ \t])[^\r\n]*\r?\n", line) or (at == 0 and line[:1] in b' \t'):
            return True
    return False


def read(how, head):
    """What it makes of the head, and what it leaves of the stream."""
    stream = io.BytesIO(head)
    try:
        headers = how(stream)
    except HTTPException:
        return 'refused'
    return headers.status, headers.items(), list(headers.headers), stream.read()


@given(st.lists(LINES, max_size=6), st.sampled_from([b'\r\n', b'\n', b'']))
@example([], b'')
@example([b'Host: x\r\n'], b'')
@example([b'Host: v\r\n', b'\r\n folded\r\n'], b'\r\n')
@example([b'X-A: a\r\n \tb\n c\r\n', b'X-A: d\r\n'], b'\r\n')
def test_any_head(lines, end):
    """pywsgi drops what follows a line that is no header; ours refuses all."""
    head = b''.join(lines) + end + b'body' * bool(end)
    said = read(read_headers, head)
    assert (said == 'refused') == has_no_header(head)
    empty = re.search(rb'(?:\A|\n)\r?\n', head)
    end_of_head = empty.end() if empty else len(head)
    unfolded = re.sub(rb'\r?\n[\t ]+', b' ', head[:end_of_head]) + head[end_of_head:]
    assert said in ('refused', read(headers_factory, unfolded))


@pytest.mark.parametrize('size', [MAX_LINE - 4, MAX_LINE - 3, MAX_LINE - 2, MAX_LINE + 1, 2 * MAX_LINE])
def test_a_long_line(size):
    head = b'a:' + b'x' * (size - 4) + b'\r\n\r\n'
    status, *_ = read(read_headers, head)
    assert status == read(headers_factory, head)[0]
    assert bool(status) == (len(head) - 2 > MAX_LINE)


@pytest.mark.parametrize('count', [98, 99, 100, 101])
def test_many_lines(count):
    head = b'a: b\r\n' * count + b'\r\n'
    assert read(read_headers, head) == read(headers_factory, head)


def test_a_browsers_head_takes_the_short_road():
    head = (
        b'Host: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) "q" {}\r\nCookie: a=b; c="d"\r\n'
        b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://www.example.com\r\n\r\n'
    )
    assert PLAIN_HEADERS.fullmatch(head)
    assert read_headers(io.BytesIO(head)).get('sec-websocket-key') == 'dGhlIHNhbXBsZSBub25jZQ=='
