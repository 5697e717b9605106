"""Every setting: what an ini may say, and what it is told when it may not."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network

import pytest

from tgsio_middleware.errors import ConfigurationError
from tgsio_middleware.settings import GENERATIONS, NAMES, OPTIONS, USUAL, Settings

GOOD = [
    ('socketio_resource', 'socketio', '/socketio'),
    ('socketio_resource', '/socketio/', '/socketio'),
    ('socketio_resource', 'socket.io', '/socket.io'),
    ('socketio_resource', 'a//b/c', '/a/b/c'),
    ('transports', 'polling', ('polling',)),
    ('transports', 'websocket, polling', ('websocket', 'polling')),
    ('transports', ('websocket',), ('websocket',)),
    ('generations', '0.9', ('0.9',)),
    ('generations', '3.x 4.x', ('3.x', '4.x')),
    ('generations', ' 1.x,2.x\n0.9 ', ('1.x', '2.x', '0.9')),
    ('ping_interval', '25', 25.0),
    ('ping_interval', '0.3', 0.3),
    ('ping_timeout', 5, 5.0),
    ('connect_timeout', '1e3', 1000.0),
    ('upgrade_timeout', ' 10 ', 10.0),
    ('max_payload', '1000', 1000),
    ('max_buffered', 1, 1),
    ('max_events_per_second', '0', 0),
    ('max_clients_per_address', ' 0 ', 0),
    ('max_clients_per_address', '20', 20),
    ('sid_bound_to', '', ()),
    ('sid_bound_to', 'origin, user', ('origin', 'user')),
    ('cors_allowed_origins', '', ()),
    ('cors_allowed_origins', '*', ('*',)),
    (
        'cors_allowed_origins',
        'https://a.example, http://b.example:8080',
        ('https://a.example', 'http://b.example:8080'),
    ),
    ('cors_allowed_origins', 'https://*.example.com', ('https://*.example.com',)),
    ('cors_allowed_origins', ['capacitor://localhost'], ('capacitor://localhost',)),
    ('cors_allowed_origins', 'http://[::1]:8080', ('http://[::1]:8080',)),
    ('trusted_proxies', '', ()),
    ('trusted_proxies', '127.0.0.1, ::1', (ip_network('127.0.0.1'), ip_network('::1'))),
    ('trusted_proxies', ['10.0.0.0/8', 'unix'], (ip_network('10.0.0.0/8'), 'unix')),
    ('drain_timeout', '25', 25.0),
]
BAD = [
    *[('socketio_resource', value) for value in ('', '/', '..', 'a/../b', 'a b', 'a?b', 'a#b', 'a%20b', '.')],
    *[('transports', value) for value in ('', 'pigeon', 'websocket pigeon', 'Websocket', (), None, 5, [5])],
    *[('generations', value) for value in ('', '5.x', '1.x', '4.x', '0.9 3.x', '4', None, 4, [4])],
    *[('ping_interval', value) for value in ('', 'x', '0', '-1', 'nan', 'inf', '86400', None, [], '25s')],
    *[('max_payload', value) for value in ('', 'x', '0', '-1', '1.5', '1e6', None, [], '1 MB')],
    *[('max_rooms', value) for value in ('0', 0)],
    *[('max_events_per_second', value) for value in ('', 'x', '-1', '0.5', '00', None, [])],
    *[('sid_bound_to', value) for value in ('ip', 'origin ip', None, 5)],
    *[('trusted_proxies', value) for value in ('*', 'nginx', '10.0.0.1/8', '127.0.0.1:80', 'unix:', None, 5, [5])],
    *[
        ('cors_allowed_origins', value)
        for value in (
            'example.com',
            'https://',
            'https://example.com/',
            'https://example.com/page',
            'https://*',
            'https://*.',
            'https://a.*.example.com',
            'https://*example.com',
            'null',
            '* x',
            'HTTPS://example.com',
            None,
            5,
            [5],
        )
    ],
]


@pytest.mark.parametrize(('name', 'value', 'parsed'), GOOD)
def test_an_ini_may_say(name, value, parsed):
    assert getattr(Settings.parse({name: value}), name) == parsed


@pytest.mark.parametrize(('name', 'value'), BAD)
def test_an_ini_may_not_say(name, value):
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse({name: value})
    assert str(caught.value).startswith(f'{name} = {value!r}: allowed is ')


def test_a_pair_is_told_why_it_belongs_together():
    with pytest.raises(ConfigurationError, match=r'3\.x and 4\.x together'):
        Settings.parse({'generations': '4.x'})


@pytest.mark.parametrize('name', ['ping_intervall', 'PING_INTERVAL', '', 'debug'])
def test_an_unknown_setting_is_told_what_is_known(name):
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse({name: '1'})
    assert f'unknown setting {name!r}' in str(caught.value)
    assert all(known in str(caught.value) for known in NAMES)


def test_nothing_said_means_the_defaults():
    assert Settings.parse() == Settings.parse({}) == Settings.parse({o.name: o.default for o in OPTIONS})
    settings = Settings.parse()
    assert settings.socketio_resource == '/socketio'
    assert settings.transports == USUAL
    assert settings.generations == GENERATIONS
    assert settings.cors_allowed_origins == ()


def test_every_row_is_a_field_and_has_its_reason():
    assert tuple(field.name for field in dataclasses.fields(Settings)) == NAMES
    assert all(option.unit and option.reason for option in OPTIONS)


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings.parse().ping_interval = 1


def test_what_was_given_is_not_changed():
    given = {'ping_interval': '25'}
    Settings.parse(given)
    assert given == {'ping_interval': '25'}
