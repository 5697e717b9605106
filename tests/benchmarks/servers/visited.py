"""A TurboGears site whose namespace does what the workloads ask for: every event is a visit to the application."""

from __future__ import annotations

from tg import MinimalApplicationConfigurator, TGController

from tgsio_middleware import RoomsMixin, SocketIOController, SocketIOTGNamespace


class Namespace(SocketIOTGNamespace, RoomsMixin):
    """What the workloads ask for; see `peers`."""

    def on_ping(self, data):
        return data

    def on_fireball(self, data):
        for i in range(10):
            self.emit('pong', {'type': 'pong', 'n': i})

    def on_join(self, data):
        self.join('room')

    def on_pub(self, data):
        self.emit_to_room('room', 'news', data)


class Namespaces(SocketIOController):
    global_namespace = Namespace


class Root(TGController):
    socket_io = Namespaces()


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': Root()})
    return configurator.make_wsgi_app(global_conf, app_conf)
