"""htmlfile of 0.9, by a raw client: off unless named."""

from __future__ import annotations

import json
import re

import pytest

from tgsio_middleware.wire.padding import PREAMBLE

from .client import Browser, ask, serve


@pytest.fixture(scope='module', params=['ours', 'stock'])
def port(request):
    with serve(request.param, transports='htmlfile polling', ping_interval=0.3, ping_timeout=0.3) as live:
        yield live.port


class Page:
    def __init__(self, port, sid=None):
        self.port = port
        self.headers = {'Referer': f'http://127.0.0.1:{port}/page'}
        if sid is None:
            sid, _, _, self.offered = ask(port, 'GET', '/socketio/1/').text.split(':')
        self.sid = sid
        self.path = f'/socketio/1/htmlfile/{self.sid}'
        self.browser = Browser(port, self.headers)
        self.browser.begin('GET', self.path)
        self.response = self.browser.connection.getresponse()
        self.heard = ''

    def read(self):
        """More of the page; '' at its end."""
        return self.response.read1(65536).decode()

    def packet(self):
        """The next packet but heartbeats."""
        while True:
            found = re.match(r'<script>_\((".*?")\);</script>', self.heard)
            if found:
                self.heard = self.heard[found.end() :]
                packet = json.loads(found[1])
                if packet != '2::':
                    return packet
            else:
                more = self.read()
                assert more, 'the page has ended'
                self.heard = (self.heard + more).removeprefix(PREAMBLE)

    def post(self, text):
        return ask(self.port, 'POST', self.path, text, Content_Type='text/plain', **self.headers)


def test_a_conversation(port):
    page = Page(port)
    assert page.offered == 'htmlfile,xhr-polling'
    assert page.response.headers['Content-Type'] == 'text/html; charset=UTF-8'
    assert page.packet() == '1::'
    for i in range(3):
        answer = page.post(f'5:{i}+::{{"name":"give_back","args":["</script>é",{i}]}}')
        assert (answer.status, answer.text) == (200, '1')
        assert json.loads(page.packet().partition('+')[2]) == ['</script>é', i]
    page.post('5:::{"name":"later","args":[0.1,"x"]}')
    assert page.packet() == '5:::{"name":"late","args":["x"]}'
    page.browser.close()


def test_it_is_asked_for_its_heart_beat(port):
    page = Page(port)
    heard = ''
    while 'script>_("2::")' not in heard:
        heard += page.read()
        assert len(heard) < 2000
    page.post('2::')
    assert ask(port, 'POST', page.path, '2::', **page.headers).status == 200
    page.browser.close()


def test_who_does_not_answer_is_ended(port):
    page = Page(port)
    heard = ''
    while (more := page.read()) != '':
        heard += more
    assert heard.endswith('<script>_("2::");</script><script>_("0::");</script>')
    assert ask(port, 'POST', page.path, '2::', **page.headers).text == '7:::1+0'


def test_a_kick_ends_the_page(port):
    page = Page(port)
    assert page.packet() == '1::'
    page.post('5:::{"name":"kick"}')
    assert page.packet() == '0::'
    assert page.read() == ''


def test_two_pages_at_a_time_are_none(port):
    page = Page(port)
    assert page.packet() == '1::'
    other = ask(port, 'GET', page.path, **page.headers)
    assert other.status == 400
    assert page.packet() == '0::'


def test_a_client_that_falls_back_leaves_its_page(port):
    page = Page(port)
    assert page.packet() == '1::'
    path = page.path.replace('htmlfile', 'xhr-polling')
    other = Browser(port)
    assert other.ask('GET', path).text == '1::'
    assert page.read() == ''
    assert other.ask('POST', path, '5:1+::{"name":"give_back"}').text == '1'
    assert other.ask('GET', path).text == '6:::1'
    page.browser.close()


def test_what_waits_for_a_poll_goes_to_the_page_of_who_falls_back(port):
    sid = ask(port, 'GET', '/socketio/1/').text.partition(':')[0]
    assert ask(port, 'POST', f'/socketio/1/xhr-polling/{sid}', '5:1+::{"name":"give_back","args":[1]}').text == '1'
    page = Page(port, sid)
    assert [page.packet(), page.packet()] == ['1::', '6:::1+[1]']
    page.browser.close()


def test_a_client_that_is_not_known_is_told_so_in_the_page(port):
    page = Page(port, 'nobody')
    assert page.packet() == '7:::1+0'
    assert page.read() == ''


def test_a_foreign_page_is_refused(port):
    """A frame has no Origin; what it shows, no foreign page can read, and none knows a sid."""
    page = Page(port)
    for path in ('/socketio/1/', page.path):
        for method in ('GET', 'POST'):
            assert ask(port, method, path, '2::', Origin='http://evil.example').status == 403
    page.browser.close()


def test_who_does_not_read_is_ended():
    with serve(transports='htmlfile polling', max_buffered=100_000) as live:
        page = Page(live.port)
        assert page.packet() == '1::'
        page.post('5:::{"name":"burst","args":[400,50000]}')
        live.wait_for_log('.')
        assert ask(live.port, 'POST', page.path, '2::', **page.headers).text == '7:::1+0'


def test_off_by_default():
    with serve() as live:
        answer = ask(live.port, 'GET', '/socketio/1/htmlfile/x', Referer=live.url + '/')
        assert (answer.status, answer.text) == (400, 'unknown transport')
        assert 'htmlfile' not in ask(live.port, 'GET', '/socketio/1/').text


def test_a_page_that_is_closed_has_left_at_once():
    """And not at the next heartbeat, which nobody answers."""
    for server in ('ours', 'stock'):
        with serve(server, transports='htmlfile polling', ping_interval=3600) as live:
            page = Page(live.port)
            assert page.packet() == '1::'
            page.response.close()
            page.browser.close()
            live.wait_for_log('transport close')
            assert ask(live.port, 'POST', page.path, '2::', **page.headers).text == '7:::1+0'
