"""python-socketio's AsyncServer on uvicorn with uvloop and httptools: `python psio_asgi.py PORT`."""

from __future__ import annotations

import sys

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode='asgi', cors_allowed_origins='*', http_compression=False)


@sio.event
async def ping(sid, data):
    return data


@sio.event
async def fireball(sid, data):
    for i in range(10):
        await sio.emit('pong', {'type': 'pong', 'n': i}, to=sid)


@sio.event
async def join(sid, data):
    await sio.enter_room(sid, 'room')


@sio.event
async def pub(sid, data):
    await sio.emit('news', data, room='room')


if __name__ == '__main__':
    uvicorn.run(
        socketio.ASGIApp(sio),
        host='127.0.0.1',
        port=int(sys.argv[1]),
        loop='uvloop',
        http='httptools',
        ws='websockets-sansio',
        ws_per_message_deflate=False,
        log_level='error',
        access_log=False,
        backlog=4096,
    )
