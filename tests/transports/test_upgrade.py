"""From polling to a websocket, on raw sockets: nothing lost, nothing doubled, nothing out of order."""

from __future__ import annotations

import json
import re
import time

import pytest

from .client import PING, PONG, Poller, WebSocket, ask, frame, joined, serve, talking

BAD_REQUEST = '{"code":3,"message":"Bad request"}'


def probing(port, poller, eio=4):
    """The websocket with which a client tries to move."""
    return WebSocket(port, f'/socketio/?EIO={eio}&transport=websocket&sid={poller.sid}')


def moved(port, poller, eio=4):
    """The whole dance of a client that has nothing to say."""
    websocket = probing(port, poller, eio)
    websocket.send('2probe')
    assert websocket.hear() == '3probe'
    websocket.send('5')
    return websocket


@pytest.mark.parametrize(('eio', 'noop', 'echo'), [(4, '6', '430[1]'), (3, '1:6', '430[1]')])
def test_the_dance(port, eio, noop, echo):
    poller = joined(port, eio)
    poller.polls.begin('GET', poller.path)
    time.sleep(0.05)
    websocket = probing(port, poller, eio)
    websocket.send('2probe')
    assert websocket.hear() == '3probe'
    assert poller.polls.finish().text == noop
    websocket.send('5')
    websocket.send('420["give back",1]')
    assert websocket.hear() == echo
    websocket.close()
    poller.close()


def test_a_poll_after_the_probe_is_answered_at_once(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    for _ in range(3):
        assert poller.poll() == '6'
    websocket.send('5', '420["give back",1]')
    assert websocket.hear() == '430[1]'
    websocket.close()
    poller.close()


def test_a_poll_before_the_probe_waits(port):
    poller = joined(port)
    websocket = probing(port, poller)
    poller.say('42["later",0.05]')
    assert poller.poll() == '42["late"]'
    websocket.close()
    poller.close()


def test_what_waited_for_a_poll_leaves_on_the_websocket(port):
    poller = joined(port)
    poller.say('42["echo",1]')
    websocket = probing(port, poller)
    websocket.send('2probe')
    assert websocket.hear() == '3probe'
    poller.say('42["echo",2]')
    websocket.send('5', '42["echo",3]')
    assert [websocket.hear() for _ in range(3)] == ['42["echo",1]', '42["echo",2]', '42["echo",3]']
    websocket.close()
    poller.close()


def test_what_the_client_says_right_behind_its_move_is_heard(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    websocket.send('5', '420["give back",1]', '421["give back",2]')
    assert [websocket.hear(), websocket.hear()] == ['430[1]', '431[2]']
    websocket.close()
    poller.close()


@pytest.mark.parametrize('before', [0, 1, 4])
def test_nothing_is_lost_doubled_or_reordered_while_events_flow(port, before):
    """The client finishes its poll between probe and move, as all do."""
    poller = joined(port)
    poller.say('42["flow",5000]')
    heard = [message for _ in range(before) for message in poller.poll().split('\x1e')]
    websocket = probing(port, poller)
    poller.polls.begin('GET', poller.path)
    websocket.send('2probe')
    assert websocket.hear() == '3probe'
    heard += poller.polls.finish().text.split('\x1e')
    websocket.send('5')
    numbers = [json.loads(message[2:])[1] for message in heard if message != '6']
    while len(numbers) < 5000:
        numbers.append(json.loads(websocket.hear()[2:])[1])
    assert numbers == list(range(5000))
    websocket.close()
    poller.close()


def test_after_the_move_polls_are_refused_and_the_client_stays(port):
    poller = joined(port)
    websocket = moved(port, poller)
    websocket.send('420["give back",1]')
    assert websocket.hear() == '430[1]'
    for method in ('GET', 'POST'):
        answer = ask(port, method, poller.path)
        assert (answer.status, answer.text) == (400, BAD_REQUEST)
    websocket.send('421["give back",1]')
    assert websocket.hear() == '431[1]'
    websocket.close()
    poller.close()


def test_a_poll_that_waits_when_the_client_moves_is_answered(port):
    """No client should, but it must not hang."""
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    websocket.send('5')
    poller.polls.begin('GET', poller.path)
    assert poller.polls.finish().text in ('6', BAD_REQUEST)
    websocket.close()
    poller.close()


def test_a_client_that_has_moved_leaves_with_its_websocket(port):
    witness = talking(port)
    poller = joined(port)
    poller.say('42["name","Ann"]')
    websocket = moved(port, poller)
    websocket.close()
    assert witness.hear() == '42["left","Ann"]'
    assert poller.gone()
    witness.close()
    poller.close()


def test_a_websockets_own_ping_is_answered_while_it_probes(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.sock.sendall(frame(b'x', PING))
    assert websocket.frame() == (PONG, b'x')
    websocket.close()
    poller.close()


def test_a_probe_and_its_move_in_the_handshakes_segment(port):
    poller = joined(port)
    glued = frame(b'2probe') + frame(b'5') + frame(b'420["give back",1]')
    websocket = WebSocket(port, f'/socketio/?EIO=4&transport=websocket&sid={poller.sid}', glued=glued)
    assert [websocket.hear(), websocket.hear()] == ['3probe', '430[1]']
    websocket.close()
    poller.close()


# -- it does not come to a move ---------------------------------------------------------------------------------------


def polls_on(poller):
    """The client still polls, and waits where there is nothing to say."""
    poller.say('420["give back",1]')
    assert poller.poll() == '430[1]'
    poller.say('42["later",0.05]')
    assert poller.poll() == '42["late"]'


@pytest.mark.parametrize('said', ['5', '42["echo",1]', 'nonsense', '3', '40', '1', b'bytes'])
def test_a_websocket_that_does_not_probe_is_closed_and_polling_goes_on(port, said):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send(said)
    assert websocket.hear_close() == 1000
    assert websocket.ended()
    polls_on(poller)
    websocket.close()
    poller.close()


def test_a_websocket_that_says_something_else_after_its_probe_is_closed(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    websocket.send('42["echo",1]')
    websocket.hear_close()
    polls_on(poller)
    websocket.close()
    poller.close()


def test_a_probe_that_vanishes_leaves_the_client_polling(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    assert poller.poll() == '6'
    websocket.close()
    time.sleep(0.05)
    polls_on(poller)
    again = moved(port, poller)
    again.send('420["give back",1]')
    assert again.hear() == '430[1]'
    again.close()
    poller.close()


def test_a_probe_that_breaks_the_websockets_protocol_leaves_the_client_polling(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    websocket.sock.sendall(frame(b'x', 11))
    assert websocket.hear_close() == 1002
    polls_on(poller)
    websocket.close()
    poller.close()


@pytest.mark.parametrize('said', [[], ['2probe']])
def test_a_websocket_that_never_moves_is_closed_in_time(said):
    for server in ('ours', 'stock'):
        with serve(server, upgrade_timeout=0.2) as live:
            poller = joined(live.port)
            websocket = probing(live.port, poller)
            websocket.send(*said)
            for answer in said:
                assert websocket.hear() == answer.replace('2', '3')
            began = time.monotonic()
            assert websocket.hear_close() == 1000
            assert 0.1 < time.monotonic() - began < 2
            polls_on(poller)
            websocket.close()
            poller.close()


def test_a_client_that_ends_while_it_probes(port):
    poller = joined(port)
    websocket = probing(port, poller)
    websocket.send('2probe')
    websocket.hear()
    poller.say('1')
    assert websocket.hear_close() == 1000
    assert poller.gone()
    websocket.close()
    poller.close()


# -- a second websocket -----------------------------------------------------------------------------------------------


def test_a_second_probe_is_closed_and_the_first_moves(port):
    poller = joined(port)
    first = probing(port, poller)
    second = probing(port, poller)
    assert second.hear_close() == 1000
    first.send('2probe')
    assert first.hear() == '3probe'
    first.send('5', '420["give back",1]')
    assert first.hear() == '430[1]'
    first.close()
    poller.close()


def test_a_second_websocket_says_nothing_in_the_name_of_the_first(port):
    client = WebSocket(port)
    sid = re.search(r'"sid":"([^"]+)"', client.hear())[1]
    client.send('40')
    client.hear()
    path = f'/socketio/?EIO=4&transport=websocket&sid={sid}'
    second = WebSocket(port, path, glued=frame(b'42["echo","stolen"]') + frame(b'nonsense'))
    assert second.hear_close() == 1000
    client.send('420["give back",1]')
    assert client.hear() == '430[1]'
    second.close()
    client.close()


def test_a_websocket_of_another_version_is_refused(port):
    poller = joined(port)
    websocket = probing(port, poller, eio=3)
    assert (websocket.status, websocket.body()) == (400, BAD_REQUEST)
    polls_on(poller)
    websocket.close()
    poller.close()


def test_a_0_9_client_may_change_its_transport(port):
    """It does so where it has heard nothing."""
    sid = ask(port, 'GET', '/socketio/1/').text.partition(':')[0]
    polling = f'/socketio/1/xhr-polling/{sid}'
    assert ask(port, 'GET', polling).text == '1::'
    ask(port, 'POST', polling, '5:::{"name":"echo","args":[1]}')
    websocket = WebSocket(port, f'/socketio/1/websocket/{sid}')
    assert websocket.hear() == '1::'
    assert websocket.hear() == '5:::{"name":"echo","args":[1]}'
    websocket.send('5:1+::{"name":"give back","args":[2]}')
    assert websocket.hear() == '6:::1+[2]'
    websocket.close()


def test_every_client_of_a_crowd_moves(port):
    pollers = [Poller(port) for _ in range(10)]
    for poller in pollers:
        poller.say('40')
    websockets = [moved(port, poller) for poller in pollers]
    for i, websocket in enumerate(websockets):
        assert websocket.hear()[:9] == '40{"sid":'
        websocket.send(f'420["give back",{i}]')
        assert websocket.hear() == f'430[{i}]'
        websocket.close()
    for poller in pollers:
        poller.close()
