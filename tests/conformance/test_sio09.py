"""The protocol of 0.9 as Node's own server speaks it: one scripted client, two servers, and what is not the same."""

from __future__ import annotations

import difflib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import pytest

from .sio09 import oracle, ours, requires_oracle
from .sio09.client import Talk
from .sio09.scripts import BROKEN, SCRIPTS

pytestmark = [pytest.mark.node, pytest.mark.once]


class Difference(NamedTuple):
    """Why we differ, and how: lines of Node's transcript (-) and of ours (+)."""

    reason: str
    lines: tuple[str, ...]


#: By script, or script and transport.
DIFFERENCES = {
    'connecting_twice': Difference(
        'connecting again changes nothing; Node tells the application a second time', ('-   1::/chat',)
    ),
    'query_in_the_namespace': Difference(
        'some clients write the query this way; to Node it is an unknown namespace', ('+   1::/chat',)
    ),
    'refused_namespace': Difference(
        'a refusal has no room for words, so that an event carries them',
        ('+   5::/refusing:{"name":"error","args":["connection_refused","not today"]}',),
    ),
    'unknown_namespace': Difference(
        'Node says nothing, so that a client waits for ever',
        (
            '+   5::/nowhere:{"name":"error","args":["no_such_namespace",'
            '"The endpoint you tried to connect to doesn\'t exist: /nowhere"]}',
            '+   5::/nowhere:{"name":"error","args":["no_such_namespace","The endpoint doesn\'t exist: /nowhere"]}',
        ),
    ),
    'namespace_not_connected': Difference(
        'Node says nothing',
        ('+   5::/chat:{"name":"error","args":["no_such_namespace","The endpoint doesn\'t exist: /chat"]}',),
    ),
    'an_event_that_nobody_hears': Difference(
        'Node says nothing',
        ('+   5:::{"name":"error","args":["no_such_method","The method \\"on_unheard\\" was not found"]}',),
    ),
    'messages': Difference('both mean the empty message', ('-   3::', '+   3:::')),
    'many_in_one_post': Difference('the same', ('-   3::', '+   3:::')),
    'answers': Difference(
        'the numbers of questions count for the connection, not for the namespace',
        (
            '-   5:1+:/chat:{"name":"question","args":["?"]}',
            '+   5:4+:/chat:{"name":"question","args":["?"]}',
            '- 6::/chat:1+[{}]',
            '+ 6::/chat:4+[{}]',
        ),
    ),
    'an_answer_twice': Difference(
        'a callback runs once; Node keeps it and runs it again', ('-   5:::{"name":"answered","args":["second"]}',)
    ),
    'good_bye_by_url xhr-polling': Difference(
        'who says good-bye has left; Node forgets to end it where no poll waits', ('-   goes on', '+   end') * 2
    ),
    'good_bye_by_url jsonp-polling': Difference('the same', ('-   goes on', '+   end') * 2),
    'nobody websocket': Difference(
        'no websocket is opened for a sid that is not known; the client begins anew in either case',
        ('-   7:::1+0', '+   no websocket'),
    ),
    'nobody flashsocket': Difference('the same', ('-   7:::1+0', '+   no websocket')),
    'broken_packets': Difference(
        'what is no packet ends the client; Node lets it pass, at times as an event without a name',
        ('-   goes on', '+   end') * len(BROKEN),
    ),
    'handshake': Difference(
        'flashsocket is served, but not offered: it needs a policy server on a port of its own',
        (
            '-   200 text/plain SID:2:2:websocket,flashsocket,htmlfile,xhr-polling,jsonp-polling',
            '+   200 text/plain SID:2:2:websocket,htmlfile,xhr-polling,jsonp-polling',
        )
        * 4,
    ),
    'handshake_by_script': Difference(
        'the same',
        (
            '-   200 text/javascript io.j[0]("SID:2:2:websocket,flashsocket,htmlfile,xhr-polling,jsonp-polling");',
            '+   200 text/javascript io.j[0]("SID:2:2:websocket,htmlfile,xhr-polling,jsonp-polling");',
            '-   200 text/javascript io.j[17]("SID:2:2:websocket,flashsocket,htmlfile,xhr-polling,jsonp-polling");',
            '+   200 text/javascript io.j[17]("SID:2:2:websocket,htmlfile,xhr-polling,jsonp-polling");',
        ),
    ),
    'handshake_by_a_hostile_script': Difference(
        'an index that is no number is refused; Node answers as if there were none',
        (
            '-   200 text/plain SID:2:2:websocket,flashsocket,htmlfile,xhr-polling,jsonp-polling',
            '+   400  bad request',
        ),
    ),
    'heartbeat': Difference('who does not answer is told that it is ended', ('+   0::',)),
    'comes_back_by_another_transport': Difference(
        'who comes back has not heard that it is connected; with Node it never does',
        ('-   200 text/plain 8::', '+   200 text/plain 1::'),
    ),
}


def run(port: int, name: str) -> list[str]:
    script, transport = SCRIPTS[name]
    talk = Talk(port, transport)
    script(talk)
    return talk.said


@pytest.fixture(scope='module')
def transcripts():
    """All scripts at once: most of them wait. script -> (ours, Node's)."""
    requires_oracle()
    with oracle() as node, ours() as own, ThreadPoolExecutor(32) as pool:
        yield {name: (pool.submit(run, own, name), pool.submit(run, node, name)) for name in SCRIPTS}


@pytest.mark.parametrize('name', SCRIPTS)
def test_both_servers_say_the_same(transcripts: dict[str, tuple[Future[list[str]], ...]], name: str):
    own, node = (said.result() for said in transcripts[name])
    known = DIFFERENCES.get(name, DIFFERENCES.get(name.split()[0]))
    lines = tuple(line for line in difflib.ndiff(node, own) if line[0] in '+-')
    assert lines == (known.lines if known else ()), '\n'.join(['', *difflib.ndiff(node, own)])


def test_every_difference_is_one_of_a_script():
    assert DIFFERENCES.keys() <= {*SCRIPTS, *(name.split()[0] for name in SCRIPTS)}
