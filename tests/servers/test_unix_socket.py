"""Our server on a unix socket."""

from __future__ import annotations

import socket
import stat

import pytest

from tests.live import INI, PATIENCE, run
from tests.transports.client import handshake
from tgsio_middleware.server import listen_on


def ini(**server):
    lines = '\n'.join(f'{key} = {value}' for key, value in server.items())
    text = INI.replace('port = {port}\n', '')
    return text.format(
        site='tests.fixtureapps.pingpong', settings='', server=lines, app='', debug='false', level='INFO'
    )


def ask(path, request):
    """The beginning of the answer, up to 64 KiB or its end."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(str(path))
        sock.sendall(request)
        return sock.recv(65536)


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('unix') / 'site.sock'


@pytest.fixture(scope='module')
def live(path):
    with run(ini(unix_socket=path)) as live:
        yield live


def test_it_says_where_it_serves_and_keeps_others_out(live, path):
    assert f'Serving on unix://{path}\n' in live.log()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_pages_and_websockets(live, path):
    page = ask(path, b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert page.startswith(b'HTTP/1.1 200 OK') and page.endswith(b'the site')
    assert ask(path, handshake(80, '/socketio/?EIO=4&transport=websocket')).startswith(b'HTTP/1.1 101 ')


@pytest.mark.parametrize(
    ('server', 'said'),
    [
        ({'port': 8080}, 'beside host or port: the server listens on one of them'),
        ({'unix_socket_perms': 'rw'}, "unix_socket_perms = 'rw': allowed is an octal number"),
        ({'unix_socket': '/nowhere/sock'}, "unix_socket = '/nowhere/sock': No such file or directory"),
        ({'unix_socket_perms': '999'}, "unix_socket_perms = '999': allowed is an octal number"),
    ],
)
def test_what_cannot_be_stops_the_start(tmp_path, server, said):
    with pytest.raises(AssertionError) as stopped, run(ini(**{'unix_socket': tmp_path / 'sock', **server})):
        pass
    assert 'ConfigurationError: ' in str(stopped.value)
    assert said in str(stopped.value)


def test_where_somebody_listens_nobody_else_does(live, path):
    with pytest.raises(OSError, match='Address already in use'):
        listen_on(str(path), 0o600)
    assert ask(path, b'GET / HTTP/1.0\r\n\r\n').endswith(b'the site')


def test_a_file_in_the_way_is_kept(tmp_path):
    path = tmp_path / 'letters'
    path.write_text('dear')
    with pytest.raises(OSError, match='Address already in use'):
        listen_on(str(path), 0o600)
    assert path.read_text() == 'dear'


def test_what_a_dead_server_left_behind_is_replaced(tmp_path):
    path = tmp_path / 'site.sock'
    listen_on(str(path), 0o600).close()
    assert path.exists()
    with listen_on(str(path), 0o660), socket.socket(socket.AF_UNIX) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        client.connect(str(path))
