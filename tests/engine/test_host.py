"""PlainHost: namespaces in a dict, no framework."""

from __future__ import annotations

import pytest

from tgsio_middleware.engine.host import PlainHost
from tgsio_middleware.errors import NoSuchNamespace
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.packet import Packet, event

from .fakes import connected


class Chat(BaseNamespace):
    def recv_connect(self):
        self.session['connected'] = self.environ['PATH_INFO']

    def on_say(self, text):
        return text

    def recv_disconnect(self):
        self.session['left'] = True


def test_a_namespace_that_is_not_in_the_dict():
    client = connected({'': Chat})
    with pytest.raises(NoSuchNamespace):
        PlainHost({}).connect(client.socket, Packet(type='connect', endpoint='/nope'))


def test_its_three_verbs():
    client = connected({'': Chat})
    namespace = client.socket['']
    assert type(namespace) is Chat
    assert client.socket.session == {'connected': '/socketio'}
    assert client.socket.host.event(namespace, event('', 'say', ['hi']), lambda packet, values: values) == 'hi'
    client.socket.host.disconnect(namespace, 'why')
    assert client.socket.session['left']


def test_two_namespaces_of_one_client_do_not_share_an_environ():
    client = connected({'': Chat, '/chat': Chat})
    client.say('40/chat')
    client.socket[''].environ['mine'] = 1
    assert 'mine' not in client.socket['/chat'].environ
    assert 'mine' not in client.socket.handshake
