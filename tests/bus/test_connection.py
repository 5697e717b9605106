"""How a server is reached."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip('redis')

from redis.exceptions import ResponseError

from tgsio_middleware.bus import connection as module
from tgsio_middleware.bus.connection import Sender, named, wire, wire_of
from tgsio_middleware.errors import ConfigurationError

from .fakeredis import Server


def test_every_command_has_its_timeout():
    kwargs = wire('redis://:secret@host:7/3').kwargs
    assert (kwargs['host'], kwargs['port'], kwargs['db'], kwargs['password']) == ('host', 7, 3, 'secret')
    assert kwargs['socket_timeout'] == kwargs['socket_connect_timeout'] == module.PATIENCE


def test_a_timeout_in_the_url_stays():
    assert wire('redis://host?socket_timeout=0.5').kwargs['socket_timeout'] == 0.5


def test_tls_and_unix_sockets_have_their_classes():
    assert 'SSL' in wire('rediss://host').connection_class.__name__
    assert 'Unix' in wire('unix:///tmp/x').connection_class.__name__


def test_a_connection_can_be_made_of_it():
    made = wire('redis://127.0.0.1:1')
    with pytest.raises(Exception, match='refused'):
        made.connect()


def test_no_password_in_a_name():
    assert wire('redis://user:secret@host:7/3').name == named('redis://user:secret@host:7/3') == 'redis://host:7/3'


@pytest.mark.parametrize('rest', ['http://{}host', 'redis://{}host:port', 'redis://{}host?nonsense=1'])
def test_what_is_no_address(rest):
    with pytest.raises(ConfigurationError, match=r'^bus = .*host.*: .*; allowed is redis://.*rediss://.*unix://') as e:
        wire(rest.format('user:secret@'))
    assert 'secret' not in str(e.value)


def test_answers_are_bytes_whatever_was_asked_for():
    assert wire_of({'decode_responses': True}, 'x').kwargs['decode_responses'] is False


def test_without_redis_installed_the_error_says_what_to_install():
    program = (
        "import sys; sys.modules['redis'] = None\nfrom tgsio_middleware.bus.connection import wire\nwire('redis://x')"
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert 'pip install tgsio_middleware[redis]' in done.stderr


class TestSender:
    @pytest.fixture
    def server(self):
        return Server()

    @pytest.fixture
    def sender(self, server):
        return Sender(server.wire())

    def test_one_connection_for_all(self, server, sender):
        for _ in range(3):
            sender.reach()
            assert sender.send([(b'c', b'1'), (b'd', b'2')]) == [0, 0]
        assert server.attempts == 1
        assert server.commands == [('PUBLISH', b'c', b'1'), ('PUBLISH', b'd', b'2')] * 3

    def test_asking_whether_the_server_is_there(self, server, sender):
        sender.reach()
        assert sender.send(()) == [b'PONG']

    def test_a_restart_while_it_was_idle_is_not_noticed(self, server, sender):
        """An Emitter that lives as long as its script."""
        sender.reach()
        server.stop()
        server.start()
        sender.reach()
        assert sender.send([(b'c', b'1')]) == [0]
        assert server.attempts == 2

    def test_what_the_server_refuses_stands_among_the_answers(self, server, sender):
        sender.reach()
        refusal = ResponseError('not you')
        server.connections[0].waiting.append(refusal)
        assert sender.send([(b'c', b'1')]) == [refusal]

    def test_a_server_that_is_lost_is_reached_anew(self, server, sender):
        sender.reach()
        server.connections[0].waiting.append(ConnectionError('reset'))
        with pytest.raises(ConnectionError):
            sender.send([(b'c', b'1')])
        server.down = True
        with pytest.raises(ConnectionError):
            sender.reach()
        server.down = False
        sender.reach()
        assert sender.send([(b'c', b'1')]) == [0]
        sender.close()
        assert server.connections == []
