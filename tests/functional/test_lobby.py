"""The demo's index, its page for each generation and its workshop, in a real browser."""

from __future__ import annotations

import signal

import pytest

from demo.clients import CLIENTS
from tests import chromium
from tests.functional.demosite import ON_ANY_PORT, requires_bundles
from tests.live import GEARBOX, PATIENCE, run

pytestmark = pytest.mark.browser

NAMES = tuple(CLIENTS)
#: At most 30 characters, as a name.
TRAP = '<img src onerror=t({})>'
PAGES = ('/', '/lobby/2.x', '/chat/1.x', '/workshop/3.x', '/pingpong')


@pytest.fixture(scope='module')
def live():
    requires_bundles()
    with run(ON_ANY_PORT) as live:
        yield live


class Page(chromium.Page):
    """Of the demo, connected."""

    def __init__(self, browser, url, **context):
        super().__init__(browser, **context)
        self.page.goto(url)
        self.wait_until('connected')

    def wait_until(self, state):
        self.page.wait_for_selector(f'[data-state={state}]')

    def fill_in(self, form, **fields):
        for name, value in fields.items():
            self.page.fill(f'{form} [name={name}]', value)
        self.page.click(f'{form} button')


@pytest.fixture
def open_page(browser, live):
    pages = []

    def open_page(path, **context):
        pages.append(Page(browser, live.url + path, **context))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()
        assert page.troubles == []


@pytest.fixture(scope='module')
def index(browser, live):
    index = Page(browser, live.url)
    yield index
    index.context.close()
    assert index.troubles == []


class TestTheLobby:
    @pytest.mark.parametrize('client', NAMES)
    def test_who_comes_is_shown_talks_and_goes(self, index, open_page, client):
        before = int(index.page.inner_text(f'[data-connected="{client}"]'))
        guest = open_page(f'/lobby/{client}')
        guest.fill_in('#naming', name=f'Guest of {client}')
        index.wait_for('#guests tr', f'{client} Guest of {client} websocket')
        index.wait_for(f'[data-connected="{client}"]', str(before + 1))
        guest.wait_for('#guests tr', f'Guest of {client} (you)')
        guest.fill_in('#say', text='héllo ❄')
        index.wait_for('#lines li', f'{client} Guest of {client}: héllo ❄')
        index.fill_in('#say', text=f'welcome, {client}')
        guest.wait_for('#lines li', f'welcome, {client}')
        guest.page.close()
        index.page.wait_for_function(
            'name => !document.getElementById("guests").innerText.includes(name)', arg=f'Guest of {client}'
        )
        index.wait_for(f'[data-connected="{client}"]', str(before))

    @pytest.mark.parametrize('client', ['0.9', '2.x'])
    def test_the_transport_is_chosen_and_shown(self, index, open_page, client):
        guest = open_page(f'/lobby/{client}')
        guest.fill_in('#naming', name=f'Chooser of {client}')
        index.wait_for('#guests tr', f'Chooser of {client}')
        for transport in ('polling', 'websocket'):
            guest.page.select_option('#transport', transport)
            index.wait_for('#guests tr', f'Chooser of {client} {transport}')
            guest.wait_for('#state', f'connected by {transport}')

    def test_what_is_wrong_is_said_beside_its_field(self, open_page):
        page = open_page('/lobby/1.x')
        page.fill_in('#say', text=' ')
        page.wait_for('#text-wrong', 'Please write 1 to 500 characters.')
        page.fill_in('#naming', name='x' * 31)
        page.wait_for('#name-wrong', 'Please write 1 to 30 characters.')
        assert page.page.locator('[aria-invalid=true]').count() == 2
        page.fill_in('#naming', name='x' * 30)
        page.wait_for('#guests tr', 'x' * 30)
        page.page.wait_for_function('() => document.querySelector("#name-wrong").textContent === ""')
        assert page.page.locator('#lines li').count() == 0

    def test_what_others_write_is_no_html(self, open_page):
        writer, reader = open_page('/lobby/3.x'), open_page('/lobby/0.9')
        writer.fill_in('#naming', name=TRAP.format(1))
        writer.fill_in('#say', text='</li><script>t(2)</script>' + TRAP.format(2))
        reader.wait_for('#guests tr', TRAP.format(1))
        reader.wait_for('#lines li', '</li><script>t(2)</script>' + TRAP.format(2))
        assert reader.page.locator('main img, main script').count() == 0

    @pytest.mark.parametrize(('client', 'shown'), [('0.9', '0.9'), ('1.x', '1.x or 2.x'), ('4.x', '3.x or 4.x')])
    def test_the_shown_line_connects(self, index, open_page, client, shown):
        page = open_page(f'/lobby/{client}').page
        line = page.inner_text('.snippet')
        page.evaluate(f"""() => {{ {line}; socket.emit('name', 'By the line of {client}'); }}""")
        index.wait_for('#guests tr', f'{shown} By the line of {client}')

    def test_a_client_that_is_taken_for_another_is_refused(self, open_page):
        page = open_page('/lobby/4.x').page
        refusal = page.evaluate(
            """() => new Promise(done => {
                const options = {path: '/socketio', query: {client: '2.x'}, forceNew: true, transports: ['websocket']};
                const socket = io('/lobby', options);
                socket.on('connect_error', error => done(error.message));
                socket.on('connect', () => done('connected'));
            })"""
        )
        assert refusal == 'This is not how that client speaks'


class TestTheServerGoes:
    def test_ctrl_c_ends_it_quietly_and_pages_come_back_by_themselves(self, browser, live):
        with run(ON_ANY_PORT, GEARBOX) as first:
            pages = [Page(browser, f'{first.url}/lobby/{client}') for client in ('0.9', '4.x')]
            for page in pages:
                page.fill_in('#naming', name='I shall be back')
                page.wait_for('#guests tr', 'I shall be back (you)')
            first.process.send_signal(signal.SIGINT)
            assert first.process.wait(PATIENCE) == 0
            assert 'KeyboardInterrupt' not in first.log()
            assert 'Traceback' not in first.log()
        for page in pages:
            page.wait_until('reconnecting')
            assert page.page.is_disabled('#say button')
        with run(ON_ANY_PORT.replace('port = 0', f'port = {first.port}')):
            for page in pages:
                page.wait_until('connected')
                page.wait_for('#guests tr', 'I shall be back (you)')
            old, new = pages
            new.fill_in('#say', text='here again')
            old.wait_for('#lines li', 'here again')
            for page in pages:
                page.context.close()


class TestTheWorkshop:
    @pytest.mark.parametrize('client', ['0.9', '4.x'])
    def test_each_thing_works(self, open_page, client):
        page = open_page(f'/workshop/{client}')
        page.fill_in('#reserve', name='', table='13')
        page.wait_for('#name-wrong', 'Please write 1 to 30 characters.')
        page.wait_for('#table-wrong', 'We have the tables 1 to 12.')
        page.fill_in('#reserve', name='Ann', table='12')
        page.wait_for('#reserve output', 'Table 12 is kept for Ann.')
        page.page.click('#door [value=enter]')
        page.wait_for('#door .wrong', 'You do not have access to method "on_enter"')
        page.page.click('#door [value=knock]')
        page.wait_for('#door output', 'The door is open now.')
        page.page.click('#door [value=enter]')
        page.wait_for('#door output', 'Come in!')
        page.fill_in('#measure', text='añb')
        page.wait_for('#measure output', 'bña: 3 characters')
        page.page.click('#look button')
        page.wait_for('#look output', 'Your page says that it is 1280 pixels wide.')
        page.page.click('#fail button')
        page.wait_for('#fail .wrong', 'The server failed to handle "fail"')
        if client != '0.9':
            page.page.click('#mirror button')
            page.page.wait_for_function('() => document.querySelector("#mirror output").textContent')
            sent, mirrored = page.page.inner_text('#mirror output').split('\n')
            assert mirrored.split() == sent.split()[::-1]
            assert len(sent.split()) == 8


class TestEveryPage:
    @pytest.mark.parametrize('path', PAGES)
    def test_it_fits_a_phone_and_has_a_name_for_everything(self, open_page, path):
        page = open_page(path, viewport={'width': 390, 'height': 844}).page
        assert page.evaluate('document.documentElement.scrollWidth') == 390
        nameless = page.evaluate(
            """[...document.querySelectorAll('a, button, input, select, section, nav, [role=log], [tabindex]')]
                .filter(e => !(e.textContent.trim() && e.matches('button, a')) && !e.labels?.length
                    && !e.ariaLabel && !e.getAttribute('aria-labelledby'))
                .map(e => e.outerHTML)"""
        )
        assert nameless == []
        assert page.locator('h1').count() == 1

    def test_there_is_no_sixth_client(self, index, live):
        assert index.page.request.get(f'{live.url}/lobby/5.x').status == 404
