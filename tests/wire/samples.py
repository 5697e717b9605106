"""What the tests of the wire share: the settings, and hypothesis' idea of a packet."""

from __future__ import annotations

from hypothesis import strategies as st

from tgsio_middleware.packet import Packet
from tgsio_middleware.settings import Settings

SETTINGS = Settings.parse()

#: Any text, lone surrogates too: JavaScript's strings can hold them.
text = st.text(st.characters(exclude_categories=()), max_size=20)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | numbers | text
values = st.recursive(plain, lambda v: st.lists(v, max_size=4) | st.dictionaries(text, v, max_size=4), max_leaves=12)
#: `_placeholder` is a word of the protocol's own.
with_bytes = st.recursive(
    plain | st.binary(max_size=40),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(text.filter('_placeholder'.__ne__), v, max_size=4),
    max_leaves=8,
)
args = st.lists(values, max_size=4)
endpoints = st.sampled_from(['', '/chat', '/admin/chat', '/é', '/a b', '/1'])
ids = st.integers(0, 10**15 - 1)


def events(args: st.SearchStrategy) -> st.SearchStrategy:
    return st.fixed_dictionaries(
        {'type': st.just('event'), 'endpoint': endpoints, 'name': text, 'args': args}, optional={'id': ids}
    ).map(with_ack)


def acks(args: st.SearchStrategy) -> st.SearchStrategy:
    return st.fixed_dictionaries({'type': st.just('ack'), 'endpoint': endpoints, 'ackId': ids, 'args': args}).map(
        Packet
    )


def with_ack(fields: dict) -> Packet:
    return Packet(fields, ack='data') if 'id' in fields else Packet(fields)
