"""What else an event can do: one handler each."""

from __future__ import annotations

from tg import predicates, require, validate
from tg.validation import Convert

from tgsio_middleware import NoAnswer, SocketIOTGNamespace

from .validators import MESSAGE, NAME, TABLE


class HasKnocked(predicates.Predicate):
    message = 'Please knock first.'

    def evaluate(self, environ, credentials):
        if not environ['socketio'].session.get('knocked'):
            self.unmet()


class Workshop(SocketIOTGNamespace):
    @validate({'name': NAME, 'table': TABLE})
    def on_reserve(self, name, table):
        return f'Table {table} is kept for {name}.'

    def on_knock(self):
        self.session['knocked'] = True
        return 'The door is open now.'

    @require(HasKnocked())
    def on_enter(self):
        return 'Come in!'

    @validate({'text': MESSAGE})
    def on_measure(self, text):
        return text[::-1], len(text)  # a tuple: two arguments of the page's callback

    @validate({'data': Convert(memoryview, 'Bytes are wanted here.')})
    def on_mirror(self, data):
        return bytes(data[::-1])

    def on_look(self):
        try:
            width = self.call('how wide', timeout=5)
        except NoAnswer:
            return 'Your page has not answered.'
        return f'Your page says that it is {width} pixels wide.'

    def on_fail(self):
        raise RuntimeError('The handler of the event "fail" does what its name says.')
