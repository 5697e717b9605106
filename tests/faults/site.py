"""A site whose clients leave something everywhere, and which tells what is left of them: see `left`.

python -m tests.faults.site settings.json

`patience`, besides the filter's settings: seconds that an idle connection stays.
"""

# ruff: noqa: E402
from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import gc
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
from greenlet import greenlet
from tg import MinimalApplicationConfigurator, TGController, expose
from tg.configurator.components.transactions import TransactionManagerConfigurationComponent

from tests.fixtureapps.program import serve, settings_from
from tgsio_middleware import BroadcastMixin, RoomsMixin, SocketIOController
from tgsio_middleware import server as server_module
from tgsio_middleware.engine.exchange import EXCHANGES
from tgsio_middleware.engine.workers import workers
from tgsio_middleware.middleware import SocketIOMiddleware
from tgsio_middleware.pubsub import PubSubTGNamespace
from tgsio_middleware.server import SocketIOServer
from tgsio_middleware.transports import idle

#: The sids of the namespaces that have come and not gone, and how often which handler ran for whom.
here: set[str] = set()
ran = {'came': 0, 'went': 0, 'went without being here': 0}


class Crowd(PubSubTGNamespace, RoomsMixin, BroadcastMixin):
    """`settle` leaves something everywhere; the other events take their time."""

    def recv_connect(self):
        here.add(self.sid)
        ran['came'] += 1

    def recv_disconnect(self):
        ran['went' if self.sid in here else 'went without being here'] += 1
        here.discard(self.sid)
        super().recv_disconnect()

    def subscribe_lobby(self):
        pass

    def on_settle(self):
        self.join('everybody')
        self.join(f'of {self.sid}')
        self.session['kept'] = self
        self.spawn(gevent.sleep, 3600)
        self.emit('asked', callback=self.on_settle, timeout=3600)
        self.emit('settled')

    def on_echo(self, what):
        self.emit('echo', what)
        self.emit_to_room(f'of {self.sid}', 'echo', what)

    def on_shout(self, what):
        self.publish('lobby', what)

    def on_block(self, seconds):
        gevent.sleep(seconds)
        self.emit('blocked')

    def on_ask(self):
        """Waits for an answer that never comes."""
        self.call('asked', timeout=3600)


class Side(Crowd):
    """A second namespace on the same connections."""


class SocketIO(SocketIOController):
    global_namespace = Crowd
    side = Side


class RootController(TGController):
    socketio = SocketIO()

    @expose('json')
    def left(self):
        return {'ours': ours(), 'numbers': numbers(), 'handlers': ran}


def ours() -> dict[str, int]:
    """All objects of our classes that live, by class, and the site's namespaces."""
    gc.collect()
    packages = ('tgsio_middleware', __name__)
    kinds = Counter(map(type, gc.get_objects()))
    return {kind.__qualname__: n for kind, n in kinds.items() if str(kind.__module__).startswith(packages)}


def numbers() -> dict[str, int]:
    """Workers that are parked for the next turn are no remains."""
    (exchange,) = EXCHANGES
    registry = exchange.registry
    greenlets = sum(issubclass(type(one), greenlet) and not one.dead for one in gc.get_objects())
    return {
        'clients': len(registry.sockets),
        'sids': len(registry.sids),
        'rooms': len(registry.rooms._members),
        'members': len(registry.rooms._rooms),
        'subscriptions': sum(len(channel.members) for channel in _channels()),
        'greenlets': greenlets - len(workers()._idle),
        'descriptors': len(os.listdir('/proc/self/fd' if Path('/proc/self/fd').exists() else '/dev/fd')),
    }


def _channels() -> Any:
    from tgsio_middleware.bus.hub import Hub

    return [channel for one in gc.get_objects() if type(one) is Hub for channel in one._channels.values()]


def make_app(global_conf: dict[str, str], **app_conf: Any) -> Any:
    configurator = MinimalApplicationConfigurator()
    configurator.register(TransactionManagerConfigurationComponent)
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json'], 'tm.enabled': True})
    return configurator.make_wsgi_app(global_conf, app_conf)


def main(file: str) -> None:
    settings = settings_from(file)
    idle.PERIOD = server_module.IDLE_PATIENCE = settings.pop('patience')
    app = SocketIOMiddleware(make_app({}), **settings)
    serve(SocketIOServer(('127.0.0.1', 0), app))


if __name__ == '__main__':
    main(sys.argv[1])
