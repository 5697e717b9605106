"""What an ini says: settings, the server that wraps the application by itself, and `debug = true`."""

from __future__ import annotations

import re
import socket
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.conftest import missing
from tests.eio4client import Client
from tests.live import run, serve

from .conftest import Office, ini, tracebacks

SITE = 'tests.fixtureapps.workshop'


@pytest.mark.parametrize(
    ('where', 'line', 'said'),
    [
        ('settings', 'ping_intervall = 25', "unknown setting 'ping_intervall' = '25'; known are: socketio_resource, "),
        ('settings', 'ping_interval = soon', "ping_interval = 'soon': allowed is a number of seconds above 0"),
        ('settings', 'socketio_resource = /', "socketio_resource = '/': allowed is a path below the application"),
        ('server', 'socketio_resourze = x', "unknown setting 'socketio_resourze' = 'x'; known are: host, port, "),
        ('port', 'https', "port = 'https': allowed is a number from 0 to 65535"),
        ('port', '²', "port = '²': allowed is a number from 0 to 65535"),
        ('server', 'keyfile = key.pem', 'keyfile without certfile'),
    ],
)
def test_what_cannot_be_stops_the_start_and_is_named(where, line, said):
    with pytest.raises(AssertionError) as stopped, run(ini(SITE, **{where: line})):
        pass
    assert f'ConfigurationError: {said}' in str(stopped.value)


def test_a_port_that_is_taken_is_said_in_a_line():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError) as stopped, run(ini(SITE, port=str(port))):
            pass
    assert f"cannot listen on host = '127.0.0.1', port = '{port}': Address already in use" in str(stopped.value)
    assert 'Traceback' not in str(stopped.value)


def test_the_server_wraps_an_application_that_has_no_filter():
    """tgext.socketio's ini, with one word changed."""
    text = ini(SITE, 'site', server='socketio_resource = socketio\nping_interval = 7')
    with run(text) as live, Client(live.port) as client:
        assert client.hello['pingInterval'] == 7000
        client.join('/bench')
        assert client.call('/bench', 'one', 1) == [1]
        with urlopen(f'{live.url}/socketio/page', timeout=10) as page:
            assert page.read() == b'a page () {}'


def test_the_server_leaves_a_pipeline_that_has_the_filter_alone():
    with run(ini(SITE, server='socketio_resource = ordinary', settings='socketio_resource = socketio')) as live:
        with Client(live.port) as client:
            client.join('/bench')
        with pytest.raises(HTTPError) as not_there:
            urlopen(f'{live.url}/ordinary/?EIO=4&transport=polling', timeout=10)
        assert not_there.value.code == 404


def test_a_server_without_keys_of_the_filter_serves_plain_pages():
    with run(ini(SITE, 'site')) as live, urlopen(live.url, timeout=10) as page:
        assert page.read() == b'the site'


@pytest.fixture(scope='module')
def debugged(tmp_path_factory):
    """The office with `debug = true`, which TurboGears' debugger surrounds."""
    try:
        import backlash  # noqa: F401
    except ImportError:
        missing('backlash', 'pip install backlash')
    database = tmp_path_factory.mktemp('debugged') / 'office.sqlite'
    with serve('tests.fixtureapps.office', debug=True, app=f'database = {database}') as live:
        office = Office(live, database)
        office.change('insert into users values (?)', 'user0')
        yield office


def test_with_debug_a_failing_page_shows_the_debugger(debugged):
    with pytest.raises(HTTPError) as failed:
        urlopen(f'{debugged.live.url}/socketio/fail', timeout=10)
    page = failed.value.read().decode()
    assert failed.value.code == 500
    assert 'a page that fails' in page and 'EVALEX = true' in page
    style = re.search(r'href="([^"]*__debugger__[^"]*)"', page)
    assert style is not None
    with urlopen(f'{debugged.live.url}{style[1].replace("&amp;", "&")}', timeout=10) as resource:
        assert resource.status == 200


def test_without_debug_a_failing_page_shows_the_sites_own(office):
    with pytest.raises(HTTPError) as failed:
        urlopen(f'{office.live.url}/socketio/fail', timeout=10)
    assert failed.value.read() == b'the page for 500'


def test_with_debug_sockets_work(debugged):
    before = tracebacks(debugged.live.log())
    with debugged.client('user0') as client:
        client.join('/desk')
        client.join('/notes')
        assert client.call('/desk', 'who')[0]['user'] == 'user0'
        assert client.call('/notes', 'write', 'milk') == [1]
        assert client.call('/notes', 'write_and_fail', 'bread') == [None]
        assert client.error('/notes') == ['internal_error', 'The server failed to handle "write_and_fail"']
        assert client.refusal('/closed')['data'] == {'status': 403}
    assert debugged.notes() == ['milk']
    assert tracebacks(debugged.live.log()) == before + 1


def test_with_debug_a_failing_connect_leaves_no_context_behind(debugged):
    """TurboGears' registry preserves a failed request's context for the debugger."""
    before = tracebacks(debugged.live.log())
    with debugged.client('user0') as client, debugged.client() as anonymous:
        for _ in range(3):
            assert client.refusal('/notes?refuse=exception') == {'message': 'internal error'}
            anonymous.join('/desk')
            assert anonymous.call('/desk', 'who')[0]['user'] is None
            anonymous.emit('/desk', 'between')
            assert anonymous.event('/desk', 'seen')[0] is None
            anonymous.leave('/desk')
    assert tracebacks(debugged.live.log()) == before + 3
