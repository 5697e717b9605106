"""A page for browsers without XMLHttpRequest or websockets: `/page/<client>` loads a browser's client from npm."""

from __future__ import annotations

from pathlib import Path

from tg import MinimalApplicationConfigurator, TGController, expose, response

from tgsio_middleware import SocketIOController, SocketIOTGNamespace

MODULES = Path(__file__).parent.parent / 'functional' / 'clients' / 'node_modules'
#: An ActiveXObject('htmlfile', as Internet Explorer had it, made of a frame.
ACTIVE_X = """
window.CollectGarbage = function () {};
window.ActiveXObject = function (name) {
  var frame = document.createElement('iframe');
  document.body.appendChild(frame);
  var inner = frame.contentDocument;
  return { open: function () {}, write: function () {}, close: function () {}, body: inner.body,
           parentWindow: frame.contentWindow, createElement: function (tag) { return inner.createElement(tag); } };
};
"""
PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Old browser</title></head><body>
<script>%s</script><script src="/client/%s"></script></body></html>"""


class Talk(SocketIOTGNamespace):
    def recv_connect(self):
        self.emit('welcome', 'é😀 </script> \u2028 a\\/b "quoted" \\n\n')

    def on_echo(self, *args):
        return args

    def on_count(self, n):
        for i in range(n):
            self.emit('number', i)


class SocketIO(SocketIOController):
    talk = Talk


class RootController(TGController):
    socketio = SocketIO()

    @expose(content_type='text/html')
    def page(self, client, active_x=''):
        return PAGE % (ACTIVE_X if active_x else '', client)

    @expose()
    def client(self, client):
        response.content_type = 'text/javascript'
        return (MODULES / client / 'dist' / 'socket.io.js').read_text()


def make_app(global_conf, **app_conf):
    configurator = MinimalApplicationConfigurator()
    configurator.update_blueprint({'root_controller': RootController(), 'renderers': ['json']})
    return configurator.make_wsgi_app(global_conf, app_conf)
