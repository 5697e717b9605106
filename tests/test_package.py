"""The root of the package: lazy, so that a server can patch the process before `tg` is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tgsio_middleware

PURE = [
    'tgsio_middleware.errors',
    'tgsio_middleware.packet',
    'tgsio_middleware.settings',
    'tgsio_middleware.wire.negotiate',
]


def imported_by(statement: str) -> set[str]:
    """The modules of a fresh interpreter after `statement`."""
    program = f'import sys\n{statement}\nprint(*sys.modules, sep="\\n")'
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith('COV')}  # it imports gevent
    command = [sys.executable, '-c', program]
    return set(subprocess.run(command, env=unmeasured, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize('module', ['tgsio_middleware', 'tgsio_middleware.paste', *PURE])
def test_neither_tg_nor_gevent_is_imported(module):
    assert not imported_by(f'import {module}') & {'tg', 'gevent', 'gevent.monkey', 'webob'}


@pytest.mark.parametrize(
    'module', ['server', 'middleware', 'namespace', 'mixins', 'engine.socket', 'transports.polling']
)
def test_the_engine_does_not_import_tg(module):
    assert not imported_by(f'import tgsio_middleware.{module}') & {'tg', 'webob'}


@pytest.mark.parametrize('module', PURE)
def test_the_wire_knows_neither_sockets_nor_clocks_nor_threads(module):
    """`import socket` inside the standard library itself does not count, so this looks at the module's own names."""
    code = f'import types, {module} as m; print(*(k for k, v in vars(m).items() if isinstance(v, types.ModuleType)))'
    names = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.split()
    assert not {'socket', 'time', 'threading', 'gevent', 'tg'} & set(names)


def test_nothing_is_patched_by_an_import():
    code = (
        'import tgsio_middleware.middleware, tgsio_middleware.server, tgsio_middleware.paste\n'
        'from gevent import monkey; print(monkey.is_module_patched("socket"))'
    )
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout == 'False\n'


@pytest.mark.parametrize('name', tgsio_middleware.__all__)
def test_a_public_name(name):
    value = getattr(tgsio_middleware, name)
    assert value.__name__ == name
    assert vars(tgsio_middleware)[name] is value
    assert name in dir(tgsio_middleware)


def test_the_paths_of_the_original():
    from tgsio_middleware.mixins import BroadcastMixin, RoomsMixin
    from tgsio_middleware.namespace import BaseNamespace

    assert tgsio_middleware.BaseNamespace is BaseNamespace
    assert tgsio_middleware.RoomsMixin is RoomsMixin
    assert tgsio_middleware.BroadcastMixin is BroadcastMixin


def test_a_name_that_is_none():
    with pytest.raises(AttributeError, match="has no attribute 'Nope'"):
        _ = tgsio_middleware.Nope


def test_all_names_are_lazy_and_all_lazy_names_public():
    assert set(tgsio_middleware.__all__) == set(tgsio_middleware._HOMES)


def test_type_checkers_are_told_that_there_are_types():
    assert Path(tgsio_middleware.__file__).with_name('py.typed').exists()


def test_there_is_a_version():
    assert tgsio_middleware.__version__.count('.') == 2
