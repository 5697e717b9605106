"""The original README's namespace, and a referee who keeps the score. The page shows the source of `PingPong`."""

from __future__ import annotations

import random
from collections import Counter
from itertools import count
from typing import Any

from tg import validate
from tg.validation import TGValidationError

from tgsio_middleware import BroadcastMixin, SocketIOTGNamespace


class NoFireBallValidator:
    """-> `{'type': 'ping'}` or `{'type': 'fireball'}`; nothing else of what a client sends gets to the others."""

    def to_python(self, value: Any, state: Any = None) -> dict[str, str]:
        attack = value.get('type') if isinstance(value, dict) else None
        if attack == 'auto':
            attack = random.choice(('ping', 'fireball'))
        if attack not in ('ping', 'fireball'):
            raise TGValidationError('Got an error!')
        return {'type': attack}


class Referee:
    """Numbers the players and the attacks, as long as the process lives."""

    def __init__(self) -> None:
        self.score: Counter[str] = Counter()
        self._players = count(1)

    def admit(self, namespace: SocketIOTGNamespace) -> dict[str, Any]:
        """What a new client is told."""
        player = namespace.session['player'] = next(self._players)
        return {'player': player, 'score': self.score}

    def count(self, namespace: SocketIOTGNamespace, attack: dict[str, str]) -> dict[str, Any]:
        """What everybody is told of an attack."""
        client = ', '.join(namespace.socket.dialect.GENERATIONS)
        self.score[client] += 1
        return {
            'number': self.score.total(),
            'player': namespace.session['player'],
            'client': client,
            'attack': attack['type'],
            'score': self.score,
        }


referee = Referee()


class PingPong(SocketIOTGNamespace, BroadcastMixin):
    def recv_connect(self):
        self.emit('welcome', referee.admit(self))

    @validate({'attack': NoFireBallValidator()})
    def on_ping(self, attack):
        fire = attack['type'] == 'fireball'
        for sound in ['bang!'] * 10 if fire else ['pong']:
            self.emit('pong', {'sound': sound})
        self.broadcast_event('seen', referee.count(self, attack))
