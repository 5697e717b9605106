r"""Polling for browsers that can ask another origin by script elements alone (JSONP), and answers in a page (htmlfile).

A poll's body becomes the argument of a call, `___eio[0]("...");`, whose index the client's query names: digits, nothing
else of the client's stands in the script. A post is a form's field `d`, because a page can send nothing else there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from ..errors import HandshakeRefused, RemoteProtocolError
from .dialect import Body, Jsonp
from .engineio import MAX_DIGITS
from .javascript import loads, string

SCRIPT = 'text/javascript; charset=UTF-8'
PAGE = 'text/html; charset=UTF-8'
#: The beginning of htmlfile's endless page. Internet Explorer shows a page only once it has 256 bytes of it.
PREAMBLE = '<html><body><script>var _ = function (msg) { parent.s._(msg, document); };</script>' + ' ' * 173


def index_of(jsonp: Jsonp | None, query: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    """Which of the page's functions is to be called; None where the query asks for none. Raises HandshakeRefused."""
    index = next((query[key] for key in keys if key in query), None)
    if jsonp is None or index is None:
        return None
    if not re.fullmatch(f'[0-9]{{1,{MAX_DIGITS}}}', index):
        raise HandshakeRefused('bad_request', 'a JSONP index that is no number')
    return index


def pad(jsonp: Jsonp, index: str, body: Body) -> Body:
    """The body as a script's call."""
    return Body(SCRIPT, f'{jsonp.call}[{index}]({string(body.data.decode())});'.encode())


def unpad(jsonp: Jsonp, form: bytes) -> bytes:
    """The payload of a posted form; raises RemoteProtocolError."""
    try:
        fields = dict(parse_qsl(form.decode('ascii'), keep_blank_values=True, max_num_fields=10, errors='strict'))
        payload = fields['d']
    except (ValueError, KeyError):
        raise RemoteProtocolError('a form without the field d') from None
    return (_json_string(payload) if jsonp.quotes else _without_slashes(payload)).encode('utf-8', 'replace')


def _json_string(payload: str) -> str:
    """0.9: a JSON string, because of what browsers make of line ends in forms."""
    text = loads(payload)
    if type(text) is not str:
        raise RemoteProtocolError('a form whose field d is no JSON string')
    return text


def _without_slashes(payload: str) -> str:
    r"""1.x, 2.x: `\n` stands for a line end, and `\\n` for `\n`."""
    ends = re.sub(r'(\\)?\\n', lambda found: found[0] if found[1] else '\n', payload)
    return ends.replace('\\\\n', '\\n')


def script(message: str) -> bytes:
    r"""A packet in htmlfile's page. The client turns each `\/` of it into `/`: our JSON says such a one otherwise."""
    if message[:1] in ('4', '5', '6'):
        message = message.replace('\\/', '\\\\u002f')
    return f'<script>_({string(message)});</script>'.encode()
