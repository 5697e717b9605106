"""gevent-socketio's programming interface, all of it, and how namespaces are mounted."""

from __future__ import annotations

import logging
import time

import gevent
import tg
from tg import MinimalApplicationConfigurator, Response, TGController, abort, expose, redirect
from tg.appwrappers.base import ApplicationWrapper

from tgsio_middleware import BaseNamespace, BroadcastMixin, RoomsMixin, SocketIOController, SocketIOTGNamespace

log = logging.getLogger(__name__)


class Initialized:
    """A mixin that wants no super()."""

    def initialize(self):
        self.begun = [*getattr(self, 'begun', []), 'mixin']


class Bench(SocketIOTGNamespace, Initialized, RoomsMixin, BroadcastMixin):
    """One handler for each thing that a namespace can do."""

    data = 'no method'
    on_data = 'no method either'
    on_class = dict

    def initialize(self):
        self.begun = [*getattr(self, 'begun', []), 'bench']

    def on_begun(self):
        return self.begun

    @property
    def on_property(self):
        raise AssertionError('read by a client')

    @staticmethod
    def on_static(value):
        return value

    def on_trouble_begins(self):
        """From now on the site is closed to this client."""
        self.environ['HTTP_X_TROUBLE'] = 'maintenance'

    def on_fail(self):
        raise RuntimeError('a secret of the wrapped')

    # -- acks

    def on_none(self):
        pass

    def on_one(self, value):
        return value

    def on_two(self, one, two):
        return one, two

    def on_list(self):
        return [1, 2]

    def on_no_values(self):
        return ()

    def on_defaults(self, one, two='two'):
        return [one, two]

    def on_keyword_only(self, one, *, two='two'):
        return [one, two]

    def on_with_spaces(self):
        return 'spaces'

    def on_packet(self, packet):
        return [packet['type'], packet['name'], packet['args'], packet['endpoint'], packet['ack'], packet['id'] > 0]

    # -- saying

    def on_emit(self, *args):
        self.emit('an event', *args)

    def on_emit_keywords(self):
        try:
            self.emit('never', room='kitchen')
        except ValueError as e:
            return str(e)

    def on_ask(self, *args):
        self.emit('question', *args, callback=self.answered)

    def answered(self, *values):
        self.emit('answered', *values)

    def on_send(self, text):
        self.send(text)

    def on_send_json(self, value):
        self.send(value, json=True)

    def on_send_and_ask(self, text):
        self.send(text, callback=self.answered)

    def on_error(self, *args):
        raise AssertionError('reserved')

    def on_complain(self, quiet):
        self.error('too_loud', {'decibel': 120}, msg_id=7, quiet=quiet)

    def recv_message(self, data):
        self.send(['heard', data])
        return data

    # -- state

    def on_remember(self, key, value):
        self.session[key] = value

    def on_recall(self, key):
        return self.session.get(key)

    def on_neighbour(self, endpoint):
        try:
            neighbour = self.socket[endpoint]
        except KeyError:
            return None
        neighbour.emit('a call from', self.ns_name)
        return [neighbour.ns_name, endpoint in self.socket, neighbour.session is self.session]

    def on_self(self):
        environ = self.environ
        return [
            self.ns_name,
            self.socket.sessid,
            self.socket.connected,
            environ['socketio'] is self.socket,
            environ['PATH_INFO'],
            self.request is tg.request._current_obj(),
            self.request.environ['socketio'] is self.socket,
        ]

    # -- jobs

    def on_spawn(self, name):
        self.spawn(self.work, name)

    def work(self, name):
        try:
            while True:
                self.emit('working', name)
                time.sleep(0.02)
        except gevent.GreenletExit:
            log.info('KILLED %s', name)
            raise

    def on_kill_local_jobs(self):
        self.kill_local_jobs()

    def on_spawn_and_fail(self):
        self.spawn(self.fail)

    def fail(self):
        raise RuntimeError('in a job')

    # -- leaving

    def on_disconnect_me(self):
        self.join('kitchen')
        self.disconnect()
        return [sorted(self.rooms), self.ns_name in self.socket]

    def on_disconnect_silently(self):
        self.disconnect(silent=True)

    def on_shout(self, text):
        self.broadcast_event('shouted', text)

    def on_slow(self, seconds):
        time.sleep(seconds)
        log.info('SLOW %s', self.socket.connected)
        return self.socket.connected

    def recv_disconnect(self):
        log.info('LEFT %s %s', self.session.get('name'), self.socket.connected)
        super().recv_disconnect()

    # -- order

    def on_count(self, n, seconds=0.0):
        """Two at a time would see each other."""
        running = self.session.setdefault('running', [])
        running.append(n)
        time.sleep(seconds)
        running.remove(n)
        self.session.setdefault('order', []).append((n, len(running)))
        return n

    def on_order(self):
        return self.session.pop('order', [])


class Messages(SocketIOTGNamespace):
    """It has a handler of its own for the event `message`."""

    def on_message(self, *args):
        return ['on_message', *args]

    def recv_message(self, data):
        return ['recv_message', data]


class Listed(SocketIOTGNamespace):
    """An ACL."""

    def get_initial_acl(self):
        return ['recv_connect', 'on_login', 'on_lift', 'on_allow_only', 'on_delete_without']

    def recv_connect(self):
        self.emit('welcome')

    def on_login(self):
        self.add_acl_method('on_secret')

    def on_secret(self):
        self.del_acl_method('on_login')
        self.add_acl_method('on_reset')
        return 'secret'

    def on_reset(self):
        self.reset_acl()

    def on_lift(self):
        self.lift_acl_restrictions()
        return [self.is_method_allowed('on_secret'), self.allowed_methods]

    def on_allow_only(self, name):
        self.lift_acl_restrictions()
        self.add_acl_method(name)
        return sorted(self.allowed_methods)

    def on_delete_without(self):
        self.lift_acl_restrictions()
        try:
            self.del_acl_method('on_login')
        except ValueError as e:
            return str(e)

    def on_open_other(self):
        self.socket['/bench'].add_acl_method('on_none')

    def recv_message(self, data):
        return 'heard'


class Shut(SocketIOTGNamespace):
    def get_initial_acl(self):
        return []


class OwnPackets(SocketIOTGNamespace):
    def process_packet(self, packet):
        if packet['type'] == 'event':
            return [packet['name'], packet['args'], tg.request.path]
        return super().process_packet(packet)


class OwnEvents(SocketIOTGNamespace):
    def process_event(self, packet):
        if packet['name'].startswith('x:'):
            return self.call_method_with_acl('on_anything', packet, packet['name'], *packet['args'])
        return super().process_event(packet)

    def on_anything(self, *args):
        return ['anything', *args]


class Decorated(SocketIOTGNamespace):
    def exception_handler_decorator(self, fn):
        def saved(*args, **kwargs):
            try:
                return fn(*args, **kwargs)
            except ZeroDivisionError as e:
                self.emit('saved', str(e))
                return 'saved'

        return saved

    def on_divide(self, a, b):
        return a / b

    def on_divide_later(self, a, b):
        self.spawn(self.on_divide, a, b)

    def on_packet(self, packet):
        return 1 / 0


class Plain(BaseNamespace, RoomsMixin):
    """It knows nothing of TurboGears."""

    def recv_connect(self):
        self.emit('path', self.request.path)

    def on_echo(self, *args):
        return args

    def on_fail(self):
        raise RuntimeError('a secret')

    def on_context(self):
        try:
            return tg.request.path
        except TypeError:
            return None


class Lobby(SocketIOTGNamespace):
    def on_where(self):
        return [self.ns_name, tg.request.path]


class Leaves(SocketIOTGNamespace):
    """What goes wrong while connecting and leaving."""

    def recv_disconnect(self):
        log.info('LEAVES left %s', self.socket.connected)
        if 'fail' in tg.request.params:
            raise RuntimeError('a secret')

    def recv_connect(self):
        if 'sleep' in tg.request.params:
            time.sleep(float(tg.request.params['sleep']))
            log.info('LEAVES connected %s', self.socket.connected)
        if 'kick' in tg.request.params:
            self.emit('so long')
            self.disconnect()
        if 'abort' in tg.request.params:
            abort(int(tg.request.params['abort']))
        if 'redirect' in tg.request.params:
            redirect('/login')


class Deep(TGController):
    bench = Bench

    @expose()
    def page(self):
        return 'a deep page'


class Looked(TGController):
    """Namespaces that only `_lookup` knows."""

    @expose()
    def _lookup(self, name, *remainder):
        return (Lobby if name == 'lobby' else Deep()), remainder


class Moody(TGController):
    """Pages in the way of namespaces."""

    @expose()
    def login(self):
        redirect('/login')

    @expose()
    def forbidden(self):
        abort(403)

    @expose()
    def unauthorized(self):
        abort(401)

    @expose()
    def gone(self):
        abort(410)

    @expose()
    def broken(self):
        raise RuntimeError('a page that fails')

    @expose()
    def nothing(self):
        return None

    @expose()
    def _default(self, *args):
        return 'whatever you want'


class SocketIO(SocketIOController):
    bench = Bench
    other = Bench
    messages = Messages
    listed = Listed
    shut = Shut
    own_packets = OwnPackets
    own_events = OwnEvents
    decorated = Decorated
    plain = Plain
    leaves = Leaves
    global_namespace = Lobby
    admin = Deep()
    looked = Looked()
    moody = Moody()
    a_number = 7
    a_string = 'text'
    a_list: list[object] = []

    @expose()
    def index(self):
        return 'beside the namespaces'

    @expose()
    def page(self, *args, **query):
        return f'a page {args} {query}'

    def helper(self):
        raise AssertionError('called by a client')


class Ordinary(TGController):
    """No SocketIOController."""

    bench = Bench
    global_namespace = Lobby
    admin = Deep()

    @expose()
    def page(self):
        return 'an ordinary page'


class Empty(SocketIOController):
    """No global namespace."""

    bench = Bench


class RootController(TGController):
    socketio = SocketIO()
    socket_io = SocketIO()
    ordinary = Ordinary()
    empty = Empty()
    deep = Deep()

    @expose()
    def index(self):
        return 'the site'

    @expose()
    def login(self):
        return 'who are you?'

    @expose()
    def fail(self):
        raise RuntimeError('a page that fails')


class Trouble(ApplicationWrapper):
    """A site's own wrapper, that answers in the handler's place, or makes a page of its failure."""

    def __call__(self, controller, environ, context):
        trouble = environ.get('HTTP_X_TROUBLE')
        if trouble == 'maintenance':
            return Response('we are closed', status=503)
        try:
            return self.next_handler(controller, environ, context)
        except Exception:
            if trouble == 'swallow':
                return Response('never mind', status=500)
            raise


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    configurator.register_application_wrapper(Trouble)
    return configurator.make_wsgi_app(global_conf, app_conf)
