"""Namespaces that were written for gevent-socketio, served unmodified.

A class of theirs is never changed. Its clients get objects of a subclass, in whose MRO ours stand right before theirs:

    the site's       Chat(socketio.namespace.BaseNamespace, socketio.mixins.RoomsMixin)
    what is served   Chat, ours: RoomsMixin, BaseNamespace, theirs: BaseNamespace, RoomsMixin

so that a `super()` of the site's code comes to ours, `isinstance` holds, and what is called as
`BaseNamespace.emit(self, ...)` runs in theirs, on our Socket, which has the names that it uses (`legacy`).

The import name `socketio` is also python-socketio's, whose namespaces are something else; where both are installed,
they have overwritten each other's files.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import MutableMapping
from functools import cache
from importlib import metadata
from types import SimpleNamespace
from typing import Any

from ..errors import ConfigurationError
from ..mixins import BroadcastMixin, RoomsMixin
from ..namespace import BaseNamespace
from .auth import AUTH

#: Distributions that install gevent-socketio, and the one that installs another `socketio`.
OURS = ('gevent-socketio-hartwork', 'gevent-socketio')
NAMESAKE = 'python-socketio'
#: How the two bases are told from each other.
MARKS = ('process_packet', 'get_initial_acl')


class Adopted(BaseNamespace):
    """Ours, where gevent-socketio's own BaseNamespace comes next."""

    sid = ''  # of the class: a site's `__init__` may go to gevent-socketio's directly

    def __init__(self, environ: MutableMapping[str, Any], ns_name: str, request: Any = None) -> None:
        super(BaseNamespace, self).__init__(environ, ns_name, request)  # type: ignore[call-arg]

    @property
    def auth(self) -> dict[str, Any]:  # type: ignore[override]
        """As ever."""
        return self.environ[AUTH]  # type: ignore[no-any-return]

    @property
    def session(self) -> dict[Any, Any]:
        """The connection's."""
        return self.socket.session

    @session.setter
    def session(self, session: dict[Any, Any]) -> None:
        """gevent-socketio's constructor sets what is there already."""


class Rooms(RoomsMixin):
    """Ours; the names stand in `session['rooms']` too, where mixins of the site's own look for them."""

    session: dict[Any, Any]

    def join(self, room: str | int) -> None:
        """As ever."""
        super().join(room)
        self.session['rooms'].add(self._get_room_name(str(room)))  # type: ignore[attr-defined]

    def leave(self, room: str | int) -> None:
        """As ever. Raises KeyError."""
        self.session['rooms'].remove(self._get_room_name(str(room)))  # type: ignore[attr-defined]
        super().leave(room)

    def disconnect(self, silent: bool = False) -> None:
        """As ever; who comes back is in no room."""
        names = {self._get_room_name(room) for room in self.rooms}  # type: ignore[attr-defined]
        super().disconnect(silent)  # type: ignore[misc]
        if self.ns_name not in self.socket:
            self.session['rooms'] -= names


#: gevent-socketio's mixins by name, and what stands before them.
MIXINS: dict[str, type] = {'RoomsMixin': Rooms, 'BroadcastMixin': BroadcastMixin}


#: class of the site's -> class that is served
_ADOPTED: dict[type, type[BaseNamespace]] = {}


def is_foreign(cls: Any) -> bool:
    """A namespace class of gevent-socketio's or python-socketio's."""
    return (
        isinstance(cls, type)
        and not issubclass(cls, BaseNamespace)
        and any(_top(base) == 'socketio' and base.__name__.endswith('Namespace') for base in cls.__mro__)
    )


def adopted(cls: Any) -> type[BaseNamespace]:
    """The class whose objects serve the clients of `cls`; itself where nothing of it is gevent-socketio's.

    Raises ConfigurationError for a namespace of python-socketio.
    """
    known = _ADOPTED.get(cls)
    if known is None:
        known = _ADOPTED[cls] = _adopt(cls)
    return known


def _adopt(cls: Any) -> Any:
    bases = [_joined(MIXINS[base.__name__], base) for base in cls.__mro__ if _is_mixin(base)]
    if is_foreign(cls):
        bases.append(_joined(Adopted, _their_base(cls)))
    if not bases:
        return cls
    names = {'__module__': cls.__module__, '__qualname__': cls.__qualname__, '__doc__': cls.__doc__}
    return type(cls.__name__, (cls, *bases), names)


@cache
def _joined(ours: type, theirs: type) -> type:
    return type(ours.__name__, (ours, theirs), {'__module__': ours.__module__})


def _is_mixin(base: type) -> bool:
    return base.__module__ == 'socketio.mixins' and base.__name__ in MIXINS


def _their_base(cls: type) -> type:
    for base in cls.__mro__:
        if _top(base) == 'socketio' and all(hasattr(base, name) for name in MARKS) and base.__name__ == 'BaseNamespace':
            _repair(sys.modules[base.__module__])
            return base
    raise ConfigurationError(
        f'{cls.__module__}.{cls.__qualname__} is a namespace of python-socketio, which the filter cannot serve: '
        + (
            trouble()
            or 'derive it from tgsio_middleware.SocketIOTGNamespace, or from socketio.namespace.BaseNamespace of '
            f'gevent-socketio: pip uninstall {NAMESAKE}, then pip install tgsio_middleware[gevent-socketio]'
        )
    )


def _repair(module: Any) -> None:
    """What their module calls `inspect` has a `getargspec`, gone since Python 3.11; everybody else's stays as it is."""
    if not hasattr(module.inspect, 'getargspec'):
        module.inspect = SimpleNamespace(getargspec=inspect.getfullargspec)


def _top(base: type) -> str:
    return base.__module__.partition('.')[0]


def trouble() -> str | None:
    """What is wrong with the installed gevent-socketio, and what to do; None where nothing is, or none is installed."""
    ours = next(filter(_distribution, OURS), None)
    if ours is None:
        return None
    remedy = f'pip uninstall {NAMESAKE}, then pip install --force-reinstall {ours}'
    if _distribution(NAMESAKE):
        return f'{ours} and {NAMESAKE} are both installed, and have overwritten each other in `socketio`: {remedy}'
    if not _is_whole(_distribution(ours)):
        return f'{ours} is installed, but another package has overwritten or removed its `socketio`: {remedy}'
    return None


def _distribution(name: str) -> Any:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _is_whole(distribution: Any) -> bool:
    try:
        source = distribution.locate_file('socketio/namespace.py').read_text('utf-8', 'replace')
    except OSError:
        return False
    return all(f'def {name}(' in source for name in MARKS)
