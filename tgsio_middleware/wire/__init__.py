"""What the generations put on the wire.

The law of this folder: pure. Nothing here may import gevent, tg, socket, time or threading. Bytes and text come in,
packets go out, and the time is an argument. A generation is a module (`sio09`, `eio3`, `eio4`); what distinguishes it
is its rows of data and its codec, and nothing above this folder may ask which one it holds.
"""
