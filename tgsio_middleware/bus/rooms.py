"""Rooms: two maps. Who is in a namespace, and who in a room of it.

A member is anything that can be hashed; here it is a connected namespace object, one client's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

Member = TypeVar('Member')


class Rooms(Generic[Member]):
    """Members by (endpoint, room); the room None is the whole namespace. Sets keep the order in which members came."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str | None], dict[Member, None]] = {}
        self._rooms: dict[Member, set[tuple[str, str | None]]] = {}

    def join(self, member: Member, endpoint: str, room: str | None = None) -> None:
        """Once in, always in, until `leave`."""
        self._members.setdefault((endpoint, room), {})[member] = None
        self._rooms.setdefault(member, set()).add((endpoint, room))

    def leave(self, member: Member, endpoint: str, room: str | None = None) -> None:
        """Raises KeyError where the member is not in the room, as gevent-socketio's `leave` did."""
        self._rooms[member].remove((endpoint, room))
        self._forget(member, (endpoint, room))

    def leave_all(self, member: Member) -> None:
        """The member is gone."""
        for key in self._rooms.pop(member, ()):
            self._forget(member, key)

    def _forget(self, member: Member, key: tuple[str, str | None]) -> None:
        members = self._members[key]
        del members[member]
        if not members:
            del self._members[key]

    def members(self, endpoint: str, room: str | None = None) -> Collection[Member]:
        """Who is in; do not change rooms while you walk over it."""
        return self._members.get((endpoint, room), {}).keys()

    def count(self, member: Member) -> int:
        """How many rooms it is in, the whole namespace not counted."""
        return max(0, len(self._rooms.get(member, ())) - 1)

    def rooms_of(self, member: Member) -> set[str]:
        """The names of its rooms."""
        return {room for _, room in self._rooms.get(member, ()) if room is not None}
