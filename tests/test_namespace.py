"""What a site subclasses: gevent-socketio's programming interface, and how an event finds its method."""

from __future__ import annotations

import json
from functools import partial

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.dispatch import RESERVED, look_at
from tgsio_middleware.errors import LocalProtocolError
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.packet import Packet, event
from tgsio_middleware.wire import sio09

from .engine.fakes import connected, settle


class Plain(BaseNamespace):
    """Every form a handler may have."""

    not_a_method = 'a secret'
    on_data = {'a': 'secret'}
    on_class = dict

    def initialize(self):
        self.calls = []

    def _called(self, *call):
        self.calls.append(call)
        return call

    def on_none(self):
        return self._called()

    def on_one(self, a):
        return self._called(a)

    def on_two(self, a, b):
        return self._called(a, b)

    def on_optional(self, a, b='default'):
        return self._called(a, b)

    def on_any(self, *args):
        return self._called(*args)

    def on_at_least_one(self, a, *more):
        return self._called(a, *more)

    def on_keywords(self, a, *, b='default', **more):
        return self._called(a, b)

    def on_packet(self, packet):
        return self._called(packet['name'], packet['args'])

    def on_packet_and_more(self, packet, more):
        return self._called(packet, more)

    def on_user_message(self, text):
        return self._called(text)

    @property
    def on_property(self):
        self._called('property')

    @staticmethod
    def on_static(a):
        return ('static', a)

    on_partial = partial(lambda *args: args, 'partial')

    def recv_message(self, data):
        return self._called('message', data)

    def recv_json(self, data):
        return self._called('json', data)

    def recv_error(self, packet):
        return self._called('error', packet['data'])

    def secret(self):
        self._called('secret')


class Overriding(Plain):
    """Every step of the dispatch is overridden, so that the short road is not taken."""

    def call_method_with_acl(self, method_name, packet, *args):
        return super().call_method_with_acl(method_name, packet, *args)

    def call_method(self, method_name, packet, *args):
        return super().call_method(method_name, packet, *args)


class Decorated(Plain):
    def exception_handler_decorator(self, fn):
        def decorated(*args):
            return fn(*args)

        return decorated


def errors(client):
    """The `error` events that the client heard."""
    heard = [json.loads(message[2:]) for message in client.heard if message.startswith('42')]
    return [args[1:] for args in heard if args[0] == 'error']


def heard_by(cls, *said):
    client = connected(cls)
    client.forget()
    client.say(*said)
    return client


# -- how an event finds its method ------------------------------------------------------------------------------------

FOUND = [
    ('none', [], ()),
    ('one', [1], (1,)),
    ('one', [None], (None,)),
    ('two', [1, {'b': 2}], (1, {'b': 2})),
    ('optional', [1], (1, 'default')),
    ('optional', [1, 2], (1, 2)),
    ('any', [], ()),
    ('any', [1, 2, 3], (1, 2, 3)),
    ('at_least_one', [1], (1,)),
    ('at_least_one', [1, 2, 3], (1, 2, 3)),
    ('keywords', [1], (1, 'default')),
    ('packet', [1, 2], ('packet', [1, 2])),
    ('packet', [], ('packet', [])),
    ('packet_and_more', [1, 2], (1, 2)),
    ('user message', ['hi'], ('hi',)),
    ('user_message', ['hi'], ('hi',)),
    ('message', ['hi'], ('message', 'hi')),
]
NOT_FOUND = ['nope', 'One', 'property', 'data', 'class', 'calls', 'none ', 'any  x', 'a' * 256, 'secret', 'initialize']
UNALLOWED = [
    '',
    ' one',
    '_called',
    '__class__',
    '1',
    'one!',
    'one\n',
    'é',
    'on.e',
    'one\x00',
    'a' * 257,
    *sorted(RESERVED),
]
WRONG_COUNT = [('none', [1]), ('one', []), ('one', [1, 2]), ('two', [1]), ('at_least_one', []), ('keywords', [1, 2])]

every_road = pytest.mark.parametrize('cls', [Plain, Overriding, Decorated])


@every_road
@pytest.mark.parametrize(('name', 'args', 'call'), FOUND)
def test_an_event_finds_its_method(cls, name, args, call):
    client = heard_by(cls, *['420' + json.dumps([name, *args])] * 3)
    assert client.socket[''].calls == [call] * 3
    assert client.heard == ['430' + json.dumps(call, separators=(',', ':'))] * 3


@every_road
def test_a_static_method_is_a_handler(cls):
    assert heard_by(cls, '420["static",1]').heard == ['430["static",1]']


@every_road
def test_a_handler_is_the_classs_from_the_first_event_on(cls):
    client = connected(cls)
    client.socket[''].on_one = lambda a: 'of the instance'
    client.forget()
    client.say('420["one",1]', '421["one",1]')
    assert client.heard == ['430[1]', '431[1]']


@every_road
def test_what_is_callable_and_no_function_is_a_handler(cls):
    assert heard_by(cls, *['420["partial",1]'] * 2).heard == ['430["partial",1]'] * 2


@every_road
@pytest.mark.parametrize('name', NOT_FOUND)
def test_no_such_method(cls, name):
    client = heard_by(cls, *['42' + json.dumps([name])] * 2)
    method = 'on_' + name.replace(' ', '_')
    assert errors(client) == [['no_such_method', f'The method "{method}" was not found']] * 2
    assert client.socket[''].calls == []


@every_road
@pytest.mark.parametrize('name', UNALLOWED)
def test_unallowed_event_names(cls, name):
    client = heard_by(cls, *['42' + json.dumps([name])] * 2)
    assert [error[0] for error in errors(client)] == ['unallowed_event_name'] * 2
    assert client.socket[''].calls == []


@every_road
@pytest.mark.parametrize(('name', 'args'), WRONG_COUNT)
def test_invalid_method_args(cls, name, args, caplog):
    client = heard_by(cls, *['42' + json.dumps([name, *args])] * 2)
    assert errors(client) == [['invalid_method_args', f'"on_{name}" cannot be called with {len(args)} arguments']] * 2
    assert client.socket[''].calls == []
    assert 'Traceback' not in caplog.text


def test_a_wrong_count_after_a_right_one_is_seen_too():
    client = heard_by(Plain, '42["one",1]', '42["one"]', '42["one",2]')
    assert client.socket[''].calls == [(1,), (2,)]
    assert len(errors(client)) == 1


def test_names_that_clients_invent_are_not_kept():
    class Fresh(BaseNamespace):
        def on_x(self):
            pass

    heard_by(Fresh, '42["x"]', *[f'42["invented{i}"]' for i in range(50)])
    assert set(Fresh._handlers) <= {'on_x', 'recv_connect'}
    assert set(Fresh._events) == {'x'}


def test_what_a_subclass_overrides_is_called():
    class Child(Plain):
        def on_one(self, a):
            return 'child'

    assert heard_by(Plain, '420["one",1]').heard == ['430[1]']
    assert heard_by(Child, '420["one",1]').heard == ['430["child"]']
    assert heard_by(Plain, '420["one",1]').heard == ['430[1]']


def test_on_message_comes_before_recv_message():
    class Child(Plain):
        def on_message(self, data):
            return 'on_message'

    assert heard_by(Child, '420["message","x"]').heard == ['430["on_message"]']


@given(name=st.text(st.sampled_from('onecrvadtsilz_ .1é'), max_size=12) | st.sampled_from([*dir(Plain), *vars(Plain)]))
def test_no_name_that_a_client_sends_reaches_anything_but_a_handler(name):
    reached = []

    class Watched(Plain):
        def call_method(self, method_name, packet, *args):
            reached.append(method_name)

    client = connected(Watched)
    reached.clear()
    client.say('42' + json.dumps([name]))
    assert all(method.startswith('on_') or method == 'recv_message' for method in reached)
    assert client.socket[''].calls == []


# -- other packets ----------------------------------------------------------------------------------------------------


def test_a_message_of_0_9():
    client = connected(Plain, sio09)
    client.say('3:::hi', '3:1+::there')
    assert client.socket[''].calls == [('message', 'hi'), ('message', 'there')]
    assert client.heard[-1] == '6:::1+["message","there"]'


def test_json_of_0_9():
    client = connected(Plain, sio09)
    client.say('4:::{"a":1}')
    assert client.socket[''].calls == [('json', {'a': 1})]


def test_a_message_of_0_9_comes_back_by_default():
    client = connected(BaseNamespace, sio09)
    client.say('3:1+::hi', '4:2+::[1]')
    assert client.heard[1:] == ['6:::1+["hi"]', '6:::2+[[1]]']


def test_an_error_of_the_clients():
    assert heard_by(Plain, '44"oh"').socket[''].calls == [('error', 'oh')]


@pytest.mark.parametrize('kind', ['disconnect', 'connect'])
def test_gevent_socketios_way_of_connecting_and_leaving(kind):
    class Recording(BaseNamespace):
        calls = []

        def recv_connect(self):
            self.calls.append('connect')

        def recv_disconnect(self):
            self.calls.append('disconnect')

    Recording.calls.clear()
    client = connected(Recording)
    client.socket[''].process_packet(Packet(type=kind, endpoint=''))
    assert Recording.calls == ['connect', kind]


def test_a_packet_of_a_kind_that_means_nothing():
    assert connected(Plain).socket[''].process_packet(Packet(type='noop', endpoint='')) is None


def test_a_site_may_dispatch_in_a_way_of_its_own():
    class Own(BaseNamespace):
        def process_packet(self, packet):
            return packet['type'] if packet['type'] == 'connect' else 'own'

    assert heard_by(Own, '420["anything at all!"]').heard == ['430["own"]']


def test_a_decorator_sees_what_handlers_raise():
    class Catching(Plain):
        def exception_handler_decorator(self, fn):
            def catching(*args):
                try:
                    return fn(*args)
                except ZeroDivisionError:
                    return 'caught'

            return catching

        def on_fail(self):
            return 1 / 0

    assert heard_by(Catching, '420["fail"]').heard == ['430["caught"]']


def test_a_decorator_may_be_an_object_s_own():
    class Loud(Plain):
        def initialize(self):
            self.exception_handler_decorator = lambda fn: lambda: str(fn()).upper()

        def on_say(self):
            return 'hi'

    client = connected(Loud)
    client.forget()
    client.say('420["say"]', '421["say"]')
    assert client.heard == ['430["HI"]', '431["HI"]']


# -- ACL --------------------------------------------------------------------------------------------------------------


class Guarded(Plain):
    def get_initial_acl(self):
        return ['recv_connect', 'on_login']

    def on_login(self):
        self.add_acl_method('on_one')


@pytest.mark.parametrize(
    ('said', 'denied'), [('42["one",1]', 'on_one'), ('42["message","x"]', 'recv_message'), ('44"x"', 'recv_error')]
)
def test_what_the_acl_does_not_name_is_denied(said, denied):
    client = heard_by(Guarded, said)
    assert errors(client) == [['method_access_denied', f'You do not have access to method "{denied}"']]
    assert client.socket[''].calls == []


def test_a_method_that_does_not_exist_is_denied_like_any_other():
    assert errors(heard_by(Guarded, '42["nope"]'))[0][0] == 'method_access_denied'


def test_a_denied_event_that_asks_for_an_ack_gets_one():
    assert heard_by(Guarded, '427["one",1]').heard[-1] == '437[null]'


def test_a_handler_opens_the_acl():
    client = heard_by(Guarded, '42["login"]', '42["one",1]', '42["two",1,2]')
    assert client.socket[''].calls == [(1,)]
    assert errors(client)[0][1] == 'You do not have access to method "on_two"'


def test_the_acl_closes_behind_a_method_that_was_called():
    """The short road looks at it too."""
    client = heard_by(Plain, '42["one",1]')
    namespace = client.socket['']
    namespace.add_acl_method('on_two')
    client.say('42["one",2]', '42["two",3,4]')
    assert namespace.calls == [(1,), (3, 4)]
    namespace.lift_acl_restrictions()
    client.say('42["one",5]')
    assert namespace.calls[-1] == (5,)


def test_the_acls_verbs():
    namespace = connected(Guarded).socket['']
    assert namespace.is_method_allowed('on_login')
    namespace.del_acl_method('on_login')
    assert not namespace.is_method_allowed('on_login')
    with pytest.raises(KeyError):
        namespace.del_acl_method('on_login')
    namespace.reset_acl()
    assert namespace.allowed_methods == {'recv_connect', 'on_login'}
    namespace.lift_acl_restrictions()
    assert namespace.is_method_allowed('anything')
    with pytest.raises(ValueError, match='no ACL'):
        namespace.del_acl_method('on_login')
    namespace.add_acl_method('on_one')
    assert not namespace.is_method_allowed('on_login')


def test_two_clients_do_not_share_an_acl():
    one, other = connected(Guarded), connected(Guarded)
    one.socket[''].add_acl_method('on_one')
    assert not other.socket[''].is_method_allowed('on_one')


def test_an_empty_acl_denies_everything():
    class Closed(Plain):
        def get_initial_acl(self):
            return ()

    client = connected(Closed)
    client.say('42["one",1]')
    assert [error[0] for error in errors(client)] == ['method_access_denied'] * 2


# -- what a site calls ------------------------------------------------------------------------------------------------


def test_emit_and_send():
    client = connected(Plain)
    namespace = client.socket['']
    client.forget()
    namespace.emit('x')
    namespace.emit('x', 1, {'a': [None]})
    namespace.send('hi')
    namespace.send({'a': 1}, json=True)
    assert client.heard == ['42["x"]', '42["x",1,{"a":[null]}]', '42["message","hi"]', '42["message",{"a":1}]']


def test_emit_takes_no_other_keywords():
    with pytest.raises(ValueError, match='no option: a client is given positional arguments only'):
        connected(Plain).socket[''].emit('x', sound='bang')


@pytest.mark.parametrize('value', [object(), float('nan'), {1, 2}])
def test_what_cannot_be_sent_raises_where_emit_was_called(value):
    client = connected(Plain)
    with pytest.raises(LocalProtocolError):
        client.socket[''].emit('x', value)


def test_send_with_a_callback():
    answers = []
    client = connected(Plain, sio09)
    client.socket[''].send('hi', callback=lambda: answers.append('received'))
    assert client.heard[-1] == '3:1::hi'
    client.say('6:::1')
    assert answers == ['received']


def test_an_error():
    client = connected(Plain)
    client.socket[''].error('name', 'words')
    client.socket[''].error('name', 'words', msg_id=1, quiet=True)
    assert errors(client) == [['name', 'words']]


def test_every_initialize_along_the_mro_runs_without_super():
    calls = []

    class First:
        def initialize(self):
            calls.append('first')

    class Second(BaseNamespace):
        def initialize(self):
            calls.append('second')

    class Both(First, Second):
        def initialize(self):
            calls.append('both')

    connected(Both)
    assert calls == ['both', 'first', 'second']


def test_what_a_namespace_knows():
    client = connected({'': Plain, '/chat': Plain})
    client.say('40/chat')
    namespace = client.socket['/chat']
    assert namespace.ns_name == '/chat'
    assert namespace.socket is client.socket
    assert namespace.environ['socketio'] is client.socket
    assert namespace.session is client.socket.session
    assert namespace.request is None
    assert namespace.socket[''] is client.socket['']


def test_jobs_end_with_their_namespace_and_only_with_it():
    client = connected({'': Plain, '/chat': Plain})
    client.say('40/chat')
    mine, other = client.socket['/chat'].spawn(gevent.sleep, 60), client.socket[''].spawn(gevent.sleep, 60)
    client.say('41/chat')
    assert mine.dead
    assert not other.dead
    client.say('1')
    assert other.dead


def test_a_job_that_ends_its_namespace_comes_to_its_end():
    ended = []
    client = connected(Plain)
    namespace = client.socket['']

    def job():
        namespace.disconnect()
        ended.append(True)

    namespace.spawn(job)
    settle()
    assert ended == [True]
    assert not client.socket.connected


def test_jobs_that_are_done_are_forgotten():
    namespace = connected(Plain).socket['']
    for _ in range(20):
        namespace.spawn(int)
        settle()
    assert len(namespace.jobs) == 1


def test_a_job_is_decorated_too():
    seen = []

    class Watching(Plain):
        def exception_handler_decorator(self, fn):
            seen.append(fn)
            return fn

    connected(Watching).socket[''].spawn(int)
    assert int in seen


def test_a_silent_disconnect_tells_the_client_nothing_and_keeps_the_connection():
    client = connected(Plain)
    client.forget()
    client.socket[''].disconnect(silent=True)
    assert client.heard == []
    assert client.socket.connected
    assert client.socket.active_ns == {}


# -- looking at methods -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['on_property', 'on_data', 'on_class', 'not_a_method', 'nope', '__class__', 'calls'])
def test_there_is_no_handler(name):
    assert look_at(Plain, name) is None


@pytest.mark.parametrize(
    ('name', 'least', 'most', 'takes_packet'),
    [
        ('on_none', 0, 0, False),
        ('on_two', 2, 2, False),
        ('on_optional', 1, 2, False),
        ('on_any', 0, float('inf'), False),
        ('on_packet', 1, 1, True),
        ('on_packet_and_more', 2, 2, False),
        ('on_static', 1, 1, False),
    ],
)
def test_what_is_known_of_a_handler(name, least, most, takes_packet):
    handler = look_at(Plain, name)
    assert (handler.name, handler.least, handler.most, handler.takes_packet) == (name, least, most, takes_packet)


def test_process_event_is_called_with_gevent_socketios_packet():
    assert connected(Plain).socket[''].process_event(event('', 'one', [1])) == (1,)
