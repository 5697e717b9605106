"""Rooms: who is in a namespace, and who in a room of it."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from tgsio_middleware.bus.rooms import Rooms


@pytest.fixture
def rooms():
    rooms = Rooms()
    rooms.join('ann', '/chat')
    rooms.join('bob', '/chat')
    rooms.join('ann', '/chat', 'red')
    rooms.join('ann', '/chat', 'blue')
    rooms.join('bob', '/chat', 'red')
    rooms.join('cid', '/game', 'red')
    return rooms


def test_members_of_a_namespace(rooms):
    assert list(rooms.members('/chat')) == ['ann', 'bob']


def test_members_of_a_room(rooms):
    assert list(rooms.members('/chat', 'red')) == ['ann', 'bob']
    assert list(rooms.members('/chat', 'blue')) == ['ann']


def test_rooms_of_the_same_name_in_two_namespaces_are_two(rooms):
    assert list(rooms.members('/game', 'red')) == ['cid']


def test_rooms_of_a_member(rooms):
    assert rooms.rooms_of('ann') == {'red', 'blue'}
    assert rooms.rooms_of('cid') == {'red'}
    assert rooms.rooms_of('nobody') == set()


def test_once_in_is_in_once(rooms):
    rooms.join('ann', '/chat', 'red')
    assert list(rooms.members('/chat', 'red')) == ['ann', 'bob']
    rooms.leave('ann', '/chat', 'red')
    assert list(rooms.members('/chat', 'red')) == ['bob']


@pytest.mark.parametrize(('endpoint', 'room'), [('/chat', 'green'), ('/game', 'red'), ('/nope', None)])
def test_who_is_not_in_cannot_leave(rooms, endpoint, room):
    with pytest.raises(KeyError):
        rooms.leave('bob', endpoint, room)
    with pytest.raises(KeyError):
        rooms.leave('nobody', endpoint, room)
    assert list(rooms.members('/game', 'red')) == ['cid']


def test_leaving_a_room_stays_in_the_namespace(rooms):
    rooms.leave('ann', '/chat', 'red')
    assert 'ann' in rooms.members('/chat')
    assert rooms.rooms_of('ann') == {'blue'}


def test_who_is_gone_is_nowhere(rooms):
    rooms.leave_all('ann')
    assert list(rooms.members('/chat')) == ['bob']
    assert list(rooms.members('/chat', 'red')) == ['bob']
    assert list(rooms.members('/chat', 'blue')) == []
    assert rooms.rooms_of('ann') == set()
    rooms.leave_all('ann')


def test_nothing_is_kept_of_rooms_that_are_empty(rooms):
    for member in ('ann', 'bob', 'cid'):
        rooms.leave_all(member)
    assert not rooms._members
    assert not rooms._rooms


def test_nothing_is_kept_of_a_member_that_has_left_its_last_room():
    rooms = Rooms()
    rooms.join('ann', '/chat', 'red')
    rooms.leave('ann', '/chat', 'red')
    assert not rooms._members
    rooms.leave_all('ann')
    assert not rooms._rooms


class AsASetOfTriples(RuleBasedStateMachine):
    """Whatever happens, it is as if a set of (member, endpoint, room) were kept."""

    inside = Bundle('inside')
    members, endpoints, names = st.sampled_from('abc'), st.sampled_from(['', '/x']), st.sampled_from([None, 'r', 's'])

    def __init__(self):
        super().__init__()
        self.rooms, self.triples = Rooms(), set()

    @rule(target=inside, member=members, endpoint=endpoints, room=names)
    def join(self, member, endpoint, room):
        self.rooms.join(member, endpoint, room)
        self.triples.add((member, endpoint, room))
        return member, endpoint, room

    @rule(target=inside, triple=consumes(inside))
    def leave(self, triple):
        if triple in self.triples:
            self.rooms.leave(*triple)
            self.triples.remove(triple)
        return multiple()

    @rule(member=members)
    def leave_all(self, member):
        self.rooms.leave_all(member)
        self.triples = {triple for triple in self.triples if triple[0] != member}

    @invariant()
    def agrees(self):
        for endpoint in ('', '/x'):
            for room in (None, 'r', 's'):
                assert set(self.rooms.members(endpoint, room)) == {
                    m for m, e, r in self.triples if (e, r) == (endpoint, room)
                }
        for member in 'abc':
            assert self.rooms.rooms_of(member) == {r for m, _, r in self.triples if m == member and r}


test_rooms_as_a_set_of_triples = AsASetOfTriples.TestCase
