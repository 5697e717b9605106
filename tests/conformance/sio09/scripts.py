"""What is said. Each script runs with both servers; those of `EVERYWHERE` on every transport.

The times of both: a heartbeat every second, an empty poll lasts one, who says nothing for two is gone.
"""

from __future__ import annotations

from typing import Any

from .client import END, TRANSPORTS, Talk, called, pause

#: How a packet may be broken: none is one for a server that reads what the protocol says.
BROKEN = (
    '',
    ':',
    '5',
    '9::',
    'x::',
    '5:::',
    '5:::{',
    '5:::[]',
    '5:::{"name":1}',
    '4:::{',
    '6:::x',
    '6:::1+{',
    '5:x:::',
)


# -- on every transport ----------------------------------------------------------------------------------------------


def connecting(talk: Talk) -> None:
    client = talk.client()
    for packet in ('1::/chat', '1::/other:?token=x'):
        client.say(packet)
        client.hear()
    client.say('5::/chat:{"name":"echo","args":["here"]}')
    client.hear()


def connecting_twice(talk: Talk) -> None:
    client = talk.client()
    client.say('1::/chat', '1::/chat', '5::/chat:{"name":"echo","args":["once"]}')
    seen = [client.listen()]
    while 'once' not in seen[-1]:
        seen.append(client.listen())
    for packet in seen:
        client.note(packet)


def query_in_the_namespace(talk: Talk) -> None:
    client = talk.client()
    client.say('1::/chat?token=x', '5:::{"name":"echo","args":["after"]}')
    _until(client, 'after')


def refused_namespace(talk: Talk) -> None:
    client = talk.client()
    client.say('1::/refusing', '5:::{"name":"echo","args":["after"]}')
    _until(client, 'after')


def unknown_namespace(talk: Talk) -> None:
    client = talk.client()
    client.say('1::/nowhere', '5::/nowhere:{"name":"echo"}', '5:::{"name":"echo","args":["after"]}')
    _until(client, 'after')


def namespace_not_connected(talk: Talk) -> None:
    client = talk.client()
    client.say('5::/chat:{"name":"echo","args":["x"]}', '5:::{"name":"echo","args":["after"]}')
    _until(client, 'after')


def leaving_a_namespace(talk: Talk) -> None:
    client = talk.client()
    client.say('1::/chat')
    client.hear()
    client.say('0::/chat', '5:::{"name":"echo","args":["after"]}')
    client.hear()
    client.say('1::/chat')
    client.hear()


def the_server_leaves_a_namespace(talk: Talk) -> None:
    client = talk.client()
    client.say('1::/chat')
    client.hear()
    client.say('5::/chat:{"name":"leave"}')
    client.hear()
    client.say('5:::{"name":"echo","args":["after"]}')
    client.hear()


def events(talk: Talk) -> None:
    client = talk.client()
    for packet in (
        '5:::{"name":"echo"}',
        '5:::{"name":"echo","args":[]}',
        '5:::{"name":"echo","args":["a",1,null,true,{"b":[]}]}',
        '5:::{"args":["a"],"name":"echo"}',
        '5:::{"name":"echo","args":["a:b::c+d/é€😀\\u2028</script>"]}',
    ):
        client.say(packet)
        client.hear()


def an_event_that_nobody_hears(talk: Talk) -> None:
    client = talk.client()
    client.say('5:::{"name":"unheard"}', '5:::{"name":"echo","args":["after"]}')
    _until(client, 'after')


def messages(talk: Talk) -> None:
    client = talk.client()
    for packet in ('3:::hello', '3:::', '3:::a:b+c', '3:::é😀', '4:::{"a":"b"}', '4:::[1,2]'):
        client.say(packet)
        client.hear()


def acks(talk: Talk) -> None:
    """`1`: the library confirms; `1+`: the application answers."""
    client = talk.client()
    client.say('1::/chat')
    client.hear()
    for packet in (
        '5:1+::{"name":"give back","args":["a","b+c"]}',
        '5:2+::{"name":"give back"}',
        '5:0+::{"name":"give back","args":[0]}',
        '5:123456789+:/chat:{"name":"give back","args":["é"]}',
        '3:7+::hello',
        '4:8+::{"a":1}',
    ):
        client.say(packet)
        client.hear()
    for packet in ('5:3::{"name":"echo","args":["x"]}', '5:4:/chat:{"name":"echo"}', '3:5::hello', '4:6::[1]'):
        client.say(packet)
        client.hear(2)


def answers(talk: Talk) -> None:
    """The server asks."""
    client = talk.client()
    client.say('1::/chat')
    client.hear()
    for endpoint, values in (('', '+["yes",2]'), ('', '+["a+b"]'), ('', ''), ('/chat', '+[{}]')):
        client.say(f'5::{endpoint}:{{"name":"ask"}}')
        asked = client.listen()
        client.note(asked)
        client.say(f'6::{endpoint}:{asked.split(":")[1].strip("+")}{values}')
        client.hear()


def answers_that_nobody_asked_for(talk: Talk) -> None:
    client = talk.client()
    client.say('6:::99+["x"]', '6:::98', '6::/chat:97', '5:::{"name":"echo","args":["after"]}')
    client.hear()


def an_answer_twice(talk: Talk) -> None:
    client = talk.client()
    client.say('5:::{"name":"ask"}')
    client.hear()
    client.say('6:::1+["first"]')
    client.hear()
    client.say('6:::1+["second"]', '5:::{"name":"echo","args":["after"]}')
    _until(client, 'after')


def good_bye(talk: Talk) -> None:
    client = talk.client()
    client.say('0::')
    talk.note(_alive(client))


def good_bye_by_url(talk: Talk) -> None:
    for path in ('/1/{transport}/{sid}?disconnect', '/1//{sid}/?disconnect=1'):
        client = talk.client()
        talk.request('GET', path.format(transport=talk.transport, sid=client.sid))
        talk.note(_alive(client))


def away_for_a_while(talk: Talk) -> None:
    """What is said meanwhile waits."""
    client = talk.client()
    client.say('5:::{"name":"later","args":[0.2]}')
    pause(0.6)
    client.hear()


def nobody(talk: Talk) -> None:
    """A sid that nobody has."""
    talk.shake = lambda: 'nobody'  # type: ignore[method-assign]
    try:
        talk.client()
    except AssertionError:
        talk.note('  no websocket')


def broken_packets(talk: Talk) -> None:
    """Who says such a thing goes on, or has ended."""
    for packet in BROKEN:
        client = talk.client()
        talk.said.pop()  # that it is connected
        client.say(packet)
        talk.note(_alive(client))


def _alive(client: Any) -> str:
    """Does the server still answer?"""
    try:
        client.send('5:::{"name":"echo","args":["alive"]}')
    except OSError:
        return '  end'
    while (packet := client.listen()) != END and 'alive' not in packet:
        pass
    return '  end' if packet == END else '  goes on'


def _until(client: Any, marker: str) -> None:
    packet = ''
    while marker not in packet:
        packet = client.listen()
        client.note(packet)
        assert packet != END, client.talk.said


EVERYWHERE = (
    connecting,
    connecting_twice,
    query_in_the_namespace,
    refused_namespace,
    unknown_namespace,
    namespace_not_connected,
    leaving_a_namespace,
    the_server_leaves_a_namespace,
    events,
    an_event_that_nobody_hears,
    messages,
    acks,
    answers,
    answers_that_nobody_asked_for,
    an_answer_twice,
    good_bye,
    good_bye_by_url,
    away_for_a_while,
    nobody,
    broken_packets,
)

# -- on some ---------------------------------------------------------------------------------------------------------


def handshake(talk: Talk) -> None:
    for method, path in (('GET', '/1/'), ('GET', '/1'), ('POST', '/1/'), ('GET', '/1/?t=1&token=x')):
        talk.request(method, path)


def handshake_by_script(talk: Talk) -> None:
    for path in ('/1/?jsonp=0', '/1/?t=1&jsonp=17'):
        talk.request('GET', path)


def handshake_by_a_hostile_script(talk: Talk) -> None:
    talk.request('GET', '/1/?jsonp=0](evil)//')


def handshake_from_elsewhere(talk: Talk) -> None:
    evil = {'Origin': 'http://evil.example', 'Referer': 'http://evil.example/'}
    talk.request('GET', '/1/', **evil)
    talk.request('GET', '/1/?jsonp=5', **evil)


def another_protocol(talk: Talk) -> None:
    talk.request('GET', '/2/')


def who_may_read_it(talk: Talk) -> None:
    """CORS, for a page elsewhere that may."""
    sid = talk.shake()
    for method, path, body in (
        ('GET', '/1/', None),
        ('GET', f'/1/xhr-polling/{sid}', None),
        ('POST', f'/1/xhr-polling/{sid}', '2::'),
    ):
        headers = talk.ask(method, path, body, Origin='http://friend.example').headers
        allowed = [headers[f'Access-Control-Allow-{what}'] for what in ('Origin', 'Credentials')]
        talk.note(f'{method} {path}: {allowed}')


def heartbeat(talk: Talk) -> None:
    """Answered once, and then no more."""
    client = talk.client()
    client.heartbeat()
    client.say('2::')
    client.heartbeat()
    while client.heartbeat() != END:
        pass


def an_empty_poll(talk: Talk) -> None:
    client = talk.client()
    talk.note(client.poll())


def who_polls_no_more(talk: Talk) -> None:
    client = talk.client()
    pause(1)
    client.say('5:::{"name":"echo","args":["still here"]}')
    client.hear()
    pause(3.5)
    client.hear()


def many_in_one_poll(talk: Talk) -> None:
    """The length counts UTF-16's units."""
    client = talk.client()
    client.say('5:::{"name":"burst","args":[3]}')
    pause(0.3)
    talk.note(client.poll())


def many_in_one_post(talk: Talk) -> None:
    client = talk.client()
    client.say('5:::{"name":"echo","args":["é😀"]}', '3:::', '5:::{"name":"echo","args":["last"]}')
    client.hear()
    client.hear()
    client.hear()


def a_post_is_confirmed(talk: Talk) -> None:
    sid = talk.shake()
    talk.request('GET', f'/1/xhr-polling/{sid}')
    talk.request('POST', f'/1/xhr-polling/{sid}', '2::')


def scripts(talk: Talk) -> None:
    """The index is the poll's own, and 0 where it names none."""
    sid = talk.shake()
    talk.request('GET', f'/1/jsonp-polling/{sid}?i=12')
    talk.ask('POST', f'/1/jsonp-polling/{sid}?i=0', 'd=%225%3A%3A%3A%7B%5C%22name%5C%22%3A%5C%22echo%5C%22%7D%22')
    talk.note(called(talk.ask('GET', f'/1/jsonp-polling/{sid}').text, 0))


def the_head_of_a_page(talk: Talk) -> None:
    client = talk.client()
    talk.note(client.response.headers['Content-Type'].partition(';')[0])
    talk.note(client.text or 'read')


def after_the_connection_is_lost(talk: Talk) -> None:
    """The sid is not known any more."""
    client = talk.client()
    client.leave()
    pause(0.5)
    talk.note(talk.ask('GET', f'/1/xhr-polling/{client.sid}').text)


def comes_back_by_another_transport(talk: Talk) -> None:
    """The page is open; a poll with its sid comes. What is said then is heard by the poll."""
    client = talk.client()
    path = f'/1/xhr-polling/{client.sid}'
    talk.request('GET', path)
    talk.request('POST', path, '5:::{"name":"echo","args":["x"]}')
    talk.request('GET', path)


SOME = (
    (handshake, ('-',)),
    (handshake_by_script, ('-',)),
    (handshake_by_a_hostile_script, ('-',)),
    (handshake_from_elsewhere, ('-',)),
    (another_protocol, ('-',)),
    (who_may_read_it, ('-',)),
    (heartbeat, ('websocket', 'htmlfile')),
    (an_empty_poll, ('xhr-polling', 'jsonp-polling')),
    (who_polls_no_more, ('xhr-polling', 'jsonp-polling')),
    (many_in_one_poll, ('xhr-polling', 'jsonp-polling')),
    (many_in_one_post, ('xhr-polling', 'jsonp-polling', 'htmlfile')),
    (a_post_is_confirmed, ('-',)),
    (scripts, ('-',)),
    (after_the_connection_is_lost, ('websocket', 'htmlfile')),
    (comes_back_by_another_transport, ('htmlfile',)),
)

SCRIPTS = {f'{script.__name__} {transport}': (script, transport) for script in EVERYWHERE for transport in TRANSPORTS}
SCRIPTS |= {f'{script.__name__} {transport}': (script, transport) for script, where in SOME for transport in where}
