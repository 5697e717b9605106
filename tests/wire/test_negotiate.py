"""(path, query) -> which dialect, which transport, which client; or that the request is not ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsio_middleware.errors import HandshakeRefused
from tgsio_middleware.wire import eio2, eio3, eio4, sio09
from tgsio_middleware.wire.negotiate import DIALECTS, dialect_of, negotiate, own_query

# path, query, dialect, transport, sid, leaves
OURS = [
    ('/socketio/', 'EIO=4&transport=polling', eio4, 'polling', None, False),
    ('/socketio', 'EIO=4&transport=polling', eio4, 'polling', None, False),
    ('/socketio/', 'EIO=4&transport=websocket', eio4, 'websocket', None, False),
    ('/socketio/', 'EIO=4&transport=websocket&sid=abc', eio4, 'websocket', 'abc', False),
    ('/socketio/', 'EIO=4&transport=polling&t=x&sid=a-_b', eio4, 'polling', 'a-_b', False),
    ('/socketio/', 'EIO=3&transport=polling&b64=1', eio3, 'polling', None, False),
    ('/socketio/', 'EIO=2&transport=polling', eio2, 'polling', None, False),
    ('/socketio/', 'transport=polling&EIO=3&user=x', eio3, 'polling', None, False),
    ('/socketio/', 'EIO=4&transport=polling&sid=', eio4, 'polling', '', False),
    ('/socketio/1/', '', sio09, None, None, False),
    ('/socketio/1', 't=123', sio09, None, None, False),
    ('/socketio/1/', 't=123&user=x', sio09, None, None, False),
    ('/socketio/1/websocket/abc', '', sio09, 'websocket', 'abc', False),
    ('/socketio/1/flashsocket/abc', '', sio09, 'websocket', 'abc', False),
    ('/socketio/1/xhr-polling/abc', 't=1', sio09, 'polling', 'abc', False),
    ('/socketio/1/xhr-polling/abc/', '', sio09, 'polling', 'abc', False),
    ('/socketio/1/xhr-polling', '', sio09, 'polling', '', False),
    ('/socketio/1/websocket/abc', 'disconnect', sio09, None, 'abc', True),
    ('/socketio/1//abc/', 'disconnect=1', sio09, None, 'abc', True),
    ('/socketio/1/xhr-polling/abc', 'disconnect=1', sio09, None, 'abc', True),
]
YOURS = [
    ('/', ''),
    ('/page', 'EIO=4&transport=polling'),
    ('/socketi', 'EIO=4&transport=polling'),
    ('/socketioX', 'EIO=4&transport=polling'),
    ('/socketio.js', ''),
    ('/socketio', ''),
    ('/socketio/', ''),
    ('/socketio/', 'eio=4&Transport=polling'),
    ('/socketio/', 'page=1'),
    ('/socketio/page', 'EIO=4&transport=polling'),
    ('/socketio/1x', ''),
    ('/socketio/11/', ''),
    ('/socketio/2/websocket/abc', ''),
    ('/socketio//', 'EIO=4&transport=polling'),
    ('/x/socketio/', 'EIO=4&transport=polling'),
]
REFUSED = [
    ('/socketio/', 'EIO=4', 'unknown_transport'),
    ('/socketio/', 'EIO=4&transport=', 'unknown_transport'),
    ('/socketio/', 'EIO=4&transport=websocket2', 'unknown_transport'),
    ('/socketio/', 'EIO=4&transport=Polling', 'unknown_transport'),
    ('/socketio/', 'EIO=4&transport=constructor', 'unknown_transport'),
    ('/socketio/', 'EIO=4&transport=__proto__', 'unknown_transport'),
    ('/socketio/', 'EIO=3&transport=xhr-polling', 'unknown_transport'),
    ('/socketio/', 'transport=polling', 'unsupported_version'),
    ('/socketio/', 'EIO=&transport=polling', 'unsupported_version'),
    ('/socketio/', 'EIO=1&transport=polling', 'unsupported_version'),
    ('/socketio/', 'EIO=5&transport=polling', 'unsupported_version'),
    ('/socketio/', 'EIO=04&transport=polling', 'unsupported_version'),
    ('/socketio/', 'EIO=%D9%A4&transport=polling', 'unsupported_version'),
    ('/socketio/', 'EIO=' + 'x' * 10_000 + '&transport=polling', 'unsupported_version'),
    ('/socketio/2', '', 'unsupported_version'),
    ('/socketio/2/', '', 'unsupported_version'),
    ('/socketio/1/polling/abc', '', 'unknown_transport'),
    ('/socketio/1/xhr-multipart/abc', '', 'unknown_transport'),
    ('/socketio/1//abc', '', 'unknown_transport'),
    ('/socketio/', '&'.join(f'k{i}=v' for i in range(101)) + '&EIO=4&transport=polling', 'bad_request'),
    ('/socketio/1/', '&'.join(f'k{i}=v' for i in range(101)), 'bad_request'),
]


@pytest.mark.parametrize(('path', 'query', 'dialect', 'transport', 'sid', 'leaves'), OURS)
def test_it_is_ours(path, query, dialect, transport, sid, leaves):
    wanted = negotiate('/socketio', path, query)
    assert (wanted.dialect, wanted.transport, wanted.sid, wanted.leaves) == (dialect, transport, sid, leaves)


@pytest.mark.parametrize(('path', 'query'), YOURS)
def test_it_is_the_applications(path, query):
    assert negotiate('/socketio', path, query) is None


@pytest.mark.parametrize(('path', 'query', 'reason'), REFUSED, ids=lambda value: value[:40])
def test_it_is_ours_and_refused(path, query, reason):
    with pytest.raises(HandshakeRefused) as caught:
        negotiate('/socketio', path, query)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 100


def test_the_resource_may_be_any_path():
    assert negotiate('/a/b/socket.io', '/a/b/socket.io/', 'EIO=4&transport=polling').dialect is eio4
    assert negotiate('/a/b/socket.io', '/a/b/socketXio/', 'EIO=4&transport=polling') is None


def test_the_query_is_kept_for_the_dialect():
    assert negotiate('/socketio', '/socketio/', 'EIO=3&transport=polling&b64=1&x=%C3%A9').query == {
        'EIO': '3',
        'transport': 'polling',
        'b64': '1',
        'x': 'é',
    }


@pytest.mark.parametrize(
    ('path', 'dialect'),
    [('/socketio', eio4), ('/socketio/', eio4), ('/socketio/1/', sio09), ('/socketio/2/', sio09)],
)
def test_words_of_a_refusal_that_was_not_understood(path, dialect):
    assert dialect_of('/socketio', path) is dialect


@pytest.mark.parametrize(
    ('query', 'own'),
    [
        ('', ''),
        ('EIO=4&transport=polling&t=x&sid=y', ''),
        ('EIO=4&user=a&transport=polling&page=%C3%A9', 'user=a&page=%C3%A9'),
        ('user=a&&user=b', 'user=a&user=b'),
        ('flag&disconnect', 'flag'),
        ('token=a=b', 'token=a=b'),
        ('sidecar=1&i=2', 'sidecar=1'),
    ],
)
def test_the_site_sees_its_own_query_only(query, own):
    assert own_query(query) == own


def test_every_dialect_is_reached():
    assert {negotiate('/socketio', row[0], row[1]).dialect for row in OURS} == {*DIALECTS, eio2}


@given(
    st.lists(
        st.sampled_from(['1', '2', '', '..', 'websocket', 'xhr-polling', 'abc', 'é', '%00']) | st.text(max_size=5)
    ),
    st.text(max_size=20) | st.text('EIO=4&transportpollingwebsocketsid%;+', max_size=40),
)
def test_no_request_breaks_it(parts, query):
    try:
        negotiate('/socketio', '/socketio/' + '/'.join(parts), query)
    except HandshakeRefused:
        pass
