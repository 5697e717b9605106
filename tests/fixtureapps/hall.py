"""Rooms, channels and emits from everywhere, for tests of PubSub and the bus. The header `X-User` says who connects.

`[app:site]` takes `tm.enabled`, and `anypubsub.*`.
"""

from __future__ import annotations

import os
import threading
from typing import ClassVar

import gevent
import tg
import transaction
from gevent import monkey
from tg import MinimalApplicationConfigurator, TGController, expose, predicates, require, validate
from tg.configurator.components.transactions import TransactionManagerConfigurationComponent
from tg.validation import Convert

import tgsio_middleware
from tgsio_middleware import BroadcastMixin, RoomsMixin, SocketIOController
from tgsio_middleware.pubsub import PubSubTGNamespace

from .somebody import identify


class LoggedIn(predicates.Predicate):
    message = 'log in'

    def evaluate(self, environ, credentials):
        if not environ.get('repoze.who.identity'):
            self.unmet()


class Brittle:
    """A data manager whose commit fails."""

    transaction_manager = transaction.manager
    failure: Exception = RuntimeError('the database is full')

    def abort(self, txn):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort

    def tpc_vote(self, txn):
        raise self.failure

    def sortKey(self):
        return 'brittle'


class Busy(Brittle):
    """Another try may commit."""

    failure = transaction.interfaces.TransientError('the database is busy')


def swallowing(fn):
    def decorated(*args, **kwargs):
        try:
            return fn(*args, **kwargs)
        except ZeroDivisionError:
            return None

    return decorated


class Hall(PubSubTGNamespace, RoomsMixin, BroadcastMixin):
    """Everything at once."""

    #: sids of those who are in and have not been heard leaving
    here: ClassVar[set[str]] = set()

    def recv_connect(self):
        self.session['rooms at the end'] = None
        self.here.add(self.sid)

    def recv_disconnect(self):
        self.broadcast_event_not_me('left', sorted(self.rooms), sorted(self.channels))
        self.here.discard(self.sid)
        super().recv_disconnect()

    def on_who(self):
        return self.socket.sessid, self.sid, os.getpid()

    # -- PubSub

    def subscribe_lobby(self):
        pass

    def subscribe_two_words(self):
        pass

    def subscribe_room(self, number):
        return f'room-{number}'

    def subscribe_refused(self):
        return False

    @require(LoggedIn())
    def subscribe_members(self):
        pass

    @validate({'n': Convert(int)})
    def subscribe_number(self, n):
        return f'number-{n}'

    def subscribe_by_id(self, number):
        return number

    @validate({'n': Convert(int)}, error_handler=lambda self, *args, **kwargs: None)
    def subscribe_handled(self, n):
        return 'handled'

    def subscribe_raising(self):
        return 1 / 0

    def subscribe_brittle(self):
        transaction.get().join(Brittle())

    def subscribe_odd(self):
        return ['a list']

    def subscribe_at_first(self):
        """What is allowed cannot be committed; when it is tried once more, it is refused."""
        if self.first_time():
            transaction.get().join(Busy())
            return None
        return False

    def subscribe_other_every_time(self):
        if self.first_time():
            return 'one'
        transaction.get().join(Brittle())
        return 'other'

    def first_time(self):
        tries = self.session['tries'] = self.session.get('tries', 0) + 1
        return tries == 1

    def on_subscribe_and_abort(self):
        self.on_subscribe({'args': ['lobby']})
        tg.abort(409)

    def on_channels(self):
        return sorted(self.channels)

    def on_fail(self):
        raise RuntimeError('failed')

    def on_publish(self, channel, message):
        self.publish(channel, message)

    def on_publish_from_a_thread(self, channel, message):
        monkey.get_original('_thread', 'start_new_thread')(self.publish, (channel, message))

    def on_publish_raw(self, channel, text):
        self.pubsub().publish(channel, text)

    def on_drop_channel(self, channel):
        self.unsubscribe(channel)

    # -- rooms

    def on_join(self, room):
        self.join(room)

    def on_leave(self, room):
        self.leave(room)

    def on_tell(self, room, *args):
        self.emit_to_room(room, 'told', *args)

    def on_shout(self, *args):
        self.broadcast_event('shouted', *args)

    def on_shout_others(self, *args):
        self.broadcast_event_not_me('shouted', *args)

    # -- emits from elsewhere

    def on_anywhere(self, how, *args):
        tgsio_middleware.emit('heard', *args, namespace='/hall', **how)

    def on_anywhere_not_me(self, *args):
        tgsio_middleware.emit('heard', *args, namespace='/hall', skip=self)

    def on_greenlet(self, *args):
        gevent.spawn(tgsio_middleware.emit, 'heard', *args, namespace='/hall')

    def on_native_thread(self, *args):
        def run():
            tgsio_middleware.emit('heard', *args, namespace='/hall')

        gevent.get_hub().threadpool.apply(run)
        monkey.get_original('_thread', 'start_new_thread')(run, ())
        assert threading.current_thread()

    def on_end(self, how):
        tgsio_middleware.disconnect(namespace='/hall', **how)


class Crowd(PubSubTGNamespace):
    """Many clients, one channel."""

    def subscribe_news(self):
        pass

    def on_publish(self, channel, message):
        self.publish(channel, message)


class Undecided(Hall):
    """The first transaction of its connect cannot commit."""

    def recv_connect(self):
        if self.first_time():
            transaction.get().join(Busy())


class Clinging(Undecided):
    """Its `disconnect` ends nothing."""

    def disconnect(self, silent=False):
        pass


class Swallowing(Hall):
    """Its decorator turns errors into None."""

    def exception_handler_decorator(self, fn):
        return swallowing(fn)


class Patient(Hall):
    """It speaks when the transaction has committed."""

    emit_on_commit = True

    def on_all(self, end):
        """Everything that can be said, then: commit, fail, doom, or fail to commit."""
        value = ['as it was']
        self.emit('one', value)
        self.send('two')
        self.broadcast_event('three', value)
        self.broadcast_event_not_me('four')
        self.emit_to_room('room', 'five')
        tgsio_middleware.emit('six', value, namespace='/patient')
        self.publish('lobby', 'seven')
        value[0] = 'changed'
        self._finish(end)
        return 'ack'

    def on_bye(self, end):
        self.emit('bye')
        self.disconnect()
        self._finish(end)

    def on_job(self):
        """A job says things while the event is under way."""
        gevent.spawn(self.emit, 'from a job')
        gevent.sleep(0.05)
        self.emit('from the event')

    def on_twice(self):
        """Its first transaction is to be retried."""
        tries = self.session['tries'] = self.session.get('tries', 0) + 1
        self.emit('try', tries)
        if tries == 1:
            raise transaction.interfaces.TransientError('once more')

    def on_unsayable(self):
        refused = 0
        for say, value in ((self.emit, object()), (self.publish, b'')):
            try:
                say('x', value)
            except ValueError:
                refused += 1
        return refused

    def _finish(self, end):
        if end == 'fail':
            raise RuntimeError('failed')
        if end == 'doom':
            transaction.doom()
        if end == 'brittle':
            transaction.get().join(Brittle())


class SocketIO(SocketIOController):
    hall = Hall
    crowd = Crowd
    swallowing = Swallowing
    undecided = Undecided
    clinging = Clinging
    patient = Patient


class RootController(TGController):
    socketio = SocketIO()

    @expose()
    def here(self):
        return str(len(Hall.here))

    @expose()
    def say(self, end='', on_commit='', text='hi', **to):
        """An emit from a page."""
        tgsio_middleware.emit('heard', text, namespace='/hall', on_commit=bool(on_commit), **to)
        Patient._finish(None, end)
        return 'said'

    @expose()
    def publish(self, channel, text):
        Hall.pubsub().publish(channel, text)
        return str(tg.request.environ.get('REQUEST_METHOD'))

    @expose()
    def logout(self):
        identity = tg.request.environ.get('repoze.who.identity')
        tgsio_middleware.disconnect(namespace='/hall', user=identity and identity['repoze.who.userid'])
        return 'bye'


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.register(TransactionManagerConfigurationComponent)
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    return identify(configurator.make_wsgi_app(global_conf, app_conf))
