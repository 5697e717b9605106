"""Patch early: where an embedding program has imported `tg` before it patched, contexts do not mix all the same."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.live import ROOT, run

from .conftest import USERS, Office
from .embedding import PATCH, program


@pytest.mark.parametrize(('first', 'then'), [('import tg, tg.request_local', PATCH), (PATCH, 'import tg')])
def test_contexts_do_not_mix_in_whatever_order_a_program_imports(tmp_path, first, then):
    database = tmp_path / 'office.sqlite'
    text = program(first, then, 'tests.fixtureapps.office', database=str(database))
    with run('', text) as live:
        office = Office(live, database)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.executemany('insert into users values (?)', [(user,) for user in USERS])
        clients = [office.client(user) for user in USERS]
        for client in clients:
            client.join('/desk')
        numbers = [client.send('/desk', 'overlap', 0.3) for client in clients]
        for user, client, number in zip(USERS, clients, numbers, strict=True):
            before, after = client.acknowledged('/desk', number)[0]
            assert before['user'] == user
            assert [after[key] for key in ('user', 'credentials', 'header', 'mark', 'session')] == [user] * 5
            client.close()
        assert 'Traceback' not in live.log()


@pytest.mark.parametrize(
    ('first', 'then', 'why'),
    [
        ('import tg', '', 'gevent has not patched this process'),
        ('import tg', 'from gevent import monkey; monkey.patch_socket()', 'gevent has not patched this process'),
        ('import transaction', PATCH, 'the package `transaction` was imported before gevent patched'),
    ],
)
def test_where_events_would_share_a_context_pages_work_and_sockets_are_refused(first, then, why):
    with run('', program(first, then)) as live:
        assert f'ERROR:tgsio_middleware.turbogears.host:{why}' in live.log()
        with urlopen(live.url, timeout=10) as page:
            assert page.read() == b'the site'
        with pytest.raises(HTTPError) as refused:
            urlopen(f'{live.url}/socketio/?EIO=4&transport=polling', timeout=10)
        assert refused.value.code == 503
        assert json.loads(refused.value.read())['message'].startswith(f'Service unavailable: {why}')


@pytest.mark.parametrize('module', ['tgsio_middleware', 'tgsio_middleware.paste', 'tgsio_middleware.server'])
def test_what_a_server_needs_imports_nothing_of_turbogears(module):
    """`paste` is imported by the ini's server, before the process is patched and the application is loaded."""
    check = f'import sys, {module}; print([m for m in ("tg", "crank", "webob", "transaction") if m in sys.modules])'
    said = subprocess.run([sys.executable, '-c', check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == '[]'
