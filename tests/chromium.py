"""Debian's Chromium, driven by playwright; a test that has none says so in one line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .conftest import requires

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


@contextmanager
def launched() -> Iterator[Any]:
    """playwright's Browser, until the block ends."""
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is missing: pip install -e .[test]')
    path = next(filter(None, map(shutil.which, NAMES)), None) or requires('chromium', 'apt-get install chromium')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()
