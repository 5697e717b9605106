"""Fails loudly when TurboGears renames a private name that the package uses, and when the package uses one unlisted.

No module of the package is imported here: their sources are read.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import tg.configurator.components.dispatch
import tg.i18n
import tg.support.registry
import tg.validation
import tg.wsgiapp
from beaker.session import SessionObject
from crank.objectdispatcher import ObjectDispatcher
from tg import TGController, request_local
from tg.controllers.decoratedcontroller import DecoratedController
from tg.decorators import Decoration

from tests.live import ROOT

SOURCES = sorted(Path(ROOT, 'tgsio_middleware', 'turbogears').glob('*.py'))


def application() -> tg.wsgiapp.TGApp:
    """A TGApp of the least configuration."""
    return tg.wsgiapp.TGApp({'package_name': 'none', 'tg.strict_tmpl_context': True})


def request() -> request_local.Request:
    """A request as TGApp prepares it."""
    environ = request_local.Request.blank('/').environ
    environ['paste.registry'] = tg.support.registry.Registry()
    environ['paste.registry'].prepare()
    _, context, _ = application()._setup_app_env(environ)
    environ['paste.registry'].cleanup()
    return context.request


#: name -> what has it, made when the test runs
HOLDERS = {
    'requirements': lambda: Decoration(None),
    'validations': lambda: Decoration(None),
    'hooks': lambda: Decoration(None),
    'controller_caller': lambda: Decoration(None),
    'get_decoration': lambda: Decoration,
    '_perform_validate': lambda: DecoratedController,
    '_process_validation_errors': lambda: DecoratedController,
    '_check_security': lambda: DecoratedController,
    '_hooks': lambda: tg.hooks,
    '_call_controller': lambda: tg.configurator.components.dispatch,
    '_dispatch_controller': lambda: ObjectDispatcher,
    '____local__': lambda: vars(request_local.context),
    '_push_object': lambda: request_local.context,
    '_pop_object': lambda: request_local.config,
    '_current_obj': lambda: request_local.request,
    'wrapped_dispatch': application,
    'globals': application,
    'lang': application,
    'strict_tmpl_context': application,
    'resp_options': application,
    'decode_json_params': application,
    'RequestLocals': lambda: tg.wsgiapp,
    'TemplateContext': lambda: tg.wsgiapp,
    'AttribSafeTemplateContext': lambda: tg.wsgiapp,
    'Registry': lambda: tg.support.registry,
    '_get_translator': lambda: tg.i18n,
    '_ValidationStatus': lambda: tg.validation,
    '_func': lambda: tg.validation.Convert(int),
    '_sess': lambda: vars(SessionObject({})),
    '_language': request,
    '_response_type': request,
    '_decode_json_params': request,
}


@pytest.mark.parametrize('name', HOLDERS)
def test_turbogears_still_has_the_name(name):
    holder = HOLDERS[name]()
    assert name in holder if isinstance(holder, dict) else hasattr(holder, name)


@pytest.mark.parametrize(
    ('function', 'parameters'),
    [
        (DecoratedController._perform_validate, ['controller', 'params', 'context']),
        (
            DecoratedController._process_validation_errors,
            ['controller', 'remainder', 'params', 'exception', 'context'],
        ),
        (TGController._dispatch_controller, ['self', 'current_path', 'controller', 'state', 'remainder']),
        (tg.i18n._get_translator, ['lang', 'tgl', 'tg_config']),
        (request_local.context._push_object, ['obj']),
        (request_local.context._pop_object, ['obj']),
    ],
)
def test_turbogears_still_calls_it_so(function, parameters):
    assert [p for p in inspect.signature(function).parameters if p != 'kwargs'] == parameters


def test_a_decoration_keeps_requirements_and_validations_in_lists():
    decoration = Decoration(None)
    assert decoration.requirements == [] and decoration.validations == []
    assert {'before_validate', 'before_call'} <= set(decoration.hooks)


def test_a_requirement_is_registered_as_a_hook_whose_self_it_is():
    """By that `guard` tells requirements from hooks."""

    @tg.require(tg.predicates.not_anonymous())
    def handler(self):
        pass

    decoration = handler.decoration
    assert [hook.__self__ for hook in decoration.hooks['before_call']] == decoration.requirements


def test_request_locals_have_the_slots_that_are_filled_late():
    slots = {'response', 'tmpl_context', 'translator', 'request', 'app_globals', 'config', 'session', 'cache'}
    assert slots <= set(tg.wsgiapp.RequestLocals.__slots__)


def named(source: str) -> set[str]:
    """All that a module names: attributes, imports, and words in quotation marks."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


#: Private names that the package defines itself.
OWN = set(re.findall(r'(?:def|class|self\.) ?(_\w+)', ''.join(path.read_text() for path in SOURCES))) | {'_tgsio_hub'}


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: path.name)
def test_every_private_name_that_a_module_uses_is_listed_in_its_docstring(path):
    source = path.read_text()
    said = ast.get_docstring(ast.parse(source)) or ''
    private = {name for name in named(source) if re.fullmatch(r'_\w*[a-z]_*', name) and not name.endswith('__')}
    private |= named(source) & {'____local__'}
    private -= (OWN - set(HOLDERS)) | {'_current_obj'}  # of the last TurboGears' manual tells its users
    assert [name for name in sorted(private) if f'{name}`' not in said] == []


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: path.name)
def test_every_name_that_a_docstring_lists_is_tested_here(path):
    said = ast.get_docstring(ast.parse(path.read_text())) or ''
    listed = re.findall(r'`[\w.]*?(\w+)`', said.partition('Private name')[2])
    assert sorted(set(listed) - set(HOLDERS)) == []
