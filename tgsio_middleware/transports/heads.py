"""A request's head, read from its connection as pywsgi's handler wants it: a mapping of its headers."""

from __future__ import annotations

import io
import re
from http.client import HTTPException
from typing import Any

from gevent.pywsgi import OldMessage, headers_factory

#: The standard library's own bounds for a request's head, and a head that needs none of its parser.
MAX_HEADERS, MAX_LINE = 100, 65536
PLAIN_HEADERS = re.compile(rb"(?:[!#-'*+.^-z|~0-9A-Z-]+:[\t -~]*\r\n)+\r\n")
#: What may stand in another one: a line, which may go on in the next. Of the rest the parser drops, or makes, lines.
HEADER_LINES = re.compile(rb"(?:[!#-'*+.^-z|~0-9A-Z-]+:[^\r\n]*\r?\n(?:[\t ][^\r\n]*\r?\n)*)*")
#: RFC 9112, 5.2: what goes on in the next line is one line to those behind, who may say it in an answer's header.
FOLD = re.compile(rb'\r?\n[\t ]+')


def read_headers(stream: Any, *ignored: Any) -> OldMessage:
    """pywsgi's headers, from lines. It has them read by the standard library's parser for mail, which takes a fifth of
    the time of a connect; that one is asked where a line is anything but `Name: value`. Raises HTTPException for too
    many of them, and for what is none.
    """
    lines = [stream.readline(MAX_LINE + 1)]
    while lines[-1] not in (b'\r\n', b'\n', b'') and len(lines[-1]) <= MAX_LINE:
        if len(lines) == MAX_HEADERS:
            raise HTTPException(f'more than {MAX_HEADERS} headers')
        lines.append(stream.readline(MAX_LINE + 1))
    text = b''.join(lines)
    if not PLAIN_HEADERS.fullmatch(text):
        if not HEADER_LINES.fullmatch(b''.join(lines[:-1])):
            raise HTTPException('a line that is no header')
        return headers_factory(io.BytesIO(FOLD.sub(b' ', text)))
    headers = OldMessage()
    for line in text.decode('latin-1').split('\r\n')[:-2]:
        name, _, value = line.partition(':')
        headers.set_raw(name, value.lstrip(' \t'))
    return headers
