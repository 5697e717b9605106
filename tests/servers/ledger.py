"""A site that writes down what it has handled: a line an event in the file `ledger` of its configuration."""

from __future__ import annotations

import time

from tg import MinimalApplicationConfigurator, TGController, expose

from tgsio_middleware import SocketIOController, SocketIOTGNamespace


class Ledger(SocketIOTGNamespace):
    file = ''

    def on_write(self, line, seconds=0):
        """Takes a while, for a drain to fall into it."""
        time.sleep(seconds)
        with open(Ledger.file, 'a') as ledger:
            ledger.write(f'{line}\n')
        return line

    def on_slowly(self, line, seconds):
        """Tells when it has begun."""
        self.emit('begun', line)
        return self.on_write(line, seconds)


class SocketIO(SocketIOController):
    global_namespace = Ledger


class RootController(TGController):
    socketio = SocketIO()

    @expose()
    def index(self, seconds='0'):
        time.sleep(float(seconds))
        return 'the site'

    @expose()
    def note(self, line):
        return Ledger.on_write(self, line)


def make_app(global_conf, ledger, **app_conf):
    Ledger.file = ledger
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    return configurator.make_wsgi_app(global_conf, app_conf)
