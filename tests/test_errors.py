"""Every exception, ordered by whose fault it is."""

from __future__ import annotations

import pytest

from tgsio_middleware import errors


@pytest.mark.parametrize(
    ('exception', 'parents'),
    [
        (errors.ConfigurationError, (errors.SocketIOError, ValueError)),
        (errors.LocalProtocolError, (errors.SocketIOError, ValueError)),
        (errors.NotInThisDialect, (errors.LocalProtocolError,)),
        (errors.RemoteProtocolError, (errors.SocketIOError,)),
        (errors.Exceeded, (errors.RemoteProtocolError,)),
        (errors.TooLarge, (errors.Exceeded,)),
        (errors.SlowConsumer, (errors.Exceeded,)),
        (errors.Silence, (errors.SocketIOError,)),
        (errors.Refused, (errors.SocketIOError,)),
        (errors.ConnectionRefused, (errors.Refused,)),
        (errors.NoSuchNamespace, (errors.Refused,)),
        (errors.HandshakeRefused, (errors.SocketIOError,)),
    ],
)
def test_the_tree(exception, parents):
    assert exception.__bases__ == parents


def test_the_clients_fault_is_no_fault_of_the_sites():
    assert not issubclass(errors.RemoteProtocolError, ValueError)


def test_a_protocol_error_says_how_to_end():
    error = errors.RemoteProtocolError('no')
    assert (str(error), error.close_code, error.status) == ('no', 1002, 400)
    error = errors.RemoteProtocolError('no', close_code=1007, status=418)
    assert (error.close_code, error.status) == (1007, 418)


def test_too_large_in_both_worlds():
    error = errors.TooLarge('no')
    assert (error.close_code, error.status) == (1009, 413)
    assert error.reason == 'max_payload exceeded'


def test_what_is_exceeded_names_the_setting_to_the_operator_and_in_the_disconnect():
    error = errors.Exceeded('max_rooms', 'more than 5 rooms')
    assert (str(error), error.reason, error.close_code) == ('more than 5 rooms (max_rooms)', 'max_rooms exceeded', 1008)
    assert 'max_buffered' in str(errors.SlowConsumer())
    assert errors.SlowConsumer().reason == 'slow consumer'
    assert errors.RemoteProtocolError('no').reason == 'parse error'


@pytest.mark.parametrize('exception', [errors.Refused, errors.ConnectionRefused])
def test_a_refusal(exception):
    assert (exception().message, exception().data) == ('not authorized', None)
    refused = exception('no', {'a': 1})
    assert (str(refused), refused.message, refused.data, refused.name) == ('no', 'no', {'a': 1}, 'connection_refused')


def test_no_such_namespace_knows_which():
    refused = errors.NoSuchNamespace('/nope')
    assert (refused.message, refused.endpoint, refused.name) == ('Invalid namespace', '/nope', 'no_such_namespace')


@pytest.mark.parametrize('reason', errors.HandshakeRefused.REASONS)
def test_a_handshake_is_refused_for_a_reason(reason):
    assert str(errors.HandshakeRefused(reason)) == reason
    refused = errors.HandshakeRefused(reason, 'for the log')
    assert (refused.reason, str(refused)) == (reason, 'for the log')


def test_a_reason_that_is_none_is_a_bug_of_ours():
    with pytest.raises(ValueError, match='none of unknown_transport'):
        errors.HandshakeRefused('mood')
