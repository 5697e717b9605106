"""Clients that say more than their handlers can hear, or ask more than they read."""

from __future__ import annotations

import socket
import time
from collections import defaultdict

import pytest
from websocket import create_connection

from tests.live import INI, run, serve
from tests.transports.test_keptalive import Client, Http

pytestmark = pytest.mark.once


def test_who_answers_every_ping_is_not_ended_for_a_slow_handler_and_a_backlog():
    with serve('tests.fixtureapps.pingpong', max_pending=5, ping_interval=0.3, ping_timeout=0.2) as live:
        sock = create_connection(f'ws://127.0.0.1:{live.port}/socketio/?EIO=4&transport=websocket', timeout=10)
        sock.send('40/pingpong,')
        while not sock.recv().startswith('40/pingpong,'):
            pass
        sock.send('42/pingpong,0["slow",1]')
        time.sleep(0.2)
        for i in range(1, 11):
            sock.send(f'42/pingpong,{i}["slow",0.2]')
        acks = []
        while len(acks) < 11:
            message = sock.recv()
            assert message, 'the server has closed'
            if message == '2':
                sock.send('3')
            elif message.startswith('43'):
                acks.append(int(message.removeprefix('43/pingpong,').partition('[')[0]))
        assert acks == list(range(11))


def test_a_probe_while_the_inbox_is_crowded_is_heard_to_its_end():
    with serve('tests.fixtureapps.pingpong', max_pending=5, upgrade_timeout=5) as live:
        client = Client(live)
        client.say('40/pingpong,')
        assert client.hear()[0].startswith('40/pingpong,')
        client.say('42/pingpong,["slow",1]')
        crowd = '\x1e'.join(f'42/pingpong,["numbered",{i}]' for i in range(20))
        client.post.ask('POST', client.url, crowd.encode())  # is answered when the crowd has been heard
        client.get.ask('GET', client.url)
        time.sleep(0.2)
        url = client.url.replace('polling', 'websocket')
        sock = create_connection(f'ws://127.0.0.1:{live.port}{url}', timeout=10)
        sock.send('2probe')
        assert sock.recv() == '3probe'
        assert client.get.answer()[0] == 200
        assert client.post.answer()[2] == b'ok'
        sock.send('5')
        sock.send('42/pingpong,7["numbers"]')
        while not (message := sock.recv()).startswith('43'):
            pass
        assert message == '43/pingpong,7[[20,true]]'


def test_polls_behind_a_filter_that_changes_requests_are_not_adopted():
    ini = INI.replace('pipeline = socketio site', 'pipeline = prefix socketio site')
    ini = ini.format_map(defaultdict(str, site='tests.fixtureapps.pingpong', debug='false', level='INFO', port=0))
    with run(ini + '[filter:prefix]\nuse = egg:PasteDeploy#prefix\n') as live:
        http = Http(live)
        forwarded = {
            'Origin': 'https://site.example',
            'X-Forwarded-Host': 'site.example',
            'X-Forwarded-Proto': 'https',
        }
        status, _, body = http('GET', '/socketio/?EIO=4&transport=polling', **forwarded)
        assert status == 200
        sid = body.decode().partition('"sid":"')[2].partition('"')[0]
        for _ in range(3):
            url = f'/socketio/?EIO=4&transport=polling&sid={sid}'
            assert http('POST', url, b'40/pingpong,', **forwarded)[::2] == (200, b'ok')


def test_who_asks_and_never_reads_is_cut():
    with serve('tests.fixtureapps.pingpong', max_payload=100_000) as live:
        sock = socket.create_connection(('127.0.0.1', live.port), timeout=1)
        request = b'GET /socketio/?EIO=4&transport=polling&sid=nobody HTTP/1.1\r\nHost: a\r\n\r\n' * 1000
        sent = 0
        with pytest.raises(OSError):
            while sent < 100_000_000:
                sent += sock.send(request)
        assert sent < 30_000_000
        assert live.log().count('refused eio4') <= 2  # one line a minute, not one a request
