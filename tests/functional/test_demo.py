"""The demo's PingPong in a real browser: both clients at one table, as its own ini serves them."""

from __future__ import annotations

import base64
import hashlib
import inspect
import re
from pathlib import Path

import pytest

from demo import clients
from demo.pingpong import PingPong
from tests import chromium
from tests.functional.demosite import ON_ANY_PORT, requires_bundles
from tests.live import RUN, run

WITHOUT_NPM = 'import pathlib, demo.clients; demo.clients.NODE_MODULES = pathlib.Path("nowhere")'
SIDES = ('new', 'old')
OTHER = {'new': 'old', 'old': 'new'}
AS_OTHERS_SEE = {'new': '3.x, 4.x', 'old': '0.9'}
ERROR_LINE = 'invalid_method_args attack: Got an error!'

pytestmark = pytest.mark.browser


@pytest.fixture(scope='module')
def live():
    requires_bundles()
    with run(ON_ANY_PORT) as live:
        yield live


class Table(chromium.Page):
    """The page, opened."""

    def __init__(self, browser, url, routes=None, **context):
        super().__init__(browser, **context)
        for pattern, handler in (routes or {}).items():
            self.context.route(pattern, handler)
        self.page.goto(f'{url}/pingpong')
        self.wait_until_connected()

    def wait_until_connected(self):
        for side in SIDES:
            self.page.wait_for_selector(f'#{side}[data-state=connected]')
            self.page.wait_for_function(
                'side => /player/.test(document.querySelector(side).textContent)', arg=f'#{side} .facts'
            )

    def over(self, side, transport):
        """Waits until the side says that it talks over the transport."""
        self.page.wait_for_selector(f'#{side} [data-show=state]:text-matches("(by|to) {transport}$")')

    def attack(self, side, kind):
        self.page.click(f'#{side} [data-attack={kind}]')

    def lines(self, side):
        """The side's log: `→ ping fireball`, without what is for screen readers."""
        lines = self.page.locator(f'#{side} .log li').all()
        return [re.sub(r'\s+', ' ', re.sub(r'\b(sent|received)\s', '', line.inner_text())).strip() for line in lines]

    def wait_for_line(self, side, text):
        self.wait_for(f'#{side} .log li', text)

    def player(self, side):
        return self.page.inner_text(f'#{side} [data-show=player]')

    def score(self):
        return [int(self.page.inner_text(f'#score-{side}')) for side in SIDES]


@pytest.fixture
def table(browser, live):
    tables = []

    def open_table(**context):
        tables.append(Table(browser, live.url, **context))
        return tables[-1]

    yield open_table
    for opened in tables:
        opened.context.close()
        assert opened.troubles == []


class TestThePlay:
    @pytest.mark.parametrize('side', SIDES)
    def test_a_ping_is_answered_once_and_seen_by_the_other(self, table, side):
        page = table()
        before = page.score()
        page.attack(side, 'ping')
        page.wait_for_line(side, 'pong pong')
        page.wait_for_line(OTHER[side], f'seen {page.player(side)} ({AS_OTHERS_SEE[side]}): ping')
        assert page.lines(side) == ['→ ping ping', '← pong pong']
        page.page.wait_for_function('document.querySelectorAll("#feed li .mark").length === 2')
        assert [a - b for a, b in zip(page.score(), before, strict=True)] == [side == 'new', side == 'old']

    @pytest.mark.parametrize('side', SIDES)
    def test_a_fireball_is_ten_bangs(self, table, side):
        page = table()
        page.attack(side, 'fireball')
        page.wait_for_line(side, 'pong bang! ×10')
        page.wait_for_line(OTHER[side], 'fireball')
        assert page.lines(side) == ['→ ping fireball', '← pong bang! ×10']

    @pytest.mark.parametrize('side', SIDES)
    def test_auto_is_one_of_both(self, table, side):
        page = table()
        page.attack(side, 'auto')
        page.wait_for_line(OTHER[side], 'seen')
        chosen = page.lines(OTHER[side])[0].rpartition(': ')[2]
        answer = {'ping': 'pong pong', 'fireball': 'pong bang! ×10'}[chosen]
        page.wait_for_line(side, answer)
        assert page.lines(side) == ['→ ping auto', f'← {answer}']

    @pytest.mark.parametrize('side', SIDES)
    def test_an_error_reaches_its_sender_alone(self, table, side):
        page = table()
        page.attack(side, 'error')
        page.wait_for_line(side, ERROR_LINE)
        page.attack(side, 'ping')  # what comes after it works, and is the first that the other sees
        page.wait_for_line(OTHER[side], 'seen')
        assert page.lines(side)[:2] == ['→ ping error', f'← {ERROR_LINE}']
        assert page.lines(OTHER[side]) == [f'← seen {page.player(side)} ({AS_OTHERS_SEE[side]}): ping']

    def test_another_tab_watches(self, table):
        here, there = table(), table()
        there.attack('new', 'ping')
        for side in SIDES:
            here.wait_for_line(side, f'seen {there.player("new")} (3.x, 4.x): ping')

    def test_the_answer_to_an_attack_is_timed(self, table):
        page = table()
        for side in SIDES:
            page.attack(side, 'ping')
            page.page.wait_for_function(
                'side => / ms$/.test(document.querySelector(side).textContent)', arg=f'#{side} [data-show=trip]'
            )


class TestConnections:
    def test_both_talk_over_websockets(self, table):
        page = table()
        for side in SIDES:
            page.over(side, 'websocket')

    @pytest.mark.parametrize(('side', 'transport'), [('new', 'polling'), ('new', 'websocket'), ('old', 'polling')])
    def test_a_transport_can_be_chosen(self, table, side, transport):
        page = table()
        earlier = page.player(side)
        page.page.select_option(f'#{side} select', transport)
        page.page.wait_for_function(
            '([side, earlier]) => document.querySelector(side).textContent !== earlier',
            arg=[f'#{side} [data-show=player]', earlier],
        )
        page.over(side, transport)
        page.attack(side, 'fireball')
        page.wait_for_line(side, 'pong bang! ×10')
        page.attack(side, 'error')
        page.wait_for_line(side, ERROR_LINE)
        page.attack(OTHER[side], 'ping')
        page.wait_for_line(side, f'seen {page.player(OTHER[side])}')

    def test_a_reload_reconnects_and_keeps_the_score(self, table):
        page = table()
        page.attack('old', 'ping')
        page.wait_for_line('new', 'seen')
        score, players = page.score(), {page.player(side) for side in SIDES}
        page.page.reload()
        page.wait_until_connected()
        assert page.score() == score
        assert players.isdisjoint(page.player(side) for side in SIDES)
        page.attack('new', 'ping')
        page.wait_for_line('old', 'seen')


class TestThePage:
    def test_it_shows_the_namespace_that_runs(self, table):
        shown = table().page.inner_text('.code pre')
        assert shown.split() == inspect.getsource(PingPong).split()

    @pytest.mark.parametrize(('width', 'beside', 'scheme'), [(1440, True, 'light'), (390, False, 'dark')])
    def test_it_fits_the_screen(self, table, tmp_path, width, beside, scheme):
        page = table(viewport={'width': width, 'height': 900}, color_scheme=scheme)
        for side in SIDES:
            page.attack(side, 'error')
            page.attack(side, 'fireball')
            page.wait_for_line(side, '×10')
        new, old = (page.page.locator(f'#{side}').bounding_box() for side in SIDES)
        assert (new['y'] == old['y'] and new['x'] < old['x']) is beside
        assert page.page.evaluate('document.documentElement.scrollWidth') == width
        shot = tmp_path / f'demo-{width}-{scheme}.png'
        page.page.screenshot(path=shot, full_page=True)
        assert shot.stat().st_size > 20_000

    def test_it_is_played_by_keyboard(self, table):
        page = table()
        page.page.focus('#new select')
        page.page.keyboard.press('Tab')
        page.page.keyboard.press('Enter')
        page.wait_for_line('new', 'pong pong')

    def test_who_wants_no_motion_sees_none(self, table):
        page = table(reduced_motion='reduce')
        page.attack('new', 'fireball')
        page.wait_for_line('new', '×10')
        assert page.page.locator('.ball').count() == 0


class TestWithoutNpm:
    @pytest.mark.parametrize('client', clients.CLIENTS.values(), ids=clients.CLIENTS)
    def test_the_cdn_is_held_to_the_same_bytes(self, live, client):
        digest = hashlib.sha384(client.file.read_bytes()).digest()
        assert client.integrity == 'sha384-' + base64.b64encode(digest).decode()

    def test_it_plays_with_the_clients_of_the_cdn(self, browser, live):
        """The CDN is played here: the browser holds the page's policy, integrity and origin against what it answers."""
        loaded = []

        def cdn(route):
            client = next(client for client in clients.CLIENTS.values() if f'/{client.package}/' in route.request.url)
            loaded.append(client.name)
            headers = {'access-control-allow-origin': '*', 'content-type': 'application/javascript'}
            route.fulfill(body=client.file.read_bytes(), headers=headers)

        with run(ON_ANY_PORT, WITHOUT_NPM + RUN) as bare:
            table = Table(browser, bare.url, routes={clients.CDN + '/**': cdn})
            table.attack('old', 'fireball')
            table.wait_for_line('old', '×10')
            table.context.close()
        assert (sorted(loaded), table.troubles) == (['0.9', '4.x'], [])

    def test_the_page_names_the_cdn(self, monkeypatch):
        monkeypatch.setattr(clients, 'NODE_MODULES', Path('nowhere'))
        assert clients.from_cdn()
        assert clients.CLIENTS['2.x'].src == 'https://cdn.jsdelivr.net/npm/socket.io-client@2.5.0/dist/socket.io.js'
