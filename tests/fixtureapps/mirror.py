"""A WSGI application that says what it was called with."""

from __future__ import annotations

import json


def show(value):
    """Plain values as they are, of others the type."""
    return value if isinstance(value, (str, int, bool, tuple)) else f'<{type(value).__module__}.{type(value).__name__}>'


def mirror(environ, start_response):
    # pywsgi's input has no end where the request asks for another protocol.
    body = '' if 'HTTP_UPGRADE' in environ else environ['wsgi.input'].read().decode('latin-1')
    said = {'environ': {key: show(value) for key, value in sorted(environ.items())}, 'body': body}
    start_response('200 Mirrored', [('Content-Type', 'application/json'), ('X-Start', type(start_response).__name__)])
    return [json.dumps(said).encode()]


def make_app(global_conf, **app_conf):
    return mirror
