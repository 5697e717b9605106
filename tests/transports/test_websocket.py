"""Websockets on raw sockets, on our server and on gevent's own."""

from __future__ import annotations

import base64
import json
import socket
import struct
import time

import gevent
import pytest

from tests.engine import fakes
from tgsio_middleware import BaseNamespace
from tgsio_middleware.engine.workers import workers
from tgsio_middleware.transports.takeover import Connection
from tgsio_middleware.transports.websocket import WebSocket as Transport

from .client import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Browser,
    WebSocket,
    ask,
    frame,
    handshake,
    serve,
    talking,
)

EIO4 = '/socketio/?EIO=4&transport=websocket'
EIO3 = '/socketio/?EIO=3&transport=websocket'


def sio09(port):
    """A 0.9 client that has shaken hands."""
    sid = ask(port, 'GET', '/socketio/1/').text.partition(':')[0]
    return WebSocket(port, f'/socketio/1/websocket/{sid}')


# -- the handshake ----------------------------------------------------------------------------------------------------


def test_the_head_of_the_answer(port):
    client = WebSocket(port, Sec_WebSocket_Key='dGhlIHNhbXBsZSBub25jZQ==')
    lines = client.head.lower().split('\r\n')
    assert lines[0] == 'http/1.1 101 switching protocols'
    assert 'upgrade: websocket' in lines
    assert 'connection: upgrade' in lines
    assert 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' in client.head
    assert not any(line.startswith(('transfer-encoding', 'content-length')) for line in lines)
    client.close()


def test_a_filter_in_front_has_its_say_in_the_answer(port):
    """Our server writes the head by a shorter road where there is none: both roads say the same."""
    key = base64.b64encode(b'0123456789abcdef').decode()
    with serve('fronted') as live:
        fronted, plain = (WebSocket(p, Sec_WebSocket_Key=key) for p in (live.port, port))
        assert fronted.hear()[:7] == plain.hear()[:7] == '0{"sid"'
        heads = [[line for line in c.head.split('\r\n') if not line.startswith('Date:')] for c in (fronted, plain)]
        assert 'X-Front: yes' in heads[0]
        assert [line for line in heads[0] if line != 'X-Front: yes'] == heads[1]
        for client in fronted, plain:
            client.close()


def test_what_a_client_says_after_our_close_is_answered_no_more():
    """RFC 6455, 5.5.1; also where it was seen that something has come, and not read yet."""
    peer, ours = socket.socketpair()
    ours.setblocking(False)
    transport = Transport(fakes.Client(*fakes.serve(BaseNamespace)).socket, Connection(ours, b'', ours.close))
    transport.start()
    peer.sendall(frame(b'are you there', PING))
    workers().read_later(transport)
    transport.close('', 1000)
    gevent.sleep(0.2)
    assert peer.recv(1000) == b'\x88\x02\x03\xe8'
    peer.close()


@pytest.mark.parametrize(
    ('headers', 'status', 'body'),
    [
        ({'Sec_WebSocket_Key': ''}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Sec_WebSocket_Key': 'short'}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Sec_WebSocket_Key': '!' * 24}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Sec_WebSocket_Version': '8'}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Sec_WebSocket_Version': ''}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Upgrade': ''}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Upgrade': 'h2c'}, 400, '{"code":3,"message":"Bad request"}'),
        ({'Origin': 'http://evil.example'}, 403, '{"code":4,"message":"Forbidden"}'),
        ({'Origin': 'null'}, 403, '{"code":4,"message":"Forbidden"}'),
    ],
)
def test_a_handshake_that_is_none(port, headers, status, body):
    client = WebSocket(port, **headers)
    assert (client.status, client.body()) == (status, body)
    client.close()


def test_a_handshake_by_post(port):
    answer = ask(port, 'POST', EIO4, '', Upgrade='websocket')
    assert (answer.status, answer.text) == (400, '{"code":2,"message":"Bad handshake method"}')


def test_a_websocket_for_polling(port):
    client = WebSocket(port, '/socketio/?EIO=4&transport=polling')
    assert (client.status, client.body()) == (400, '{"code":3,"message":"Bad request"}')
    client.close()


def test_a_websocket_with_an_unknown_sid(port):
    client = WebSocket(port, EIO4 + '&sid=nobody')
    assert (client.status, client.body()) == (400, '{"code":1,"message":"Session ID unknown"}')
    client.close()


@pytest.mark.parametrize('upgrade', ['WebSocket', 'WEBSOCKET'])
def test_the_word_websocket_in_any_case(port, upgrade):
    client = WebSocket(port, Upgrade=upgrade)
    assert client.status == 101
    client.close()


def test_upgrade_on_a_page_is_the_applications_matter(port):
    assert ask(port, 'GET', '/page', Upgrade='websocket', Connection='Upgrade').text == 'the page /page heard nothing'


# -- every generation -------------------------------------------------------------------------------------------------


def test_a_4x_client(port):
    client = WebSocket(port, EIO4)
    hello = json.loads(client.hear()[1:])
    assert hello == {
        'sid': hello['sid'],
        'upgrades': [],
        'pingInterval': 25000,
        'pingTimeout': 20000,
        'maxPayload': 1_000_000,
    }
    client.send('40')
    assert client.hear()[:9] == '40{"sid":'
    client.send('42["echo","é😀"]', '420["give back",1]')
    assert client.hear() == '42["echo","\\u00e9\\ud83d\\ude00"]'
    assert client.hear() == '430[1]'
    client.send('40/chat,', '42/chat,["echo",1]')
    assert client.hear()[:15] == '40/chat,{"sid":'
    assert client.hear() == '42/chat,["echo",1]'
    client.send('40/refusing,')
    assert client.hear() == '44/refusing,{"message":"not today","data":{"retry":"tomorrow"}}'
    client.close()


def test_a_2x_client(port):
    client = WebSocket(port, EIO3)
    assert client.hear()[:1] == '0'
    assert client.hear() == '40'
    client.send('2', '42["echo","é"]', '40/chat,')
    assert client.hear() == '3'
    assert client.hear() == '42["echo","\\u00e9"]'
    assert client.hear() == '40/chat,'
    client.close()


def test_a_0_9_client(port):
    client = sio09(port)
    assert client.hear() == '1::'
    client.send('5:1+::{"name":"give back","args":["é",2]}', '1::/chat')
    assert client.hear() == '6:::1+["\\u00e9",2]'
    assert client.hear() == '1::/chat'
    client.close()


@pytest.mark.parametrize(('path', 'prefix'), [(EIO4, b''), (EIO3, b'\x04')])
def test_bytes(port, path, prefix):
    client = WebSocket(port, path)
    client.hear()
    if path is EIO4:
        client.send('40')
    client.hear()
    client.send('451-["echo",{"_placeholder":true,"num":0}]', prefix + b'\x00\xff')
    assert client.hear() == '451-["echo",{"_placeholder":true,"num":0}]'
    assert client.frame() == (BINARY, prefix + b'\x00\xff')
    client.close()


def test_bytes_to_a_0_9_client_close_it(port):
    client = sio09(port)
    client.hear()
    client.send(b'bytes')
    assert client.hear() == '0::'
    assert client.hear_close() == 1003
    client.close()


# -- bytes on the connection ------------------------------------------------------------------------------------------


def test_a_frame_that_comes_together_with_the_handshake_is_not_lost(port):
    client = WebSocket(port, EIO4, glued=frame(b'40') + frame(b'420["give back",1]')[:5])
    assert client.hear()[:1] == '0'
    assert client.hear()[:2] == '40'
    client.sock.sendall(frame(b'420["give back",1]')[5:])
    assert client.hear() == '430[1]'
    client.close()


def test_many_frames_that_come_with_a_handshake_where_polls_came_before(port):
    """The server has let go of such a connection, and gets it back with more than it reads at once."""
    browser = Browser(port)
    assert browser.ask('GET', '/socketio/?EIO=4&transport=polling').status == 200
    client = WebSocket.__new__(WebSocket)
    client.sock, client.stream = browser.connection.sock, browser.connection.sock.makefile('rb')
    said = b''.join(frame(b'42%d["give_back",%d]' % (i, i)) for i in range(1000))
    client.sock.sendall(handshake(port, EIO3) + said)
    assert ' 101 ' in client._head()
    heard = [client.hear() for _ in range(1002)]
    assert heard[2:] == [f'43{i}[{i}]' for i in range(1000)]
    client.close()


def test_bytes_one_by_one(port):
    client = talking(port)
    for byte in frame(b'420["give back",1]'):
        client.sock.sendall(bytes([byte]))
        time.sleep(0.001)
    assert client.hear() == '430[1]'
    client.close()


def test_fragments_with_a_ping_between(port):
    client = talking(port)
    client.sock.sendall(
        frame(b'420["give', final=False)
        + frame(b'!', PING)
        + frame(b' back"', CONTINUATION, False)
        + frame(b',1]', CONTINUATION)
    )
    assert client.frame() == (PONG, b'!')
    assert client.hear() == '430[1]'
    client.close()


def test_many_messages_at_once_keep_their_order(port):
    client = talking(port)
    client.send(*[f'42{i}["give back",{i}]' for i in range(500)])
    assert [client.hear() for _ in range(500)] == [f'43{i}[{i}]' for i in range(500)]
    client.close()


@pytest.mark.parametrize('size', [0, 125, 126, 65535, 65536, 900_000])
def test_every_size(port, size):
    client = talking(port)
    client.send('420["give back","' + 'x' * size + '"]')
    assert client.hear() == '430["' + 'x' * size + '"]'
    client.close()


# -- control frames and closing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('data', [b'', b'hello', b'\xff' * 125])
def test_a_ping_gets_its_pong(port, data):
    client = talking(port)
    client.sock.sendall(frame(data, PING))
    assert client.frame() == (PONG, data)
    client.close()


@pytest.mark.parametrize(
    ('payload', 'code'), [(b'', 1000), (b'\x03\xe8', 1000), (b'\x03\xe9bye', 1001), (b'\x0f\xa0', 4000)], ids=str
)
def test_a_close_is_answered_once_and_then_the_connection_ends(port, payload, code):
    client = talking(port)
    client.sock.sendall(frame(payload, CLOSE))
    assert client.hear_close() == code
    assert client.ended()
    client.close()


@pytest.mark.parametrize(
    ('data', 'code'),
    [
        (frame(b'x', 3), 1002),
        (frame(b'x', 11), 1002),
        (b'\xc1\x80' + b'1234', 1002),
        (b'\x81\x05hello', 1002),
        (frame(b'x', CONTINUATION), 1002),
        (frame(b'x' * 126, PING), 1002),
        (frame(b'', PING, final=False), 1002),
        (frame(b'\x03', CLOSE), 1002),
        (frame(b'\x03\xed', CLOSE), 1002),
        (frame(b'\xff\xfe'), 1007),
        (frame(b'\x03\xe8\xff', CLOSE), 1007),
        (b'\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff1234', 1009),
        (frame(b'nonsense'), 1002),
        (frame(b'42["x"'), 1002),
        (frame(b'42/nowhere,["x"]'), 1002),
        (frame(b'stray', BINARY), 1002),
        (frame(b'4511-["x"]'), 1008),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_who_breaks_the_protocol_is_told_once_and_ended(port, data, code):
    client = talking(port)
    client.sock.sendall(data)
    assert client.hear_close() == code
    assert client.ended()
    client.close()


@pytest.mark.parametrize('broken', [frame(b'', 5), b'\xc1\x80', frame(b'x', CONTINUATION), frame(b'\xff')])
def test_what_was_said_before_a_break_of_the_protocol_is_answered_before_the_end(port, broken):
    client = talking(port)
    client.sock.sendall(frame(b'421["give back",1]') + broken)
    assert client.hear() == '431[1]'
    assert client.hear_close() in (1002, 1007)
    assert client.ended()


def test_nothing_is_left_for_the_server_to_read_as_a_request(port):
    client = talking(port)
    client.sock.sendall(frame(b'', CLOSE) + b'GET /page HTTP/1.1\r\nHost: x\r\n\r\n')
    client.hear_close()
    assert client.ended()
    client.close()


def test_an_engine_close_ends_the_websocket(port):
    client = talking(port)
    client.send('1')
    assert client.hear_close() == 1000
    assert client.ended()
    client.close()


def test_the_server_ends_the_connection(port):
    client = talking(port)
    client.send('42["kick"]')
    assert client.hear_close() == 1000
    assert client.ended()
    client.close()


def test_the_server_ends_a_0_9_client_in_its_words(port):
    client = sio09(port)
    client.hear()
    client.send('5:::{"name":"kick"}')
    assert client.hear() == '0::'
    assert client.hear_close() == 1000
    client.close()


def test_who_is_gone_before_the_handshake_is_answered_leaves_no_traceback():
    with serve() as live:
        for _ in range(50):
            with socket.create_connection(('127.0.0.1', live.port)) as gone:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # close resets
                gone.sendall(handshake(live.port, EIO4))
        talking(live.port).close()


@pytest.mark.parametrize('vanish', [socket.SHUT_RDWR, None])
def test_a_client_that_vanishes_has_left(port, vanish):
    witness, client = talking(port), talking(port)
    client.send('42["name","Ann"]')
    if vanish is not None:
        client.sock.shutdown(vanish)
    client.close()
    assert witness.hear() == '42["left","Ann"]'
    witness.close()


def test_a_client_that_vanishes_while_its_handler_works_has_left(port):
    witness, client = talking(port), talking(port)
    client.send('42["name","Ann"]', '42["block",0.2]', '42["echo",1]')
    client.close()
    assert witness.hear() == '42["left","Ann"]'
    witness.close()


# -- time -------------------------------------------------------------------------------------------------------------


def test_a_4x_client_is_asked_and_lives_as_long_as_it_answers(hasty):
    client = talking(hasty)
    for _ in range(5):
        assert client.hear() == '2'
        client.send('3')
    client.close()


def test_a_4x_client_that_does_not_answer_is_ended(hasty):
    client = talking(hasty)
    assert client.hear() == '2'
    assert client.hear_close() == 1000
    assert client.ended()
    client.close()


def test_a_4x_client_that_asks_for_no_namespace_is_ended(hasty):
    client = WebSocket(hasty)
    client.hear()
    while (heard := client.frame()) == (TEXT, b'2'):
        client.send('3')
    assert heard[0] == CLOSE
    client.close()


def test_a_2x_client_that_is_silent_is_ended(hasty):
    client = WebSocket(hasty, EIO3)
    began = time.monotonic()
    client.hear()
    client.hear()
    assert client.hear_close() == 1000
    assert 0.3 < time.monotonic() - began < 2
    client.close()


def test_a_2x_client_that_pings_lives(hasty):
    client = WebSocket(hasty, EIO3)
    client.hear()
    client.hear()
    for _ in range(8):
        time.sleep(0.1)
        client.send('2')
        assert client.hear() == '3'
    client.close()


def test_a_0_9_client_is_asked_and_lives_as_long_as_it_answers(hasty):
    client = sio09(hasty)
    assert client.hear() == '1::'
    for _ in range(4):
        assert client.hear() == '2::'
        client.send('2::')
    assert client.hear() == '2::'
    assert client.hear() == '0::'
    assert client.hear_close() == 1000
    client.close()


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_a_message_of_more_than_max_payload(hasty):
    client = talking(hasty)
    client.send('42["echo","' + 'x' * 1000 + '"]')
    assert client.hear_close() == 1009
    client.close()


def test_a_client_that_does_not_read_costs_its_bound_and_nobody_notices():
    with serve(max_buffered=200_000) as live:
        slow, other = talking(live.port), talking(live.port)
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.send('42["name","Slow"]')
        for _ in range(20):
            slow.send('42["burst",100,10000]')
            other.send('420["give back",1]')
            heard = other.hear()
            if heard != '430[1]':
                break
        assert heard == '42["left","Slow"]'
        slow.close()
        other.close()


def test_a_crowded_client_is_read_no_more_and_then_again():
    with serve(max_pending=10) as live:
        client = talking(live.port)
        client.send('42["block",0.2]', *[f'42{i}["give back",{i}]' for i in range(50)])
        time.sleep(0.05)
        client.send(*[f'42{i}["give back",{i}]' for i in range(50, 100)])
        assert [client.hear() for _ in range(100)] == [f'43{i}[{i}]' for i in range(100)]
        client.close()


# -- switched off -----------------------------------------------------------------------------------------------------


def test_websockets_can_be_switched_off():
    with serve(transports='polling') as live:
        client = WebSocket(live.port)
        assert (client.status, client.body()) == (400, '{"code":0,"message":"Transport unknown"}')
        client.close()
        assert '"upgrades":[]' in ask(live.port, 'GET', '/socketio/?EIO=4&transport=polling').text
        assert ask(live.port, 'GET', '/socketio/1/').text.endswith(':xhr-polling')


def test_a_generation_can_be_switched_off():
    with serve(generations='3.x 4.x') as live:
        client = WebSocket(live.port, EIO3)
        assert (client.status, client.body()) == (400, '{"code":5,"message":"Unsupported protocol version"}')
        client.close()
        answer = ask(live.port, 'GET', '/socketio/1/')
        assert (answer.status, answer.text) == (500, 'Protocol version not supported.')
        talking(live.port).close()


def test_the_sites_code_sees_the_clients_handshake(port):
    client = WebSocket(port, EIO4 + '&user=Ann', Cookie='session=abc', User_Agent='test')
    client.hear()
    client.send('40')
    client.hear()
    client.send('420["environ","HTTP_COOKIE","HTTP_USER_AGENT","QUERY_STRING","PATH_INFO","REQUEST_METHOD"]')
    seen = json.loads(client.hear()[3:])[0]
    assert seen == {
        'HTTP_COOKIE': 'session=abc',
        'HTTP_USER_AGENT': 'test',
        'QUERY_STRING': 'user=Ann',
        'PATH_INFO': '/socketio',
        'REQUEST_METHOD': 'GET',
    }
    client.close()


def test_a_half_open_handshake_harms_nobody(port):
    half = socket.create_connection(('127.0.0.1', port))
    half.sendall(handshake(port, EIO4)[:-10])
    talking(port).close()
    half.close()
    talking(port).close()
