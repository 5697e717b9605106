"""Guards: `@require`, `allow_only` and `@validate` in every form, hooks and wrappers.

`X-User: name` is somebody, `X-User: name:a+b` somebody with the permissions a and b. No annotations of the future here,
for TurboGears takes type hints as they stand.
"""

import formencode
import tg
from tg import MinimalApplicationConfigurator, TGController, expose, hooks, predicates, require, validate
from tg.appwrappers.identity import IdentityApplicationWrapper
from tg.validation import Convert, RequireValue, TGValidationError
from tgext.formencode import plugme

from tests.fixtureapps.somebody import Auth, identify
from tgsio_middleware import BaseNamespace, SocketIOController, SocketIOTGNamespace


class Ghosts(Auth):
    def get_user(self, identity, userid):
        return None if userid == 'ghost' else userid


class IsEvening(predicates.Predicate):
    """A predicate of the site's own."""

    message = 'come back in the evening'

    def evaluate(self, environ, credentials):
        if environ.get('HTTP_X_HOUR') != 'evening':
            self.unmet()


class Schema:
    """What TurboGears takes for a schema: it has `validate`."""

    def validate(self, params):
        if params.get('low', 0) > params.get('high', 0):
            raise TGValidationError(
                'low is above high', value=params, error_dict={'low': 'too high', 'high': 'too low'}
            )
        return {**params, 'width': params['high'] - params['low']}


class Blunt:
    """A schema that knows no fields."""

    def validate(self, params):
        raise TGValidationError('it is all wrong', value=params)


class Form(formencode.Schema):
    age = formencode.validators.Int(min=18)


class Guarded(SocketIOTGNamespace):
    """`@require`."""

    calls = 0

    def count(self):
        self.session['calls'] = self.session.get('calls', 0) + 1
        return self.session['calls']

    def on_calls(self):
        return self.session.get('calls', 0)

    @require(predicates.not_anonymous())
    def on_members(self):
        return self.count()

    @require(predicates.not_anonymous())
    @require(predicates.has_permission('dance'))
    def on_dance(self):
        return self.count()

    @require(predicates.Any(predicates.is_user('ann'), IsEvening()))
    def on_late(self):
        return self.count()

    @require(predicates.has_permission('dance'))
    @validate({'n': Convert(int)})
    def on_validated(self, n):
        return self.count()

    @require(predicates.has_permission('talk'))
    def recv_message(self, data):
        return self.count()


class Careless(Guarded):
    """It dispatches on its own and asks no ACL."""

    def process_event(self, packet):
        return self.call_method('on_' + packet['name'], packet, *packet['args'])


class Trusting(Guarded):
    """Its ACL forgets to ask ours."""

    def is_method_allowed(self, method_name):
        return True


class Invited(SocketIOTGNamespace):
    @require(predicates.has_permission('enter'))
    def recv_connect(self):
        self.emit('welcome')


class Private(SocketIOTGNamespace):
    allow_only = predicates.has_permission('enter')

    def on_who(self):
        return tg.request.identity['repoze.who.userid']


class Required(SocketIOTGNamespace):
    allow_only = require(predicates.has_permission('enter'))


class Plain(BaseNamespace):
    """It knows nothing of TurboGears."""

    allow_only = predicates.has_permission('enter')

    def on_echo(self, value):
        return value


class Checked(SocketIOTGNamespace):
    """`@validate`."""

    @validate({'n': Convert(int, 'no number'), 'name': RequireValue('no name')})
    def on_dict(self, n, name, other='other'):
        return [n, name, other]

    @validate({'n': Convert(int, 'no number', default=7)})
    def on_default(self, n=None):
        return n

    @validate(Schema())
    def on_schema(self, low, high, width=None):
        return [low, high, width]

    @validate(Schema())
    def on_keywords(self, low, high, **more):
        return [low, high, more]

    @validate(Blunt())
    def on_blunt(self, value):
        return value

    @validate(Form())
    def on_form(self, age):
        return age

    @validate()
    def on_hints(self, n: int, yes: bool, factor: float = 2.0, rest=None):
        return [n, yes, factor, rest]

    def explained(self, n, *rest):
        """An error handler gets what the client sent, and the status of the validation."""
        status = tg.request.validation
        return ['not a number', n, sorted(status.errors), status.values['n'], str(status.exception)]

    @validate({'n': Convert(int, 'no number')}, error_handler=explained)
    def on_explained(self, n, *rest):
        return [n, *rest]

    @validate({'n': Convert(len, 'no length')})
    def measured(self, n):
        return ['measured', n]

    @validate({'n': Convert(int, 'no number')}, error_handler=measured, chain_validation=True)
    def on_chained(self, n):
        return n

    @validate({'n': Convert(int, 'no number')}, error_handler=measured)
    def on_unchained(self, n):
        return n

    @require(predicates.has_permission('see errors'))
    def secret(self, n):
        return 'a secret'

    @validate({'n': Convert(int, 'no number')}, error_handler=secret)
    def on_secret(self, n):
        return n

    @validate({'packet': Schema()})
    def on_nonsense(self, packet):
        return packet

    @validate({'data': Convert(str.upper)})
    def recv_message(self, data):
        return data

    @validate({'n': Convert(int, 'no number')})
    def on_request(self, n):
        return [tg.request.args_params, tg.request.validation.values, dict(tg.request.validation.errors)]


class Hooked(SocketIOTGNamespace):
    """What runs around a handler, in order."""

    def say(self, *words):
        self.session.setdefault('said', []).append(list(words))

    def exception_handler_decorator(self, fn):
        def decorated(*args, **kwargs):
            self.say('decorated', *args)
            try:
                return fn(*args, **kwargs)
            except ZeroDivisionError:
                return 'saved'

        return decorated

    @require(predicates.not_anonymous())
    @validate({'n': Convert(int)})
    def on_all(self, n):
        self.say('handler', n)
        return self.session.pop('said')

    def on_bare(self, n):
        self.say('handler', n)
        return self.session.pop('said')

    def on_divide(self, n):
        self.session.pop('said')
        return 1 / n


def say(*words):
    """From a hook: into the session of the client whose event it is."""
    socket = tg.request.environ.get('socketio')
    if socket is not None and '/hooked' in socket and tg.request.path == '/socketio/hooked':
        socket['/hooked'].say(*words)


def wrapper(caller):
    def call(config, controller, remainder, params):
        say('wrapper', *remainder)
        return caller(config, controller, remainder, params)

    return call


class MembersOnly(TGController):
    """It guards what is below it, and its namespace guards itself too."""

    allow_only = predicates.not_anonymous()
    lounge = Guarded
    vault = Private

    @expose()
    def page(self):
        return 'for members'


class SocketIO(SocketIOController):
    guarded = Guarded
    careless = Careless
    trusting = Trusting
    invited = Invited
    private = Private
    required = Required
    plain = Plain
    checked = Checked
    hooked = Hooked
    members = MembersOnly()


class ClosedSocketIO(SocketIOController):
    allow_only = require(predicates.has_permission('sockets'))
    guarded = Guarded


class RootController(TGController):
    socketio = SocketIO()
    closed = ClosedSocketIO()

    @expose()
    def index(self):
        return 'the club'


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint(
        {
            'root_controller': RootController(),
            'renderers': ['json'],
            'sa_auth.authmetadata': Ghosts(),
            'identity.allow_missing_user': False,
        }
    )
    configurator.register_application_wrapper(IdentityApplicationWrapper)
    plugme(configurator)
    configurator.get_component('dispatch').register_controller_wrapper(wrapper)
    for name in ('before_validate', 'before_call'):
        hooks.register(name, lambda args, params, name=name: say(name, 'of all', *args))
        hooks.register(name, lambda args, params, name=name: say(name, 'of it', *args), controller=Hooked.on_all)
    return identify(configurator.make_wsgi_app(global_conf, app_conf))
