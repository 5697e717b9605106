"""Engine.IO 2, of the clients 1.0: Engine.IO 3 with all text encoded twice."""

from __future__ import annotations

import pytest

from tgsio_middleware.packet import event
from tgsio_middleware.wire import eio2
from tgsio_middleware.wire.dialect import Octets

TWICE = '42["b","Ã©"]'


@pytest.mark.parametrize(('text', 'value'), [(TWICE, 'é'), ('42["b","é"]', 'é'), ('42["b","e"]', 'e')])
def test_a_websockets_text_is_decoded_once_more_where_it_can_be(text, value):
    assert eio2.decode(text) == event('', 'b', [value])


def test_a_payload_is_decoded_once_more():
    messages = eio2.split_payload(f'12:{TWICE}'.encode(), 'text/plain;charset=UTF-8', set())
    assert [eio2.decode(message) for message in messages] == [event('', 'b', ['é'])]


@pytest.mark.parametrize(('query', 'octets'), [({'b64': '1'}, Octets.NEVER), ({}, Octets.ALWAYS)])
def test_a_browser_reads_nothing_but_octets(query, octets):
    assert eio2.octets(query) is octets
