"""What TurboGears users do with controllers, done with namespaces: denials answered by the site, chains of validators,
schemas of other libraries, hooks and wrappers by decorator, rooms that `_lookup` finds.

`X-User: name:a+b` is somebody with the permissions a and b.
"""

from __future__ import annotations

import formencode
import tg
import tg.request_local
from tg import (
    MinimalApplicationConfigurator,
    TGController,
    abort,
    expose,
    hooks,
    predicates,
    redirect,
    require,
    validate,
)
from tg.appwrappers.identity import IdentityApplicationWrapper
from tg.decorators import before_call, before_validate
from tg.support.registry import StackedObjectProxy
from tg.validation import Convert
from tgext.formencode import plugme

from tests.fixtureapps.somebody import Auth, identify
from tgsio_middleware import ConnectionRefused, SocketIOController, SocketIOTGNamespace
from tgsio_middleware.pubsub import PubSubTGNamespace

may = predicates.has_permission
somebody = predicates.not_anonymous


# -- denials -----------------------------------------------------------------------------------------------------------


def explain(reason):
    """A denial_handler that returns."""
    return ['denied', str(reason), tg.response.status_int]


def send_to_login(reason):
    redirect('/login', params={'because': 'you'})


def pay_first(reason):
    abort(402, 'pay first')


def turn_away(reason):
    raise ConnectionRefused('members only', {'join': '/join'})


class strictly(require):
    """A site's own `require`."""

    def default_denial_handler(self, reason):
        return 'strictly not'


class Doors(SocketIOTGNamespace):
    def ran(self):
        self.session['ran'] = self.session.get('ran', 0) + 1
        return 'in'

    def on_ran(self):
        return self.session.get('ran', 0)

    @require(somebody(), denial_handler=explain)
    def on_explained(self):
        return self.ran()

    @require(somebody(), denial_handler=send_to_login)
    def on_login(self):
        return self.ran()

    @require(somebody(), denial_handler=pay_first)
    def on_paid(self):
        return self.ran()

    @require(somebody(), smart_denial=True)
    def on_smart(self):
        return self.ran()

    @strictly(somebody())
    def on_strict(self):
        return self.ran()

    @require(may('sing'), denial_handler=lambda reason: 'learn to sing')
    @require(may('dance'), denial_handler=lambda reason: 'learn to dance')
    @require(somebody())
    def on_party(self):
        return self.ran()

    @require(somebody(), denial_handler=explain)
    def on_listed(self):
        return self.ran()

    def on_close(self):
        self.add_acl_method('on_ran')

    @require(somebody(), denial_handler=explain)
    def on_number(self, packet):
        return self.ran()

    @require(somebody(), denial_handler=explain)
    def not_a_number(self, n):
        return 'no number'

    @validate({'n': Convert(int)}, error_handler=not_a_number)
    def on_validated(self, n):
        return self.ran()


class Whims(Doors):
    """It forbids more than the requirements do."""

    def is_method_allowed(self, method_name):
        return method_name != 'on_explained' and super().is_method_allowed(method_name)


class TurnedAway(SocketIOTGNamespace):
    @require(somebody(), denial_handler=turn_away)
    def recv_connect(self):
        self.emit('welcome')


class ToLogin(SocketIOTGNamespace):
    @require(somebody(), denial_handler=send_to_login)
    def recv_connect(self):
        self.emit('welcome')


class Explained(SocketIOTGNamespace):
    """Its denial_handler returns, as if nothing were wrong."""

    @require(somebody(), denial_handler=explain)
    def recv_connect(self):
        hall_notes.append('it ran')
        self.emit('welcome')


class ExplainedClass(SocketIOTGNamespace):
    allow_only = require(somebody(), denial_handler=explain)

    def recv_connect(self):
        hall_notes.append('it ran')
        self.emit('welcome')


class Channels(PubSubTGNamespace):
    @require(somebody(), denial_handler=lambda reason: 'members')
    def subscribe_members(self):
        return None

    @require(somebody(), denial_handler=pay_first)
    def subscribe_paid(self):
        return None

    def on_publish(self, channel):
        self.publish(channel, 'news')


# -- validation --------------------------------------------------------------------------------------------------------


class Age(formencode.Schema):
    allow_extra_fields = True
    age = formencode.validators.Int(min=18)


class TwoWords(formencode.Schema):
    one = formencode.validators.UnicodeString(not_empty=True)
    two = formencode.validators.UnicodeString(not_empty=True)
    chained_validators = (formencode.validators.FieldsMatch('one', 'two'),)


class Wrong(Exception):
    """Of another library: it knows nothing of TurboGears."""

    def __init__(self, faults):
        super().__init__('it is wrong')
        self.faults = faults


class Model:
    """Of the same library; TurboGears learns in its configuration how to check it."""

    def __init__(self, **types):
        self.types = types

    def parse(self, data):
        faults = [name for name, kind in self.types.items() if not isinstance(data.get(name), kind)]
        if faults:
            raise Wrong(faults)
        return {name: data[name] for name in self.types}


class WrongNumber(Wrong, ValueError):
    pass


class Number:
    """A validator of one field, as TurboGears' are."""

    def to_python(self, value, state=None):
        if not isinstance(value, int):
            raise WrongNumber(['n'])
        return value + 1


class Mixed:
    """A mixin that knows nothing of namespaces."""

    @validate()
    def on_mixed(self, n: int):
        return n


class Forms(SocketIOTGNamespace, Mixed):
    request_of_others = tg.request  # nobody may look at it while the class is made

    @validate({'n': formencode.validators.Int(min=3)})
    def on_field(self, n):
        return n

    @validate(Age())
    def on_schema(self, age, name='nobody'):
        return [age, name]

    @validate(TwoWords())
    def on_match(self, one, two):
        return one + two

    @validate(Model(name=str, n=int))
    def on_model(self, name, n):
        return [name, n]

    def recover(self, *args):
        status = tg.request.validation
        return ['recovered', list(args), status.errors, type(status.exception).__name__]

    @validate(Model(n=int), error_handler=recover)
    def on_recovered(self, n):
        return n

    @validate({'n': Number()})
    def on_number(self, n):
        return n

    @validate({'n': Convert(str.upper)})
    @validate({'n': Convert(len)})
    def on_twice(self, n):
        return n

    @validate()
    def on_hints(self, n: int, yes: bool, much: float = 2.0, rest=None):
        return [n, yes, much, rest]

    # a chain: as_number, else as_length, else as_it_is

    def as_it_is(self, value):
        return ['as it is', value]

    @validate({'value': Convert(len, 'no length')}, error_handler=as_it_is)
    def as_length(self, value):
        return ['length', value]

    @validate({'value': Convert(int, 'no number')}, error_handler=as_length, chain_validation=True)
    def on_chain(self, value):
        return ['number', value]

    @validate({'n': Convert(int)}, error_handler=abort(404, 'no such thing', error_handler=True))
    def on_thing(self, n):
        return n


# -- hooks and wrappers ------------------------------------------------------------------------------------------------


def note(*what):
    tg.request.environ.setdefault('notes', []).append(list(what))


def noted():
    return tg.request.environ.pop('notes', [])


@before_validate
def first(remainder, params):
    note('before_validate', *remainder)


@before_call
def second(remainder, params):
    note('before_call', *remainder)


@before_validate
def closed(remainder, params):
    abort(503, 'closed')


class Hooked(SocketIOTGNamespace):
    @first
    @second
    @validate({'n': Convert(int)})
    def on_decorated(self, n):
        note('handler', n)
        return noted()

    @validate({'n': Convert(int)})
    def on_wrapped(self, n):
        note('handler', n)
        return noted()

    def on_plain(self, n):
        note('handler', n)
        return noted()

    @closed
    def on_closed(self):
        return 'never'


def wrap(caller):
    """A controller wrapper of one handler."""

    def call(config, controller, remainder, params):
        note('wrapper', *remainder)
        return caller(config, controller, remainder, params)

    return call


def wrap_all(caller):
    """Of all, pages and connects too. It cannot run inside itself, as a profiler cannot."""

    def call(config, controller, remainder, params):
        environ = tg.request.environ
        assert not environ.get('wrapped')
        environ['wrapped'] = True
        try:
            if tg.request.path == '/socketio/hooked' and controller.__name__ != 'recv_connect':
                note('wrapper of all', *remainder)
            return caller(config, controller, remainder, params)
        finally:
            environ['wrapped'] = False

    return call


# -- on the way --------------------------------------------------------------------------------------------------------


class Chat(SocketIOTGNamespace):
    """One class for all rooms."""

    def initialize(self):
        self.room = self.controller.number

    def recv_connect(self):
        self.emit('in', self.room, tg.request.environ.get('notes', []))

    def on_where(self):
        return [self.room, self.controller.number, tg.request.path]


class Room(TGController):
    chat = Chat

    def __init__(self, number):
        self.number = number

    def _visit(self, *remainder, **params):
        note('_visit of the room', *remainder)

    def _before(self, *remainder, **params):
        note('_before of the room', *remainder, params.get('token'))

    def _after(self, *remainder, **params):
        note('_after of the room')
        hall_notes.append(noted())

    @expose()
    def index(self):
        return f'room {self.number} {noted()}'


#: what connects have left behind
hall_notes: list[object] = []


class Rooms(TGController):
    number = 'all'
    chat = Chat

    def _visit(self, *remainder, **params):
        note('_visit of the rooms', *remainder)
        if 'banned' in params:
            abort(403)

    def _before(self, *remainder, **params):
        note('_before of the rooms')

    @expose()
    def _lookup(self, number, *remainder):
        if not number.isdigit():
            abort(404)
        return Room(int(number)), remainder


class Deep(TGController):
    """Rooms in rooms."""

    @expose()
    def _lookup(self, house, *remainder):
        rooms = Rooms()
        rooms.number = house
        return rooms, remainder


class Tell(SocketIOTGNamespace):
    def on_notes(self):
        notes, hall_notes[:] = list(hall_notes), []
        return notes

    def on_depth(self):
        """How many contexts the greenlets of events have kept."""
        return [len(stack._object_stack()) for stack in (tg.request_local.context, tg.request_local.config)]

    def on_mess(self):
        """What this event registers, nobody can clean up."""
        stack = StackedObjectProxy()
        tg.request.environ['paste.registry'].register(stack, 'mess')
        stack._pop_object()


class SocketIO(SocketIOController):
    doors = Doors
    whims = Whims
    turned_away = TurnedAway
    to_login = ToLogin
    explained = Explained
    explained_class = ExplainedClass
    channels = Channels
    forms = Forms
    hooked = Hooked
    rooms = Rooms()
    houses = Deep()
    tell = Tell


class RootController(TGController):
    socketio = SocketIO()

    @expose()
    def index(self):
        return 'the guild'


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint(
        {
            'root_controller': RootController(),
            'renderers': ['json'],
            'sa_auth.authmetadata': Auth(),
            'validation.exceptions': [Wrong],
            'validation.validators': {Model: lambda model, params: model.parse(params)},
            'validation.explode': {
                Wrong: lambda error: {'errors': dict.fromkeys(error.faults, 'wrong'), 'values': {}},
            },
        }
    )
    configurator.register_application_wrapper(IdentityApplicationWrapper)
    plugme(configurator)
    dispatch = configurator.get_component('dispatch')
    dispatch.register_controller_wrapper(wrap, controller=Hooked.on_wrapped)
    dispatch.register_controller_wrapper(wrap_all)
    for name in ('before_validate', 'before_call'):
        hooks.register(name, lambda args, params, name=name: note(name, 'by name', *args), controller=Hooked.on_wrapped)
    return identify(configurator.make_wsgi_app(global_conf, app_conf))
