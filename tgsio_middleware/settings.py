"""Every setting in one table: name, cast, default, unit, reason.

A cast takes the ini's string (or an already fitting Python value) and raises ValueError with what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple

from .errors import ConfigurationError

#: One that may say for whom it asks; `unix` is whoever comes over a unix socket.
Proxy = IPv4Network | IPv6Network | str
UNIX = 'unix'
TRANSPORTS = ('websocket', 'polling', 'jsonp', 'htmlfile')
#: The others are for browsers of 0.9's time, and JSONP's script elements know no origin: who needs them names them.
USUAL = ('websocket', 'polling')
GENERATIONS = ('0.9', '1.x', '2.x', '3.x', '4.x')
#: What can bind a client's sid to whoever shook hands, see `transports.bond`.
BONDS = ('origin', 'cookie', 'user')
#: Generations that speak one protocol; a server cannot tell them apart and serves both or none.
PAIRS = (('1.x', '2.x'), ('3.x', '4.x'))


def words(value: Any) -> tuple[str, ...]:
    """'a, b c' or a sequence of strings -> ('a', 'b', 'c')."""
    if isinstance(value, str):
        return tuple(word for word in re.split(r'[\s,]+', value) if word)
    if not isinstance(value, (list, tuple)) or not all(isinstance(word, str) for word in value):
        raise ValueError('names, separated by spaces or commas')
    return tuple(value)


def path(value: Any) -> str:
    """'socketio', '/socketio/' -> '/socketio'."""
    parts = [part for part in str(value).split('/') if part]
    if not parts or any(part in ('.', '..') or re.search(r'[\s?#%]', part) for part in parts):
        raise ValueError('a path below the application, such as socketio or socket.io')
    return '/' + '/'.join(parts)


def seconds(value: Any) -> float:
    """A positive number, fractions allowed."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 86400:
        raise ValueError('a number of seconds above 0 and below 86400, such as 25 or 0.3')
    return number


def count(value: Any) -> int:
    """A positive integer."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number <= 0:
        raise ValueError('a whole number above 0')
    return number


def count_or_any(value: Any) -> int:
    """A positive integer, or 0 for as many as come."""
    if str(value).strip() == '0':
        return 0
    try:
        return count(value)
    except ValueError as e:
        raise ValueError(f'{e}, or 0 for any') from None


def bonds(value: Any) -> tuple[str, ...]:
    """Some of BONDS, or none."""
    chosen = words(value)
    if set(chosen) - set(BONDS):
        raise ValueError(f'some of: {", ".join(BONDS)}; or nothing')
    return chosen


def transports(value: Any) -> tuple[str, ...]:
    """Some of TRANSPORTS."""
    chosen = words(value)
    if not chosen or set(chosen) - set(TRANSPORTS):
        raise ValueError(f'one or more of: {", ".join(TRANSPORTS)}')
    return chosen


def generations(value: Any) -> tuple[str, ...]:
    """Some of GENERATIONS; the two of a pair stand together."""
    chosen = words(value)
    if not chosen or set(chosen) - set(GENERATIONS):
        raise ValueError(f'one or more of: {", ".join(GENERATIONS)}')
    for pair in PAIRS:
        if len(set(pair) & set(chosen)) == 1:
            raise ValueError(f'{pair[0]} and {pair[1]} together: they speak one protocol and cannot be told apart')
    return chosen


def origins(value: Any) -> tuple[str, ...]:
    """Origins as browsers send them, `https://*.example.com`, or `*`; empty means the same origin only."""
    chosen = words(value)
    for origin in chosen:
        if origin != '*' and not re.fullmatch(r'[a-z][a-z0-9+.-]*://(\*\.)?[^*/\s]+', origin):
            raise ValueError('origins such as https://www.example.com or https://*.example.com, or * for any')
    return chosen


def proxies(value: Any) -> tuple[Proxy, ...]:
    """Addresses and networks, and `unix` for whoever comes over a unix socket."""
    try:
        return tuple(word if word == UNIX else ip_network(word) for word in words(value))
    except ValueError:
        raise ValueError('addresses and networks such as 127.0.0.1, 10.0.0.0/8 or ::1, and unix') from None


def bus(value: Any) -> str:
    """The address of a Redis or Valkey server, or nothing."""
    if not isinstance(value, str) or (value and not re.match(r'(rediss?://[^/]|unix:///)', value)):
        raise ValueError('redis://[user:password@]host[:port][/db], rediss://... for TLS, or unix:///path')
    return value


class Option(NamedTuple):
    """One row of the table."""

    name: str
    cast: Callable[[Any], Any]
    default: Any
    unit: str
    reason: str


OPTIONS = (
    Option('socketio_resource', path, '/socketio', 'path', 'where the original tgext.socketio looked'),
    Option('transports', transports, USUAL, 'names', 'websocket is fast, polling passes every proxy'),
    Option('generations', generations, GENERATIONS, 'names', 'every client there ever was'),
    Option('ping_interval', seconds, 25.0, 'seconds', 'proxies cut idle connections at 30 or 60 seconds'),
    Option('ping_timeout', seconds, 20.0, 'seconds', 'a phone may take that long to change networks'),
    Option(
        'connect_timeout', seconds, 45.0, 'seconds', 'who has shaken hands and asks for no namespace is idle or hostile'
    ),
    Option('upgrade_timeout', seconds, 10.0, 'seconds', 'a websocket that probes and never moves is closed'),
    Option('attachment_timeout', seconds, 10.0, 'seconds', 'a binary packet that stays incomplete ends its client'),
    Option('max_head', count, 65_536, 'bytes', "of a handshake's head and of connect data: kept as long as the client"),
    Option('max_payload', count, 1_000_000, 'bytes', 'of one message, frame or POST; the official clients expect 1 MB'),
    Option('max_fragments', count, 10_000, 'fragments', 'of one websocket message: an empty one costs time as well'),
    Option('max_attachments', count, 10, 'attachments', 'of one binary packet'),
    Option('max_buffered', count, 8_000_000, 'bytes', 'waiting for a client that does not read; more ends it'),
    Option('max_pending', count, 1_000, 'packets', 'of a client, waiting for its handler; more are not read yet'),
    Option('max_namespaces', count, 64, 'namespaces', 'connected over one connection'),
    Option('max_rooms', count, 10_000, 'rooms', 'joined in one namespace: handlers join what clients name'),
    Option('max_subscriptions', count, 1_000, 'channels', 'subscribed in one namespace: clients choose the arguments'),
    Option('max_acks', count, 1_000, 'callbacks', 'of one client, waiting for its acks; the oldest are dropped'),
    Option(
        'max_events_per_second',
        count_or_any,
        0,
        'packets',
        'of a client, over ten seconds; 0: any, for handlers that take long slow their client down by themselves',
    ),
    Option(
        'max_clients_per_address',
        count_or_any,
        0,
        'clients',
        'connected or shaking hands; 0: any, for a whole office or a proxy may share an address',
    ),
    Option(
        'sid_bound_to',
        bonds,
        BONDS,
        'names',
        'who finds a sid in a log has neither the origin, the cookies nor the user of its handshake',
    ),
    Option('cors_allowed_origins', origins, (), 'origins', 'same origin only: a cookie must not serve a foreign page'),
    Option(
        'trusted_proxies',
        proxies,
        (),
        'addresses',
        'X-Forwarded-For, -Proto and -Host of anybody else are not believed',
    ),
    Option(
        'drain_timeout', seconds, 10.0, 'seconds', 'at SIGTERM, for handlers to finish and clients to be told to move'
    ),
    Option('bus', bus, '', 'URL', 'one process alone; redis://... joins all processes that name the same server'),
)
NAMES = tuple(option.name for option in OPTIONS)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the ini says, checked. Fields, units and reasons: `OPTIONS`."""

    socketio_resource: str
    transports: tuple[str, ...]
    generations: tuple[str, ...]
    ping_interval: float
    ping_timeout: float
    connect_timeout: float
    upgrade_timeout: float
    attachment_timeout: float
    max_head: int
    max_payload: int
    max_fragments: int
    max_attachments: int
    max_buffered: int
    max_pending: int
    max_namespaces: int
    max_rooms: int
    max_subscriptions: int
    max_acks: int
    max_events_per_second: int
    max_clients_per_address: int
    sid_bound_to: tuple[str, ...]
    cors_allowed_origins: tuple[str, ...]
    trusted_proxies: tuple[Proxy, ...]
    drain_timeout: float
    bus: str

    @classmethod
    def parse(cls, given: Mapping[str, Any] | None = None) -> Settings:
        """Strings of an ini section, or Python values, to Settings.

        Raises ConfigurationError naming the key, the value and what is allowed.
        """
        given = dict(given or {})
        unknown = sorted(set(given) - set(NAMES))
        if unknown:
            key = unknown[0]
            raise ConfigurationError(f'unknown setting {key!r} = {given[key]!r}; known are: {", ".join(NAMES)}')
        values = {}
        for option in OPTIONS:
            value = given.get(option.name, option.default)
            try:
                values[option.name] = option.cast(value)
            except ValueError as e:
                raise ConfigurationError(f'{option.name} = {value!r}: allowed is {e}') from None
        return cls(**values)
