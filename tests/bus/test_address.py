"""Whom something is for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tgsio_middleware.bus.address import NOBODY, Address, address, endpoint_of, joinable, room_name, user_room
from tgsio_middleware.errors import LocalProtocolError

SOCKET = SimpleNamespace(active_ns={})
ANN = SOCKET.active_ns['/chat'] = SimpleNamespace(sid='ann', socket=SOCKET)
ELSEWHERE = SOCKET.active_ns['/game'] = SimpleNamespace(sid='ann in /game', socket=SOCKET)


@pytest.mark.parametrize(
    ('namespace', 'endpoint'), [('/', ''), ('', ''), ('/chat', '/chat'), ('chat', '/chat'), ('/a/b', '/a/b')]
)
def test_namespaces_as_people_write_them(namespace, endpoint):
    assert endpoint_of(namespace) == endpoint


@pytest.mark.parametrize('namespace', [None, SimpleNamespace, ['/chat']])
def test_what_is_no_name_of_a_namespace_is_told(namespace):
    """The namespace's class, for one."""
    with pytest.raises(LocalProtocolError, match='is no name of a namespace'):
        address(namespace)


@pytest.mark.parametrize(
    ('told', 'meant'),
    [
        ({}, Address('/chat')),
        ({'room': 'red'}, Address('/chat', ('red',))),
        ({'room': ['red', 'blue']}, Address('/chat', ('red', 'blue'))),
        ({'room': 7}, Address('/chat', ('7',))),
        ({'room': (name for name in 'ab')}, Address('/chat', ('a', 'b'))),
        ({'user': 7}, Address('/chat', ('tg-user:7',))),
        ({'room': 'red', 'user': 'ann'}, Address('/chat', ('red', 'tg-user:ann'))),
        ({'user': ['ann', 7]}, Address('/chat', ('tg-user:ann', 'tg-user:7'))),
        ({'skip': 'red'}, Address('/chat', (), ('red',))),
        ({'skip': 7}, Address('/chat', (), ('7',))),
        ({'skip': ANN}, Address('/chat', (), ('ann',))),
        ({'skip': ELSEWHERE}, Address('/chat', (), ('ann',))),
        ({'skip': SOCKET}, Address('/chat', (), ('ann',))),
        ({'skip': SimpleNamespace(active_ns={})}, Address('/chat')),
        ({'skip': ['red', ANN, SOCKET]}, Address('/chat', (), ('red', 'ann', 'ann'))),
    ],
)
def test_what_emit_is_told(told, meant):
    assert address('/chat', **told) == meant


def test_an_empty_list_of_rooms_is_nobody_and_not_everybody():
    assert address('/chat', room=[]) == address('/chat', user=()) == Address('/chat', (NOBODY,))
    assert address('/chat', room=[], user='ann') == Address('/chat', ('tg-user:ann',))


def test_who_is_not_logged_in_is_nobody_and_not_everybody():
    """Or the logout of a visitor would end everybody's connections."""
    assert address('/chat', user=None) == Address('/chat', (NOBODY,))
    assert address('/chat', user=None, room='red') == Address('/chat', ('red',))


@pytest.mark.parametrize('room', [b'red', None, 7.5, True, {'a': 1}, ['red'], object()])
def test_what_is_no_name_of_a_room_is_told(room):
    for name in (
        room_name,
        joinable,
        lambda room: address('/chat', room=[room]),
        lambda room: address('/', skip=[room]),
    ):
        with pytest.raises(LocalProtocolError, match='is no name of a room: allowed are text and whole numbers'):
            name(room)


def test_nobody_joins_a_users_room_by_its_name():
    assert joinable('red') == 'red'
    with pytest.raises(LocalProtocolError, match='tg-user:ann'):
        joinable(user_room('ann'))
