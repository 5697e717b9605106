"""The module that a newcomer adds to a quickstarted site: `newsite/controllers/sockets.py`."""

import time

import tg
from newsite.model import DBSession
from newsite.model.todo import TodoItem
from tg import expose, predicates, redirect, require
from tg.i18n import ugettext as _

import tgsio_middleware
from tgsio_middleware import SocketIOController, SocketIOTGNamespace


class Desk(SocketIOTGNamespace):
    def on_who(self):
        return tg.request.identity['user'].user_name if tg.request.identity else None

    # the database

    def on_add(self, title):
        DBSession.add(TodoItem(title=title))

    def on_add_and_fail(self, title):
        DBSession.add(TodoItem(title=title))
        DBSession.flush()
        raise RuntimeError('a secret')

    def on_titles(self):
        return [title for (title,) in DBSession.query(TodoItem.title).order_by(TodoItem.id)]

    @require(predicates.has_permission('manage'))
    def on_clear(self):
        return DBSession.query(TodoItem).delete()

    # the session

    def on_remember(self, word):
        tg.session['word'] = word
        tg.session.save()

    def on_recall(self):
        return tg.session.get('word')

    # and the rest

    def on_greeting(self):
        return _('Your application is now running')

    def on_urls(self):
        return [tg.url('/demo', {'page': 2}), tg.url('/demo', qualified=True)]

    def on_cached(self):
        cache = tg.cache.get_cache('desk')
        return [cache.get_value('made', createfunc=time.time, expiretime=60), time.time()]


class Back(SocketIOTGNamespace):
    """For managers."""

    allow_only = predicates.has_permission('manage')


class SocketIO(SocketIOController):
    desk = Desk
    back = Back

    @expose()
    def remember(self, word):
        tg.session['word'] = word
        tg.session.save()
        return 'remembered'

    @expose()
    def recall(self):
        return str(tg.session.get('word'))

    @expose()
    def logout(self):
        """repoze.who forgets the browser; its connections would stay who they are."""
        tgsio_middleware.disconnect(namespace='/desk', user=tg.request.identity['repoze.who.userid'])
        redirect('/logout_handler')
