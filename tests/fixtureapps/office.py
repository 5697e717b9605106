"""A full-stack site: users and permissions in SQLite, repoze.who, Beaker's sessions, transactions, translations.

The header `X-User` says who asks; repoze.who believes it. `[app:site] database` is SQLite's file.
"""

from __future__ import annotations

import gettext
import logging
import time

import gevent
import tg
import transaction
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base, relationship, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool
from tg import FullStackApplicationConfigurator, TGController, expose, predicates, require
from tg.configuration.auth import TGAuthMetadata
from tg.util import Bunch
from zope.sqlalchemy import register

from tgsio_middleware import BaseNamespace, ConnectionRefused, RoomsMixin, SocketIOController, SocketIOTGNamespace

log = logging.getLogger(__name__)
DBSession = scoped_session(sessionmaker(autoflush=True))
register(DBSession)
Base = declarative_base()


class User(Base):
    __tablename__ = 'users'
    name = Column(String, primary_key=True)
    permissions = relationship('Permission', cascade='all, delete-orphan')


class Permission(Base):
    __tablename__ = 'permissions'
    user = Column(String, ForeignKey('users.name'), primary_key=True)
    name = Column(String, primary_key=True)


class Note(Base):
    __tablename__ = 'notes'
    id = Column(Integer, primary_key=True)
    text = Column(String, unique=True, nullable=False)


class Auth(TGAuthMetadata):
    def authenticate(self, environ, identity):
        return None

    def get_user(self, identity, userid):
        return DBSession.get(User, userid)

    def get_permissions(self, identity, userid):
        return [permission.name for permission in DBSession.get(User, userid).permissions]


class Brittle:
    """A data manager whose COMMIT fails."""

    def __init__(self, stage):
        self.stage = stage

    def tpc_vote(self, txn):
        if self.stage == 'vote':
            raise RuntimeError('a secret of the commit')

    def nothing(self, txn):
        pass

    abort = tpc_begin = commit = tpc_finish = tpc_abort = nothing

    def sortKey(self):
        return 'brittle'


def say_who():
    """All that an event may ask TurboGears, as seen at this moment."""
    identity = tg.request.identity
    return {
        'user': identity['user'].name if identity and identity['user'] else None,
        'credentials': tg.request.environ.get('repoze.what.credentials', {}).get('repoze.what.userid'),
        'path': tg.request.path,
        'method': tg.request.method,
        'query': dict(tg.request.params),
        'header': tg.request.headers.get('X-User'),
        'mark': getattr(tg.tmpl_context, 'mark', None),
        'globals': tg.app_globals.motto,
        'config': tg.config['office.name'],
        'session': tg.session.get('owner'),
        'translator': tg.translator.gettext('hello'),
        'response': tg.response.status_int,
    }


class Desk(SocketIOTGNamespace, RoomsMixin):
    """Contexts, sessions, identity."""

    def recv_connect(self):
        if 'keep' in tg.request.params:
            self.on_keep(tg.request.params['keep'])
        self.session['connected as'] = say_who()

    def on_who(self):
        return say_who()

    def on_connected_as(self):
        return self.session['connected as']

    def on_overlap(self, seconds):
        """Marks everything of this event, lets others run, and looks again."""
        who = tg.request.identity['user'].name
        before = say_who()
        tg.tmpl_context.mark = who
        tg.session['owner'] = who
        tg.session.save()
        time.sleep(seconds)
        after = say_who()
        return [before, after]

    def on_keep(self, thing):
        tg.session['thing'] = thing
        tg.session.save()

    def on_kept(self):
        return tg.session.get('thing')

    def on_keep_looking(self):
        """Looks at the session, and waits until the client has answered."""
        before = tg.session.get('thing')
        self.call('looked')
        return before

    def on_answer(self, status):
        tg.response.status = status
        tg.response.headers['X-Said'] = 'yes'
        tg.response.set_cookie('jar', 'crumbs')
        tg.flash('a message')
        cookie = tg.response.headers.getall('Set-Cookie')[0]
        return [tg.response.status_int, tg.response.headers['X-Said'], cookie.partition('=')[2].partition(';')[0]]

    def on_body(self):
        request = tg.request._current_obj()
        raw = request.body_file_raw.read().decode()
        return [request.body.decode(), raw, dict(request.POST), request.copy().path, self.request is request]

    def on_notch(self):
        """How often this was called, as far as the request and its environ know."""
        request = tg.request._current_obj()
        request.notches = getattr(request, 'notches', 0) + 1
        request.environ['notches'] = request.environ.get('notches', 0) + 1
        return [request.notches, request.environ['notches']]

    def on_begins_with(self):
        """What an event knows of the user before TurboGears has asked."""
        return sorted(self.environ['repoze.who.identity'])

    def on_between(self):
        """What a spawned job sees of the request: that there is none of TurboGears', and the handshake."""
        self.spawn(self._look)

    def _look(self):
        try:
            seen = tg.request.path
        except TypeError:
            seen = None
        self.emit('seen', seen, self.request.path, self.request.headers.get('X-User'))

    @require(predicates.has_permission('read'))
    def on_read(self):
        return 'paper'

    def on_number(self, n, seconds=0):
        time.sleep(seconds)
        return n

    def on_join(self, room):
        self.join(room)

    def recv_disconnect(self):
        who = say_who()
        log.info('LEFT %s %s %s %s', who['user'], who['session'], sorted(self.rooms), self.socket.connected)
        super().recv_disconnect()


class Notes(SocketIOTGNamespace):
    """Rows."""

    def recv_connect(self):
        what = tg.request.params.get('refuse')
        if what:
            DBSession.add(Note(text=f'written by a connect that ends in {what}'))
            DBSession.flush()
        if what == 'exception':
            raise RuntimeError('a secret of recv_connect')
        if what == 'commit':
            transaction.get().join(Brittle('vote'))
        if what == 'timeout':
            with gevent.Timeout(0.05):
                time.sleep(60)
        if what == 'exit':
            raise gevent.GreenletExit
        if what == 'abort':
            tg.abort(403)
        if what == 'refusal':
            raise ConnectionRefused('come back later', {'in': 'an hour'})

    def on_write(self, text):
        DBSession.add(Note(text=text))
        return DBSession.query(Note).filter_by(text=text).count()

    def on_write_and_fail(self, text):
        DBSession.add(Note(text=text))
        DBSession.flush()
        raise RuntimeError('a secret of the handler')

    def on_write_and_time_out(self, text):
        DBSession.add(Note(text=text))
        DBSession.flush()
        with gevent.Timeout(0.05):
            time.sleep(60)

    def on_write_and_exit(self, text):
        DBSession.add(Note(text=text))
        DBSession.flush()
        raise gevent.GreenletExit

    def on_write_and_doom(self, text):
        DBSession.add(Note(text=text))
        DBSession.flush()
        transaction.doom()
        return 'doomed'

    def on_write_and_abort(self, text):
        DBSession.add(Note(text=text))
        tg.abort(403, 'not yours')

    def on_write_and_redirect(self, text):
        DBSession.add(Note(text=text))
        tg.redirect('/login')

    def on_say_and_abort(self, text):
        self.emit('said', text)
        tg.abort(400)

    def on_fail_commit(self, text):
        DBSession.add(Note(text=text))
        DBSession.flush()
        transaction.get().join(Brittle('vote'))
        self.emit('before the commit', text)
        return 'never acknowledged'

    def on_write_late(self, text):
        DBSession.add(Note(text=text))
        return 'written'

    def on_count(self):
        return DBSession.query(Note).count()

    def on_row(self, text):
        note = Note(text=text)
        DBSession.add(note)
        DBSession.flush()
        return note

    def on_rows(self, text):
        return [*DBSession.query(Note), self.on_row(text)]

    def on_write_and_return_nonsense(self, text):
        DBSession.add(Note(text=text))
        return object()

    def on_at_the_end(self, text):
        self.session['last words'] = text

    def on_unclean(self):
        """Objects that no transaction knows of stay in the session, unless somebody tidies up."""
        DBSession.info['left over'] = True

    def on_is_clean(self):
        return 'left over' not in DBSession.info

    def on_ask(self, fail):
        def answered(text):
            DBSession.add(Note(text=text))
            DBSession.flush()
            if fail:
                raise RuntimeError('a secret of the callback')

        self.emit('question', callback=answered)

    def recv_disconnect(self):
        text = self.session.pop('last words', None)
        if text:
            DBSession.add(Note(text=text))
            DBSession.flush()
        if text == 'fail':
            raise RuntimeError('a secret of recv_disconnect')
        super().recv_disconnect()


class Patient(Notes):
    emit_on_commit = True


class Closed(SocketIOTGNamespace):
    allow_only = predicates.has_permission('enter')

    def on_knock(self):
        return 'come in'


class Annex(TGController):
    desk = Desk


class PlainNotes(BaseNamespace):
    """Without TurboGears around its events."""

    def on_unclean(self, text):
        DBSession.info['left over'] = True
        DBSession.add(Note(text=text))
        DBSession.flush()

    def on_write(self, text):
        DBSession.add(Note(text=text))
        transaction.commit()


class SocketIO(SocketIOController):
    desk = Desk
    plain_notes = PlainNotes
    annex = Annex()
    notes = Notes
    patient = Patient
    closed = Closed

    @expose()
    def fail(self):
        raise RuntimeError('a page that fails')


class ErrorController(TGController):
    @expose()
    def document(self):
        return f'the page for {tg.response.status_int}'


class RootController(TGController):
    socketio = SocketIO()
    error = ErrorController()

    @expose()
    def index(self):
        return 'the office'

    @expose()
    def begin(self, thing='begun'):
        tg.session['thing'] = thing
        tg.session.save()
        return 'a session'


class Italian(gettext.NullTranslations):
    def gettext(self, message):
        return {'hello': 'ciao'}.get(message, message)


def init_model(engine):
    DBSession.configure(bind=engine)
    Base.metadata.create_all(engine)


class AppGlobals:
    motto = 'paper is patient'


def identify(app):
    """The header X-User becomes REMOTE_USER, which `skip_authentication` makes repoze.who believe."""

    def middleware(environ, start_response):
        if 'HTTP_X_USER' in environ:
            environ = {**environ, 'REMOTE_USER': environ['HTTP_X_USER']}
        return app(environ, start_response)

    return middleware


class MarkLanguage(tg.appwrappers.base.ApplicationWrapper):
    """Translations without catalogues on disk."""

    def __call__(self, controller, environ, context):
        if (context.request.headers.get('Accept-Language') or '').startswith('it'):
            context.translator = Italian()
        return self.next_handler(controller, environ, context)


def make_app(global_conf, database='', veto='', **app_conf):
    configurator = FullStackApplicationConfigurator()
    configurator.update_blueprint(
        {
            'root_controller': RootController(),
            'renderers': ['json'],
            'default_renderer': 'json',
            'package': Bunch(__name__='tests.fixtureapps', __file__=__file__),
            'paths': Bunch(root='', controllers='', templates=[''], static_files=''),
            'serve_static': False,
            'app_globals': AppGlobals,
            'office.name': 'the office',
            'use_sqlalchemy': True,
            'model': Bunch(DBSession=DBSession, init_model=init_model),
            'sqlalchemy.url': f'sqlite:///{database}',
            'sqlalchemy.poolclass': NullPool,
            'tm.enabled': True,
            'tm.commit_veto': (lambda environ, status, headers: int(status.split()[0]) >= 400) if veto else None,
            'session.enabled': True,
            'session.type': 'memory',
            'session.key': 'office',
            'session.secret': 'not secret',
            'sa_auth.enabled': True,
            'skip_authentication': True,
            'sa_auth.cookie_secret': 'not secret either',
            'sa_auth.authmetadata': Auth(),
            'errorpage.enabled': True,
            'errorpage.status_codes': [403, 404],
        }
    )
    configurator.register_application_wrapper(MarkLanguage)
    return identify(configurator.make_wsgi_app(global_conf, app_conf))
