"""Servers that the tests of a module share: ours, and gevent's as it comes."""

from __future__ import annotations

import pytest

from .client import serve


@pytest.fixture(scope='module', params=['ours', 'stock'])
def port(request):
    """A server with every setting's default."""
    with serve(request.param) as live:
        yield live.port


@pytest.fixture(scope='module', params=['ours', 'stock'])
def hasty(request):
    """A server that is impatient with the silent and the large."""
    with serve(
        request.param,
        ping_interval=0.2,
        ping_timeout=0.2,
        connect_timeout=0.3,
        upgrade_timeout=0.3,
        max_payload=1000,
        max_buffered=200_000,
    ) as live:
        yield live.port
