"""A site whose namespaces were written for gevent-socketio, imported as they always were."""

from __future__ import annotations

from socketio.mixins import BroadcastMixin, RoomsMixin
from socketio.namespace import BaseNamespace
from tg import MinimalApplicationConfigurator, TGController, expose, predicates

from tgsio_middleware import SocketIOController


class ChatNamespace(BaseNamespace, RoomsMixin, BroadcastMixin):
    def initialize(self):
        self.nickname = None

    def get_initial_acl(self):
        return ['recv_connect', 'on_nickname', 'on_fail', 'on_path']

    def on_nickname(self, nickname):
        self.nickname = nickname
        self.session['nickname'] = nickname
        self.lift_acl_restrictions()
        self.join('main_room')
        self.broadcast_event('announcement', f'{nickname} has connected')
        return True, nickname

    def recv_disconnect(self):
        self.broadcast_event_not_me('announcement', f'{self.nickname} has disconnected')
        self.disconnect(silent=True)

    def on_user_message(self, msg):
        self.emit_to_room('main_room', 'msg_to_room', self.session['nickname'], msg)

    def on_packet(self, packet):
        return sorted(packet)

    def on_path(self):
        return self.request.path, self.ns_name

    def on_fail(self):
        return 1 / 0


class Members(ChatNamespace):
    allow_only = predicates.not_anonymous()


class Socketio(SocketIOController):
    chat = ChatNamespace
    members = Members

    @expose()
    def page(self):
        return 'a page'


class RootController(TGController):
    socketio = Socketio()


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    return configurator.make_wsgi_app(global_conf, app_conf)
