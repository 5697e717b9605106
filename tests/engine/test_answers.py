"""What a client was asked: callbacks, calls, their time-outs, and the end."""

from __future__ import annotations

import logging

import gevent
import pytest
from gevent.event import Event

from tgsio_middleware.bus.outbox import Outbox
from tgsio_middleware.errors import AnswerTimeout, Disconnected, LocalProtocolError, NoAnswer
from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09
from tgsio_middleware.wire.negotiate import DIALECTS

from .fakes import Client, connected, serve, settle

SHORT = 0.02
#: `emit(name)` of a client, its ack of the question 1 with values, and its leaving of /chat
EVENTS = {sio09: '5::/chat:{"name":"%s"}', eio3: '42/chat,["%s"]', eio4: '42/chat,["%s"]'}
ACKS = {sio09: '6::/chat:1+%s', eio3: '43/chat,1%s', eio4: '43/chat,1%s'}
LEAVES = {sio09: '0::/chat', eio3: '41/chat,', eio4: '41/chat,'}
JOINS = {sio09: '1::/chat', eio3: '40/chat', eio4: '40/chat,'}
ENDS = {sio09: '0::', eio3: '1', eio4: '1'}


class Chat(BaseNamespace):
    options = {}

    def initialize(self):
        self.log = []

    def on_ask(self):
        self.log.append('asks')
        try:
            self.log.append(self.call('question', 1, **self.options))
        except NoAnswer as e:
            self.log.append(e)

    def on_ask_carelessly(self):
        self.call('question', timeout=SHORT)

    def on_next(self):
        self.log.append('next')

    def on_emit(self):
        self.emit('question', callback=self.answered, on_failure=self.failed, **self.options)

    def on_busy(self):
        self.log.append('busy')
        gevent.sleep(2 * SHORT)
        self.log.append('done')

    def on_leave(self):
        self.emit('question', callback=self.answered, on_failure=self.failed)
        self.disconnect()
        self.log.append('left')

    def answered(self, *values):
        self.log.append(values)

    def failed(self, error):
        self.log.append(error)


class Hurried(Chat):
    options = {'timeout': SHORT}


def in_chat(dialect=eio3, cls=Chat, **settings):
    """-> a client in /chat, and its namespace."""
    client = connected({'': BaseNamespace, '/chat': cls}, dialect, **settings)
    client.say(JOINS[dialect])
    client.forget()
    return client, client.socket['/chat']


def emits(client, name):
    client.say(EVENTS[client.socket.dialect] % name)


def answers(client, values):
    client.say(ACKS[client.socket.dialect] % values)


# -- call --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('dialect', DIALECTS)
@pytest.mark.parametrize(
    ('values', 'value'), [('[]', None), ('[{"a":1}]', {'a': 1}), ('[null]', None), ('[1,2]', (1, 2))]
)
def test_a_call_gives_what_the_client_answers(dialect, values, value):
    client, chat = in_chat(dialect)
    emits(client, 'ask')
    assert chat.log == ['asks']
    answers(client, values)
    assert chat.log == ['asks', value]


def test_an_answer_overtakes_the_events_that_wait_for_the_handler():
    client, chat = in_chat()
    emits(client, 'ask')
    emits(client, 'next')
    assert chat.log == ['asks']
    answers(client, '["x"]')
    assert chat.log == ['asks', 'x', 'next']


def test_an_answer_with_bytes():
    client, chat = in_chat()
    emits(client, 'ask')
    client.say('461-/chat,1[{"_placeholder":true,"num":0}]', b'\x04\xff')
    assert chat.log == ['asks', b'\xff']


def test_a_call_from_a_job():
    client, chat = in_chat()
    job = chat.spawn(chat.call, 'question')
    settle()
    assert client.heard == ['42/chat,1["question"]']
    answers(client, '[1]')
    assert job.get(timeout=1) == 1


def test_a_call_that_takes_too_long():
    client, chat = in_chat(cls=Hurried)
    emits(client, 'ask')
    gevent.sleep(2 * SHORT)
    [_, error] = chat.log
    assert type(error) is AnswerTimeout
    assert isinstance(error, TimeoutError)
    assert str(error) == 'no answer within 0.02 seconds'
    answers(client, '["too late"]')
    assert len(chat.log) == 2


def test_who_does_not_answer_leaves_one_line_and_no_traceback(caplog):
    client, _ = in_chat()
    with caplog.at_level(logging.INFO):
        emits(client, 'ask_carelessly')
        gevent.sleep(2 * SHORT)
        settle()
    assert [record.levelname for record in caplog.records] == ['INFO']
    assert caplog.records[0].exc_info is None
    assert client.heard[1:] == ['42/chat,["error","internal_error","The server failed to handle \\"ask_carelessly\\""]']


@pytest.mark.parametrize('dialect', DIALECTS)
@pytest.mark.parametrize(('says', 'reason'), [(LEAVES, 'client namespace disconnect'), (ENDS, 'transport close')])
def test_a_call_ends_when_the_client_leaves(dialect, says, reason):
    client, chat = in_chat(dialect)
    emits(client, 'ask')
    client.say(says[dialect])
    [_, error] = chat.log
    assert type(error) is Disconnected
    assert isinstance(error, ConnectionError)
    assert str(error) == reason


def test_a_call_ends_when_the_connection_is_lost():
    client, chat = in_chat()
    emits(client, 'ask')
    client.socket.close('ping timeout')
    settle()
    assert str(chat.log[1]) == 'ping timeout'


def test_a_call_ends_when_the_namespace_is_ended_elsewhere():
    client, chat = in_chat()
    emits(client, 'ask')
    chat.disconnect()
    settle()
    assert str(chat.log[1]) == 'namespace disconnect'
    assert client.socket.connected


def test_leaving_another_namespace_does_not_end_it():
    client, chat = in_chat()
    emits(client, 'ask')
    client.say('41')
    assert chat.log == ['asks']
    answers(client, '[]')
    assert chat.log == ['asks', None]


def test_an_answer_in_another_namespace_is_none():
    client, chat = in_chat()
    emits(client, 'ask')
    client.say('431["forged"]', '43/nope,1["forged"]')
    assert chat.log == ['asks']


def test_a_call_after_the_end():
    client, chat = in_chat()
    client.say('41/chat,')
    with pytest.raises(Disconnected, match='namespace disconnect'):
        chat.call('question')
    client.say('1')
    with pytest.raises(Disconnected, match='transport close'):
        chat.call('question')


def test_a_call_while_the_client_connects_would_wait_for_itself():
    said = []

    class Early(BaseNamespace):
        def recv_connect(self):
            with pytest.raises(LocalProtocolError, match='before it is connected'):
                self.call('question')
            said.append('raised')

    connected(Early)
    assert said == ['raised']


def test_a_call_leaves_before_the_commit():
    client, chat = in_chat()

    def in_an_event():
        outbox = Outbox()
        chat.emit('held')
        value = chat.call('question')
        outbox.commit()
        return value

    job = gevent.spawn(in_an_event)
    settle()
    assert client.heard == ['42/chat,1["question"]']
    answers(client, '["now"]')
    assert job.get(timeout=1) == 'now'
    assert client.heard[1:] == ['42/chat,["held"]']


def test_a_killed_call_leaves_nothing_behind():
    client, chat = in_chat()
    job = chat.spawn(chat.call, 'question')
    settle()
    job.kill()
    assert client.socket.pop_ack(1) is None


# -- callbacks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('dialect', DIALECTS)
def test_a_callback_that_is_answered_does_not_fail(dialect):
    client, chat = in_chat(dialect, Hurried)
    emits(client, 'emit')
    answers(client, '[1,2]')
    gevent.sleep(2 * SHORT)
    client.say(LEAVES[dialect])
    assert chat.log == [(1, 2)]


def test_a_callback_hears_of_its_timeout_and_of_no_later_answer():
    client, chat = in_chat(cls=Hurried)
    emits(client, 'emit')
    gevent.sleep(2 * SHORT)
    settle()
    answers(client, '[1]')
    [error] = chat.log
    assert type(error) is AnswerTimeout


def test_a_timeout_comes_in_its_turn():
    client, chat = in_chat(cls=Hurried)
    emits(client, 'emit')
    emits(client, 'busy')
    gevent.sleep(4 * SHORT)
    assert chat.log[:2] == ['busy', 'done']
    assert type(chat.log[2]) is AnswerTimeout


def test_an_answer_that_waits_for_its_turn_is_in_time():
    client, chat = in_chat(cls=Hurried)
    emits(client, 'emit')
    emits(client, 'busy')
    answers(client, '[1]')
    gevent.sleep(4 * SHORT)
    assert chat.log == ['busy', 'done', (1,)]


@pytest.mark.parametrize(('says', 'reason'), [('41/chat,', 'namespace disconnect'), ('1', 'transport close')])
def test_a_callback_hears_of_the_end(says, reason):
    client, chat = in_chat()
    emits(client, 'emit')
    client.say(says)
    [error] = chat.log
    assert type(error) is Disconnected
    assert str(error) == reason


def test_a_callback_hears_of_an_end_that_the_server_makes():
    client, chat = in_chat()
    emits(client, 'leave')
    assert chat.log[0] == 'left'
    assert type(chat.log[1]) is Disconnected


def test_who_asks_again_after_the_end_is_not_told_for_ever():
    class Stubborn(Chat):
        def failed(self, error):
            self.log.append(error)
            self.on_emit()

    client, chat = in_chat(cls=Stubborn)
    emits(client, 'emit')
    client.say('1')
    assert len(chat.log) == 1
    chat.options = {'timeout': SHORT}
    chat.on_emit()
    gevent.sleep(2 * SHORT)
    settle()
    assert len(chat.log) == 1


def test_who_asks_while_it_is_made_is_answered():
    class Eager(Chat):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.on_emit()

    client, chat = in_chat(cls=Eager)
    answers(client, '[1]')
    assert chat.log == [(1,)]


def test_nobody_was_asked_where_emit_raised():
    class Row:
        def __json__(self):
            raise KeyError('no such column')

    client, chat = in_chat()
    with pytest.raises(KeyError):
        chat.emit('question', Row(), on_failure=chat.failed)
    client.say('41/chat,')
    assert chat.log == []


def test_a_callback_is_answered_in_its_own_namespace():
    client, chat = in_chat()
    emits(client, 'emit')
    client.say('431["forged"]')
    assert chat.log == []
    answers(client, '["true"]')
    assert chat.log == [('true',)]


def test_a_failure_alone_may_be_asked_for():
    client, chat = in_chat()
    chat.emit('question', on_failure=chat.failed, timeout=SHORT)
    answers(client, '[1]')
    chat.emit('question', on_failure=chat.failed, timeout=SHORT)
    gevent.sleep(2 * SHORT)
    settle()
    assert [type(error) for error in chat.log] == [AnswerTimeout]


def test_a_message_has_the_same_options():
    client, chat = in_chat(sio09)
    chat.send('hi', callback=chat.answered, on_failure=chat.failed, timeout=SHORT)
    chat.send('hi', callback=chat.answered, on_failure=chat.failed, timeout=SHORT)
    settle()
    assert client.heard == ['3:1:/chat:hi', '3:2:/chat:hi']
    client.say('6::/chat:1')
    gevent.sleep(2 * SHORT)
    settle()
    assert chat.log[0] == ()
    assert type(chat.log[1]) is AnswerTimeout


def test_the_oldest_fails_beyond_the_bound():
    client, chat = in_chat(max_acks=1)
    for _ in range(2):
        emits(client, 'emit')
    [error] = chat.log
    assert (type(error), str(error)) == (NoAnswer, 'more questions than max_acks')


def test_what_cannot_be_sent_has_asked_nobody():
    client, chat = in_chat(eio4)
    with pytest.raises(LocalProtocolError):
        chat.emit('question', object(), callback=chat.answered, on_failure=chat.failed, timeout=SHORT)
    gevent.sleep(2 * SHORT)
    client.say(LEAVES[eio4])
    assert chat.log == []


def test_an_end_without_on_failure_says_nothing():
    client, chat = in_chat()
    chat.emit('question', callback=chat.answered)
    client.say('1')
    assert chat.log == []


# -- volatile ----------------------------------------------------------------------------------------------------------


def test_a_volatile_event_is_dropped_where_it_would_wait():
    client, chat = in_chat()
    chat.emit('seen', volatile=True)
    client.transport.takes = False
    chat.emit('dropped', volatile=True)
    chat.emit('waits', volatile=False)
    assert client.heard == ['42/chat,["seen"]', '42/chat,["waits"]']


def test_a_volatile_event_does_not_wait_for_the_connect():
    class Early(BaseNamespace):
        def recv_connect(self):
            self.emit('dropped', volatile=True)
            self.emit('held')

    assert connected(Early).heard == ['40', '42["held"]']


def test_a_volatile_question_that_is_dropped_is_not_asked():
    client, chat = in_chat()
    client.transport.takes = False
    chat.emit('dropped', volatile=True, callback=chat.answered, on_failure=chat.failed)
    client.say('1')
    assert chat.log == []


def test_a_client_without_a_transport_takes_nothing():
    registry, host = serve(BaseNamespace)
    socket = Client(registry, host).socket
    socket.transport = None
    assert not socket.takes


# -- all of it under way at once ---------------------------------------------------------------------------------------


def test_two_calls_of_two_namespaces():
    done = Event()

    class Both(BaseNamespace):
        def on_ask(self):
            jobs = [self.spawn(self.socket[name].call, 'question') for name in ('', '/chat')]
            gevent.joinall(jobs)
            self.session['got'] = [job.value for job in jobs]
            done.set()

    client = connected({'': Both, '/chat': Both})
    client.say('40/chat', '42/chat,["ask"]')
    client.say('43/chat,2["chat"]', '431["global"]')
    assert done.wait(1)
    assert client.socket.session['got'] == ['global', 'chat']
