"""Acks: what a handler returns, and what a callback is told."""

from __future__ import annotations

import pytest

from tgsio_middleware.namespace import BaseNamespace
from tgsio_middleware.wire import eio3, eio4, sio09

from .fakes import connected
from .namespaces import Echo


@pytest.mark.parametrize(
    ('event', 'answer'),
    [
        ('420["one",1]', '430[1]'),
        ('427["one",[1,2]]', '437[[1,2]]'),
        ('427["none"]', '437[null]'),
        ('427["fail"]', '437[null]'),
        ('427["nope"]', '437[null]'),
        ('427["one"]', '437[null]'),
    ],
)
def test_an_ack(event, answer):
    client = connected(Echo)
    client.say(event)
    assert client.heard[-1] == answer


def test_a_tuple_is_several_values():
    client = connected(Echo)
    client.say('427["echo",1,[2]]')
    assert client.heard == ['40', '42["echo",1,[2]]', '437[1,[2]]']


def test_without_an_id_there_is_no_ack():
    client = connected(Echo)
    client.say('42["one",1]')
    assert client.heard == ['40']


def test_0_9_is_told_of_the_receipt_before_the_handler_has_run():
    client = connected(Echo, sio09)
    client.say('5:3::{"name":"echo","args":[1]}')
    assert client.heard == ['1::', '6:::3', '5:::{"name":"echo","args":[1]}']


def test_0_9_is_told_the_values_it_asks_for():
    client = connected(Echo, sio09)
    client.say('5:3+::{"name":"one","args":[1]}')
    assert client.heard == ['1::', '6:::3+[1]']


def test_a_return_value_that_cannot_be_sent_fails_like_a_handler(caplog):
    class Odd(BaseNamespace):
        def on_x(self):
            return object()

    client = connected(Odd)
    client.say('427["x"]')
    assert client.heard == ['40', '42["error","internal_error","The server failed to handle \\"x\\""]', '437[null]']


@pytest.mark.parametrize(
    ('dialect', 'ask', 'question', 'answer', 'answered'),
    [
        (
            sio09,
            '5:::{"name":"ask","args":["?"]}',
            '5:1+::{"name":"question","args":["?"]}',
            '6:::1+[1,2]',
            '5:::{"name":"answered","args":[[1,2]]}',
        ),
        (eio3, '42["ask","?"]', '421["question","?"]', '431[1,2]', '42["answered",[1,2]]'),
        (eio4, '42["ask","?"]', '421["question","?"]', '431[1,2]', '42["answered",[1,2]]'),
    ],
    ids=['sio09', 'eio3', 'eio4'],
)
def test_the_server_asks_and_the_client_answers(dialect, ask, question, answer, answered):
    client = connected(Echo, dialect)
    client.forget()
    client.say(ask)
    assert client.heard == [question]
    client.say(answer)
    client.say(answer)
    assert client.heard == [question, answered]


def test_an_answer_that_nobody_waits_for_is_ignored():
    client = connected(Echo)
    client.say('4399[1]', '430[]')
    assert client.heard == ['40']
    assert client.socket.connected


def test_only_so_many_answers_are_waited_for():
    client = connected(Echo, max_acks=2)
    client.say('42["ask",1]', '42["ask",2]', '42["ask",3]')
    client.forget()
    client.say('431["too old"]', '432["b"]', '433["c"]')
    assert client.heard == ['42["answered",["b"]]', '42["answered",["c"]]']


def test_a_callback_that_fails_ends_nothing(caplog):
    class Asking(BaseNamespace):
        def on_ask(self):
            self.emit('question', callback=lambda: 1 / 0)

    client = connected(Asking)
    client.say('42["ask"]', '431[]', '42["ask"]')
    assert client.heard[-1] == '422["question"]'
    assert client.socket.connected
