"""`python -m tgsio_middleware emit --bus redis://localhost news '{"text": "hi"}' --namespace /chat --room lobby`"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from .bus.address import ANYBODY
from .errors import SocketIOError


def value(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def parser() -> argparse.ArgumentParser:
    """Two commands with one addressing."""
    whole = argparse.ArgumentParser(
        prog='python -m tgsio_middleware',
        description='Says things to the clients of running servers, over their Redis.',
    )
    commands = whole.add_subparsers(dest='command', required=True)
    emit = commands.add_parser('emit', help='send an event')
    emit.add_argument('event')
    emit.add_argument('args', nargs='*', type=value, help='JSON, or text that is none')
    end = commands.add_parser('disconnect', help='end connections')
    end.add_argument('--keep', action='store_true', help="end the namespace only, not the clients' connections")
    for command in (emit, end):
        command.add_argument('--bus', required=True, help="as in the filter's section: redis://host:port/db")
        command.add_argument('--namespace', default='/', help='/ unless told')
        command.add_argument('--room', action='append', help='may be given several times')
        command.add_argument('--user', default=ANYBODY, help='a TurboGears user id')
        command.add_argument('--skip', action='append', help='a sid, or all in a room; may be given several times')
    return whole


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """An event's arguments may stand behind options, too, where argparse leaves them over."""
    whole = parser()
    told, rest = whole.parse_known_args(argv)
    if rest and (told.command != 'emit' or any(one.startswith('--') for one in rest)):
        whole.error(f'unrecognized arguments: {" ".join(rest)}')
    if rest:
        told.args += map(value, rest)
    return told


def main(argv: Sequence[str] | None = None) -> int:
    """-> the exit status: 0, or 1 where it could not be said; the reason goes to stderr."""
    told = _parse(argv)
    to = {'namespace': told.namespace, 'room': told.room, 'user': told.user, 'skip': told.skip}
    try:
        from .bus.emitter import Emitter  # needs the extra `redis`

        with Emitter(told.bus) as emitter:
            if told.command == 'emit':
                reached = emitter.emit(told.event, *told.args, **to)
            else:
                reached = emitter.disconnect(**to, close=not told.keep)
    except (SocketIOError, OSError) as e:
        print(e, file=sys.stderr)
        return 1
    except Exception as e:
        if type(e).__module__.partition('.')[0] != 'redis':
            raise
        print(f'Redis: {e}', file=sys.stderr)
        return 1
    print(f'{reached} {"server" if reached == 1 else "servers"} reached')
    return 0


if __name__ == '__main__':
    sys.exit(main())
