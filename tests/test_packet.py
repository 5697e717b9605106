"""A packet is gevent-socketio's dict."""

from __future__ import annotations

from tgsio_middleware.packet import Packet, ack, event


def test_an_event():
    assert event('/chat', 'say', ('hi',)) == {'type': 'event', 'endpoint': '/chat', 'name': 'say', 'args': ('hi',)}


def test_an_ack():
    assert ack('', 0, [None]) == {'type': 'ack', 'endpoint': '', 'ackId': 0, 'args': [None]}


def test_a_packet_is_a_plain_dict():
    packet = Packet(type='noop', endpoint='')
    assert type(packet) is dict
    assert packet == {'type': 'noop', 'endpoint': ''}
