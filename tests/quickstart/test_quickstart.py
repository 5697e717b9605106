"""A site as `gearbox quickstart` makes it, with the README's lines added, used from a page of its own in Chromium:
SQLAlchemy, repoze.who and its login form, Beaker's sessions, catalogues, the cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import chromium
from tests.conftest import missing
from tests.functional.clients import requires_node
from tests.live import PATIENCE, ROOT, Live

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.once]

SOCKET_IO = ROOT / 'tests' / 'functional' / 'clients' / 'node_modules' / 'sio4' / 'dist' / 'socket.io.min.js'
PROGRAMS = Path(sys.executable).parent
#: Passwords of the quickstart's own bootstrap.
USERS = {'manager': 'managepass', 'editor': 'editpass'}
#: `[app:main]` keeps its name, by which gearbox's other commands and the site's tests know it.
PIPELINE = """\
[pipeline:live]
pipeline = socketio main

[filter:socketio]
use = egg:tgsio_middleware#socketio
socketio_resource = socketio

[app:main]
"""
DENIED = ['method_access_denied', 'You do not have access to method "on_clear"']


class Site:
    """The folder of a quickstarted site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, 'PYTHONPATH': str(folder)}

    def run(self, *command: str | Path) -> None:
        """Runs a command in the folder."""
        done = subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True)
        assert not done.returncode, f'{command}: {done.stdout}{done.stderr}'

    def edit(self, file: str, old: str, new: str) -> None:
        """One place of one file."""
        text = (self.folder / file).read_text()
        assert text.count(old) == 1, f'{old!r} in {file}'
        (self.folder / file).write_text(text.replace(old, new))

    @contextmanager
    def serve(self) -> Iterator[Live]:
        """`gearbox serve -n live`, until the block ends."""
        log = self.folder / 'log'
        with log.open('wb') as out:
            process = subprocess.Popen(
                [PROGRAMS / 'gearbox', 'serve', '-n', 'live'], cwd=self.folder, env=self.environ, stdout=out, stderr=out
            )
        try:
            yield Live(process, log)
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Quickstarted, `pip install`ed as far as an import goes, changed as the README says, set up."""
    requires_node()
    if not (PROGRAMS / 'gearbox').exists():
        missing('gearbox', 'pip install -e .[test]')
    made_in = Site(tmp_path_factory.mktemp('quickstart'))
    made_in.run(PROGRAMS / 'gearbox', 'quickstart', '--auth', '--sqlalchemy', 'newsite')
    site = Site(made_in.folder / 'newsite')
    site.run(sys.executable, '-W', 'ignore', '-c', 'from setuptools import setup; setup()', '--quiet', 'egg_info')
    site.run(sys.executable, '-m', 'babel.messages.frontend', 'compile', '-d', 'newsite/i18n', '-D', 'newsite')
    site.edit('development.ini', 'use = egg:gearbox#wsgiref', 'use = egg:tgsio_middleware#socketio')
    site.edit('development.ini', 'port = 8080', 'port = 0')
    site.edit('development.ini', '[app:main]\n', PIPELINE)
    shutil.copy(Path(__file__).with_name('sockets.py'), site.folder / 'newsite' / 'controllers')
    root = 'newsite/controllers/root.py'
    site.edit(root, 'from newsite.lib', 'from newsite.controllers.sockets import SocketIO\nfrom newsite.lib')
    site.edit(root, '    demo = DemoController()\n', '    demo = DemoController()\n    socketio = SocketIO()\n')
    site.run(PROGRAMS / 'gearbox', 'setup-app')
    return site


class Page(chromium.Page):
    """A page of the site in a browser that a user has logged in with, and a Socket.IO client in it."""

    def __init__(self, live: Live, browser: Any, user: str | None, locale: str) -> None:
        super().__init__(browser, locale=locale)
        self.url = live.url
        # Style sheets of a CDN.
        self.context.route(lambda url: not url.startswith(live.url), lambda route: route.abort())
        if user:
            self.log_in(user)
        self.page.goto(f'{live.url}/demo')

    def log_in(self, user: str) -> None:
        """By the site's own form."""
        self.page.goto(f'{self.url}/login')
        self.page.fill('[name=login]', user)
        self.page.fill('[name=password]', USERS[user])
        self.page.click('button[type=submit]')
        self.page.wait_for_url('**/demo')

    def connect(self, namespace: str = '/desk') -> dict[str, Any] | None:
        """Leaves every namespace, connects one; -> the data of a refusal."""
        self.page.add_script_tag(path=SOCKET_IO)
        return self.page.evaluate(
            """namespace => new Promise(done => {
                window.socket?.disconnect()
                window.errors = []
                window.socket = io(namespace, {path: '/socketio', forceNew: true})
                socket.on('error', (...error) => errors.push(error))
                socket.on('connect', () => done(null))
                socket.on('connect_error', error => done(error.data || {message: error.message}))
            })""",
            namespace,
        )

    def call(self, event: str, *args: Any) -> Any:
        """Emits an event; -> its ack."""
        return self.page.evaluate(
            '([event, args, patience]) => socket.timeout(patience).emitWithAck(event, ...args)',
            [event, list(args), PATIENCE * 1000],
        )

    def errors(self) -> list[Any]:
        """Since the connect."""
        return self.page.evaluate('errors')

    def get(self, path: str) -> str:
        """Another page of the site, asked for with the browser's cookies; its text."""
        return self.page.evaluate('path => fetch(path).then(answer => answer.text())', path)


Open = Callable[..., Page]


@contextmanager
def pages(live: Live, browser: Any) -> Iterator[Open]:
    """`page('manager')`, `page(locale='ru-RU')`: opened once each, for a login takes a second."""
    opened: dict[Any, Page] = {}

    def open_page(user: str | None = None, locale: str = 'en-US', number: int = 1) -> Page:
        key = (user, locale, number)
        if key not in opened:
            opened[key] = Page(live, browser, user, locale)
        return opened[key]

    yield open_page
    for page in opened.values():
        page.context.close()


@pytest.fixture(scope='module')
def live(site: Site) -> Iterator[Live]:
    with site.serve() as live:
        yield live


@pytest.fixture(scope='module')
def page(live: Live, browser: Any) -> Iterator[Open]:
    with pages(live, browser) as open_page:
        yield open_page


# -- identity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(('user', 'status'), [('manager', None), ('editor', 403), (None, 401)])
def test_the_login_of_the_sites_own_form_is_the_events_identity(page, user, status):
    page = page(user)
    assert page.connect('/back') == (status and {'status': status})
    assert page.connect('/desk') is None
    assert page.call('who') == user
    cleared = page.call('clear')
    assert page.errors() == ([] if user == 'manager' else [DENIED])
    assert (cleared is None) is (user != 'manager')


def test_who_logs_out_is_disconnected(page):
    page = page('editor', number=2)
    page.connect()
    assert page.call('who') == 'editor'
    reason, _ = page.page.evaluate(
        "Promise.all([new Promise(done => socket.on('disconnect', done)), fetch('/socketio/logout').then(String)])"
    )
    assert reason == 'io server disconnect'
    page.page.goto(f'{page.url}/demo')
    page.connect()
    assert page.call('who') is None


# -- the database ------------------------------------------------------------------------------------------------------


def test_an_event_is_a_transaction(live, page):
    manager, visitor = page('manager'), page()
    manager.connect()
    visitor.connect()
    manager.call('clear')
    visitor.call('add', 'buy milk')
    assert manager.call('titles') == ['buy milk'], 'what one event has committed, another sees'
    assert 'buy milk' in manager.get('/demo/todos'), 'and a page too'
    assert visitor.call('add_and_fail', 'buy nothing') is None
    assert visitor.errors() == [['internal_error', 'The server failed to handle "add_and_fail"']]
    assert visitor.call('titles') == ['buy milk'], 'what failed is rolled back'
    assert 'RuntimeError: a secret' in live.log()
    visitor.get('/demo/add?title=buy+bread')
    assert manager.call('titles') == ['buy milk', 'buy bread'], 'what a page has committed, an event sees'


# -- sessions ----------------------------------------------------------------------------------------------------------


def test_a_session_in_a_cookie_can_be_read_and_what_is_written_is_lost_and_logged(live, page):
    """The quickstart's `session.type = cookie`."""
    page = page()
    assert page.get('/socketio/remember?word=page') == 'remembered'
    page.connect()
    assert page.call('recall') == 'page'
    page.call('remember', 'event')
    assert page.call('recall') == 'page'
    assert page.get('/socketio/recall') == 'page'
    live.wait_for_log('WARNI.*tg.session was changed in an event of Desk and that is lost.*session.type = cookie')
    page.call('remember', 'event')
    assert live.log().count('that is lost') == 1


@pytest.fixture(scope='module')
def live_with_sessions_on_disk(site: Site) -> Iterator[Live]:
    site.edit('development.ini', 'session.type = cookie', 'session.type = file')
    with site.serve() as live:
        yield live
    site.edit('development.ini', 'session.type = file', 'session.type = cookie')


def test_a_session_on_the_server_can_be_read_and_written(live_with_sessions_on_disk, browser):
    live = live_with_sessions_on_disk
    with pages(live, browser) as page:
        page, stranger = page(), page(number=2)
        page.get('/socketio/remember?word=page')
        page.connect()
        assert page.call('recall') == 'page'
        page.call('remember', 'event')
        assert page.call('recall') == 'event', 'what one event has written, another reads'
        assert page.get('/socketio/recall') == 'event', 'and a page too'
        page.get('/socketio/remember?word=again')
        assert page.call('recall') == 'again'
        assert 'that is lost' not in live.log()
        stranger.connect()
        stranger.call('remember', 'nothing')
        assert stranger.call('recall') is None
        live.wait_for_log('that is lost.*no session yet; let a page begin it')


# -- languages, addresses, the cache -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('locale', 'greeting'),
    [('ru-RU', 'Ваши приложение успешно запущено'), ('en-US', 'Your application is now running')],
)
def test_an_event_speaks_the_browsers_language(page, locale, greeting):
    page = page(locale=locale)
    page.connect()
    assert page.call('greeting') == greeting


def test_urls_and_the_cache_are_the_sites(live, page):
    page = page()
    page.connect()
    assert page.call('urls') == ['/demo?page=2', f'{live.url}/demo']
    (made, now), (made_again, later) = page.call('cached'), page.call('cached')
    assert made == made_again <= now < later


def test_the_site_goes_on_as_before(live, page):
    """With the debugger and the debug bar that a new site has; and nothing unexpected is in the log."""
    assert 'Logout' in page('manager').get('/demo/protected')
    assert set(re.findall(r'^\w+Error: .*', live.log(), re.MULTILINE)) <= {'RuntimeError: a secret'}


def test_the_sites_own_tests_pass(site):
    """They and gearbox's commands read the same ini."""
    site.run(sys.executable, '-m', 'pytest', '-q', '--no-cov', '-p', 'no:cacheprovider', 'newsite')
    site.run(PROGRAMS / 'gearbox', 'migrate', 'db_version')
