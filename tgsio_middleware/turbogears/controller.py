"""SocketIOController: a controller whose namespaces are sub-controllers. Pages beside them work as in any
TGController.

Private name of TurboGears used here: `_dispatch_controller` of a controller.
"""

from __future__ import annotations

from typing import Any

from tg import TGController

from ..engine.adoption import adopted, is_foreign
from ..namespace import BaseNamespace
from . import mount
from .namespace import SocketIOTGNamespace


class SocketIOController(TGController):
    """Mount it where `socketio_resource` points; `chat = Chat` is the namespace `/chat`, `global_namespace = Lobby` is
    `/`.

    An ordinary TGController serves SocketIOTGNamespace as well; this one takes plain BaseNamespace classes too,
    and those of gevent-socketio. Raises ConfigurationError for a namespace of python-socketio.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for value in vars(cls).values():
            for candidate in (value, type(value)):
                if is_foreign(candidate):
                    adopted(candidate)

    def _dispatch_controller(self, current_path: str, controller: Any, state: Any, remainder: Any) -> Any:
        if is_foreign(controller):
            controller = adopted(controller)
        if _is_plain(controller):
            state.add_controller(current_path, controller)
            return mount.dispatch(controller, state, remainder)
        return super()._dispatch_controller(current_path, controller, state, remainder)


def _is_plain(controller: Any) -> bool:
    """A namespace class that knows nothing of TurboGears' dispatcher."""
    return (
        isinstance(controller, type)
        and issubclass(controller, BaseNamespace)
        and not issubclass(controller, SocketIOTGNamespace)
    )
