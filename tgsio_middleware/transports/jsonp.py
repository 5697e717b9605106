"""Long polling by script elements and forms. Off unless `transports` names it: any page can place a script element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..wire.dialect import Body, Jsonp, Octets
from ..wire.padding import pad, unpad
from .base import Environ
from .polling import Polling

if TYPE_CHECKING:
    from ..engine.socket import Socket


class JsonpPolling(Polling):
    """`index` is the present poll's."""

    NAME = 'jsonp'

    def __init__(self, socket: Socket) -> None:
        super().__init__(socket, Octets.NEVER)
        self.index = '0'

    @property
    def _jsonp(self) -> Jsonp:
        jsonp = self.socket.dialect.JSONP
        assert jsonp is not None
        return jsonp

    def take(self) -> Body:
        return pad(self._jsonp, self.index, super().take())

    def payload(self, environ: Environ) -> Body:
        return Body('text/plain', unpad(self._jsonp, super().payload(environ).data))
