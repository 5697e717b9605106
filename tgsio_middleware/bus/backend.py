"""What `anypubsub.*` in the application's configuration means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from gevent.queue import Queue

from ..errors import ConfigurationError
from .connection import Wire, named, wire, wire_of

#: What its settings begin with in the application's configuration.
PREFIX = 'anypubsub.'
#: anypubsub takes these settings as numbers; an ini gives strings.
NUMBERS = ('port', 'db', 'max_connections')
#: What of a given connection pool's arguments says where the server is and who we are.
CONNECTION = ('host', 'port', 'db', 'username', 'password', 'socket_timeout', 'socket_connect_timeout')


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """anypubsub's settings, `backend` among them; memory by default. Raises ConfigurationError for `mongodb`, and for a
    number that is none.
    """
    found = {key[len(PREFIX) :]: value for key, value in config.items() if key.startswith(PREFIX)}
    found.setdefault('backend', 'memory')
    for name in NUMBERS:
        value = found.get(name)
        if isinstance(value, str) and value.isdecimal():
            found[name] = int(value)
        elif isinstance(value, str) and found['backend'] in ('redis', 'amqp'):
            raise ConfigurationError(f'{PREFIX}{name} = {value!r}: allowed is a whole number')
    host = str(found.get('host', ''))
    if found['backend'] == 'mongodb':
        raise ConfigurationError(
            f'{PREFIX}backend = mongodb: this backend of anypubsub calls collection.insert, which pymongo has no more '
            'since 4.0; use memory, redis or amqp'
        )
    if found['backend'] == 'memory':
        found.setdefault('queue_factory', queue)
    elif found['backend'] == 'redis' and host.startswith('redis') and '://' not in host:
        found['host'] = _url_of(host, found)
    elif found['backend'] == 'amqp' and host.startswith('amqp://'):
        found.update(_parts_of(host))
    return found


def queue(maxsize: int = 0) -> Queue[Any]:
    """What anypubsub's memory backend waits at: gevent's, without end, as long as a greenlet of ours empties it."""
    return Queue(maxsize or None)


def _url_of(host: str, settings: dict[str, Any]) -> str:
    """anypubsub takes every host whose name begins with `redis` for a URL, and then looks at nothing else."""
    port, db, password = (settings.pop(name, None) for name in ('port', 'db', 'password'))
    who = ':' + quote(password, safe='') + '@' if password else ''
    return f'redis://{who}{host}:{port or 6379}/{db or 0}'


def _parts_of(url: str) -> dict[str, Any]:
    """anypubsub leaves user and password in the host, and the virtual host out."""
    parts = urlsplit(url)
    found = {
        'host': parts.netloc.rpartition('@')[2] or 'localhost',
        'userid': parts.username,
        'password': parts.password,
        'virtual_host': parts.path[1:],
    }
    return {key: unquote(value) for key, value in found.items() if value}


def make_pubsub(settings: Mapping[str, Any]) -> Any:
    """anypubsub's object. Raises ConfigurationError."""
    from anypubsub import ConfigurationError as Unknown
    from anypubsub import create_pubsub

    more = dict(settings)
    backend = more.pop('backend')
    try:
        return create_pubsub(backend, **more)
    except (Unknown, ImportError, TypeError, ValueError) as e:
        raise ConfigurationError(f'anypubsub.backend = {backend} with {sorted(more)}: {e}') from e


def redis_wire(settings: Mapping[str, Any]) -> Wire:
    """To the server that anypubsub's redis backend would use with these settings. Raises ConfigurationError."""
    if settings.get('connection_pool') is not None:
        kwargs = dict(settings['connection_pool'].connection_kwargs)
    else:
        kwargs = {key: settings[key] for key in ('host', 'port', 'db', 'password') if settings.get(key) is not None}
    host = str(kwargs.setdefault('host', 'localhost'))
    if '://' in host:
        return wire(host, 'anypubsub.host', f"PubSub's {named(host)}")
    fitting = {key: value for key, value in kwargs.items() if key in CONNECTION}
    return wire_of(fitting, f"PubSub's redis://{host}:{kwargs.get('port', 6379)}")
