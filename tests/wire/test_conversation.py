"""The only state machine: every cell of its table, and time."""

from __future__ import annotations

import pytest

from tgsio_middleware.errors import Exceeded, RemoteProtocolError, Silence, TooLarge
from tgsio_middleware.packet import Packet, event
from tgsio_middleware.settings import Settings
from tgsio_middleware.wire import conversation as module
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.conversation import (
    ANSWER,
    CLOSED,
    DELIVER,
    END,
    EXPECT,
    FORBID,
    GATHER,
    GATHERING,
    IGNORE,
    SHAKEN,
    TALKING,
    TRANSITIONS,
    URGENT,
    Conversation,
    Metered,
    begin,
)

SETTINGS = Settings.parse({'ping_interval': 25, 'ping_timeout': 20, 'connect_timeout': 45, 'max_payload': 10})
BINARY = '451-["b",{"_placeholder":true,"num":0}]'

# How each kind of packet is said, by a dialect that can say it.
SAID = {
    'connect': (eio4, '40'),
    'disconnect': (eio4, '41'),
    'event': (eio4, '42["x"]'),
    'ack': (eio4, '430[]'),
    'error': (eio4, '44"x"'),
    'message': (sio09, '3:::x'),
    'json': (sio09, '4:::1'),
    'binary': (eio4, BINARY),
    'attachment': (eio4, b'\x01'),
    'ping': (eio3, '2'),
    'pong': (eio4, '3'),
    'noop': (sio09, '8::'),
    'close': (eio4, '1'),
    'upgrade': (eio4, '5'),
}
#: The table again, as words: a change there must be meant.
EXPECTED = """
           shaken    talking   gathering closed
event      forbid    deliver   forbid    ignore
ack        forbid    urgent    forbid    ignore
message    forbid    deliver   forbid    ignore
json       forbid    deliver   forbid    ignore
connect    deliver   deliver   forbid    ignore
disconnect forbid    urgent    forbid    ignore
error      forbid    deliver   forbid    ignore
binary     forbid    gather    forbid    ignore
ping       answer    answer    answer    ignore
pong       ignore    ignore    ignore    ignore
noop       ignore    ignore    ignore    ignore
close      end       end       end       ignore
attachment forbid    forbid    gather    ignore
"""


def begun(dialect, state=TALKING, settings=SETTINGS):
    conversation = Conversation(dialect, settings, now=1000.0)
    conversation.joined()
    if state == SHAKEN:
        conversation.state = SHAKEN
    elif state == GATHERING:
        conversation.dialect = eio4
        conversation.receive(BINARY)
        conversation.dialect = dialect
    elif state == CLOSED:
        conversation.close()
    return conversation


def test_the_table():
    assert module.table() == EXPECTED.strip('\n')


@pytest.mark.parametrize('kind', SAID)
@pytest.mark.parametrize('state', TRANSITIONS)
def test_every_cell(state, kind):
    dialect, message = SAID[kind]
    conversation = begun(dialect, state)
    expected = TRANSITIONS[state].get(kind, FORBID)
    if expected is FORBID:
        with pytest.raises(RemoteProtocolError, match=f'{kind} where {state}'):
            conversation.receive(message)
        return
    verb, packet = conversation.receive(message)
    if expected is GATHER:
        assert (verb, conversation.state) == ((EXPECT, GATHERING) if kind == 'binary' else (DELIVER, TALKING))
    else:
        assert (verb, conversation.state) == (expected, state)
        assert packet['type'] == ('pong' if expected is ANSWER else kind)


@pytest.mark.parametrize(('dialect', 'state'), [(sio09, TALKING), (eio3, TALKING), (eio4, SHAKEN)])
def test_where_a_generation_begins(dialect, state):
    assert Conversation(dialect, SETTINGS, 0).state == state


def test_a_client_of_eio4_may_talk_once_it_has_joined():
    conversation = Conversation(eio4, SETTINGS, 0)
    with pytest.raises(RemoteProtocolError):
        conversation.receive('42["x"]')
    conversation.joined()
    assert conversation.receive('42["x"]') == (DELIVER, event('', 'x', []))


def test_joining_a_second_namespace_changes_nothing():
    conversation = begun(eio4, GATHERING)
    conversation.joined()
    assert conversation.state == GATHERING


def test_who_has_left_does_not_join():
    conversation = begun(eio4, CLOSED)
    conversation.joined()
    assert conversation.state == CLOSED


@pytest.mark.parametrize(
    ('dialect', 'message', 'data'), [(eio3, '2', ''), (eio3, '2probe', 'probe'), (eio4, '2probe', 'probe')]
)
def test_a_ping_is_answered_with_its_data(dialect, message, data):
    assert begun(dialect).receive(message) == (ANSWER, Packet(type='pong', data=data))


# -- attachments -----------------------------------------------------------------------------------------------------


def test_a_packet_waits_for_its_attachments():
    conversation = begun(eio4)
    text = '452-["b",{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":0}}]'
    assert conversation.receive(text)[0] is EXPECT
    assert conversation.receive(b'first')[0] is IGNORE
    assert conversation.receive(b'last') == (DELIVER, event('', 'b', [b'last', {'x': b'first'}]))
    assert conversation.receive('42["x"]')[0] is DELIVER


def test_a_packet_that_waits_for_nothing_is_whole():
    assert begun(eio4).receive('450-["b"]') == (DELIVER, event('', 'b', []))


def test_an_ack_can_have_attachments():
    conversation = begun(eio3)
    conversation.receive('461-3[{"_placeholder":true,"num":0}]')
    assert conversation.receive(b'\x04x') == (URGENT, Packet(type='ack', endpoint='', ackId=3, args=[b'x']))


def test_two_binary_packets_do_not_mix():
    conversation = begun(eio4)
    for data in (b'a', b'b'):
        conversation.receive(BINARY)
        assert conversation.receive(data)[1]['args'] == [data]


def test_a_pong_may_stand_between():
    conversation = begun(eio4)
    conversation.receive(BINARY)
    assert conversation.receive('3')[0] is IGNORE
    assert conversation.receive(b'x')[0] is DELIVER


def test_a_client_that_closes_need_not_send_the_rest():
    assert begun(eio4, GATHERING).receive('1')[0] is END


@pytest.mark.parametrize('text', ['4511-["b"]', '45999999999999999-["b"]', '4611-0[]'])
def test_there_are_only_so_many_attachments(text):
    with pytest.raises(RemoteProtocolError):
        begun(eio4).receive(text)


def test_max_attachments_are_allowed():
    assert begun(eio4).receive('4510-["b"]')[0] is EXPECT


def test_attachments_that_do_not_come_in_time():
    conversation = begun(eio4)
    conversation.heard = 1003
    conversation.receive(BINARY)
    assert conversation.deadline == 1013
    assert conversation.tick(1012, streaming=True) is None
    conversation.heard = 1012
    conversation.receive('3')
    with pytest.raises(Exceeded, match='attachment_timeout'):
        conversation.tick(1013, streaming=True)


def test_attachments_that_come_in_time_and_those_of_the_next_packet():
    conversation = begun(eio4)
    conversation.receive(BINARY)
    conversation.receive(b'x')
    conversation.heard = 1008
    conversation.receive(BINARY)
    assert conversation.tick(1010, streaming=True) is None
    assert conversation.deadline == 1018


def test_attachments_of_a_client_that_is_not_read_may_be_late():
    conversation = begun(eio4, GATHERING)
    conversation.excuse(1009)
    assert conversation.tick(1010, streaming=True) is None
    assert conversation.deadline == 1019


def test_binary_packets_do_not_put_off_what_is_due_sooner():
    conversation = begun(eio4, settings=Settings.parse({'ping_interval': 5}))
    assert conversation.deadline == 1005
    conversation.receive(BINARY)
    assert conversation.deadline == 1005


# -- what is too much -------------------------------------------------------------------------------------------------

LIMITED = Settings.parse({'max_events_per_second': 10})


def test_nobody_is_metered_by_default():
    assert type(begin(eio4, SETTINGS, 0)) is Conversation
    assert type(begin(eio4, LIMITED, 0)) is Metered


def test_ten_seconds_worth_may_come_at_once_and_no_packet_more():
    conversation = begin(eio3, LIMITED, 1000)
    for _ in range(100):
        conversation.receive('42["x"]')
    conversation.receive('2')
    with pytest.raises(Exceeded, match='max_events_per_second'):
        conversation.receive('430[]')


def test_the_rate_itself_may_last():
    conversation = begin(eio3, LIMITED, 1000)
    for i in range(1000):
        conversation.heard = 1000 + i / 10
        conversation.receive('42["x"]')


@pytest.mark.parametrize('dialect', [sio09, eio3, eio4])
def test_json_that_is_too_deep_is_the_clients_fault(dialect):
    deep = '[' * 300 + ']' * 300
    message = f'5:::{{"name":"x","args":{deep}}}' if dialect is sio09 else f'42["x",{deep}]'
    with pytest.raises(RemoteProtocolError, match='deeper than 200 levels'):
        begun(dialect).receive(message)


def test_a_text_may_hold_any_number_of_brackets():
    assert begun(sio09).receive('3:::' + '[' * 300)[0] is DELIVER
    assert begun(eio4).receive('42["' + '[' * 300 + '"]')[0] is DELIVER


def test_attachments_share_max_payload():
    conversation = begun(eio4)
    conversation.receive('453-["b"]')
    conversation.receive(b'12345')
    conversation.receive(b'67890')
    with pytest.raises(TooLarge):
        conversation.receive(b'1')


def test_what_one_packet_gathered_does_not_count_for_the_next():
    conversation = begun(eio4)
    for _ in range(3):
        conversation.receive(BINARY)
        assert conversation.receive(b'1234567890')[0] is DELIVER


@pytest.mark.parametrize(
    'text', ['451-["b"]', '451-["b",{"_placeholder":true,"num":1}]', '450-["b",{"_placeholder":true,"num":0}]']
)
def test_placeholders_must_fit(text):
    conversation = begun(eio4)
    with pytest.raises(RemoteProtocolError):
        conversation.receive(text)
        conversation.receive(b'x')


def test_a_placeholder_in_a_packet_without_attachments_is_data():
    assert begun(eio4).receive('42["b",{"_placeholder":true,"num":0}]')[1]['args'] == [{'_placeholder': True, 'num': 0}]


# -- time ------------------------------------------------------------------------------------------------------------

ASKED = Packet(type='heartbeat')


def test_the_server_asks_every_interval():
    conversation = begun(eio4)
    assert conversation.deadline == 1025
    assert conversation.tick(1025, streaming=True) == ASKED
    conversation.heard = 1026
    conversation.tick(1045, streaming=True)
    assert conversation.deadline == 1050
    assert conversation.tick(1050, streaming=True) == ASKED


def test_much_talk_does_not_put_off_the_question():
    conversation = begun(eio4)
    conversation.heard = 1024.9
    assert conversation.tick(1025, streaming=True) == ASKED


def test_nothing_is_asked_too_early():
    conversation = begun(eio4)
    assert conversation.tick(1024.9, streaming=True) is None
    assert conversation.deadline == 1025


def test_no_answer_in_time_is_silence():
    conversation = begun(eio4)
    conversation.tick(1025, streaming=True)
    assert conversation.deadline == 1045
    assert conversation.tick(1044.9, streaming=True) is None
    with pytest.raises(Silence, match='ping timeout'):
        conversation.tick(1045, streaming=True)


def test_anything_said_is_an_answer():
    conversation = begun(eio4)
    conversation.tick(1025, streaming=True)
    conversation.heard = 1044.9
    assert conversation.tick(1045, streaming=True) is None
    assert conversation.deadline == 1050


def test_a_question_that_is_late_is_asked_at_once():
    conversation = begun(eio4)
    conversation.tick(1025, streaming=True)
    conversation.heard = 1030
    assert conversation.tick(1090, streaming=True) == ASKED
    assert conversation.deadline == 1110


def test_a_client_of_eio3_asks_by_itself():
    conversation = begun(eio3)
    assert conversation.deadline == 1045
    assert conversation.tick(1044, streaming=True) is None
    with pytest.raises(Silence, match='ping timeout'):
        conversation.tick(1045, streaming=True)


def test_a_client_of_eio3_that_asks_lives():
    conversation = begun(eio3)
    conversation.heard = 1025
    assert conversation.tick(1045, streaming=True) is None
    assert conversation.deadline == 1070


@pytest.mark.parametrize('streaming', [True, False])
@pytest.mark.parametrize('dialect', [sio09, eio3, eio4])
def test_who_shook_hands_must_join(dialect, streaming):
    """Older generations ask for `/` unasked, and may be refused."""
    conversation = Conversation(dialect, Settings.parse({'connect_timeout': 2}), now=1000)
    assert conversation.deadline == 1002
    with pytest.raises(Silence, match='connect timeout'):
        conversation.tick(1002, streaming)


def test_a_client_that_pongs_and_never_joins_is_idle_or_hostile():
    conversation = Conversation(eio4, Settings.parse({'connect_timeout': 2, 'ping_interval': 1}), now=1000)
    conversation.tick(1001, streaming=True)
    conversation.heard = 1001.5
    with pytest.raises(Silence, match='connect timeout'):
        conversation.tick(1002, streaming=True)


def test_whose_connect_takes_the_sites_time_is_not_to_blame():
    conversation = Conversation(eio4, Settings.parse({'connect_timeout': 2}), now=1000)
    assert conversation.tick(1002, streaming=True, joining=True) is None
    assert conversation.deadline == 1004
    with pytest.raises(Silence, match='connect timeout'):
        conversation.tick(1004, streaming=True)


def test_who_has_joined_in_time_stays():
    conversation = Conversation(eio4, Settings.parse({'connect_timeout': 2}), now=1000)
    conversation.joined()
    assert conversation.tick(1002, streaming=True) is None
    assert conversation.deadline == 1025


def test_0_9_is_asked_on_a_stream():
    conversation = begun(sio09)
    assert conversation.tick(1025, streaming=True) == ASKED
    assert conversation.deadline == 1045


def test_0_9_is_not_asked_while_it_polls():
    conversation = begun(sio09)
    assert conversation.tick(1025, streaming=False) is None
    assert conversation.deadline == 1045
    with pytest.raises(Silence, match='ping timeout'):
        conversation.tick(1045, streaming=False)


@pytest.mark.parametrize('dialect', [sio09, eio3, eio4])
def test_intervals_may_be_fractions_of_a_second(dialect):
    conversation = begun(dialect, settings=Settings.parse({'ping_interval': 0.3, 'ping_timeout': 0.2}))
    now = 1000.0
    while now < 1010:
        now = conversation.deadline
        conversation.heard = now - 0.1
        conversation.tick(now, streaming=True)
        assert now < conversation.deadline <= now + 0.51


@pytest.mark.parametrize('dialect', [sio09, eio3, eio4])
@pytest.mark.parametrize('streaming', [True, False])
def test_a_deadline_lies_ahead_whenever_it_is_asked_for(dialect, streaming):
    conversation = begun(dialect)
    now = 1000.0
    while now < 1200:
        now += 7
        conversation.heard = now - 1
        conversation.tick(now, streaming)
        assert conversation.deadline > now


def test_it_prints_as_what_it_is():
    assert repr(begun(eio4)) == '<Conversation eio4 talking>'
