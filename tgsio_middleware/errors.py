"""Every exception of the package, ordered by whose fault it is.

=======================  ==================  =====================================================
exception                whose fault         what becomes of it
=======================  ==================  =====================================================
ConfigurationError       the operator's      stops the start, names the key, the value, what is allowed
LocalProtocolError       the site's code     raised where `emit` was called
NoAnswer and children    the network's       raised by `call`, given to a callback's `on_failure`
RemoteProtocolError      the client's bytes  ends that client, one log line, never a traceback
Refused and children     nobody's: policy    told to the client in its own dialect
=======================  ==================  =====================================================
"""

from __future__ import annotations

from typing import Any


class SocketIOError(Exception):
    """The root of the tree."""


class ConfigurationError(SocketIOError, ValueError):
    """A setting that cannot be: the message names the key, the value and what is allowed."""


class LocalProtocolError(SocketIOError, ValueError):
    """The site asked for something that the protocol, or this client's generation of it, cannot say."""


class NotInThisDialect(LocalProtocolError):
    """Other generations could say it; a broadcast leaves this one's clients out."""


class RemoteProtocolError(SocketIOError):
    """The client sent what its protocol forbids.

    `close_code` is the websocket's close code (RFC 6455, 7.4.1), `status` the HTTP status of an answer, `reason` the
    disconnect's.
    """

    reason = 'parse error'

    def __init__(self, message: str, *, close_code: int = 1002, status: int = 400) -> None:
        super().__init__(message)
        self.close_code = close_code
        self.status = status


class Exceeded(RemoteProtocolError):
    """More than a setting allows; the reason names it, as in `max_rooms exceeded`. On a websocket 1008: a policy."""

    def __init__(self, setting: str, message: str, *, close_code: int = 1008, status: int = 400) -> None:
        super().__init__(f'{message} ({setting})', close_code=close_code, status=status)
        self.reason = f'{setting} exceeded'


class TooLarge(Exceeded):
    """More bytes than `max_payload`, or pieces of one message than another setting allows: 1009, and 413 in HTTP."""

    def __init__(self, message: str, setting: str = 'max_payload') -> None:
        super().__init__(setting, message, close_code=1009, status=413)


class SlowConsumer(Exceeded):
    """More than `max_buffered` waits for a client that does not read."""

    def __init__(self) -> None:
        super().__init__('max_buffered', 'it does not read what it is sent')
        self.reason = 'slow consumer'


class Silence(SocketIOError):
    """The client did not answer in time; the message is the disconnect's reason."""


class NoAnswer(SocketIOError):
    """The client was asked and has not answered."""


class AnswerTimeout(NoAnswer, TimeoutError):
    """Not within the time that it was given."""


class Disconnected(NoAnswer, ConnectionError):
    """It has left the namespace, or is gone; the message is the reason."""


class Refused(SocketIOError):
    """A namespace that this client may not connect; `data` is any JSON value or None."""

    name = 'connection_refused'

    def __init__(self, message: str = 'not authorized', data: Any = None) -> None:
        super().__init__(message)
        self.message = str(message)  # sites give exceptions and texts that are translated late
        self.data = data


class ConnectionRefused(Refused):
    """Raised by `recv_connect` to refuse the client; message and data reach it in its dialect's words."""


class NoSuchNamespace(Refused):
    """Nothing is mounted under the endpoint."""

    name = 'no_such_namespace'

    def __init__(self, endpoint: str, data: Any = None) -> None:
        super().__init__('Invalid namespace', data)
        self.endpoint = endpoint


class HandshakeRefused(SocketIOError):
    """An HTTP request of Socket.IO's that is not served.

    `reason` is one of `REASONS`; each dialect has its own status and words for it. `cause` is for the log.
    """

    REASONS = (
        'unknown_transport',
        'unknown_sid',
        'bad_method',
        'bad_request',
        'forbidden',
        'unsupported_version',
        'too_large',
        'too_many',
        'unavailable',
    )

    def __init__(self, reason: str, cause: str = '') -> None:
        if reason not in self.REASONS:
            raise ValueError(f'reason {reason!r} is none of {", ".join(self.REASONS)}')
        super().__init__(cause or reason)
        self.reason = reason
