"""Programs that embed a site in a server of their own, for `live.run`: the order of their imports is what is tested."""

PATCH = 'from gevent import monkey; monkey.patch_all()'

PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.INFO)
{first}
{then}
from gevent.pywsgi import WSGIServer
from {site} import make_app
from tgsio_middleware import SocketIOMiddleware
app = SocketIOMiddleware(make_app({{}}, **{options}), socketio_resource='socketio')
server = WSGIServer(('127.0.0.1', 0), app)
server.start()
print(f'Serving on http://127.0.0.1:{{server.server_port}}', flush=True)
server.serve_forever()
"""


def program(first: str, then: str = '', site: str = 'tests.fixtureapps.workshop', **options: str) -> str:
    """A program that runs `first` and `then`, and serves the site."""
    return PROGRAM.format(first=first, then=then, site=site, options=options)
