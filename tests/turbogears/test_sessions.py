"""What an event does with Beaker's sessions: it writes what it has changed and nothing else, and the log says what no
cookie can carry home. The same in a site and a browser: `tests.quickstart`.
"""

from __future__ import annotations

import pytest
from beaker.session import SessionObject

from tgsio_middleware.turbogears import sessions


@pytest.fixture
def said(caplog, monkeypatch):
    """Settles a session and returns what was logged."""
    monkeypatch.setattr(sessions, '_said', set())

    def settle(session, kind='file', **config):
        caplog.clear()
        sessions.settle(session, {'session.type': kind, **config}, object())
        if session.accessed():  # as TurboGears does
            session.persist()
        return caplog.text

    return settle


def session(tmp_path, kind='file', cookie='', **params):
    params = {'type': kind, 'key': 'sid', 'data_serializer': 'json', 'data_dir': str(tmp_path), **params}
    if kind == 'cookie':
        params['validate_key'] = 'secret'
    return SessionObject({'HTTP_COOKIE': cookie}, **params)


def written(*args, **kwargs):
    changed = session(*args, **kwargs)
    changed['word'] = 'said'
    changed.save()
    return changed


def test_who_only_reads_is_told_nothing(said, tmp_path):
    read = session(tmp_path)
    assert read.get('word') is None
    assert said(read) == ''
    assert said(session(tmp_path, 'cookie'), 'cookie') == ''


def test_what_the_server_keeps_and_the_client_names_is_kept(said, tmp_path):
    begun = written(tmp_path)
    begun.persist()
    goes_on = written(tmp_path, cookie=f'sid={begun.id}')
    assert said(goes_on) == ''
    assert session(tmp_path, cookie=f'sid={begun.id}')['word'] == 'said'


def test_a_session_that_no_page_has_begun_is_lost(said, tmp_path):
    assert 'in an event of object and that is lost' in said(written(tmp_path))
    assert said(written(tmp_path)) == '', 'once'


def test_a_session_in_a_cookie_is_lost_also_where_a_page_has_begun_it(said, tmp_path):
    begun = written(tmp_path, 'cookie')
    begun.persist()
    cookie = begun.__dict__['_headers']['cookie_out'].partition(';')[0]
    goes_on = written(tmp_path, 'cookie', cookie=cookie)
    assert not goes_on.is_new
    assert 'session.type = cookie' in said(goes_on, 'cookie')


@pytest.mark.parametrize('timeout', [None, 60])
def test_who_only_reads_writes_nothing_that_is_out_of_date(said, tmp_path, timeout):
    begun = written(tmp_path)
    begun.persist()
    read = session(tmp_path, cookie=f'sid={begun.id}')
    assert read['word'] == 'said'
    changed = session(tmp_path, cookie=f'sid={begun.id}')
    changed['word'] = 'changed meanwhile'
    changed.save()
    changed.persist()
    assert said(read, **{'session.timeout': timeout, 'session.auto': 'false'}) == ''
    assert session(tmp_path, cookie=f'sid={begun.id}')['word'] == 'changed meanwhile'


@pytest.mark.parametrize(('timeout', 'counts'), [(None, False), (60, True)])
def test_the_time_of_access_is_written_where_it_counts(said, tmp_path, timeout, counts):
    begun = written(tmp_path)
    begun.persist()
    before = session(tmp_path, cookie=f'sid={begun.id}').last_accessed
    read = session(tmp_path, cookie=f'sid={begun.id}')
    assert read['word'] == 'said'
    assert said(read, **{'session.timeout': timeout}) == ''
    assert (session(tmp_path, cookie=f'sid={begun.id}').last_accessed > before) is counts


def test_a_session_that_is_saved_whenever_it_is_used_is_saved(said, tmp_path):
    """`session.auto`: nobody calls `save`."""
    begun = written(tmp_path)
    begun.persist()
    changed = session(tmp_path, cookie=f'sid={begun.id}', auto=True)
    changed['word'] = 'without a word'
    assert said(changed, **{'session.auto': True}) == ''
    assert session(tmp_path, cookie=f'sid={begun.id}')['word'] == 'without a word'
