"""Namespaces of two packages with one import name, on a controller: told when the class is made."""

from __future__ import annotations

import logging

import pytest

from tgsio_middleware import SocketIOController, paste
from tgsio_middleware.engine import adoption
from tgsio_middleware.errors import ConfigurationError

BASE = type('BaseNamespace', (), {'__module__': 'socketio.base_namespace', 'trigger_event': None})
THEIRS = type('Namespace', (BASE,), {'__module__': 'socketio.namespace'})
NEWS = type('News', (THEIRS,), {'__module__': 'site.news'})
CLIENT = type('Client', (), {'__module__': 'socketio.client'})


@pytest.mark.parametrize('value', [NEWS, NEWS()])
def test_a_namespace_of_python_socketio(value):
    with pytest.raises(ConfigurationError, match=r'site\.news\.News is a namespace of python-socketio'):
        type('SocketIO', (SocketIOController,), {'news': value})


@pytest.mark.parametrize('value', [CLIENT, CLIENT(), 'socketio', None])
def test_its_other_things_are_no_concern_of_ours(value):
    type('SocketIO', (SocketIOController,), {'client': value})


@pytest.mark.parametrize(('trouble', 'lines'), [(None, []), ('both are installed', ['both are installed'])])
def test_the_start_warns_once(trouble, lines, monkeypatch, caplog):
    monkeypatch.setattr(adoption, 'trouble', lambda: trouble)
    paste._look_for_trouble.cache_clear()
    with caplog.at_level(logging.WARNING):
        paste.filter_factory({})
        paste.filter_factory({})
    assert [record.getMessage().partition(': ')[2] for record in caplog.records] == lines
    paste._look_for_trouble.cache_clear()
