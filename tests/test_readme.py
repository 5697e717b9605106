"""The README says what is so: its tables, the names in it, and that it is RST at all."""

from __future__ import annotations

import io
import re
from importlib import import_module
from importlib.metadata import entry_points

import pytest
from docutils import nodes
from docutils.core import publish_doctree

import tgsio_middleware
from tests import readme
from tests.functional.table import FEATURES, PAIRS
from tests.live import ROOT
from tgsio_middleware.settings import OPTIONS

TEXT = readme.README.read_text()
SOURCES = {path: path.read_text() for path in (ROOT / 'tgsio_middleware').rglob('*.py')}
#: Of each name in the table of what one writes, who has it; those of the examples are the reader's own.
HOMES = ('BaseNamespace', 'RoomsMixin', 'BroadcastMixin', 'SocketIOTGNamespace')
EXAMPLES = {'on_user_message', 'on_x', 'self', 'text', 'packet', 'fn'}
#: What a site defines and the package looks for.
HOOKS = {'exception_handler_decorator', 'socket'}


@pytest.fixture(scope='module')
def document():
    """docutils' tree; whatever docutils has to say of the text is a failure."""
    said = io.StringIO()
    tree = publish_doctree(TEXT, settings_overrides={'warning_stream': said, 'report_level': 1})
    assert said.getvalue() == ''
    return tree


def rows(document, section):
    """The texts of the cells of the first table in a section, without its head."""
    (found,) = (s for s in document.findall(nodes.section) if s[0].astext() == section)
    table = next(iter(found.findall(nodes.table)))
    return [[cell for cell in row.children] for row in table.next_node(nodes.tbody).children]


def literals(node):
    return [literal.astext() for literal in node.findall(nodes.literal)]


def test_it_is_valid_rst(document):
    assert [
        s[0].astext() for s in document.findall(nodes.section) if s.parent is document or s.parent.parent is document
    ]


@pytest.mark.parametrize('name', readme.TABLES)
def test_a_table_is_up_to_date(name):
    """`python -m tests.readme` writes it."""
    (found,) = readme.place(name).finditer(TEXT)
    assert found[2] == readme.TABLES[name]()


def test_the_table_of_settings_is_complete(document):
    table = rows(document, 'Settings')
    assert [cells[0].astext() for cells in table] == [option.name for option in OPTIONS]
    assert all(cell.astext() for cells in table for cell in cells)


def test_a_default_of_the_table_is_what_an_ini_may_say(document):
    for cells, option in zip(rows(document, 'Settings'), OPTIONS, strict=True):
        said = '' if cells[1].astext() == '(empty)' else cells[1].astext()
        assert option.cast(said) == option.cast(option.default)


def test_every_row_of_the_table_of_clients_is_proven_by_a_test_and_no_other():
    tests = ''.join(path.read_text() for path in (ROOT / 'tests' / 'functional').glob('test_*.py'))
    assert set(re.findall(r"@covers\('(\w+)'", tests)) == set(FEATURES)


def test_every_client_and_transport_is_in_the_table_of_clients():
    assert {pair for feature in FEATURES.values() for pair in feature.pairs} == set(PAIRS)


def test_every_import_of_the_examples_works():
    imports = re.findall(r'^ +from (tgsio_middleware[\w.]*) import (.+)$', TEXT, re.M)
    assert imports
    for module, names in imports:
        for name in names.split(','):
            assert hasattr(import_module(module), name.strip()), f'{module} has no {name}'


def test_every_name_that_one_writes_exists(document):
    homes = [getattr(tgsio_middleware, home) for home in HOMES]
    table = rows(document, 'Namespaces')
    names = {
        name
        for cells in table
        for literal in literals(cells[0])
        for name in re.findall(r'\b[a-z_]\w*(?=\()|^\w+$', literal)
    }
    assert len(names) > 15
    for name in names - EXAMPLES - HOOKS:
        assert hasattr(tgsio_middleware, name) or any(hasattr(home, name) for home in homes), name


def test_every_class_of_the_package_that_is_named_exists(document):
    known = set(tgsio_middleware.__all__)
    for literal in literals(document):
        for name in re.findall(r'^[A-Z]\w+(?:Error|Mixin|Namespace|Middleware|Refused)$', literal):
            assert name in known or any(f'class {name}(' in source for source in SOURCES.values()), name


def test_every_error_of_the_table_is_told_by_the_package(document):
    (section,) = (s for s in document.findall(nodes.section) if s[0].astext() == 'Namespaces')
    table = list(section.findall(nodes.table))[1]
    names = [literals(row.children[0])[0] for row in table.next_node(nodes.tbody).children]
    assert len(names) > 5
    for name in names:
        assert any(f"'{name}'" in source for source in SOURCES.values()), name


def test_every_key_of_the_inis_is_a_setting(document):
    known = {option.name for option in OPTIONS} | {'use', 'host', 'port', 'pipeline', 'certfile', 'keyfile'}
    inis = [block.astext() for block in document.findall(nodes.literal_block) if '[filter:' in block.astext()]
    assert inis
    assert set(re.findall(r'^(\w+) =', '\n'.join(inis), re.M)) <= known
    for group in 'paste.filter_factory', 'paste.server_factory':
        assert {'main', 'socketio'} <= {
            point.name for point in entry_points(group=group, module='tgsio_middleware.paste')
        }


def test_every_make_target_exists():
    targets = set(re.findall(r'(?:``| {4})make (\w+)', TEXT))
    made = set(re.findall(r'^(\w+):', (ROOT / 'Makefile').read_text(), re.M))
    assert targets
    assert targets <= made


def test_every_file_that_is_named_exists(document):
    files = [literal for literal in literals(document) if re.fullmatch(r'[\w./]+/\w+\.(py|js|ini)', literal)]
    files = [file for file in files if not file.startswith('newsite/')]  # the reader's
    assert files
    for file in files:
        assert (ROOT / file).exists() or (ROOT / 'tgsio_middleware' / file).exists(), file
