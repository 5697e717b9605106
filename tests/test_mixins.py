"""Rooms and broadcasts: who hears, who does not, and that it is encoded once."""

from __future__ import annotations

import gevent
import pytest

from tgsio_middleware import mixins
from tgsio_middleware.bus.seldom import Seldom
from tgsio_middleware.errors import LocalProtocolError
from tgsio_middleware.mixins import BroadcastMixin, RoomsMixin
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

from .engine.fakes import Client, serve


class Chat(BaseNamespace, RoomsMixin, BroadcastMixin):
    def on_join(self, room):
        self.join(room)

    def on_leave(self, room):
        self.leave(room)


class Other(Chat):
    pass


@pytest.fixture
def three():
    """Ann, Bob and Cid in `/`, each of another generation; Ann and Cid in `/other` too."""
    registry, host = serve({'': Chat, '/other': Other})
    ann, bob, cid = (Client(registry, host, dialect) for dialect in (sio09, eio3, eio4))
    cid.say('40', '40/other,')
    ann.say('1::/other')
    for client in (ann, bob, cid):
        client.forget()
    return ann, bob, cid


ALL = ['5:::{"name":"news","args":[1]}'], ['42["news",1]'], ['42["news",1]']
IN_OTHER = ['5::/other:{"name":"news","args":[1]}'], [], ['42/other,["news",1]']


def heard(clients):
    return tuple(client.heard for client in clients)


def test_a_broadcast_reaches_all_of_the_namespace(three):
    three[0].socket[''].broadcast_event('news', 1)
    assert heard(three) == ALL


def test_a_broadcast_reaches_nobody_who_never_joined_the_namespace(three):
    three[0].socket['/other'].broadcast_event('news', 1)
    assert heard(three) == IN_OTHER


@pytest.mark.parametrize('me', [0, 1, 2])
def test_a_broadcast_to_the_others(three, me):
    three[me].socket[''].broadcast_event_not_me('news', 1)
    assert heard(three) == tuple([] if i == me else said for i, said in enumerate(ALL))


def test_what_takes_its_time_to_be_said_stops_nobody_from_coming(three):
    """What a broadcast says is encoded by the site's code, which may wait for a database."""

    class Row:
        def __json__(self):
            gevent.sleep(0.01)
            return 'a row'

    ann, bob, _ = three
    speaking = gevent.spawn(ann.socket[''].broadcast_event, 'news', Row())
    gevent.sleep(0)
    newcomer = Client(bob.socket.registry, bob.socket.host, eio3)
    speaking.get()
    assert [client.heard for client in three] == [
        ['5:::{"name":"news","args":["a row"]}'],
        ['42["news","a row"]'],
        ['42["news","a row"]'],
    ]
    assert newcomer.socket.connected


def test_a_room(three):
    ann, bob, cid = three
    for client in (ann, bob):
        client.socket[''].join('red')
    ann.socket[''].emit_to_room('red', 'news', 1)
    assert heard(three) == ([], ['42["news",1]'], [])
    cid.socket[''].emit_to_room('red', 'news', 2)
    assert ann.heard == ['5:::{"name":"news","args":[2]}']
    assert bob.heard[-1] == '42["news",2]'
    assert cid.heard == []


@pytest.mark.parametrize(('length', 'lives'), [(1000, True), (1001, False)])
def test_the_name_of_a_room_has_an_end(three, length, lives):
    ann, bob, _ = three
    ann.socket[''].join('x' * length)
    assert ann.socket.connected is lives
    assert ann.socket.reason in (None, 'max_rooms exceeded')
    assert bob.socket.connected


def test_rooms_of_a_client_have_an_end(three):
    ann, bob, _ = three
    for i in range(ann.socket.settings.max_rooms):
        ann.socket[''].join(str(i))
    ann.socket[''].join('7')
    assert ann.socket.connected
    ann.socket[''].leave('7')
    ann.socket[''].join('another')
    assert ann.socket.connected
    ann.socket[''].join('one more')
    assert (ann.socket.reason, bob.socket.reason) == ('max_rooms exceeded', None)


def test_a_room_may_have_a_number(three):
    ann, bob, _ = three
    ann.socket[''].join(7)
    bob.socket[''].emit_to_room(7, 'news', 1)
    bob.socket[''].emit_to_room('7', 'news', 1)
    assert heard(three) == (ALL[0] * 2, [], [])
    assert ann.socket[''].rooms == {'7'}
    ann.socket[''].leave(7)
    assert ann.socket[''].rooms == set()


@pytest.mark.parametrize('room', [{'a': 1}, ['red'], None, 1.5, b'red'])
def test_what_is_no_name_of_a_room(three, room):
    ann = three[0].socket['']
    for do in (ann.join, ann.leave, lambda room: ann.emit_to_room(room, 'news')):
        with pytest.raises(LocalProtocolError, match='no name of a room'):
            do(room)


def test_a_client_s_sid_is_a_room_as_everywhere(three):
    ann, bob, _ = three
    ann.socket[''].emit_to_room(bob.socket[''].sid, 'news', 1)
    ann.socket['/other'].emit_to_room(bob.socket[''].sid, 'news', 1)
    assert heard(three) == ([], ALL[1], [])


def test_a_room_of_another_namespace_is_another(three):
    ann, _, cid = three
    ann.socket[''].join('red')
    cid.socket['/other'].join('red')
    ann.socket['/other'].emit_to_room('red', 'news', 1)
    assert heard(three) == ([], [], ['42/other,["news",1]'])


def test_an_empty_room_hears_nothing(three):
    three[0].socket[''].emit_to_room('nobody', 'news', 1)
    assert heard(three) == ([], [], [])


def test_leaving_a_room(three):
    ann, bob, _ = three
    bob.socket[''].join('red')
    assert bob.socket[''].rooms == {'red'}
    bob.socket[''].leave('red')
    assert bob.socket[''].rooms == set()
    ann.socket[''].emit_to_room('red', 'news', 1)
    assert bob.heard == []
    with pytest.raises(KeyError):
        bob.socket[''].leave('red')


def test_a_client_joins_and_leaves_by_events(three):
    bob = three[1]
    bob.say('42["join","red"]', '42["join","blue"]', '42["leave","red"]')
    assert bob.socket[''].rooms == {'blue'}


def test_rooms_are_left_at_disconnect(three):
    ann, bob, _ = three
    namespace = bob.socket['']
    namespace.join('red')
    bob.say('1')
    bob.forget()
    ann.socket[''].emit_to_room('red', 'news', 1)
    ann.socket[''].broadcast_event('news', 1)
    assert bob.heard == []
    assert namespace.rooms == set()


def test_who_has_left_joins_no_more(three):
    namespace = three[1].socket['']
    three[1].say('1')
    namespace.join('red')
    assert namespace.rooms == set()
    assert list(three[0].socket.registry.rooms.members('', 'red')) == []


def test_a_handler_of_the_end_still_reaches_the_room():
    class Leaving(Chat):
        def recv_disconnect(self):
            self.emit_to_room('red', 'left', sorted(self.rooms))
            self.broadcast_event('gone')

    registry, host = serve(Leaving)
    one, other = Client(registry, host, eio3), Client(registry, host, eio3)
    for client in (one, other):
        client.socket[''].join('red')
        client.forget()
    one.say('1')
    assert other.heard == ['42["left",["red"]]', '42["gone"]']


def test_a_broadcast_is_encoded_once_a_dialect_and_framed_once(three, monkeypatch):
    registry, host = three[0].socket.registry, three[0].socket.host
    more = [Client(registry, host, eio3) for _ in range(5)]
    encoded = []
    encode = eio3.encode
    monkeypatch.setattr(eio3, 'encode', lambda *args: encoded.append(args) or encode(*args))
    three[0].socket[''].broadcast_event('news', 1)
    assert len(encoded) == 1
    assert len({id(client.heard[-1]) for client in more}) == 1


def test_bytes_leave_out_who_cannot_receive_them(three, caplog, monkeypatch):
    """One line a minute says so: clients may send bytes as often as they like."""
    monkeypatch.setattr(mixins, '_left_out', Seldom(mixins.log))
    for _ in range(3):
        three[2].socket[''].broadcast_event('news', b'\x01')
    binary = ['451-["news",{"_placeholder":true,"num":0}]', b'\x01'] * 3
    assert heard(three) == ([], binary, binary)
    assert caplog.text.count('leaves out the clients of sio09') == 1


def test_a_client_that_connects_hears_the_broadcast_after_its_connect():
    class Announcing(Chat):
        def recv_connect(self):
            self.broadcast_event('joined')

    registry, host = serve(Announcing)
    first = Client(registry, host, eio3)
    assert first.heard == ['40', '42["joined"]']
    Client(registry, host, eio4).say('40')
    assert first.heard == ['40', '42["joined"]', '42["joined"]']


def test_bytes_for_a_0_9_client_that_connects_harm_nobody(caplog):
    class Announcing(Chat):
        def recv_connect(self):
            self.broadcast_event('joined', b'')

    registry, host = serve(Announcing)
    first = Client(registry, host, eio3)
    first.forget()
    old = Client(registry, host, sio09)
    assert old.heard == ['1::']
    assert first.heard[0] == '451-["joined",{"_placeholder":true,"num":0}]'


def test_a_client_that_left_in_the_meantime_is_passed_over(three):
    ann, bob, cid = three
    bob.socket.close('gone')
    ann.socket[''].broadcast_event('news', 1)
    assert bob.heard == []
    assert cid.heard == ['42["news",1]']


def test_a_client_whose_transport_is_not_there_yet():
    registry, host = serve(Chat)
    client = Client(registry, host, eio3)
    client.socket.transport = None
    Client(registry, host, eio3).socket[''].broadcast_event('news', 1)
    assert client.socket.connected
