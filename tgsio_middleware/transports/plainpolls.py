"""Plain polls, read from a connection's bytes; whatever is not plain is left to a full HTTP reader.

A plain poll: HTTP/1.1, GET or POST of the resource with a sid, Content-Length or no body, and none of the headers
in `ODD`. What it means is decided by the filter, exactly as for a WSGI request.
"""

from __future__ import annotations

import re
from io import BytesIO

from .base import Environ
from .posting import MAX_DIGITS

#: Head of a request, in bytes; pywsgi's own bound for one line is 8 KiB.
MAX_HEAD = 65536
#: Headers that a poll's meaning depends on, by their name in lower case.
KNOWN = {
    b'origin': 'HTTP_ORIGIN',
    b'host': 'HTTP_HOST',
    b'cookie': 'HTTP_COOKIE',
    b'content-type': 'CONTENT_TYPE',
    b'content-length': 'CONTENT_LENGTH',
    b'x-forwarded-for': 'HTTP_X_FORWARDED_FOR',
    b'x-forwarded-proto': 'HTTP_X_FORWARDED_PROTO',
    b'x-forwarded-host': 'HTTP_X_FORWARDED_HOST',
}
NAME = re.compile(rb"[!#-'*+.^-z|~0-9-]+")
ODD = frozenset((b'transfer-encoding', b'expect', b'upgrade', b'trailer', b'te'))


class NotPlain(Exception):
    """Let pywsgi judge it."""


class Reader:
    """Plain requests from a connection's bytes. A client says the same headers each time: they are read once."""

    __slots__ = ('_block', '_max_body', '_of_block', '_prefix', 'wanted')

    def __init__(self, prefix: bytes, max_body: int) -> None:
        self._prefix = prefix
        self._max_body = max_body
        self._block = b''
        self._of_block: Environ = {}
        #: the length of a request whose head is whole and whose body is not
        self.wanted = 0

    def read(self, data: bytes) -> tuple[int, Environ]:
        """The request at the beginning of `data`: -> its length and an environ, or 0 where it is not whole yet.

        Raises NotPlain.
        """
        self.wanted = 0
        end = data.find(b'\r\n\r\n')
        if end < 0:
            if len(data) > MAX_HEAD:
                raise NotPlain
            return 0, {}
        line, _, block = data[:end].partition(b'\r\n')
        method, query = self._request_line(line)
        if block != self._block:
            self._of_block = self._headers(block)
            self._block = block
        body = end + 4
        size = body + self._length(method)
        if len(data) < size:
            self.wanted = size
            return 0, {}
        stream = BytesIO(data[body:size])
        return size, {**self._of_block, 'REQUEST_METHOD': method, 'QUERY_STRING': query, 'wsgi.input': stream}

    def _request_line(self, line: bytes) -> tuple[str, str]:
        parts = line.split(b' ')
        if len(parts) != 3 or parts[2] != b'HTTP/1.1' or parts[0] not in (b'GET', b'POST') or len(line.split()) != 3:
            raise NotPlain
        path, _, query = parts[1].partition(b'?')
        pairs = b'&%b&' % query
        if path.rstrip(b'/') != self._prefix or b'&sid=' not in pairs or b'&transport=polling&' not in pairs:
            raise NotPlain
        if b'&j=' in pairs:  # JSONP is judged by its Referer, which is not read here
            raise NotPlain
        return parts[0].decode(), query.decode('latin-1')

    def _headers(self, block: bytes) -> Environ:
        known: Environ = {}
        lines = block.count(b'\r\n')
        if block.count(b'\n') != lines or block.count(b'\r') != lines:  # a line of its own to some readers
            raise NotPlain
        for line in block.split(b'\r\n'):
            name, colon, value = line.partition(b':')
            name, value = name.lower(), value.strip(b' \t')
            closes = name == b'connection' and value.lower() != b'keep-alive'
            if closes or name in ODD or not (colon and NAME.fullmatch(name)) or KNOWN.get(name) in known:
                raise NotPlain
            if name in KNOWN:
                known[KNOWN[name]] = value.decode('latin-1')
        return known

    def _length(self, method: str) -> int:
        length = self._of_block.get('CONTENT_LENGTH', '0' if method == 'GET' else '')
        if not length.isascii() or not length.isdigit() or len(length) > MAX_DIGITS or int(length) > self._max_body:
            raise NotPlain
        return int(length)
