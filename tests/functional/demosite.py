"""The demo, as its own ini serves it."""

from __future__ import annotations

import re

from demo import clients
from tests.conftest import missing
from tests.live import ROOT

ON_ANY_PORT = re.sub(r'(?m)^port = \d+$', 'port = 0', (ROOT / 'demo' / 'development.ini').read_text())


def requires_bundles() -> None:
    """Skips (with CI set: fails) unless npm has brought the clients: without, the pages ask a CDN for them."""
    if clients.from_cdn():
        missing("the demo's JavaScript clients", 'npm ci --prefix demo --ignore-scripts')
