"""Who is asked for by a header: `X-User: name:a+b` is somebody with the permissions a and b."""

from tg.configuration.auth import TGAuthMetadata


class Auth(TGAuthMetadata):
    """The site's `sa_auth.authmetadata`."""

    def get_user(self, identity, userid):
        return userid

    def get_permissions(self, identity, userid):
        return identity['granted']


def identify(app):
    """The WSGI middleware that authenticates."""

    def middleware(environ, start_response):
        name, _, granted = environ.get('HTTP_X_USER', '').partition(':')
        if name:
            identity = {'repoze.who.userid': name, 'granted': tuple(filter(None, granted.split('+')))}
            environ = {**environ, 'repoze.who.identity': identity}
        return app(environ, start_response)

    return middleware
