"""What `anypubsub.*` in the application's configuration means."""

from __future__ import annotations

import pytest
from gevent.queue import Queue

from tgsio_middleware.bus.backend import make_pubsub, redis_wire, settings_of
from tgsio_middleware.errors import ConfigurationError


def test_memory_is_the_default_with_gevents_queue():
    settings = settings_of({'other': 1})
    assert settings.pop('backend') == 'memory'
    assert isinstance(settings.pop('queue_factory')(maxsize=0), Queue)
    assert not settings


def test_numbers_of_an_ini_are_numbers():
    config = {'anypubsub.backend': 'redis', 'anypubsub.port': '7', 'anypubsub.db': '0', 'anypubsub.password': '42'}
    assert settings_of(config) == {'backend': 'redis', 'port': 7, 'db': 0, 'password': '42'}


@pytest.mark.parametrize('backend', ['redis', 'amqp'])
@pytest.mark.parametrize('key', ['port', 'db', 'max_connections'])
@pytest.mark.parametrize('value', ['abc', '-1', '²', ''])
def test_what_is_no_number_is_refused_at_the_start(backend, key, value):
    with pytest.raises(ConfigurationError, match=f'anypubsub.{key} = {value!r}: allowed is a whole number'):
        settings_of({'anypubsub.backend': backend, f'anypubsub.{key}': value})


def test_what_another_backend_calls_its_db_is_its_own_affair():
    assert settings_of({'anypubsub.backend': 'another', 'anypubsub.db': 'news'}) == {'backend': 'another', 'db': 'news'}


def test_mongodb_is_refused_with_the_reason():
    with pytest.raises(ConfigurationError, match=r'mongodb.*pymongo.*memory, redis or amqp'):
        settings_of({'anypubsub.backend': 'mongodb'})


@pytest.mark.parametrize(
    'config',
    [
        {'anypubsub.backend': 'nonsense'},
        {'anypubsub.nonsense': 'x'},
        {'anypubsub.backend': 'redis', 'anypubsub.x': 'y'},
        {'anypubsub.backend': 'redis', 'anypubsub.host': 'redis:no address'},
    ],
)
def test_what_anypubsub_does_not_know_is_told(config):
    with pytest.raises(ConfigurationError, match=r'anypubsub\.backend'):
        make_pubsub(settings_of(config))


@pytest.mark.parametrize(
    ('settings', 'url'),
    [
        ({'host': 'redis'}, 'redis://redis:6379/0'),
        ({'host': 'redis-1.local', 'port': '7', 'db': '3'}, 'redis://redis-1.local:7/3'),
        ({'host': 'redis', 'password': 'a/b@c'}, 'redis://:a%2Fb%40c@redis:6379/0'),
    ],
)
def test_a_host_that_is_called_redis(settings, url):
    """anypubsub takes it for a URL."""
    pytest.importorskip('redis')
    found = settings_of(
        {'anypubsub.backend': 'redis', **{f'anypubsub.{key}': value for key, value in settings.items()}}
    )
    assert found == {'backend': 'redis', 'host': url}
    kwargs = make_pubsub(found).connection_pool.connection_kwargs
    ours = redis_wire(found).kwargs
    for key in ('host', 'port', 'db', 'password'):
        assert kwargs.get(key) == ours.get(key)
    assert ours['host'] == settings['host']
    assert ours.get('password') == settings.get('password')


@pytest.mark.parametrize(
    ('url', 'parts'),
    [
        ('amqp://localhost', {'host': 'localhost'}),
        ('amqp://ann:a%2Fb@h:7/site', {'host': 'h:7', 'userid': 'ann', 'password': 'a/b', 'virtual_host': 'site'}),
        ('amqp://h/%2F', {'host': 'h', 'virtual_host': '/'}),
    ],
)
def test_the_address_of_an_amqp_server(url, parts):
    """anypubsub leaves user and password in the host, and the virtual host out."""
    assert settings_of({'anypubsub.backend': 'amqp', 'anypubsub.host': url}) == {'backend': 'amqp', **parts}


@pytest.mark.parametrize(
    ('settings', 'where'),
    [
        ({}, ('localhost', None, None)),
        ({'host': 'h', 'port': 7, 'db': 3}, ('h', 7, 3)),
        ({'host': 'redis://h:7/3'}, ('h', 7, 3)),
    ],
)
def test_redis_is_where_anypubsub_would_look(settings, where):
    pytest.importorskip('redis')
    kwargs = redis_wire(settings).kwargs
    assert (kwargs.get('host'), kwargs.get('port'), kwargs.get('db')) == where


def test_a_pool_of_the_sites_own():
    redis = pytest.importorskip('redis')
    pool = redis.ConnectionPool(host='h', port=7, password='p', decode_responses=True)
    made = redis_wire({'connection_pool': pool})
    assert (made.kwargs['host'], made.kwargs['port'], made.kwargs['password']) == ('h', 7, 'p')
    made.connection_class(**made.kwargs)
