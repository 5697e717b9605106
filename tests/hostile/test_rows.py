"""What was exploited in servers like this one, and the tests that prove this one immune."""

from __future__ import annotations

import ast
import re

import pytest

from tests.live import ROOT

#: what was exploited: the tests (file, and what their names hold)
ROWS = {
    'CVE-2017-16031 guessed sids': ['hostile/test_sid.py::million', 'hostile/test_sid.py::random'],
    'CVE-2020-28481 CORS *': ['transports/test_origin.py::star', 'transports/test_origin.py::foreign_page'],
    'cross-site websockets': [
        'transports/test_origin.py::websocket_of_a_foreign_page',
        'transports/test_origin.py::0_9',
    ],
    'CVE-2020-36048, -36049 large bodies': [
        'hostile/test_http.py::body_without_end',
        'hostile/test_bounds.py::crosses',
    ],
    'CVE-2022-21676, -41940, CVE-2023-31125 crafted requests': [
        'hostile/test_http.py::any_request',
        'hostile/test_http.py::any_bytes',
        'hostile/test_http.py::middle_of_its_handshake',
        'transports/test_upgrade.py::second_probe',
    ],
    'CVE-2022-2421, CVE-2023-32695 placeholders, names': [
        'hostile/test_names.py::no_name',
        'hostile/test_names.py::placeholders',
        'hostile/test_names.py::any_json',
        'wire/test_dialect.py::any_json',
        'wire/test_dialect.py::any_placeholder',
    ],
    'CVE-2024-38355 reserved names': ['hostile/test_names.py::reserved'],
    'CVE-2026-33151, -48804 attachments': [
        'hostile/test_bounds.py::number_of_attachments',
        'hostile/test_bounds.py::attachments_before',
        'hostile/test_bounds.py::crosses',
        'wire/test_conversation.py::do_not_come_in_time',
    ],
    'CVE-2026-48802 a thread for each connect and PONG': [
        'hostile/test_floods.py::control_frames',
        'hostile/test_floods.py::heartbeats',
        'hostile/test_floods.py::nobody_goes_on_with',
    ],
    'CVE-2025-61765 pickle on the bus': ['bus/test_adapter.py::no_message', 'hostile/test_rows.py::nothing_executes'],
    'ws CVE-2016-10542, 2024-37890, 2026-48779, 2026-45736; CVE-2021-32640': [
        'wire/test_frames.py::length_is_believed',
        'wire/test_frames.py::without_a_mask',
        'wire/test_frames.py::reserved_bits',
        'wire/test_frames.py::control_frame_is_short',
        'wire/test_frames.py::invalid_utf8',
        'wire/test_frames.py::close_code',
        'hostile/test_floods.py::million_fragments',
        'hostile/test_http.py::flood_of_headers',
        'hostile/test_http.py::took_others_minutes',
    ],
    'permessage-deflate bomb': ['hostile/test_http.py::no_compression'],
    'JSONP injection': [
        'wire/test_padding.py::hostile_text',
        'wire/test_padding.py::all_else_is_refused',
        'transports/test_jsonp.py::index_is_digits',
        'transports/test_jsonp.py::off_by_default',
    ],
    'a sid out of a log': ['hostile/test_sid.py::only_the_sid', 'hostile/test_sid.py::another_page'],
    'overlapping polls': ['hostile/test_polls.py::overlap'],
    'handshakes in waiting': ['hostile/test_bounds.py::let_in_nowhere', 'hostile/test_bounds.py::clients_an_address'],
    'subscriptions of the denied': ['test_pubsub.py::refused_never_hears'],
    'events that reach methods': ['hostile/test_names.py::anything_but_a_handler', 'test_namespace.py::no_name'],
    'CVE-2023-41419, CVE-2024-1135, -6827 smuggling': [
        'hostile/test_http.py::two_framings',
        'hostile/test_http.py::trailers',
        'hostile/test_rows.py::gevent',
    ],
    'CVE-2020-35681 mixed scopes': ['hostile/test_sid.py::each_others_identity', 'turbogears/test_context.py::overlap'],
    'CVE-2022-42975 wildcard origins': ['transports/test_origin.py::looks_like_a_friend'],
    'CVE-2020-7693 Upgrade on any URL': ['hostile/test_http.py::upgrade_on_every'],
    'forwarded headers': ['transports/test_origin.py::forwarded'],
    'no traceback, no line for each': ['hostile/test_floods.py::garbage_leaves', 'hostile/test_http.py::any_bytes'],
    'a refusal in the dialect and a line': [
        'functional/test_refusals.py::told_why',
        'hostile/test_bounds.py::own_words|crosses',
    ],
    'a bound for everything': ['hostile/test_bounds.py::crosses', 'hostile/test_rows.py::every_bound'],
    'slow consumers': ['hostile/test_slow_consumers.py::deaf', 'hostile/test_bounds.py::slow'],
    'gone everywhere, told once': ['engine/test_leaving.py::exactly_once', 'engine/test_leaving.py::gone_everywhere'],
}


@pytest.mark.parametrize('row', ROWS)
def test_every_row_has_its_tests(row):
    for place in ROWS[row]:
        file, _, part = place.partition('::')
        names = re.findall(r'def (test_\w+)', (ROOT / 'tests' / file).read_text())
        assert any(re.search(part, name) for name in names), place


def test_every_bound_has_a_test():
    """Those that end a client name the setting in its disconnect; the others are as good as their tests."""
    from tgsio_middleware.settings import OPTIONS

    bounds = {option.name for option in OPTIONS if option.name.startswith('max_') or option.name.endswith('_timeout')}
    tests = ''.join(path.read_text() for path in (ROOT / 'tests').rglob('test_*.py'))
    assert {bound for bound in bounds if bound not in tests} == set()


def modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ''


def test_nothing_executes_what_comes_in():
    """CVE-2025-61765: whoever could write to Redis could run code, for it was unpickled."""
    for path in (ROOT / 'tgsio_middleware').rglob('*.py'):
        assert not {'pickle', 'marshal', 'shelve', 'yaml', 'dill'} & set(modules(path)), path
        assert not re.search(r'(?<![.\w])(eval|exec)\(', path.read_text()), path


def test_gevent_is_newer_than_its_smuggling():
    """CVE-2023-41419 was mended in 23.9."""
    assert re.search(r'^    gevent>=(2[4-9]|23\.9|[3-9]\d)', (ROOT / 'setup.cfg').read_text(), re.M)
