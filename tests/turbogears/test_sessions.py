"""What an event writes into `tg.session` and no cookie can carry home is said in the log, once a cause. Beaker's own
sessions; the same in a site and a browser: `tests.quickstart`.
"""

from __future__ import annotations

import pytest
from beaker.session import SessionObject

from tgsio_middleware.turbogears import sessions


@pytest.fixture
def said(caplog, monkeypatch):
    """Looks at a session and returns what was logged."""
    monkeypatch.setattr(sessions, '_said', set())

    def look(session, kind='memory'):
        caplog.clear()
        sessions.look(session, {'session.type': kind}, object())
        return caplog.text

    return look


def session(tmp_path, kind='file', cookie=''):
    params = {'type': kind, 'key': 'sid', 'data_serializer': 'json', 'data_dir': str(tmp_path)}
    if kind == 'cookie':
        params['validate_key'] = 'secret'
    return SessionObject({'HTTP_COOKIE': cookie}, **params)


def written(*args, **kwargs):
    changed = session(*args, **kwargs)
    changed['word'] = 'said'
    changed.save()
    changed.persist()
    return changed


def test_who_has_no_session_or_only_reads_is_told_nothing(said, tmp_path):
    assert said(None) == ''
    read = session(tmp_path)
    assert read.get('word') is None
    assert said(read) == ''
    assert said(session(tmp_path, 'cookie'), 'cookie') == ''


def test_what_the_server_keeps_and_the_client_names_is_kept(said, tmp_path):
    begun = written(tmp_path)
    goes_on = written(tmp_path, cookie=f'sid={begun.id}')
    assert said(goes_on) == ''
    assert session(tmp_path, cookie=f'sid={begun.id}')['word'] == 'said'


def test_a_session_that_no_page_has_begun_is_lost(said, tmp_path):
    assert 'in an event of object and that is lost' in said(written(tmp_path))
    assert said(written(tmp_path)) == '', 'once'


def test_a_session_in_a_cookie_is_lost_also_where_a_page_has_begun_it(said, tmp_path):
    begun = written(tmp_path, 'cookie')
    cookie = begun.__dict__['_headers']['cookie_out'].partition(';')[0]
    goes_on = written(tmp_path, 'cookie', cookie=cookie)
    assert not goes_on.is_new
    assert 'session.type = cookie' in said(goes_on, 'cookie')
