"""Bytes that nobody thought of, found by atheris: `python -m tests.hostile.fuzz --seconds 3600`, where it is installed.

The first byte chooses what the others are: a websocket's bytes in chunks, POSTs of a client, a request's path and
query, a kept connection's bytes, or whole requests through the filter. Nothing but the protocol's own errors may leave
a parser, nothing at all the filter, and no traceback may reach the log.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import atheris

with atheris.instrument_imports(include=['tgsio_middleware']):
    import gevent

    from tgsio_middleware.engine.host import PlainHost
    from tgsio_middleware.engine.socket import Socket
    from tgsio_middleware.errors import ConnectionRefused, HandshakeRefused, RemoteProtocolError
    from tgsio_middleware.middleware import SocketIOMiddleware
    from tgsio_middleware.mixins import BroadcastMixin, RoomsMixin
    from tgsio_middleware.namespace import BaseNamespace
    from tgsio_middleware.transports.base import Transport
    from tgsio_middleware.transports.plainpolls import NotPlain
    from tgsio_middleware.transports.plainpolls import Reader as Requests
    from tgsio_middleware.transports.polling import LATER
    from tgsio_middleware.wire import eio2, eio3, eio4, sio09
    from tgsio_middleware.wire.frames import Reader
    from tgsio_middleware.wire.negotiate import negotiate

DIALECTS = (eio4, eio3, eio2, sio09)
TYPES = ('text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded')
SETTINGS = {'max_payload': 5000, 'max_fragments': 50, 'max_buffered': 50_000, 'transports': 'websocket polling jsonp'}
MASK = b'1234'


def masked(text: bytes) -> bytes:
    return bytes([0x81, 0x80 | len(text)]) + MASK + bytes(c ^ MASK[i % 4] for i, c in enumerate(text))


SEEDS = [
    bytes([0, 0, 7]) + masked(b'40') + masked(b'421["give back",{"a":[1]}]') + masked(b'2') + b'\x89\x80' + MASK,
    bytes([0, 3, 1]) + masked(b'5:1+::{"name":"echo","args":[1]}') + masked(b'2::') + masked(b'0::'),
    bytes([0, 0, 200]) + masked(b'451-["echo",{"_placeholder":true,"num":0}]') + b'\x82\x81' + MASK + b'x',
    bytes([1, 0, 0]) + b'40\x1e420["echo"]\x1e41/chat,\x1e43/chat,1[]\x1ebAAEC',
    bytes([1, 1, 0]) + b'2:4011:42["b","\xc3\xa9"]6:b4AQI=',
    bytes([1, 1, 1]) + b'\x00\x01\x03\xff420[]\x01\x03\xff\x04\x01\x02',
    bytes([1, 3, 0]) + '\ufffd3\ufffd1::\ufffd23\ufffd5:::{"name":"x","args":[]}'.encode(),
    bytes([2, 0, 0]) + b'/socketio/\x00EIO=4&transport=polling&sid=abc&j=0',
    bytes([2, 0, 0]) + b'/socketio/1/xhr-polling/abc\x00t=1&disconnect=1',
    bytes([3, 9, 0])
    + b'POST /socketio/?EIO=4&transport=polling&sid=a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40GET',
    bytes([4, 0, 0]) + b'\x00GET\x00/socketio/\x00EIO=4&transport=polling\x00Cookie=a\x00',
    bytes([4, 0, 0]) + b'\x00POST\x00/socketio/\x00EIO=3&transport=polling&sid={sid}\x00Origin=null\x0011:42["echo",1]',
    bytes([4, 0, 0]) + b'\x00GET\x00/socketio/1/websocket/{sid}\x00\x00Upgrade=websocket\x00',
]


class Complaints(logging.Handler):
    """Tracebacks: there must be none."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self.heard.append(self.format(record))


class Lobby(BaseNamespace, RoomsMixin, BroadcastMixin):
    """Handlers that take anything."""

    def on_echo(self, *args):
        self.broadcast_event('echo', *args)

    def on_give_back(self, *args):
        return args

    def on_join(self, *rooms):
        for room in rooms:
            self.join(f'room {room}')

    def on_ask(self, *args):
        self.emit('asked', *args, callback=self.on_give_back)

    def on_kick(self, *args):
        self.disconnect()


class Refusing(BaseNamespace):
    def recv_connect(self):
        raise ConnectionRefused('not today', self.auth)


class Deaf(Transport):
    """Takes everything."""

    STREAMING = takes = True

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    @staticmethod
    def prepare(messages, binary_prefix):
        return messages

    def put_prepared(self, prepared):
        pass

    def close(self, reason, code):
        pass


class Connection:
    """Where a poll waits."""

    def park(self, parked):
        self.parked = parked

    def finish(self, body):
        b''.join(body)


def page(environ, start_response):
    return [b'page']


complaints = Complaints()
app = SocketIOMiddleware(page, PlainHost({'': Lobby, '/chat': Lobby, '/refusing': Refusing}), **SETTINGS)


def settle() -> None:
    for _ in range(3):
        gevent.sleep(0)


def client(dialect) -> Socket:
    socket = Socket(dialect, app.host, app.registry, {'REMOTE_ADDR': '192.0.2.1', 'QUERY_STRING': ''})
    socket.open(Deaf(socket))
    settle()
    return socket


def frames(choice: int, size: int, data: bytes) -> None:
    """The client's bytes, read in chunks of `size`, heard by a socket."""
    socket = client(DIALECTS[choice % len(DIALECTS)])
    reader = Reader(app.settings.max_payload, app.settings.max_fragments)
    for i in range(0, len(data), size + 1):
        messages = reader.feed(data[i : i + size + 1])
        if messages:
            socket.take(messages)
            socket.work_later()
    settle()
    socket.close('over')
    settle()


def posts(choice: int, kind: int, data: bytes) -> None:
    socket = client(DIALECTS[choice % len(DIALECTS)])
    for body in data.split(b'\x00\x00'):
        try:
            messages = socket.dialect.split_payload(body, TYPES[kind % len(TYPES)], socket.memory)
        except RemoteProtocolError:
            break
        socket.take(messages)
        socket.work_later()
    settle()
    socket.close('over')
    settle()


def urls(_choice: int, _size: int, data: bytes) -> None:
    path, _, query = data.decode('latin-1').partition('\x00')
    try:
        negotiate('/socketio', path, query)
    except HandshakeRefused:
        pass


def kept(size: int, _kind: int, data: bytes) -> None:
    reader, buffer = Requests(b'/socketio', 1000), b''
    try:
        for i in range(0, len(data), size + 1):
            buffer += data[i : i + size + 1]
            taken = 1
            while buffer and taken:
                taken, environ = reader.read(buffer)
                buffer = buffer[taken:]
                if taken:
                    environ['wsgi.input'].read()
    except NotPlain:
        pass


def requests(_choice: int, _kind: int, data: bytes) -> None:
    """Requests one after the other; `{sid}` is the first client's that is there."""
    for request in data.split(b'\x00\x00\x00'):
        fields = request.split(b'\x00', 5)
        fields += [b''] * (6 - len(fields))
        _, method, path, query, headers, body = (field.decode('latin-1') for field in fields)
        sid = next(iter(app.registry.sockets), '')
        environ = {
            'REQUEST_METHOD': method,
            'SCRIPT_NAME': '',
            'PATH_INFO': path.replace('{sid}', sid),
            'QUERY_STRING': query.replace('{sid}', sid),
            'SERVER_NAME': 'localhost',
            'SERVER_PORT': '80',
            'SERVER_PROTOCOL': 'HTTP/1.1',
            'REMOTE_ADDR': '192.0.2.1',
            'wsgi.url_scheme': 'http',
            'wsgi.input': BytesIO(body.encode('latin-1')),
            'CONTENT_LENGTH': str(len(body)),
            LATER: Connection(),
        }
        for header in headers.split('\n'):
            name, _, value = header.partition('=')
            environ['HTTP_' + name.upper().replace('-', '_')] = value
        answer = app(environ, lambda status, headers, exc_info=None: lambda data: None)
        b''.join(answer or ())
        settle()
    for socket in list(app.registry.sockets.values()):
        socket.close('over')
    settle()
    assert not app.registry.sockets
    assert not app.registry.sids


TARGETS = (frames, posts, urls, kept, requests)


def one_input(data: bytes) -> None:
    if len(data) > 3:
        TARGETS[data[0] % len(TARGETS)](data[1], data[2], data[3:])
        assert not complaints.heard, complaints.heard[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=int, default=3600)
    seconds = parser.parse_args().seconds
    logging.getLogger('tgsio_middleware').addHandler(complaints)
    logging.getLogger('tgsio_middleware').propagate = False
    with tempfile.TemporaryDirectory() as corpus:
        for i, seed in enumerate(SEEDS):
            one_input(seed)
            Path(corpus, str(i)).write_bytes(seed)
        bounds = [f'-max_total_time={seconds}', '-max_len=2000', '-rss_limit_mb=1000']
        atheris.Setup([sys.argv[0], *bounds, corpus], one_input)
        atheris.Fuzz()


if __name__ == '__main__':
    main()
