"""How a server is reached."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tgsio_middleware.bus import connection as module
from tgsio_middleware.bus.connection import named, wire, wire_of
from tgsio_middleware.errors import ConfigurationError

pytest.importorskip('redis')


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


def test_what_is_no_address():
    with pytest.raises(ConfigurationError, match='http://host') as e:
        wire('http://user:secret@host')
    assert 'secret' not in str(e.value)


def test_answers_are_bytes_whatever_was_asked_for():
    assert wire_of({'decode_responses': True}, 'x').kwargs['decode_responses'] is False


def test_without_redis_installed_the_error_says_what_to_install():
    program = (
        "import sys; sys.modules['redis'] = None\nfrom tgsio_middleware.bus.connection import wire\nwire('redis://x')"
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert 'pip install tgsio_middleware[redis]' in done.stderr
