"""Real Socket.IO clients of all five generations, from Python: each `Client` is one Node process that runs driver.js.

The lines that go to and fro are described at the top of driver.js. No gevent here: the tests that use it run in an
unpatched process, and the server under test runs in its own.

    with Client('4', 'http://127.0.0.1:8080') as client:
        client.open('/chat', transports=['websocket'])
        client.wait('connect', namespace='/chat')
        assert client.call('add', 1, 2, namespace='/chat') == [3]
"""

import base64
import itertools
import json
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from tests.npm import requires_packages

HERE = Path(__file__).parent
GENERATIONS = ('09', '1', '2', '3', '4')
#: The transport's name in each generation.
POLLING = {'09': 'xhr-polling', '1': 'polling', '2': 'polling', '3': 'polling', '4': 'polling'}
TIMEOUT = 5.0  # seconds a test waits for one happening; a loaded machine starts Node in about one


def requires_node():
    """Call it first in a fixture or test: skips (with CI set: fails) unless the clients can run; installs them when
    missing.
    """
    requires_packages(HERE, "JavaScript's clients of all generations")


class Client:
    """One Node process with clients of one generation, talking to one server.

    Wherever a method takes `namespace` and `connection`, they default to '/' and 'main'; a connection is one engine,
    made by the first `open` that names it. Times are in seconds.
    """

    def __init__(self, generation, url, path='socketio'):
        self.generation, self.path = generation, path
        self.seen = []  # every happening so far, as it came
        self._waiting = []  # those that no `wait` has taken yet
        self._news = threading.Condition()
        self._tags = itertools.count(1)
        self._ended = False
        self._held = None  # the lines of `at_once`
        self._process = subprocess.Popen(
            ['node', '--no-deprecation', HERE / 'driver.js', generation, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding='utf-8',
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read_loop, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    # What a client does

    def open(self, namespace='/', connection='main', **options):
        """Connects a namespace.

        Options: transports (the generation's own names), query, auth (3 and 4), headers, upgrade, reconnect (False
        unless told), reconnect_delay and timeout (seconds), reconnect_attempts, path, own (a dict for the client as it
        is).
        """
        self._say('open', namespace, connection, options=_for_driver(dict({'path': self.path}, **options)))

    def emit(self, event, *args, namespace='/', connection='main', ack=False):
        """Emits; with `ack` it asks for one and returns the tag that its happening will carry."""
        return self._ask('emit', ack, namespace, connection, event=event, args=list(args))

    def send(self, data, json=False, namespace='/', connection='main', ack=False):
        """Sends a message; `json` is 0.9's json.send."""
        return self._ask('send', ack, namespace, connection, data=data, json=json)

    def call(self, event, *args, namespace='/', connection='main', timeout=TIMEOUT):
        """Emits, waits for the ack and returns the list of its values."""
        tag = self.emit(event, *args, namespace=namespace, connection=connection, ack=True)
        return self.wait('ack', tag=tag, timeout=timeout)['args']

    def reply(self, event, *values, namespace='/', connection='main'):
        """From now on the client acknowledges `event` with these values when asked to; without a reply it does not."""
        self._say('on', namespace, connection, event=event, reply=list(values))

    def burst(self, event, count, chunk=None, when=None, ack=False, namespace='/', connection='main'):
        """Emits event(0), event(1) ... as fast as possible, `chunk` a turn of the event loop; from the next happening
        `when` on.

        Tells `burst` when all are emitted; with `ack` each asks for one, and `counted` tells when all came.
        """
        more = {'chunk': chunk, 'when': when, 'ack': ack or None}
        more = {key: value for key, value in more.items() if value is not None}
        self._say('burst', namespace, connection, event=event, count=count, **more)

    def count(self, event, count, namespace='/', connection='main'):
        """From now on event(0), event(1) ... are counted and not told one by one; `counted` tells when `count` came."""
        self._say('count', namespace, connection, event=event, count=count)

    def counted(self, event, namespace='/', connection='main'):
        """The count so far: {'count', 'acks', 'disorder', 'transport'}; disorder: None or {expected, got, at}."""
        self._say('counted', namespace, connection, event=event)
        return self.wait('counted', event=event, namespace=namespace, connection=connection)

    def transport(self, connection='main'):
        """The name of the transport in use now."""
        self._say('transport', '/', connection)
        return self.wait('transport', connection=connection)['transport']

    @contextmanager
    def at_once(self):
        """The commands of the block reach the client in one piece: nothing happens between them."""
        self._held = []
        yield
        lines, self._held = ''.join(self._held), None
        self._process.stdin.write(lines)
        self._process.stdin.flush()

    def disconnect(self, namespace='/', connection='main'):
        """Leaves a namespace; in 0.9 leaving '/' closes the connection."""
        self._say('disconnect', namespace, connection)

    def connect(self, namespace='/', connection='main'):
        """Connects a namespace that was left again; 0.9 cannot."""
        self._say('connect', namespace, connection)

    def close(self, connection='main'):
        """Closes a connection as an application does."""
        self._say('close', '/', connection)

    def drop(self, connection='main'):
        """Loses a connection as a bad network does; a client told to `reconnect` will."""
        self._say('drop', '/', connection)

    def stop(self):
        """Ends the process; without `close` before, the server sees the TCP connections end."""
        if not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(2)
        self._process.stdout.close()

    def kill(self):
        """Ends the process as a crash does."""
        self._process.kill()
        self._process.wait()

    def freeze(self):
        """Stops the process: its connections stay, and nobody reads or answers. `thaw` lets it go on."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    @property
    def usable(self):
        """Another test may use it too."""
        return not self._ended and not self._trouble()

    # What a test expects

    def wait(self, kind, timeout=TIMEOUT, **match):
        """Takes the first happening of that kind, not taken before, whose fields equal `match` (a callable value is
        asked).

        Raises AssertionError with everything that was seen after `timeout` seconds, or at once when the driver is in
        trouble.
        """
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                found = self._take(kind, match)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self._ended or self._trouble():
                    raise AssertionError(self._story(kind, match, timeout))
                self._news.wait(left)

    def none(self, kind, within=0.3, **match):
        """Asserts that no such happening is there, nor comes within so many seconds."""
        deadline = time.monotonic() + within
        with self._news:
            while True:
                found = self._take(kind, match)
                assert not found, f'unwanted: {found!r}'
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                self._news.wait(left)

    def events(self, event=None, **match):
        """The args of all events seen so far, taken or not, in their order."""
        match = dict(match, kind='event', **({'event': event} if event else {}))
        with self._news:
            return [one['args'] for one in self.seen if _matches(one, match)]

    # In between

    def _say(self, command, namespace, connection, **fields):
        line = json.dumps(_packed(dict(fields, cmd=command, namespace=namespace, connection=connection))) + '\n'
        if self._held is None:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        else:
            self._held.append(line)

    def _ask(self, command, ack, namespace, connection, **fields):
        tag = next(self._tags) if ack else None
        self._say(command, namespace, connection, **(dict(fields, ack=tag) if ack else fields))
        return tag

    def _read_loop(self):
        for line in self._process.stdout:
            happening = _unpacked(json.loads(line))
            with self._news:
                self.seen.append(happening)
                self._waiting.append(happening)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _take(self, kind, match):
        for place, happening in enumerate(self._waiting):
            if happening['kind'] == kind and _matches(happening, match):
                return self._waiting.pop(place)
        return None

    def _trouble(self):
        return any(one['kind'] in ('trouble', 'crash') for one in self._waiting)

    def _story(self, kind, match, timeout):
        connection = match.get('connection')
        about = [one for one in self.seen if connection is None or one.get('connection', connection) == connection]
        end = 'the driver ended' if self._ended else f'waited {timeout} s'
        seen = '\n'.join(f'  {" " if one in self._waiting else "*"}{one!r}' for one in about[-200:])
        return f'client {self.generation}: no {kind!r} with {match!r} ({end}). Seen (* taken):\n{seen or "  nothing"}'


_SECONDS = {'reconnect_delay': 'reconnectDelay', 'timeout': 'timeout'}  # milliseconds over there
_RENAMED = {'reconnect_attempts': 'reconnectAttempts'}


def _for_driver(options):
    return {
        _SECONDS.get(key, _RENAMED.get(key, key)): round(value * 1000) if key in _SECONDS else value
        for key, value in options.items()
        if value is not None
    }


def _matches(happening, match):
    return all(
        wanted(happening.get(key)) if callable(wanted) else happening.get(key) == wanted
        for key, wanted in match.items()
    )


def _packed(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {'$bytes': base64.b64encode(value).decode('ascii')}
    return _mapped(value, _packed)


def _unpacked(value):
    if isinstance(value, dict) and '$bytes' in value:
        return base64.b64decode(value['$bytes'])
    return _mapped(value, _unpacked)


def _mapped(value, change):
    if isinstance(value, dict):
        return {key: change(one) for key, one in value.items()}
    return [change(one) for one in value] if isinstance(value, (list, tuple)) else value
