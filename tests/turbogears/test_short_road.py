"""When an event takes the short road: where none of TurboGears' steps would do anything. See `test_guard`."""

from __future__ import annotations

import pytest
from tg import hooks, require
from tg.configurator.components.dispatch import _call_controller
from tg.predicates import not_anonymous

from tgsio_middleware.turbogears.guard import is_bare

CONFIG = {'controller_caller': _call_controller}


def handler(self):
    pass


def test_a_function_without_decorators():
    assert is_bare(handler, CONFIG)


def test_a_decorator():
    @require(not_anonymous())
    def decorated(self):
        pass

    assert not is_bare(decorated, CONFIG)


def test_a_controller_wrapper_about_all():
    assert not is_bare(handler, {'controller_caller': lambda *args: None})


@pytest.mark.parametrize('name', ['before_validate', 'before_call'])
def test_a_hook_about_all(name, monkeypatch):
    monkeypatch.setitem(hooks._hooks, name, [print])
    assert not is_bare(handler, CONFIG)
    monkeypatch.setitem(hooks._hooks, name, [])
    assert is_bare(handler, CONFIG)


def test_a_hook_about_something_else(monkeypatch):
    monkeypatch.setitem(hooks._hooks, 'before_render', [print])
    assert is_bare(handler, CONFIG)
