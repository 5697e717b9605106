"""python-socketio's Server on gevent.pywsgi with gevent-websocket: `python -m gevent.monkey psio_gevent.py PORT`."""

from __future__ import annotations

import sys

import socketio
from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler

sio = socketio.Server(async_mode='gevent', cors_allowed_origins='*', http_compression=False)


@sio.event
def ping(sid, data):
    return data


@sio.event
def fireball(sid, data):
    for i in range(10):
        sio.emit('pong', {'type': 'pong', 'n': i}, to=sid)


@sio.event
def join(sid, data):
    sio.enter_room(sid, 'room')


@sio.event
def pub(sid, data):
    sio.emit('news', data, room='room')


if __name__ == '__main__':
    address = ('127.0.0.1', int(sys.argv[1]))
    app = socketio.WSGIApp(sio)
    WSGIServer(address, app, backlog=4096, handler_class=WebSocketHandler, log=None).serve_forever()
