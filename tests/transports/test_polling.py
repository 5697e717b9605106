"""Long polling on plain HTTP, on our server and on gevent's own."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from .client import Browser, Poller, WebSocket, ask, joined, serve

EIO4 = '/socketio/?EIO=4&transport=polling'
EIO3 = '/socketio/?EIO=3&transport=polling'
OCTETS = 'application/octet-stream'
PLACEHOLDER = '{"_placeholder":true,"num":0}'

UNKNOWN_TRANSPORT = '{"code":0,"message":"Transport unknown"}'
UNKNOWN_SID = '{"code":1,"message":"Session ID unknown"}'
BAD_METHOD = '{"code":2,"message":"Bad handshake method"}'
BAD_REQUEST = '{"code":3,"message":"Bad request"}'
UNSUPPORTED = '{"code":5,"message":"Unsupported protocol version"}'
TOO_LARGE = '{"code":3,"message":"Payload too large"}'


# -- handshakes -------------------------------------------------------------------------------------------------------


def test_the_open_packet_of_eio4(port):
    answer = ask(port, 'GET', EIO4)
    hello = json.loads(answer.text[1:])
    assert answer.text[0] == '0'
    assert hello == {
        'sid': hello['sid'],
        'upgrades': ['websocket'],
        'pingInterval': 25000,
        'pingTimeout': 20000,
        'maxPayload': 1_000_000,
    }


def test_the_open_packet_of_eio3(port):
    text = ask(port, 'GET', EIO3).text
    length, _, rest = text.partition(':')
    assert rest[0] == '0'
    assert json.loads(rest[1 : int(length)])['upgrades'] == ['websocket']
    assert rest[int(length) :] in ('', '2:40')


def test_the_headers_of_an_answer(port):
    answer = ask(port, 'GET', EIO4)
    assert answer.headers['Content-Type'] == 'text/plain; charset=UTF-8'
    assert answer.headers['Content-Length'] == str(len(answer.body))
    assert answer.headers['Cache-Control'] == 'no-store'
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'


def test_a_sid_is_new_for_each_client(port):
    assert len({Poller(port).sid for _ in range(20)}) == 20


BAD = [
    ('GET', '/socketio/?EIO=4', 400, UNKNOWN_TRANSPORT),
    ('GET', '/socketio/?EIO=4&transport=pigeon', 400, UNKNOWN_TRANSPORT),
    ('GET', '/socketio/?EIO=4&transport=toString', 400, UNKNOWN_TRANSPORT),
    ('GET', EIO4 + '&sid=nobody', 400, UNKNOWN_SID),
    ('GET', EIO4 + '&sid=', 400, UNKNOWN_SID),
    ('GET', EIO4 + '&sid=%FF%00', 400, UNKNOWN_SID),
    ('GET', EIO4 + '&sid=' + 'x' * 5000, 400, UNKNOWN_SID),
    ('POST', EIO4 + '&sid=nobody', 400, UNKNOWN_SID),
    ('POST', EIO4, 400, BAD_METHOD),
    ('PUT', EIO4, 400, BAD_METHOD),
    ('DELETE', EIO3, 400, BAD_METHOD),
    ('GET', '/socketio/?EIO=5&transport=polling', 400, UNSUPPORTED),
    ('GET', '/socketio/?EIO=&transport=polling', 400, UNSUPPORTED),
    ('GET', '/socketio/?transport=polling', 400, UNSUPPORTED),
    ('GET', '/socketio/?' + '&'.join(f'k{i}=' for i in range(101)), 400, BAD_REQUEST),
    ('GET', '/socketio/?EIO=4&transport=websocket', 400, BAD_REQUEST),
    ('GET', '/socketio/1/websocket/nobody', 200, '7:::1+0'),
    ('GET', '/socketio/1/xhr-polling/nobody', 200, '7:::1+0'),
    ('POST', '/socketio/1/xhr-polling/nobody', 200, '7:::1+0'),
    ('GET', '/socketio/1/pigeon/nobody', 400, 'unknown transport'),
    ('PUT', '/socketio/1/', 400, 'bad method'),
    ('GET', '/socketio/2/', 500, 'Protocol version not supported.'),
]


@pytest.mark.parametrize(('method', 'path', 'status', 'text'), BAD, ids=lambda value: str(value)[:50])
def test_a_bad_request_is_told_why(port, method, path, status, text):
    answer = ask(port, method, path)
    assert (answer.status, answer.text) == (status, text)
    assert answer.headers['Content-Type'] == ('application/json' if text[0] == '{' else 'text/plain; charset=UTF-8')


@pytest.mark.parametrize('method', ['PUT', 'DELETE', 'PATCH'])
def test_a_poll_by_another_method(port, method):
    poller = Poller(port)
    answer = ask(port, method, poller.path)
    assert (answer.status, answer.text) == (400, BAD_REQUEST)
    poller.close()


@pytest.mark.parametrize(('eio', 'other'), [(4, 3), (3, 4)])
def test_a_sid_of_another_protocol_version(port, eio, other):
    poller = Poller(port, eio)
    answer = ask(port, 'GET', poller.path.replace(f'EIO={eio}', f'EIO={other}'))
    assert (answer.status, answer.text) == (400, BAD_REQUEST)
    answer = ask(port, 'GET', f'/socketio/1/xhr-polling/{poller.sid}')
    assert (answer.status, answer.text) == (400, 'bad request')
    poller.close()


# -- talking ----------------------------------------------------------------------------------------------------------


def test_a_4x_client(port):
    poller = Poller(port)
    poller.say('40')
    assert poller.poll()[:9] == '40{"sid":'
    poller.say('42["echo","é😀"]\x1e420["give back",1]')
    assert poller.poll() == '42["echo","\\u00e9\\ud83d\\ude00"]\x1e430[1]'
    poller.say('40/chat,')
    assert poller.poll()[:15] == '40/chat,{"sid":'
    poller.say('40/refusing,')
    assert poller.poll() == '44/refusing,{"message":"not today","data":{"retry":"tomorrow"}}'
    poller.close()


def test_a_2x_client(port):
    poller = joined(port, 3)
    poller.say('14:42["echo","é"]'.encode())
    assert poller.poll() == '19:42["echo","\\u00e9"]'
    poller.say('1:2')
    assert poller.poll() == '1:3'
    poller.say('8:40/chat,')
    assert poller.poll() == '8:40/chat,'
    poller.say('15:42["echo","😀"]'.encode())
    assert poller.poll() == '25:42["echo","\\ud83d\\ude00"]'
    poller.close()


def test_a_1x_client_encodes_twice(port):
    poller = joined(port, 3)
    poller.say('15:42["echo","Ã©"]'.encode())
    assert poller.poll() == '19:42["echo","\\u00e9"]'
    poller.close()


def test_a_0_9_client(port):
    sid = ask(port, 'GET', '/socketio/1/?t=1').text.partition(':')[0]
    path = f'/socketio/1/xhr-polling/{sid}'
    assert ask(port, 'GET', path).text == '1::'
    answer = ask(port, 'POST', path, '5:1+::{"name":"give back","args":["é😀"]}'.encode())
    assert (answer.status, answer.body, answer.headers['Content-Length']) == (200, b'1', '1')
    assert ask(port, 'GET', path).text == '6:::1+["\\u00e9\\ud83d\\ude00"]'
    ask(port, 'POST', path, '\ufffd9\ufffd3:::hi 😀\ufffd24\ufffd5:::{"name":"give back"}'.encode())
    ask(port, 'POST', path, '1::/chat')
    assert ask(port, 'GET', path).text.endswith('1::/chat')
    answer = ask(port, 'GET', path + '?disconnect')
    assert (answer.status, answer.body) == (200, b'')
    assert ask(port, 'GET', path).text == '7:::1+0'


def test_a_0_9_client_leaves_by_the_other_url(port):
    sid = ask(port, 'GET', '/socketio/1/').text.partition(':')[0]
    assert ask(port, 'GET', f'/socketio/1//{sid}/?disconnect=1').status == 200
    assert ask(port, 'GET', f'/socketio/1/xhr-polling/{sid}').text == '7:::1+0'


def test_a_disconnect_of_nobody(port):
    assert ask(port, 'GET', '/socketio/1/xhr-polling/nobody?disconnect').status == 200


def test_a_disconnect_of_a_client_of_another_version(port):
    poller = Poller(port)
    ask(port, 'GET', f'/socketio/1/xhr-polling/{poller.sid}?disconnect')
    assert not poller.gone()
    poller.close()


def test_a_poll_waits_until_there_is_something_to_say(port):
    poller = joined(port)
    poller.say('42["later",0.1,"é"]')
    began = time.monotonic()
    assert poller.poll() == '42["late","\\u00e9"]'
    assert time.monotonic() - began > 0.05
    poller.close()


def test_a_post_is_confirmed_before_its_handler_is_done(port):
    poller = joined(port)
    began = time.monotonic()
    poller.say('42["block",0.5]')
    assert time.monotonic() - began < 0.3
    poller.close()


def test_the_answer_to_a_post(port):
    poller = Poller(port)
    answer = poller.post('40')
    assert (answer.status, answer.body) == (200, b'ok')
    assert answer.headers['Content-Type'] == 'text/html'
    poller.close()


@pytest.mark.parametrize('eio', [3, 4])
def test_an_empty_poll_of_a_client_that_leaves_is_a_noop(port, eio):
    poller = joined(port, eio)
    poller.polls.begin('GET', poller.path)
    time.sleep(0.05)
    poller.say('1' if eio == 4 else '1:1')
    assert poller.polls.finish().text == ('6' if eio == 4 else '1:6')
    assert poller.gone()
    poller.close()


@pytest.mark.parametrize(('eio', 'kick', 'heard'), [(4, '42["kick"]', '1'), (3, '10:42["kick"]', '1:1')])
def test_a_client_that_the_server_ends_is_told(port, eio, kick, heard):
    poller = joined(port, eio)
    poller.polls.begin('GET', poller.path)
    time.sleep(0.05)
    poller.say(kick)
    assert poller.polls.finish().text == heard
    assert poller.gone()
    poller.close()


# -- binary data ------------------------------------------------------------------------------------------------------


def test_bytes_of_eio4(port):
    poller = joined(port)
    poller.say(f'451-["echo",{PLACEHOLDER}]\x1ebAP8=')
    assert poller.poll() == f'451-["echo",{PLACEHOLDER}]\x1ebAP8='
    poller.close()


def test_bytes_of_eio3_in_octets(port):
    poller = joined(port, 3)
    event = f'451-["echo",{PLACEHOLDER}]'.encode()
    body = b'\x00\x04\x02\xff' + event + b'\x01\x03\xff\x04\x00\xff'
    assert len(event) == 42
    poller.say(body, Content_Type=OCTETS)
    answer = poller.polls.ask('GET', poller.path)
    assert (answer.headers['Content-Type'], answer.body) == (OCTETS, body)
    poller.close()


def test_bytes_of_eio3_for_who_knows_no_octets(port):
    poller = joined(port, 3, '&b64=1')
    event = f'451-["echo",{PLACEHOLDER}]'
    poller.say(f'42:{event}6:b4AP8=')
    answer = poller.polls.ask('GET', poller.path)
    assert answer.headers['Content-Type'] == 'text/plain; charset=UTF-8'
    assert answer.text == f'42:{event}6:b4AP8='
    poller.close()


# -- what a client may not do -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('eio', 'body', 'content_type'),
    [
        (4, '', 'text/plain'),
        (4, 'nonsense', 'text/plain'),
        (4, '42["x"', 'text/plain'),
        (4, '42/nowhere,["x"]\x1e', 'text/plain'),
        (4, 'b!', 'text/plain'),
        (4, '2', 'text/plain'),
        (4, '4hello', OCTETS),
        (4, b'\xff\xfe', 'text/plain'),
        (3, '5:2', 'text/plain'),
        (3, 'nonsense', 'text/plain'),
        (3, '1:0', 'text/plain'),
        (3, '1:😀', 'text/plain'),
        (3, b'\x00\xff', OCTETS),
        (3, b'\xff\xfe', 'text/plain'),
    ],
)
def test_who_breaks_the_protocol_is_told_and_ended(port, eio, body, content_type):
    poller = joined(port, eio)
    answer = poller.post(body.encode() if isinstance(body, str) else body, Content_Type=content_type)
    assert (answer.status, answer.text) == (400, BAD_REQUEST)
    assert poller.gone()
    poller.close()


def test_two_polls_at_once_end_the_client(port):
    poller = joined(port)
    poller.polls.begin('GET', poller.path)
    time.sleep(0.05)
    second = ask(port, 'GET', poller.path)
    assert (second.status, second.text) == (400, BAD_REQUEST)
    first = poller.polls.finish()
    assert (first.status, first.text) == (200, '1')
    assert poller.gone()
    poller.close()


def test_two_posts_at_once_end_the_client():
    """The first one waits for room in the inbox."""
    with serve(max_pending=1) as live:
        poller = joined(live.port)
        poller.say('42["block",1]')
        poller.posts.begin('POST', poller.path, '\x1e'.join(['42["echo"]'] * 5))
        time.sleep(0.1)
        second = ask(live.port, 'POST', poller.path, '42["echo"]')
        assert (second.status, second.text) == (400, BAD_REQUEST)
        assert poller.posts.finish().status == 400
        assert poller.gone()
        poller.close()


# -- bodies -----------------------------------------------------------------------------------------------------------


def raw(port, request, then=b''):
    """Bytes on a connection; -> all that comes back."""
    with socket.create_connection(('127.0.0.1', port), timeout=5) as sock:
        sock.sendall(request)
        if then is None:
            sock.shutdown(socket.SHUT_WR)
        received = b''
        while chunk := sock.recv(65536):
            received += chunk
        return received


def head(method, path, *headers):
    return '\r\n'.join([f'{method} {path} HTTP/1.1', 'Host: x', 'Connection: close', *headers, '', '']).encode()


def chunked(data, size=300):
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    return b''.join(b'%x\r\n%s\r\n' % (len(c), c) for c in chunks) + b'0\r\n\r\n'


def test_a_body_in_chunks(port):
    poller = joined(port)
    answer = raw(port, head('POST', poller.path, 'Transfer-Encoding: chunked') + chunked(b'420["give back",1]', 5))
    assert answer.endswith(b'\r\n\r\nok')
    assert poller.poll() == '430[1]'
    poller.close()


def test_a_body_that_is_too_large_by_its_length(hasty):
    poller = Poller(hasty)
    answer = poller.post('4' * 1001)
    assert (answer.status, answer.text) == (413, TOO_LARGE)
    poller.close()


def test_a_body_that_is_too_large_in_chunks(hasty):
    poller = Poller(hasty)
    answer = raw(hasty, head('POST', poller.path, 'Transfer-Encoding: chunked') + chunked(b'4' * 2000))
    assert answer.startswith(b'HTTP/1.1 413 ')
    assert answer.endswith(TOO_LARGE.encode())
    poller.close()


def test_a_body_of_max_payload(hasty):
    poller = joined(hasty)
    event = '42["echo","' + 'x' * (1000 - len('42["echo",""]')) + '"]'
    assert len(event) == 1000
    poller.say(event)
    assert event in poller.poll()
    poller.close()


@pytest.mark.parametrize('length', ['abc', '-5', '1.5', '0x10', '9' * 30])
def test_a_length_that_is_none(port, length):
    poller = joined(port)
    answer = raw(port, head('POST', poller.path, f'Content-Length: {length}') + b'42["x"]', then=None)
    assert answer.split(b' ')[1] in (b'400', b'413')
    poller.close()


def test_a_body_shorter_than_its_length(port):
    poller = joined(port)
    answer = raw(port, head('POST', poller.path, 'Content-Length: 100') + b'42["x"]', then=None)
    assert answer == b'' or answer.split(b' ')[1] == b'400'
    assert ask(port, 'GET', '/page').status == 200
    poller.close()


def test_two_bodies_at_once_end_the_client(port):
    poller = joined(port)
    with socket.create_connection(('127.0.0.1', port), timeout=5) as sock:
        sock.sendall(head('POST', poller.path, 'Transfer-Encoding: chunked') + b'1\r\n3\r\n')
        time.sleep(0.05)
        second = poller.post('3')
        assert (second.status, second.text) == (400, BAD_REQUEST)
        sock.sendall(b'0\r\n\r\n')
        assert sock.recv(65536).split(b' ')[1] == b'400'
    assert poller.gone()
    poller.close()


# -- many requests on one connection ----------------------------------------------------------------------------------


def test_pages_and_polls_on_one_connection(port):
    browser = Browser(port)
    for _ in range(3):
        assert browser.ask('GET', '/page').text == 'the page /page heard nothing'
        sid = json.loads(browser.ask('GET', EIO4).text[1:])['sid']
        path = f'{EIO4}&sid={sid}'
        assert browser.ask('POST', path, '40').text == 'ok'
        assert browser.ask('GET', path).text[:3] == '40{'
        assert browser.ask('POST', '/page', 'x' * 3000).text == 'the page /page heard ' + 'x' * 3000
        assert browser.ask('POST', path, '420["give back",1]').text == 'ok'
        assert browser.ask('GET', path).text == '430[1]'
        assert browser.ask('GET', '/socketio/').text == 'the page /socketio/ heard nothing'
    browser.close()


def request(method, path, body=b'', *headers):
    lines = [f'{method} {path} HTTP/1.1', 'Host: x', f'Content-Length: {len(body)}', *headers, '', '']
    return '\r\n'.join(lines).encode() + body


def read_answers(sock, count):
    stream = sock.makefile('rb')
    answers = []
    for _ in range(count):
        status = stream.readline().split(b' ')[1]
        length = 0
        while (line := stream.readline()) != b'\r\n':
            if line.lower().startswith(b'content-length'):
                length = int(line.split(b':')[1])
        answers.append((status, stream.read(length)))
    return answers


def test_requests_in_one_segment_are_answered_in_order(port):
    poller = joined(port)
    sent = b''.join(
        [
            request('POST', poller.path, b'420["give back",1]'),
            request('GET', poller.path),
            request('GET', '/page'),
            request('POST', poller.path, b'421["give back",2]'),
            request('GET', poller.path),
        ]
    )
    with socket.create_connection(('127.0.0.1', port), timeout=5) as sock:
        sock.sendall(sent)
        answers = read_answers(sock, 5)
    assert [body for _, body in answers] == [b'ok', b'430[1]', b'the page /page heard nothing', b'ok', b'431[2]']
    poller.close()


def test_requests_byte_by_byte(port):
    poller = joined(port)
    with socket.create_connection(('127.0.0.1', port), timeout=5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request('POST', poller.path, b'420["give back",1]') + request('GET', poller.path):
            sock.sendall(bytes([byte]))
            time.sleep(0.0005)
        assert read_answers(sock, 2) == [(b'200', b'ok'), (b'200', b'430[1]')]
    poller.close()


def test_a_request_behind_a_poll_that_waits_is_answered_after_it(port):
    poller = joined(port)
    poller.say('42["later",0.1]')
    with socket.create_connection(('127.0.0.1', port), timeout=5) as sock:
        sock.sendall(request('GET', poller.path))
        time.sleep(0.03)
        sock.sendall(request('GET', '/page') + request('POST', poller.path, b'3'))
        assert read_answers(sock, 3) == [
            (b'200', b'42["late"]'),
            (b'200', b'the page /page heard nothing'),
            (b'200', b'ok'),
        ]
    poller.close()


def test_a_handshake_on_a_connection_that_polls_brings_its_cookies(port):
    browser = Browser(port)
    assert browser.ask('GET', EIO4).status == 200
    sid = json.loads(browser.ask('GET', EIO4 + '&mysid=1', Cookie='session=abc').text[1:])['sid']
    path = f'{EIO4}&sid={sid}'
    browser.ask('POST', path, '40')
    browser.ask('GET', path)
    browser.ask('POST', path, '420["environ","HTTP_COOKIE","QUERY_STRING"]')
    assert json.loads(browser.ask('GET', path).text[3:]) == [{'HTTP_COOKIE': 'session=abc', 'QUERY_STRING': 'mysid=1'}]
    browser.close()


def test_a_line_that_a_proxy_may_read_as_two(port):
    """A header hidden behind a bare line feed must mean the same to us as to the server."""
    poller = joined(port)
    hidden = f'POST {poller.path} HTTP/1.1\r\nHost: x\r\nX: y\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n'
    smuggled = b'420["give back","smuggled"]'
    with socket.create_connection(('127.0.0.1', port), timeout=5) as sock:
        sock.sendall(request('POST', poller.path, b'3'))
        assert read_answers(sock, 1) == [(b'200', b'ok')]
        sock.sendall(hidden.encode() + b'1\r\n3\r\n0\r\n\r\n' + request('POST', poller.path, smuggled))
        statuses = [status for status, _ in read_answers(sock, 1)]
    assert statuses[0] in (b'200', b'400')
    answer = poller.post('421["give back",1]')
    if statuses == [b'400'] and answer.status == 200:  # the server has refused it unread
        assert poller.poll() == '431[1]'
    poller.close()


def test_a_client_whose_poll_breaks_off_has_left_on_our_server():
    with serve('ours') as live:
        witness, poller = joined(live.port), joined(live.port)
        poller.say('42["name","Ann"]')
        poller.polls.begin('GET', poller.path)
        time.sleep(0.05)
        poller.close()
        assert witness.poll() == '42["left","Ann"]'
        witness.close()


# -- time and bounds --------------------------------------------------------------------------------------------------


def test_a_4x_client_is_asked_and_ended_when_it_is_silent(hasty):
    poller = joined(hasty)
    assert poller.poll() == '2'
    poller.say('3')
    assert poller.poll() == '2'
    assert poller.poll() == '1'
    assert poller.gone()
    poller.close()


def test_a_4x_client_that_asks_for_no_namespace_is_ended(hasty):
    poller = Poller(hasty)
    assert poller.poll() == '2'
    poller.say('3')
    assert poller.poll() == '1'
    poller.close()


def test_a_2x_client_that_is_silent_is_ended(hasty):
    poller = joined(hasty, 3)
    assert poller.poll() == '1:1'
    assert poller.gone()
    poller.close()


def test_a_2x_client_that_pings_lives(hasty):
    poller = joined(hasty, 3)
    for _ in range(8):
        time.sleep(0.1)
        poller.say('1:2')
        assert poller.poll() == '1:3'
    poller.close()


def test_a_poll_is_a_sign_of_life_of_a_0_9_client(hasty):
    """Its polling transport has no heartbeat."""
    sid = ask(hasty, 'GET', '/socketio/1/').text.partition(':')[0]
    path = f'/socketio/1/xhr-polling/{sid}'
    assert ask(hasty, 'GET', path).text == '1::'
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        assert ask(hasty, 'GET', path).text == '8::'


def test_a_0_9_client_that_polls_no_more_is_ended(hasty):
    sid = ask(hasty, 'GET', '/socketio/1/').text.partition(':')[0]
    path = f'/socketio/1/xhr-polling/{sid}'
    assert ask(hasty, 'GET', path).text == '1::'
    time.sleep(1)
    assert ask(hasty, 'GET', path).text == '7:::1+0'


def test_a_client_that_does_not_poll_costs_its_bound():
    with serve(max_buffered=200_000) as live:
        poller = joined(live.port)
        poller.say('42["burst",100,10000]')
        time.sleep(0.1)
        assert poller.gone()
        poller.close()


def test_many_clients_at_once(port):
    pollers = [Poller(port) for _ in range(20)]

    def talk(poller, i):
        poller.say('40')
        poller.poll()
        poller.say(f'420["give back",{i}]')
        heard[i] = poller.poll()

    heard = {}
    threads = [threading.Thread(target=talk, args=(poller, i)) for i, poller in enumerate(pollers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {i: f'430[{i}]' for i in range(20)}
    for poller in pollers:
        poller.close()


# -- switched off -----------------------------------------------------------------------------------------------------


def test_polling_can_be_switched_off():
    with serve(transports='websocket') as live:
        answer = ask(live.port, 'GET', EIO4)
        assert (answer.status, answer.text) == (400, UNKNOWN_TRANSPORT)
        assert ask(live.port, 'GET', '/socketio/1/').text.endswith(':websocket')
        client = WebSocket(live.port)
        assert client.status == 101
        client.close()
