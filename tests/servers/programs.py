"""The WSGI servers that the filter promises to run on, each as a program that serves an ini."""

from __future__ import annotations

from tests.live import RUN

_PYWSGI = """
from gevent import monkey; monkey.patch_all()
import sys
from logging.config import fileConfig
from gevent.pywsgi import WSGIServer
from paste.deploy import loadapp
from {module} import {handler}
fileConfig(sys.argv[1], disable_existing_loggers=False)
server = WSGIServer(('127.0.0.1', 0), loadapp('config:' + sys.argv[1]), handler_class={handler})
server.start()
print('Serving on http://127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
"""
_GUNICORN = """
import sys
from gunicorn.app.wsgiapp import run
sys.argv[1:] = ['--worker-class', '{worker}', '--bind', '127.0.0.1:0', '--paste', sys.argv[1], *{more}]
run()
"""


def gunicorn(worker: str = 'gevent', *more: str) -> str:
    """`gunicorn -k <worker> --paste site.ini`, and more arguments."""
    return _GUNICORN.format(worker=worker, more=list(more))


#: What `run` of tests.live takes.
SERVERS = {
    'ours with TLS': RUN,
    'gevent.pywsgi': _PYWSGI.format(module='gevent.pywsgi', handler='WSGIHandler'),
    'gevent.pywsgi with gevent-websocket': _PYWSGI.format(module='geventwebsocket.handler', handler='WebSocketHandler'),
    'gunicorn -k gevent': gunicorn('gevent', '--graceful-timeout', '1'),
    'gunicorn with gevent-websocket': gunicorn(
        'geventwebsocket.gunicorn.workers.GeventWebSocketWorker', '--graceful-timeout', '1'
    ),
}
