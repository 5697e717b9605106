"""A reader for recorded conversations: tests/wire/transcripts/README.txt says what a line means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name('transcripts')
REQUEST = re.compile(r'> (GET|POST) (/[^ ?]*)(?:\?([^ ]*))?(?: (.+?))? #(\d+)')
ANSWER = re.compile(r'< (\d{3})(?: (.+?))? #(\d+)')
GIVEN_UP = re.compile(r'>x #(\d+)')
CLOSING = re.compile(r'([<>])x(?: (\d+))?')


class Time(NamedTuple):
    """So many seconds pass."""

    seconds: float


class Request(NamedTuple):
    """Of the client; `body` is None where there is none."""

    number: int
    method: str
    path: str
    query: str
    content_type: str
    body: bytes | None


class Answer(NamedTuple):
    """Of the server, to the request of the same number."""

    number: int
    status: int
    content_type: str
    body: bytes | None


class GivenUp(NamedTuple):
    """The client waits no more for the answer to this request."""

    number: int


class Said(NamedTuple):
    """A websocket's message."""

    by_client: bool
    message: str | bytes


class Closed(NamedTuple):
    """A websocket's closing frame; without a code an empty one."""

    by_client: bool
    code: int | None


Step = Time | Request | Answer | GivenUp | Said | Closed


def names() -> list[str]:
    """`sio4/upgrade` and all the others."""
    return sorted(file.relative_to(FOLDER).with_suffix('').as_posix() for file in FOLDER.glob('*/*.txt'))


def read(name: str) -> Iterator[Step]:
    """The steps of one conversation."""
    lines = (FOLDER / f'{name}.txt').read_bytes().decode().split('\n')
    body_of = {i - 1: _body(line) for i, line in enumerate(lines) if line[:2] in ('>|', '<|')}
    for i, line in enumerate(lines):
        if line and line[0] != '#' and line[:2] not in ('>|', '<|'):
            yield _step(line, body_of.get(i))


def _body(line: str) -> bytes:
    return bytes.fromhex(line[3:]) if line[2:3] == 'b' else json.loads(line[2:]).encode()


def _step(line: str, body: bytes | None) -> Step:
    if line.startswith('~ '):
        return Time(float(line[2:]))
    if request := REQUEST.fullmatch(line):
        method, path, query, content_type, number = request.groups('')
        return Request(int(number), method, path, query, content_type, body)
    if answer := ANSWER.fullmatch(line):
        return Answer(int(answer[3]), int(answer[1]), answer[2] or '', body)
    if given_up := GIVEN_UP.fullmatch(line):
        return GivenUp(int(given_up[1]))
    if closing := CLOSING.fullmatch(line):
        return Closed(closing[1] == '>', int(closing[2]) if closing[2] else None)
    if line[1:3] == 'b ':
        return Said(line[0] == '>', bytes.fromhex(line[3:]))
    assert line[1] == ' ', line
    return Said(line[0] == '>', line[2:])
