"""A plugin of tests/conftest.py: Debian's Chromium, driven by playwright; a test that has none says so in one line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import requires
from .live import PATIENCE

#: What playwright would otherwise download.
NAMES = ('chromium', 'chromium-browser', 'google-chrome')
ARGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
]


@pytest.fixture(scope='module')
def browser() -> Iterator[Any]:
    """playwright's Browser."""
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is missing: pip install -e .[test]')
    path = next(filter(None, map(shutil.which, NAMES)), None) or requires('chromium', 'apt-get install chromium')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


class Page:
    """playwright's `page` in a `context` of its own; `troubles` is whatever a browser complains about."""

    def __init__(self, browser: Any, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on('console', lambda said: said.type in ('error', 'warning') and self.troubles.append(said.text))
        self.page.on('pageerror', lambda error: self.troubles.append(str(error)))

    def wait_for(self, where: str, text: str) -> None:
        """Until an element that the selector `where` finds shows the text; white space is folded."""
        self.page.wait_for_function(
            """([where, text]) => [...document.querySelectorAll(where)].some(
                one => one.innerText.replace(/\\s+/g, ' ').includes(text))""",
            arg=[where, text],
        )
