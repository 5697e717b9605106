"""The demo's chat in two pages of a real browser, of two generations: in one process on memory, in two processes on one
Redis.
"""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest

from tests import chromium
from tests.functional.demosite import ON_ANY_PORT, requires_bundles
from tests.live import run
from tests.redisserver import Redis

pytestmark = pytest.mark.browser

ON_REDIS = '# anypubsub.backend = redis'
#: At most 30 characters, as a name.
TRAP = '<img src onerror=t({})>'


@pytest.fixture(
    scope='module',
    params=['memory', pytest.param('redis', marks=pytest.mark.redis)],
    ids=['one process', 'two processes'],
)
def urls(request):
    """Of the two pages."""
    requires_bundles()
    with ExitStack() as stack:
        if request.param == 'memory':
            live = stack.enter_context(run(ON_ANY_PORT))
            yield live.url, live.url
        else:
            pytest.importorskip('redis')
            redis = stack.enter_context(Redis())
            assert ON_ANY_PORT.count(ON_REDIS) == 1
            ini = ON_ANY_PORT.replace(ON_REDIS, f'anypubsub.backend = redis\nanypubsub.port = {redis.port}')
            yield tuple(stack.enter_context(run(ini)).url for _ in range(2))


class Page(chromium.Page):
    def __init__(self, browser, url, client):
        super().__init__(browser)
        self.page.goto(f'{url}/chat/{client}')
        self.page.wait_for_selector('#state[data-state=connected]')

    def enter(self, name, room='lobby'):
        self.page.fill('#name', name)
        self.page.fill('#room', room)
        self.page.click('#enter button')
        self.wait_for('#here', f'{name} (you)')

    def say(self, text):
        self.page.fill('#text', text)
        self.page.press('#text', 'Enter')

    def wait_without(self, where, text):
        self.page.wait_for_function(
            '([where, text]) => !document.querySelector(where).innerText.includes(text)', arg=[where, text]
        )

    def lines(self):
        return [re.sub(r'\s+', ' ', line.inner_text()) for line in self.page.locator('#lines li').all()]


@pytest.fixture
def pages(browser, urls):
    pages = [Page(browser, url, client) for url, client in zip(urls, ('0.9', '3.x'), strict=True)]
    yield pages
    for page in pages:
        page.context.close()
        assert page.troubles == []


def test_two_pages_talk(pages):
    ann, bob = pages
    ann.enter('Ann')
    bob.enter('Bob')
    for page in pages:
        page.wait_for('#here', 'Ann')
        page.wait_for('#here', 'Bob')
    bob.say('<b>hello</b> ❄')
    ann.wait_for('#lines', '<b>hello</b> ❄')
    ann.say('hello yourself')
    for page in pages:
        page.wait_for('#lines', 'hello yourself')
    assert ann.lines() == ['0.9 Ann came', '3.x Bob came', '3.x Bob: <b>hello</b> ❄', '0.9 Ann: hello yourself']
    assert bob.lines() == ann.lines()[1:]


def test_what_others_write_is_no_html(pages):
    ann, bob = pages
    for page, name in zip(pages, (TRAP.format(1), '</li>' + TRAP.format(2)), strict=True):
        page.page.fill('#name', name)
        page.page.click('#enter button')
        page.wait_for('#here', f'{name} (you)')
    bob.say(TRAP.format(3))
    for page in pages:
        page.wait_for('#lines', TRAP.format(3))
        assert page.page.locator('main img').count() == 0
    ann.wait_for('#here', '</li>' + TRAP.format(2))


def test_rooms_are_apart(pages):
    ann, bob = pages
    ann.enter('Ann', 'red')
    bob.enter('Bob', 'blue')
    bob.say('in blue')
    bob.wait_for('#lines', 'in blue')
    bob.page.click('#leave')
    bob.enter('Bob', 'red')
    ann.wait_for('#here', 'Bob')
    assert '3.x Bob: in blue' not in ann.lines()


def test_who_goes_is_here_no_more(pages):
    ann, bob = pages
    ann.enter('Ann')
    bob.enter('Bob')
    ann.wait_for('#here', 'Bob')
    bob.page.click('#leave')
    ann.wait_without('#here', 'Bob')
    ann.say('alone')
    ann.wait_for('#lines', 'Ann: alone')
    assert '0.9 Ann: alone' not in bob.lines()
    bob.enter('Bob')
    ann.wait_for('#here', 'Bob')
    bob.page.close()
    ann.wait_without('#here', 'Bob')


def test_what_is_wrong_is_said_beside_its_field(pages):
    for page in pages:
        page.page.fill('#name', 'x' * 31)
        page.page.fill('#room', 'no room!')
        page.page.click('#enter button')
        page.wait_for('#name-wrong', 'Please write 1 to 30 characters.')
        page.wait_for('#room-wrong', 'Please use up to 20 letters')
        assert page.page.locator('[aria-invalid=true]').count() == 2
        page.enter('Ann')
        assert page.page.locator('.wrong:not(:empty), [aria-invalid]').count() == 0
        page.say('x' * 501)
        page.wait_for('#text-wrong', 'Please write 1 to 500 characters.')
        assert not any('xxx' in line for line in page.lines())
