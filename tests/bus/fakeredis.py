"""A Redis in memory, with as much of redis-py's `Connection` as `bus` uses; it can be down or stall."""

from __future__ import annotations

import fnmatch

import gevent
from gevent.event import Event
from gevent.queue import Empty, Queue

from tgsio_middleware.bus.connection import Wire


class Server:
    """`down`: it refuses connections."""

    def __init__(self):
        self.connections = []
        self.commands = []
        self.attempts = 0
        self.down = False
        #: cleared, it answers nothing; what it was told meanwhile is done when it goes on, or never
        self.going = Event()
        self.going.set()
        self.held = []

    def wire(self):
        return Wire(Connection, {'server': self}, 'redis://fake')

    def stop(self):
        self.down = True
        for connection in list(self.connections):
            connection.answers.put(ConnectionError('closed by server'))

    def start(self):
        self.down = False

    def go_on(self):
        self.going.set()
        held, self.held = self.held, []
        for connection, command in held:
            if connection in self.connections:
                connection.obey(*command)

    def publish(self, channel, data):
        """From outside; -> the number of receivers."""
        count = 0
        for connection in self.connections:
            if channel in connection.channels:
                connection.answers.put([b'message', channel, data])
                count += 1
            for pattern in connection.patterns:
                if fnmatch.fnmatchcase(channel.decode(), pattern.decode()):
                    connection.answers.put([b'pmessage', pattern, channel, data])
                    count += 1
        return count

    def subscribers(self, name):
        return sum(name in c.channels or name in c.patterns for c in self.connections)


class Connection:
    def __init__(self, server):
        self.server = server
        self.answers = Queue()
        self.channels = set()
        self.patterns = set()
        self.waiting = []

    def connect(self):
        self.server.attempts += 1
        if self.server.down:
            raise ConnectionError('refused')
        self.server.connections.append(self)

    def disconnect(self):
        if self in self.server.connections:
            self.server.connections.remove(self)

    def pack_commands(self, commands):
        return list(commands)

    def send_packed_command(self, commands, check_health):
        for command in commands:
            self.send_command(*command)

    def send_command(self, verb, *args, check_health=False):
        if self not in self.server.connections:
            raise ConnectionError('not connected')
        self.server.commands.append((verb, *args))
        if self.server.going.is_set():
            self.obey(verb, *args)
        else:
            self.server.held.append((self, (verb, *args)))

    def obey(self, verb, *args):
        if verb == 'PUBLISH':
            self.answers.put(self.server.publish(*args))
        elif verb == 'PING':
            self.answers.put([b'pong', b''] if self.channels or self.patterns else b'PONG')
        else:
            names = self.patterns if verb[0] == 'P' else self.channels
            for name in args:
                (names.discard if 'UNSUB' in verb else names.add)(name)
                self.answers.put([verb.lower().encode(), name, len(names)])

    def can_read(self, timeout):
        if self.waiting:
            return True
        try:
            self.waiting.append(self.answers.get(timeout=timeout))
        except Empty:
            return False
        return True

    def read_response(self):
        answer = self.waiting.pop() if self.waiting else self.answers.get()
        if isinstance(answer, Exception):
            self.disconnect()
            raise answer
        return answer


def until(holds, seconds=3.0):
    """Waits in steps of a millisecond."""
    with gevent.Timeout(seconds):
        while not holds():
            gevent.sleep(0.001)
