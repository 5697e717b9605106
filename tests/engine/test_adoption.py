"""gevent-socketio's namespaces, unmodified: what its documentation and tests say, case by case, on every generation."""

from __future__ import annotations

import inspect
import json
import sys
from types import ModuleType, SimpleNamespace

import gevent
import pytest

from tests.conftest import missing
from tgsio_middleware.engine import adoption
from tgsio_middleware.engine.adoption import adopted, is_foreign, trouble
from tgsio_middleware.errors import ConfigurationError
from tgsio_middleware.namespace import BaseNamespace as Ours
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.negotiate import DIALECTS

from .fakes import Client, connected, serve, settle

try:
    from socketio.mixins import BroadcastMixin, RoomsMixin
    from socketio.namespace import BaseNamespace
except ImportError:
    missing('gevent-socketio', 'pip install gevent-socketio-hartwork')

JOINS = {sio09: '1::/chat', eio3: '40/chat', eio4: '40/chat,'}


def says(dialect, name, *args, number=None):
    """An event of a client in /chat; with a number, one that wants an ack."""
    if dialect is sio09:
        return f'5:{"" if number is None else f"{number}+"}:/chat:' + json.dumps({'name': name, 'args': args})
    return f'42/chat,{"" if number is None else number}' + json.dumps([name, *args])


def told(client):
    """The events that the client has heard, as [name, *args]."""
    events = []
    for message in client.heard:
        if message.startswith('5:'):
            value = json.loads(message.split(':', 3)[3])
            events.append([value['name'], *value.get('args', [])])
        elif message.startswith('42'):
            events.append(json.loads(message[message.index('[') :]))
    return events


def acked(client, number):
    """The values of an ack."""
    for message in client.heard:
        if message.startswith(f'6::/chat:{number}'):
            return json.loads(message.partition('+')[2])
        if message.startswith(f'43/chat,{number}'):
            return json.loads(message[len(f'43/chat,{number}') :])
    raise AssertionError(client.heard)


class Chat(BaseNamespace):
    def initialize(self):
        self.log = ['initialize']

    def recv_connect(self):
        self.log.append('recv_connect')

    def recv_disconnect(self):
        self.log.append('recv_disconnect')
        self.disconnect(silent=True)

    def recv_message(self, data):
        self.log.append(('message', data))
        return data

    def recv_json(self, data):
        self.log.append(('json', data))

    def recv_error(self, packet):
        self.log.append(('error', packet['type']))

    def on_user_message(self, text):
        self.emit('said', text)

    def on_value(self, value):
        return value

    def on_pair(self):
        return 'a', {'b': 1}

    def on_packet(self, packet):
        return packet['name'], packet['endpoint'], list(packet['args'])

    def on_ask(self):
        self.emit('question', 1, callback=self.answered)

    def answered(self, *values):
        self.log.append(values)

    def on_boot(self):
        self.disconnect()


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.NAME)
def dialect(request):
    return request.param


def in_chat(dialect, cls=Chat, **settings):
    client = connected({'': Ours, '/chat': cls}, dialect, **settings)
    client.say(JOINS[dialect])
    client.forget()
    return client, client.socket['/chat']


class TestEvents:
    def test_it_is_the_sites_own_class(self, dialect):
        _, chat = in_chat(dialect)
        assert isinstance(chat, Chat)
        assert isinstance(chat, BaseNamespace)
        assert (type(chat).__name__, type(chat).__module__) == ('Chat', __name__)
        assert chat.log == ['initialize', 'recv_connect']
        assert chat.ns_name == '/chat'
        assert chat.environ['socketio'] is chat.socket

    def test_spaces_of_a_name_become_underscores(self, dialect):
        client, _ = in_chat(dialect)
        client.say(says(dialect, 'user message', 'hi'))
        assert told(client) == [['said', 'hi']]

    @pytest.mark.parametrize('value', [None, 'a', [1, 2], {'a': 1}])
    def test_what_a_handler_returns_is_the_ack(self, dialect, value):
        client, _ = in_chat(dialect)
        client.say(says(dialect, 'value', value, number=3))
        assert acked(client, 3) == [value]

    def test_a_tuple_is_several_values(self, dialect):
        client, _ = in_chat(dialect)
        client.say(says(dialect, 'pair', number=0))
        assert acked(client, 0) == ['a', {'b': 1}]

    def test_a_parameter_named_packet_gets_the_packet(self, dialect):
        client, _ = in_chat(dialect)
        client.say(says(dialect, 'packet', 1, 2, number=1))
        assert acked(client, 1) == ['packet', '/chat', [1, 2]]

    def test_a_callback_gets_the_clients_ack(self, dialect):
        client, chat = in_chat(dialect)
        client.say(says(dialect, 'ask'))
        client.say('6::/chat:1+["a",2]' if dialect is sio09 else '43/chat,1["a",2]')
        assert chat.log[-1] == ('a', 2)

    def test_send_of_a_client(self, dialect):
        client, chat = in_chat(dialect)
        client.say('3::/chat:hi' if dialect is sio09 else says(dialect, 'message', 'hi'))
        assert chat.log[-1] == ('message', 'hi')

    def test_json_send_of_0_9(self):
        client, chat = in_chat(sio09)
        client.say('4::/chat:{"a":1}')
        assert chat.log[-1] == ('json', {'a': 1})

    def test_an_error_of_the_client(self):
        client, chat = in_chat(sio09)
        client.say('7::/chat:1+0')
        assert chat.log[-1] == ('error', 'error')

    @pytest.mark.parametrize(
        ('name', 'error'),
        [
            ('$foo', ['unallowed_event_name', 'name must only contains alpha numerical characters']),
            ('nope', ['no_such_method', 'The method "on_nope" was not found']),
        ],
    )
    def test_errors_are_events(self, dialect, name, error):
        client, _ = in_chat(dialect)
        client.say(says(dialect, name))
        assert told(client) == [['error', *error]]

    def test_a_wrong_number_of_arguments_is_told_and_kills_nothing(self, dialect):
        client, _ = in_chat(dialect)
        client.say(says(dialect, 'user message'), says(dialect, 'user message', 'still here'))
        assert [event[:2] for event in told(client)] == [['error', 'invalid_method_args'], ['said', 'still here']]

    def test_emit_takes_a_callback_and_nothing_else(self, dialect):
        _, chat = in_chat(dialect)
        with pytest.raises(ValueError, match='positional'):
            chat.emit('x', a=1)

    def test_a_dispatch_of_the_sites_own(self, dialect):
        class Own(Chat):
            def process_event(self, packet):
                if packet['name'] == 'odd:name':
                    return self.call_method_with_acl('on_value', packet, 'own')
                return super().process_event(packet)

        client, _ = in_chat(dialect, Own)
        client.say(says(dialect, 'odd:name', number=1), says(dialect, 'value', 2, number=2))
        assert acked(client, 1) == ['own']
        assert acked(client, 2) == [2]

    def test_a_call_method_of_the_sites_own_reaches_ours(self, dialect):
        class Own(Chat):
            def call_method(self, method_name, packet, *args):
                self.log.append(method_name)
                return super().call_method(method_name, packet, *args)

        client, chat = in_chat(dialect, Own)
        client.say(says(dialect, 'value', 2, number=2))
        assert acked(client, 2) == [2]
        assert chat.log[-1] == 'on_value'


class TestOldStyle:
    """Classes of Python 2's time call their base by its name, and so gevent-socketio's own code."""

    class Old(Chat):
        def __init__(self, *args, **kwargs):
            self.early = True
            BaseNamespace.__init__(self, *args, **kwargs)

        def emit(self, event, *args, **kwargs):
            BaseNamespace.emit(self, event, *args, **kwargs)

        def call_method(self, method_name, packet, *args):
            return BaseNamespace.call_method(self, method_name, packet, *args)

        def process_event(self, packet):
            return BaseNamespace.process_event(self, packet)

        def disconnect(self, *args, **kwargs):
            self.log.append('disconnect')
            BaseNamespace.disconnect(self, *args, **kwargs)

        def send_it(self):
            BaseNamespace.send(self, 'hi', callback=self.answered)

    def test_its_whole_life(self, dialect):
        client, chat = in_chat(dialect, self.Old)
        assert chat.early
        assert (chat.sid, chat.auth) != ('', None)
        client.say(says(dialect, 'value', 2, number=2), says(dialect, 'packet', number=3), says(dialect, 'ask'))
        assert acked(client, 2) == [2]
        assert acked(client, 3) == ['packet', '/chat', []]
        assert told(client) == [['question', 1]]
        client.say('6::/chat:1+["a"]' if dialect is sio09 else '43/chat,1["a"]')
        assert chat.log[-1] == ('a',)
        chat.send_it()
        client.say('6::/chat:2' if dialect is sio09 else '43/chat,2[]')
        assert chat.log[-1] == ()
        client.say('0::/chat' if dialect is sio09 else '41/chat,')
        assert chat.log[-2:] == ['recv_disconnect', 'disconnect']
        assert '/chat' not in client.socket

    def test_nobody_elses_inspect_is_changed(self):
        in_chat(eio3, self.Old)
        assert hasattr(inspect, 'getargspec') == (sys.version_info < (3, 11))


class TestAcl:
    class Guarded(Chat):
        acl = ['recv_connect', 'on_value']

        def get_initial_acl(self):
            return self.acl

        def on_secret(self):
            return 'secret'

    def ask(self, client, name, *args):
        client.forget()
        client.say(says(client.socket.dialect, name, *args))
        return told(client)

    @pytest.mark.parametrize('acl', [['recv_connect', 'on_foo'], {'recv_connect', 'on_foo'}])
    def test_a_list_or_a_set(self, dialect, acl):
        class Listed(self.Guarded):
            def get_initial_acl(self):
                return acl

        _, chat = in_chat(dialect, Listed)
        assert chat.is_method_allowed('on_foo')
        assert not chat.is_method_allowed('on_secret')

    def test_denied_and_then_allowed(self, dialect):
        denied = [['error', 'method_access_denied', 'You do not have access to method "on_secret"']]
        client, chat = in_chat(dialect, self.Guarded)
        assert self.ask(client, 'secret') == denied
        chat.add_acl_method('on_secret')
        assert self.ask(client, 'secret') == []
        chat.del_acl_method('on_secret')
        assert self.ask(client, 'secret') == denied
        chat.lift_acl_restrictions()
        assert self.ask(client, 'secret') == []
        chat.reset_acl()
        assert self.ask(client, 'secret') == denied

    def test_recv_connect_is_under_it(self, dialect):
        class Closed(self.Guarded):
            acl = []

        client = connected({'': Ours, '/chat': Closed}, dialect)
        client.say(JOINS[dialect])
        assert client.socket['/chat'].log == ['initialize']
        assert told(client) == [['error', 'method_access_denied', 'You do not have access to method "recv_connect"']]

    def test_nothing_to_take_from(self, dialect):
        _, chat = in_chat(dialect)
        with pytest.raises(ValueError, match='no ACL'):
            chat.del_acl_method('on_value')

    def test_another_namespace_of_the_client(self, dialect):
        _, chat = in_chat(dialect, self.Guarded)
        chat.socket['/chat'].add_acl_method('on_secret')
        assert chat.is_method_allowed('on_secret')
        with pytest.raises(KeyError):
            chat.socket['/nope']
        assert '/chat' in chat.socket


class TestInitialize:
    def test_along_the_mro_without_super(self, dialect):
        class Mixin:
            def initialize(self):
                self.order.append('Mixin')

        class Plain:
            pass

        class Child(Chat, Mixin, Plain):
            order: list = []

            def initialize(self):
                self.order.append('Child')

        _, chat = in_chat(dialect, Child)
        assert chat.order == ['Child', 'Mixin']
        assert chat.log == ['initialize', 'recv_connect']


class TestExceptionHandlerDecorator:
    @pytest.mark.parametrize('kind', ['method', 'static', 'class'])
    def test_it_goes_around_handlers_and_jobs(self, dialect, kind):
        caught = []

        def decorator(fn):
            def decorated(*args, **kwargs):
                try:
                    return fn(*args, **kwargs)
                except ZeroDivisionError:
                    caught.append(fn.__name__)
                    return 'caught'

            return decorated

        class Decorated(Chat):
            exception_handler_decorator = {
                'method': lambda self, fn: decorator(fn),
                'static': staticmethod(decorator),
                'class': classmethod(lambda cls, fn: decorator(fn)),
            }[kind]

            def on_fail(self):
                return 1 / 0

            def on_job(self):
                self.spawn(self.job)

            def job(self):
                return 1 / 0

        client, _ = in_chat(dialect, Decorated)
        client.say(says(dialect, 'fail', number=1), says(dialect, 'job'))
        assert acked(client, 1) == ['caught']
        assert caught == ['on_fail', 'job']


class TestEnds:
    class Worker(Chat):
        def on_work(self):
            self.spawn(self.work, 'done')

        def work(self, what):
            try:
                gevent.sleep(60)
            except gevent.GreenletExit:
                self.log.append('killed')
                raise

    @pytest.mark.parametrize('leave', ['namespace', 'connection'])
    def test_jobs_die_when_the_client_leaves(self, dialect, leave):
        client, chat = in_chat(dialect, self.Worker)
        client.say(says(dialect, 'work'))
        assert len(chat.jobs) == 1
        if leave == 'namespace':
            client.say('0::/chat' if dialect is sio09 else '41/chat,')
        else:
            client.say('0::' if dialect is sio09 else '1')
        settle()
        assert chat.log == ['initialize', 'recv_connect', 'recv_disconnect', 'killed']
        assert chat.jobs == []

    def test_disconnect_tells_the_client(self, dialect):
        client, _ = in_chat(dialect)
        client.say(says(dialect, 'boot'))
        assert client.transport.said == ['0::/chat' if dialect is sio09 else '41/chat,']
        assert '/chat' not in client.socket

    def test_a_silent_one_does_not(self, dialect):
        client, chat = in_chat(dialect)
        chat.disconnect(silent=True)
        assert client.heard == []
        assert '/chat' not in client.socket


class TestMixins:
    class Room(BaseNamespace, RoomsMixin, BroadcastMixin):
        def on_join(self, room):
            self.join(room)

        def on_leave(self, room):
            self.leave(room)

        def on_tell(self, room, text):
            self.emit_to_room(room, 'told', text)

        def on_shout(self, text):
            self.broadcast_event('shouted', text)

        def on_shout_others(self, text):
            self.broadcast_event_not_me('shouted', text)

        def on_old_way(self, text):
            """As a site's own mixin does it."""
            for sessid, socket in self.socket.server.sockets.items():
                assert socket.sessid == sessid
                if self.ns_name + '_lobby' in socket.session['rooms'] and socket != self.socket:
                    socket.send_packet({'type': 'event', 'name': 'old', 'args': (text,), 'endpoint': self.ns_name})

    def three(self, cls=None):
        """One client of each dialect in /chat."""
        registry, host = serve({'': Ours, '/chat': cls or self.Room})
        clients = [Client(registry, host, dialect) for dialect in DIALECTS]
        for client in clients:
            client.say(JOINS[client.socket.dialect])
            client.forget()
        return clients

    @staticmethod
    def say(client, name, *args):
        client.say(says(client.socket.dialect, name, *args))

    def heard(self, clients):
        events = [told(client) for client in clients]
        for client in clients:
            client.forget()
        return events

    def test_a_room_without_its_speaker(self):
        clients = self.three()
        for client in clients[:2]:
            self.say(client, 'join', 'lobby')
        self.say(clients[0], 'tell', 'lobby', 'hi')
        assert self.heard(clients) == [[], [['told', 'hi']], []]
        self.say(clients[1], 'leave', 'lobby')
        self.say(clients[0], 'tell', 'lobby', 'hi')
        assert self.heard(clients) == [[], [], []]

    def test_rooms_stand_in_the_session_too(self):
        clients = self.three()
        for client in clients[:2]:
            self.say(client, 'join', 'lobby')
        assert clients[0].socket.session['rooms'] == {'/chat_lobby'}
        self.say(clients[0], 'old way', 'hi')
        assert self.heard(clients) == [[], [['old', 'hi']], []]

    def test_who_comes_back_is_in_no_room(self):
        clients = self.three()
        self.say(clients[1], 'join', 'lobby')
        clients[1].say('41/chat,', '40/chat')
        clients[1].forget()
        assert clients[1].socket.session['rooms'] == set()
        self.say(clients[0], 'tell', 'lobby', 'hi')
        assert self.heard(clients) == [[], [], []]

    def test_broadcasts(self):
        clients = self.three()
        self.say(clients[0], 'shout', 'hi')
        assert self.heard(clients) == [[['shouted', 'hi']]] * 3
        self.say(clients[2], 'shout others', 'hi')
        assert self.heard(clients) == [[['shouted', 'hi']], [['shouted', 'hi']], []]

    def test_a_broadcast_reaches_members_only(self):
        """gevent-socketio's own reaches every client of the server."""
        clients = self.three()
        clients[1].say('41/chat,')
        self.say(clients[0], 'shout', 'hi')
        assert self.heard(clients) == [[['shouted', 'hi']], [], [['shouted', 'hi']]]

    def test_their_mixins_first_and_on_our_namespace(self):
        class First(RoomsMixin, BroadcastMixin, BaseNamespace):
            on_join, on_tell = self.Room.on_join, self.Room.on_tell

        class OnOurs(Ours, RoomsMixin):
            on_join, on_tell = self.Room.on_join, self.Room.on_tell

        for cls in (First, OnOurs):
            clients = self.three(cls)
            for client in clients[1:]:
                self.say(client, 'join', 'lobby')
            self.say(clients[0], 'tell', 'lobby', 'hi')
            assert self.heard(clients) == [[], [['told', 'hi']], [['told', 'hi']]]

    def test_the_server_knows_its_sockets(self):
        client, *_ = self.three()
        server = client.socket.server
        assert server.get_socket(client.socket.sessid) is client.socket
        assert server.get_socket('nope') is None
        server.sockets.clear()
        assert len(server.sockets) == 3


class TestOurNewThings:
    """They are there for old namespaces too."""

    def test_auth_call_and_any_event(self):
        class New(BaseNamespace):
            def recv_event(self, name):
                return name, self.auth, self.call('question', timeout=1)

        client, _ = in_chat(eio4, New)
        client.say('42/chat,7["no:method"]')
        client.say('43/chat,1["answer"]')
        assert acked(client, 7) == ['no:method', {}, 'answer']

    def test_the_reason(self):
        class Told(BaseNamespace):
            def recv_disconnect(self, reason):
                self.session['reason'] = reason

        client, _ = in_chat(eio3, Told)
        client.say('1')
        assert client.socket.session['reason'] == 'transport close'


class TestWhatIsWhat:
    def test_ours_is_itself(self):
        assert adopted(Ours) is Ours
        assert not is_foreign(Ours)

    def test_theirs_is_made_once(self):
        assert is_foreign(Chat)
        assert adopted(Chat) is adopted(Chat)
        assert not is_foreign(adopted(Chat))
        assert adopted(adopted(Chat)) is adopted(Chat)

    @pytest.mark.parametrize('value', [object, dict, 'a', None, ModuleType('socketio')])
    def test_other_things_are_none(self, value):
        assert not is_foreign(value)

    def test_python_socketio_says_so(self, monkeypatch):
        base = type('BaseNamespace', (), {'__module__': 'socketio.base_namespace', 'trigger_event': None})
        theirs = type('Namespace', (base,), {'__module__': 'socketio.namespace'})
        news = type('News', (theirs,), {'__module__': 'site.news'})
        monkeypatch.setattr(adoption, 'trouble', lambda: None)
        with pytest.raises(
            ConfigurationError, match=r'site\.news\.News is a namespace of python-socketio.*pip uninstall'
        ):
            adopted(news)
        monkeypatch.setattr(adoption, 'trouble', lambda: 'both are installed')
        with pytest.raises(ConfigurationError, match='cannot serve: both are installed'):
            adopted(news)


class TestTrouble:
    """`installed`: distributions by name, with the text of their socketio/namespace.py or None."""

    @staticmethod
    def look(monkeypatch, tmp_path, installed):
        def distribution(name):
            if name not in installed:
                raise adoption.metadata.PackageNotFoundError(name)
            file = tmp_path / name
            if installed[name] is not None:
                file.write_text(installed[name])
            return SimpleNamespace(locate_file=lambda path: file)

        monkeypatch.setattr(adoption.metadata, 'distribution', distribution)
        return trouble()

    WHOLE = 'def process_packet(self): ...\ndef get_initial_acl(self): ...'

    @pytest.mark.parametrize(
        ('installed', 'says'),
        [
            ({}, None),
            ({'python-socketio': ''}, None),
            ({'gevent-socketio-hartwork': WHOLE}, None),
            (
                {'gevent-socketio': WHOLE, 'python-socketio': ''},
                'gevent-socketio and python-socketio are both installed',
            ),
            (
                {'gevent-socketio-hartwork': 'class Namespace: ...'},
                'gevent-socketio-hartwork is installed, but another',
            ),
            ({'gevent-socketio-hartwork': None}, 'has overwritten or removed its `socketio`'),
        ],
    )
    def test_what_it_says(self, monkeypatch, tmp_path, installed, says):
        found = self.look(monkeypatch, tmp_path, installed)
        assert found is None if says is None else says in found

    def test_here_is_none(self):
        assert trouble() is None
