"""Handlers that ask back, hear of anything and are told why: what gevent-socketio did not have."""

from __future__ import annotations

from tg import MinimalApplicationConfigurator, TGController, request

from tgsio_middleware import AnswerTimeout, BroadcastMixin, ConnectionRefused, SocketIOController, SocketIOTGNamespace


class Talk(SocketIOTGNamespace, BroadcastMixin):
    def recv_connect(self):
        if self.auth.get('token') == 'bad':
            raise ConnectionRefused('not with this token', {'token': self.auth['token']})

    def recv_disconnect(self, reason):
        self.broadcast_event_not_me('left', reason)
        super().recv_disconnect()

    def recv_event(self, name, *args):
        return [name, *args]

    def on_auth(self):
        return self.auth

    def on_ask(self, question):
        """The request is the same before and after the client has answered."""
        before = request.path
        return [self.call('question', question, timeout=5), before == request.path]

    def on_ask_in_vain(self):
        try:
            self.call('nobody listens', timeout=0.2)
        except AnswerTimeout as e:
            return str(e)

    def on_ask_later(self):
        self.emit('nobody listens', callback=print, timeout=0.2, on_failure=self.failed)

    def failed(self, error):
        """In the turn of the client, and a request as well."""
        self.emit('failed', type(error).__name__, request.path)

    def on_volatile(self):
        """The client is here with a request of its own or a websocket; whether it can hear now, the transport knows."""
        for i in range(3):
            self.emit('number', i, volatile=True)
        return 'said'


class SocketIO(SocketIOController):
    talk = Talk


class RootController(TGController):
    socketio = SocketIO()


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    return configurator.make_wsgi_app(global_conf, app_conf)
