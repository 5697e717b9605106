"""Names of gevent-socketio's Socket that namespaces and mixins of its time use, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .answers import Answers, Callback, Question

if TYPE_CHECKING:
    from .registry import Registry


class Server:
    """Where such code looks for the other clients."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @property
    def sockets(self) -> dict[str, Any]:
        """sid -> Socket, as they are now; who walks over it may end them."""
        return dict(self._registry.sockets)

    def get_socket(self, sessid: str = '') -> Any:
        """One of them, or None."""
        return self._registry.sockets.get(sessid)


class LegacyNames:
    """Socket has them by inheriting."""

    __slots__ = ()
    GLOBAL_NS = ''
    registry: Registry

    @property
    def answers(self) -> Answers:
        """Socket's."""
        raise NotImplementedError

    @property
    def server(self) -> Server:
        """`self.socket.server.sockets`."""
        return Server(self.registry)

    def _get_next_msgid(self) -> int:
        return self.answers.next_number()

    def _save_ack_callback(self, msgid: int, callback: Callback) -> None:
        self.answers.keep(msgid, Question(None, callback, None, False, None))

    def _pop_ack_callback(self, msgid: int) -> Callback | None:
        return self.answers.pop(msgid)
