"""Who is there, and the one greenlet that wakes each client when its time has come."""

from __future__ import annotations

import base64
from time import monotonic, sleep

import gevent
import pytest

from tgsio_middleware.engine.registry import GRAIN, Registry, address_of, new_sid
from tgsio_middleware.engine.socket import Socket
from tgsio_middleware.errors import HandshakeRefused
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.settings import Settings
from tgsio_middleware.wire import eio3, eio4
from tgsio_middleware.wire.conversation import SLACK

from .fakes import Client, serve, settle

#: One unit that scales all times here, in seconds.
UNIT = 0.05


def several(count, dialect=eio4, **settings):
    registry, host = serve(BaseNamespace, **settings)
    return registry, [Client(registry, host, dialect) for _ in range(count)]


def test_a_sid_has_160_bits_and_is_safe_in_a_url():
    sid = new_sid()
    assert len(base64.urlsafe_b64decode(sid + '=')) == 20


def test_no_two_sids_are_the_same():
    assert len({new_sid() for _ in range(100_000)}) == 100_000


def test_who_is_there_is_found():
    registry, (client, other) = several(2)
    assert registry.get(client.socket.sessid) is client.socket
    assert registry.get(other.socket.sessid) is other.socket


def test_who_is_not_there_is_not_found():
    registry, (client,) = several(1)
    assert registry.get('nobody') is None
    assert registry.get('') is None
    assert registry.get(None) is None
    client.socket.close('gone')
    assert registry.get(client.socket.sessid) is None


def test_who_is_gone_may_be_discarded_again():
    registry, (client,) = several(1)
    registry.discard(client.socket)
    registry.discard(client.socket)
    assert registry.sockets == {}


def test_who_does_not_connect_is_ended_on_time():
    began = monotonic()
    registry, clients = several(3, connect_timeout=UNIT)
    while registry.sockets:
        gevent.sleep(UNIT / 10)
        assert monotonic() - began < 10 * UNIT
    assert monotonic() - began > UNIT / 2
    assert [c.transport.ended for c in clients] == [('connect timeout', 1000)] * 3


def test_who_does_not_answer_is_ended_on_time():
    _, (client,) = several(1, ping_interval=UNIT, ping_timeout=UNIT)
    client.say('40')
    gevent.sleep(1.6 * UNIT)
    assert client.heard[-1] == '2'
    assert client.socket.connected
    gevent.sleep(UNIT)
    assert client.transport.ended == ('ping timeout', 1000)


def test_who_answers_stays():
    _, (client,) = several(1, ping_interval=UNIT, ping_timeout=UNIT)
    client.say('40')
    for _ in range(10):
        gevent.sleep(UNIT / 2)
        client.say('3')
    assert client.socket.connected
    assert client.heard.count('2') >= 3


def test_a_client_of_eio3_that_pings_stays():
    _, (client,) = several(1, eio3, ping_interval=UNIT, ping_timeout=UNIT)
    for _ in range(6):
        gevent.sleep(UNIT)
        client.say('2')
    assert client.socket.connected


def test_a_later_client_with_an_earlier_deadline_is_not_forgotten():
    registry, host = serve(BaseNamespace, connect_timeout=UNIT, ping_interval=100)
    patient = Client(registry, host, eio3)
    settle()
    hasty = Client(registry, host, eio4)
    gevent.sleep(3 * UNIT)
    assert hasty.transport.ended == ('connect timeout', 1000)
    assert patient.socket.connected


def test_an_overdue_client_is_ended_when_it_is_asked_for():
    registry, (client,) = several(1)
    client.socket.conversation._join_by = 0.0
    for _ in range(100):  # where the machine is so busy that it looks long overdue
        client.socket.due = monotonic()
        if registry.get(client.socket.sessid) is None:
            break
    assert client.socket.reason == 'connect timeout'


def test_what_came_while_the_process_was_busy_is_heard_before_its_client_counts_as_silent():
    """As from a websocket: a post, too, is read before the sweep."""
    registry, (client,) = several(1, ping_interval=UNIT, ping_timeout=2 * UNIT)
    client.say('40')
    while client.heard[-1] != '2':
        gevent.sleep(UNIT / 10)
    sleep(2 * UNIT + 2 * SLACK)  # not gevent's: nothing else runs
    assert registry.get(client.socket.sessid) is client.socket
    client.say('3')
    gevent.sleep(2 * GRAIN)
    assert client.socket.connected


def test_a_client_that_is_watched_often_is_ticked_once(monkeypatch):
    registry, (client,) = several(1, connect_timeout=UNIT)
    ticks = []
    monkeypatch.setattr(type(client.socket), 'tick', lambda socket, now: ticks.append(socket) or socket.close('ticked'))
    for _ in range(5):
        registry.watch(client.socket)
    gevent.sleep(3 * UNIT)
    assert [socket for socket in ticks if socket is client.socket] == [client.socket]  # others' wheels still turn


def test_an_entry_whose_deadline_has_moved_wakes_nobody(monkeypatch):
    registry, (client,) = several(1, connect_timeout=UNIT)
    ticks = []
    monkeypatch.setattr(type(client.socket), 'tick', lambda socket, now: ticks.append(socket))
    client.socket.conversation.deadline = monotonic() + 100
    registry.watch(client.socket)
    gevent.sleep(3 * UNIT)
    assert client.socket not in ticks


def test_one_client_whose_turn_fails_does_not_stop_the_wheel(caplog):
    registry, host = serve(BaseNamespace, connect_timeout=UNIT)
    broken, sound = Client(registry, host, eio4), Client(registry, host, eio4)
    broken.transport.close = None
    gevent.sleep(3 * UNIT)
    assert sound.transport.ended == ('connect timeout', 1000)
    late = Client(registry, host, eio4)
    gevent.sleep(3 * UNIT)
    assert late.transport.ended == ('connect timeout', 1000)
    assert 'TypeError' in caplog.text


def test_the_wheel_rests_when_nobody_is_there_and_starts_again():
    registry, host = serve(BaseNamespace, connect_timeout=UNIT)
    for _ in range(2):
        client = Client(registry, host, eio4)
        gevent.sleep(4 * UNIT)
        assert client.socket.reason == 'connect timeout'
        assert registry._sweeper is None


def test_a_new_registry_is_empty():
    registry = Registry(Settings.parse())
    assert registry.sockets == {}
    assert list(registry.rooms.members('')) == []


# -- clients of one address -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('told', 'counted'),
    [
        ('192.0.2.1', '192.0.2.1'),
        ('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'),
        ('2001:db8:1:2::1', '2001:db8:1:2::/64'),
        ('fe80::1%eth0', 'fe80::/64'),
        ('::ffff:192.0.2.1', '192.0.2.1'),
        ('no:address', 'no:address'),
        ('', ''),
        (None, ''),
    ],
)
def test_what_counts_as_one_address(told, counted):
    assert address_of({'REMOTE_ADDR': told}) == counted


def test_only_so_many_clients_of_one_address():
    registry, clients = several(3, max_clients_per_address=3)
    with pytest.raises(HandshakeRefused, match='more than 3 clients') as caught:
        registry.admit({'REMOTE_ADDR': '127.0.0.1'})
    assert caught.value.reason == 'too_many'
    registry.admit({'REMOTE_ADDR': '192.0.2.1'})
    registry.admit({})
    clients[0].socket.close('gone')
    clients[0].socket.close('again')
    registry.discard(clients[0].socket)
    registry.admit({'REMOTE_ADDR': '127.0.0.1'})
    for client in clients:
        client.socket.close('gone')
    assert registry._addresses == {}


def test_addresses_are_not_counted_unless_there_is_a_bound():
    registry, _ = several(3)
    registry.admit({'REMOTE_ADDR': '127.0.0.1'})
    assert registry._addresses == {}


# -- attachments that do not come -------------------------------------------------------------------------------------


def test_a_binary_packet_that_stays_incomplete_ends_its_client_on_time():
    registry, (client,) = several(1, eio3, attachment_timeout=2 * UNIT, ping_interval=100)
    began = monotonic()
    client.say('451-["x",{"_placeholder":true,"num":0}]')
    while registry.sockets:
        gevent.sleep(UNIT / 10)
        assert monotonic() - began < 40 * UNIT
    assert monotonic() - began > 1.5 * UNIT
    assert client.transport.ended == ('attachment_timeout exceeded', 1008)


def test_a_thousand_binary_packets_are_no_thousand_entries_of_the_wheel():
    registry, (client,) = several(1, eio3)
    for _ in range(1000):
        client.socket.take(['451-["x",{"_placeholder":true,"num":0}]', b'\x04data'])
    assert len(registry._heap) < 5


def test_a_defect_in_the_turn_of_one_ends_that_one_alone(caplog, monkeypatch):
    registry, (broken, other) = several(2, eio3, ping_interval=UNIT, ping_timeout=UNIT)
    tick = Socket.tick
    monkeypatch.setattr(Socket, 'tick', lambda socket, now: 1 / 0 if socket is broken.socket else tick(socket, now))
    for _ in range(200):
        gevent.sleep(UNIT)
        if not registry.sockets:
            break
    settle()
    assert broken.transport.ended == ('server error', 1011)
    assert broken.socket.active_ns == {}
    assert caplog.text.count('a defect') == 1
    assert other.transport.ended == ('ping timeout', 1000)
