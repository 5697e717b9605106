"""The README's example and what the functional tests ask of every generation of clients."""

from __future__ import annotations

import time

import tg
from tg import MinimalApplicationConfigurator, TGController, expose, predicates, require, validate
from tg.validation import Convert, TGValidationError

from tgsio_middleware import (
    BroadcastMixin,
    ConnectionRefused,
    RoomsMixin,
    SocketIOController,
    SocketIOTGNamespace,
)


class Attack:
    def to_python(self, value, state=None):
        if value['type'] == 'error':
            raise TGValidationError('Got an error!')
        return value


class PingPong(SocketIOTGNamespace, RoomsMixin, BroadcastMixin):
    """What every generation can say."""

    def recv_connect(self):
        self.emit('welcome', tg.request.path)

    def recv_disconnect(self):
        self.broadcast_event_not_me('left', self.session.get('name'))
        super().recv_disconnect()

    @validate({'attack': Attack()})
    def on_ping(self, attack):
        for _ in range(10 if attack['type'] == 'fireball' else 1):
            self.emit('pong', {'sound': 'bang!'})
        return attack

    def on_echo(self, *args):
        """Back as an event and, if asked for, as an ack with the same values."""
        self.emit('echo', *args)
        return args

    def on_ack_none(self):
        pass

    def on_ack_one(self, value):
        return value

    def on_ask(self, *args):
        """Asks the client, and tells what it answered."""
        self.emit('question', *args, callback=lambda *values: self.emit('answered', list(values)))

    def recv_message(self, data):
        self.send(data)
        return data

    def on_repeat(self, text, count):
        """The message so many times, in one piece."""
        for _ in range(count):
            self.send(text)

    def recv_json(self, data):
        self.send(data, json=True)
        return data

    def on_fail(self):
        raise RuntimeError('a secret of the server')

    @require(predicates.not_anonymous())
    def on_secret(self):
        return 'treasure'

    @validate({'n': Convert(int)})
    def on_number(self, n):
        return n

    def on_slow(self, seconds):
        time.sleep(seconds)
        return seconds

    def on_burst(self, count):
        """Numbered events, a few at a time, so that an upgrade falls into them."""
        for i in range(count):
            self.emit('number', i)
            if i % 100 == 99:
                time.sleep(0.001)

    def on_stream(self, count):
        """The same beside the handlers, so that the client can be heard meanwhile."""
        self.spawn(self.on_burst, count)

    def on_numbered(self, n):
        """Counts what comes, and tells at `end` whether all came once and in order."""
        self.session.setdefault('numbers', []).append(n)

    def on_numbers(self):
        numbers = self.session.pop('numbers', [])
        return [len(numbers), numbers == list(range(len(numbers)))]

    def on_join(self, room):
        self.join(room)

    def on_leave(self, room):
        self.leave(room)

    def on_tell(self, room, text):
        self.emit_to_room(room, 'told', text)

    def on_shout(self, *args):
        self.broadcast_event('shouted', *args)

    def on_name(self, name):
        self.session['name'] = name

    def on_kick_me(self):
        self.disconnect()


class Refusing(SocketIOTGNamespace):
    def recv_connect(self):
        self.emit('never', 'arrives')
        raise ConnectionRefused('not today', {'retry': 'tomorrow', 'snow': '❄'})


class Guarded(SocketIOTGNamespace):
    allow_only = predicates.not_anonymous()


class Room(TGController):
    chat = PingPong


class Admin(TGController):
    chat = PingPong

    @expose()
    def _lookup(self, name, *remainder):
        """Rooms have any name: /admin/größe/chat."""
        return Room(), remainder


class SocketIO(SocketIOController):
    admin = Admin()
    pingpong = PingPong
    refusing = Refusing
    guarded = Guarded
    global_namespace = PingPong

    @expose()
    def page(self):
        return 'a page beside the namespaces'


class RootController(TGController):
    socketio = SocketIO()
    socket_io = SocketIO()

    @expose()
    def index(self):
        return 'the site'


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    return configurator.make_wsgi_app(global_conf, app_conf)
