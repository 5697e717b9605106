"""`recv_event`, the handler for any event; and `recv_disconnect`, which may ask for the reason."""

from __future__ import annotations

import json

import pytest

from tgsio_middleware.dispatch import MAX_NAME, RESERVED
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.negotiate import DIALECTS

from .engine.fakes import connected

NAMES = ['unknown', 'chat:message', 'with-dash', '42', 'é😀', '__class__', 'recv_connect', ' ', '', 'a' * MAX_NAME]


class Anything(BaseNamespace):
    def on_known(self, *args):
        return ['known', *args]

    def recv_event(self, name, *args):
        return ['any', name, *args]


def ask(client, name, *args):
    """-> what the client hears, after an event that wants an ack."""
    client.forget()
    client.say('421' + json.dumps([name, *args]))
    return [json.loads(message[2:].lstrip('1')) for message in client.heard]


class TestAnyEvent:
    @pytest.mark.parametrize('name', NAMES)
    def test_it_gets_what_no_method_takes(self, name):
        assert ask(connected(Anything), name, 1, 2) == [[['any', name, 1, 2]]]

    def test_a_method_of_its_own_goes_first(self):
        client = connected(Anything)
        assert ask(client, 'known', 1) == [[['known', 1]]]
        assert ask(client, 'unknown', 1) == [[['any', 'unknown', 1]]]
        assert ask(client, 'known', 1) == [[['known', 1]]]

    @pytest.mark.parametrize('name', sorted(RESERVED))
    def test_reserved_names_are_not_any(self, name):
        assert ask(connected(Anything), name)[0] == ['error', 'unallowed_event_name', f'"{name}" is reserved']

    def test_nor_are_names_without_end(self):
        assert ask(connected(Anything), 'a' * (MAX_NAME + 1))[0][1] == 'unallowed_event_name'

    def test_a_message_is_not_any(self):
        assert ask(connected(Anything), 'message', 'hi') == [['hi']]

    def test_names_that_clients_invent_are_not_kept(self):
        client = connected(Anything)
        for i in range(20):
            ask(client, f'invented{i}')
        assert not any(name.startswith('invented') for name in Anything._events)

    def test_the_acl_knows_it_by_its_own_name(self):
        class Guarded(Anything):
            def get_initial_acl(self):
                return {'recv_connect', 'on_known'}

        client = connected(Guarded)
        denied = ['error', 'method_access_denied', 'You do not have access to method "recv_event"']
        assert ask(client, 'unknown') == [denied, [None]]
        client.socket[''].add_acl_method('recv_event')
        assert ask(client, 'unknown') == [[['any', 'unknown']]]

    def test_its_arguments_are_counted(self):
        class Strict(BaseNamespace):
            def recv_event(self, name, one):
                return [name, one]

        client = connected(Strict)
        assert ask(client, 'x', 1) == [[['x', 1]]]
        assert ask(client, 'x')[0][:2] == ['error', 'invalid_method_args']

    def test_it_may_take_the_packet(self):
        class Whole(BaseNamespace):
            def recv_event(self, packet):
                return [packet['name'], packet['args']]

        assert ask(connected(Whole), 'x', 1) == [[['x', [1]]]]

    def test_without_it_nothing_has_changed(self):
        client = connected(BaseNamespace)
        assert ask(client, 'x')[0][1] == 'no_such_method'
        assert ask(client, 'x:y')[0][1] == 'unallowed_event_name'

    def test_a_client_cannot_call_it_by_name(self):
        assert ask(connected(BaseNamespace), 'recv_event')[0][1] == 'no_such_method'


class Leaving(BaseNamespace):
    """Its subclasses log into the connection's session."""

    def log(self, *what):
        self.session.setdefault('log', []).append(what)


class Told(Leaving):
    def recv_disconnect(self, reason):
        self.log(reason)
        super().recv_disconnect()


class Untold(Leaving):
    def recv_disconnect(self):
        self.log()


class Optional(Leaving):
    def recv_disconnect(self, silent=False, *more, **others):
        self.log(silent)


class Named(Leaving):
    def recv_disconnect(self, reason='nobody knows', *more):
        self.log(reason)


class NamedByKeyword(Leaving):
    def recv_disconnect(self, *, reason='nobody knows'):
        self.log(reason)


class Whole(Leaving):
    def recv_disconnect(self, packet):
        self.log(packet['type'], packet['reason'])


class TestReasons:
    @pytest.mark.parametrize(
        ('cls', 'logged'),
        [
            (Told, ('transport close',)),
            (Untold, ()),
            (Optional, (False,)),
            (Named, ('transport close',)),
            (NamedByKeyword, ('nobody knows',)),
            (Whole, ('disconnect', 'transport close')),
        ],
    )
    def test_who_takes_one_is_given_it(self, cls, logged):
        client = connected(cls)
        client.say('1')
        assert client.socket.session['log'] == [logged]

    @pytest.mark.parametrize(
        ('dialect', 'join', 'leave'),
        [(sio09, '1::/a', '0::/a'), (eio3, '40/a', '41/a'), (eio4, '40/a,', '41/a,')],
    )
    def test_a_client_that_leaves_one_namespace(self, dialect, join, leave):
        client = connected({'': BaseNamespace, '/a': Told}, dialect)
        client.say(join, leave)
        assert client.socket.session['log'] == [('client namespace disconnect',)]

    @pytest.mark.parametrize('dialect', DIALECTS)
    def test_a_connection_that_the_server_ends(self, dialect):
        client = connected(Told, dialect)
        client.socket.disconnect()
        client.say()
        assert client.socket.session['log'] == [('server namespace disconnect',)]

    def test_a_client_that_breaks_the_protocol(self):
        client = connected(Told)
        client.say('9')
        assert client.socket.session['log'] == [('parse error',)]

    def test_the_decorator_goes_around_it(self):
        class Decorated(Leaving):
            def recv_disconnect(self, reason):
                raise RuntimeError(reason)

            def exception_handler_decorator(self, fn):
                def decorated(*args):
                    try:
                        return fn(*args)
                    except RuntimeError as e:
                        self.log('caught', str(e))

                return decorated

        client = connected(Decorated)
        client.say('1')
        assert client.socket.session['log'] == [('caught', 'transport close')]
