"""JSONP of 0.9, 1.x and 2.x, by raw clients: off unless named, and for pages that may."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest

from .client import Browser, Poller, WebSocket, ask, serve

PAGE = {'Referer': 'http://127.0.0.1:{}/page'}


@pytest.fixture(scope='module', params=['ours', 'stock'])
def port(request):
    with serve(request.param, transports='websocket polling jsonp') as live:
        yield live.port


def said(answer, call):
    assert answer.status == 200, answer
    assert answer.headers['Content-Type'] == 'text/javascript; charset=UTF-8'
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'
    found = re.fullmatch(re.escape(call) + r'\((".*")\);', answer.text)
    assert found, answer.text
    return json.loads(found[1])


def payload(*packets):
    """As the clients of 2.x put it into a form."""
    text = ''.join(f'{len(packet)}:{packet}' for packet in packets)
    return text.replace('\\n', '\\\n').replace('\n', '\\n')


class Client:
    """`path(index)` is where it polls and posts."""

    def __init__(self, port):
        page = f'http://127.0.0.1:{port}'
        self.polls = Browser(port, {'Referer': page + '/page'})
        self.posts = Browser(port, {'Origin': page, 'Content-Type': 'application/x-www-form-urlencoded'})

    def post(self, text):
        return self.posts.ask('POST', self.path(0), urlencode({'d': text}))

    def poll(self, index=0):
        return said(self.polls.ask('GET', self.path(index)), f'{self.call}[{index}]')


class New(Client):
    call = '___eio'

    def __init__(self, port):
        super().__init__(port)
        self.base = '/socketio/?EIO=3&transport=polling&j={}'
        opened = said(self.polls.ask('GET', self.base.format(3)), '___eio[3]')
        self.sid = re.search(r'"sid":"([^"]+)"', opened)[1]

    def path(self, index):
        return self.base.format(index) + f'&sid={self.sid}'


class Old(Client):
    call = 'io.j'

    def __init__(self, port):
        super().__init__(port)
        shaken = said(self.polls.ask('GET', '/socketio/1/?jsonp=0'), 'io.j[0]')
        self.sid, _, _, self.offered = shaken.split(':')

    def path(self, index):
        return f'/socketio/1/jsonp-polling/{self.sid}?i={index}'


class TestEio3:
    def test_an_event_and_its_ack(self, port):
        client = New(port)
        assert client.poll() == '2:40'
        answer = client.post(payload('421["give_back","é\\n</script>"]'))
        assert (answer.status, answer.text) == (200, 'ok')
        said = client.poll(5)
        assert said[said.index('[') :] == '["\\u00e9\\n</script>"]'

    def test_it_can_move_to_a_websocket(self, port):
        client = New(port)
        client.poll()
        socket = WebSocket(port, f'/socketio/?EIO=3&transport=websocket&sid={client.sid}')
        socket.send('2probe')
        assert socket.hear() == '3probe'
        socket.send('5', '421["give_back",1]')
        assert socket.hear() == '431[1]'
        socket.close()

    def test_a_connection_that_has_carried_other_polls(self, port):
        """A browser shares its connections between pages."""
        other = Poller(port, 3)
        client = New(port)
        client.polls = other.polls
        client.polls.headers = {'Referer': f'http://127.0.0.1:{port}/page'}
        assert other.poll()
        assert client.poll() == '2:40'

    def test_bytes_are_base64(self, port):
        client = New(port)
        client.poll()
        client.post(payload('451-["echo",{"_placeholder":true,"num":0}]', 'b4AQI='))
        assert client.poll().endswith('b4AQI=')


class TestSio09:
    def test_the_handshake_and_an_event(self, port):
        client = Old(port)
        assert client.offered == 'websocket,xhr-polling,jsonp-polling'
        assert client.poll() == '1::'
        answer = client.post(json.dumps('5:1+::{"name":"give back","args":["é\\n\u2028"]}'))
        assert (answer.status, answer.text) == (200, '1')
        assert json.loads(client.poll(12).partition('+')[2]) == ['é\n\u2028']

    def test_a_post_that_is_no_json_string(self, port):
        client = Old(port)
        client.poll()
        assert client.post('5:::{}').status == 400

    def test_a_poll_of_another_transport_is_a_client_that_falls_back(self, port):
        client = Old(port)
        assert client.poll() == '1::'
        other = Browser(port)
        path = f'/socketio/1/xhr-polling/{client.sid}'
        assert other.ask('POST', path, '2::').status == 400
        assert other.ask('GET', path).text == '1::'
        assert other.ask('POST', path, '5:1+::{"name":"give back","args":[1]}').text == '1'
        assert other.ask('GET', path).text == '6:::1+[1]'

    def test_a_client_that_is_not_known_is_told_so_by_a_script_as_well(self, port):
        path = '/socketio/1/jsonp-polling/nobody?i=7'
        assert said(ask(port, 'GET', path, Referer=f'http://127.0.0.1:{port}/'), 'io.j[7]') == '7:::1+0'

    def test_a_handshake_that_is_refused(self, port):
        answer = ask(port, 'GET', '/socketio/1/?jsonp=4', Referer='http://evil.example/')
        assert (answer.status, answer.headers['Content-Type']) == (200, 'text/javascript; charset=UTF-8')
        assert answer.text == 'io.j[4](new Error("handshake bad origin"));'


NEW, OLD = '/socketio/?EIO=3&transport=polling&j=0', '/socketio/1/?jsonp=0'


@pytest.mark.parametrize('path', [NEW, OLD])
class TestWhoMay:
    @pytest.mark.parametrize('index', ['i=0](evil)//', '', '0;'])
    def test_an_index_is_digits(self, port, path, index):
        answer = ask(port, 'GET', path[:-1] + index, Referer=f'http://127.0.0.1:{port}/')
        assert answer.status == 400
        assert 'evil' not in answer.text

    @pytest.mark.parametrize(
        'headers',
        [
            {},
            {'Referer': 'http://evil.example/page'},
            {'Referer': 'nonsense'},
            {'Origin': 'null'},
            {'Origin': 'http://evil.example', 'Referer': 'http://127.0.0.1:{}/'},
        ],
    )
    def test_no_foreign_page(self, port, path, headers):
        answer = ask(port, 'GET', path, **{name: value.format(port) for name, value in headers.items()})
        assert 'sid' not in answer.text
        assert answer.text == 'io.j[0](new Error("handshake bad origin"));' or answer.status == 403

    def test_off_by_default(self, path):
        with serve() as live:
            answer = ask(live.port, 'GET', path, Referer=live.url + '/')
            assert answer.text == 'io.j[0](new Error("unknown transport"));' or answer.status == 400
            assert Poller(live.port, 3).opened

    def test_a_star_is_no_page(self, path):
        with serve(transports='polling jsonp', cors_allowed_origins='* http://friend.example') as live:
            answer = ask(live.port, 'GET', path, Referer='http://evil.example/')
            assert answer.text == 'io.j[0](new Error("handshake bad origin"));' or answer.status == 403
            assert ask(live.port, 'GET', path, Referer='http://friend.example/page').status == 200
