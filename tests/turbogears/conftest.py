"""Servers that the tests of this folder share, and what they keep in a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.eio4client import Client
from tests.live import INI, PATIENCE, Live, serve

USERS = tuple(f'user{i}' for i in range(8))
OTHERS = ('leaver', 'mover', 'reader', 'guest')


class Office:
    """The site `fixtureapps.office`, served; `rows` and `change` are another program's view of its database."""

    def __init__(self, live: Live, database: Path) -> None:
        self.live = live
        self.database = database

    def client(self, user: str | None = None, *headers: str, query: str = '', cookie: str | None = None) -> Client:
        """A client of that user."""
        said = [*headers, *([f'X-User: {user}'] if user else [])]
        return Client(self.live.port, query=query, headers=said, cookie=cookie)

    def session_cookie(self) -> str:
        """Of a session that a page has begun."""
        with urlopen(f'{self.live.url}/begin', timeout=PATIENCE) as answer:
            return answer.headers['Set-Cookie'].partition(';')[0]

    def page_keeps(self, thing: str, cookie: str) -> None:
        """A page writes into the session."""
        with urlopen(Request(f'{self.live.url}/begin?thing={thing}', headers={'Cookie': cookie}), timeout=PATIENCE):
            pass

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """The first column of what a query of another connection yields."""
        with closing(sqlite3.connect(self.database)) as connection:
            return [row[0] for row in connection.execute(sql, values)]

    def change(self, sql: str, *values: Any) -> None:
        """Another connection writes; fails at once where an open transaction keeps the database locked."""
        with closing(sqlite3.connect(self.database, timeout=1)) as connection, connection:
            connection.execute(sql, values)

    def notes(self) -> list[str]:
        return self.rows('select text from notes')

    def grant(self, user: str, permission: str) -> None:
        self.change('insert or ignore into permissions values (?, ?)', user, permission)

    def revoke(self, user: str, permission: str) -> None:
        self.change('delete from permissions where user = ? and name = ?', user, permission)


@pytest.fixture(scope='session')
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The office under `gearbox serve`."""
    database = tmp_path_factory.mktemp('office') / 'office.sqlite'
    with serve('tests.fixtureapps.office', gearbox=True, app=f'database = {database}', ping_interval=0.2) as live:
        office = Office(live, database)
        for user in (*USERS, *OTHERS):
            office.change('insert into users values (?)', user)
        yield office


@pytest.fixture(scope='session')
def workshop() -> Iterator[Live]:
    """Heartbeats are quick here: see `test_order`."""
    with serve('tests.fixtureapps.workshop', ping_interval=0.2, ping_timeout=0.6) as live:
        yield live


def ini(site: str, pipeline: str = 'socketio site', server: str = '', settings: str = '', port: str = '0') -> str:
    """`live.INI` with another pipeline, lines for its server and its filter."""
    text = INI.replace('pipeline = socketio site', f'pipeline = {pipeline}')
    return text.format(site=site, settings=settings, server=server, port=port, debug='false', app='', level='INFO')


def tracebacks(log: str) -> int:
    """How many are in the log."""
    return log.count('Traceback (most recent call last)')
