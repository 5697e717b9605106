"""Answers: what one client was asked, and who waits for its answer.

1. A question is an event or a message with a number; the client's ack names the number again.
2. A callback is the site's code: it runs in its turn, among the client's events and like one of them. A `call` waits
   inside such a turn, so its answer is told at once.
3. A question fails once, or never: in time (`AnswerTimeout`), by the namespace's end (`Disconnected`), or because more
   than `max_acks` wait (`NoAnswer`). A call raises that; a callback's `on_failure` is called with it, in its turn.
4. What is asked when the namespace has ended already is asked of nobody: no callback hears of it, a call raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from gevent import get_hub
from gevent.event import AsyncResult

from ..errors import AnswerTimeout, Disconnected, NoAnswer
from ..packet import Packet
from .membership import has_ended

if TYPE_CHECKING:
    from ..namespace import BaseNamespace
    from .socket import Socket

Callback = Callable[..., Any]


class Question(NamedTuple):
    """One that waits. `whose` is None where no namespace has asked; `at_once`: the callback never blocks."""

    whose: BaseNamespace | None
    callback: Callback
    on_failure: Callback | None
    at_once: bool
    timer: Any

    def stop(self) -> None:
        """Its time no longer runs."""
        if self.timer is not None:
            self.timer.stop()
            self.timer.close()

    def is_of(self, endpoint: str | None) -> bool:
        """It was asked in that namespace; None means any."""
        return endpoint is None or self.whose is None or self.whose.ns_name == endpoint


class Answers:
    """Those of one client, made when it is first asked."""

    __slots__ = ('_last', '_questions', '_socket')

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._last = 0
        self._questions: dict[int, Question] = {}

    def next_number(self) -> int:
        """One that this client was not given yet."""
        self._last += 1
        return self._last

    def ask(
        self,
        whose: BaseNamespace | None,
        callback: Callback,
        on_failure: Callback | None = None,
        timeout: float | None = None,
        at_once: bool = False,
    ) -> int:
        """-> the question's number. `timeout` in seconds. The oldest fails beyond `max_acks`."""
        number = self.next_number()
        if whose is not None and has_ended(whose):
            return number
        timer = None
        if timeout is not None:
            timer = get_hub().loop.timer(timeout)
            timer.start(self._timed_out, number, timeout)
        self.keep(number, Question(whose, callback, on_failure, at_once, timer))
        return number

    def keep(self, number: int, question: Question) -> None:
        """From now on it waits."""
        self._questions[number] = question
        if len(self._questions) > self._socket.settings.max_acks:
            self._fail(next(iter(self._questions)), NoAnswer('more questions than max_acks'))

    def call(self, whose: BaseNamespace, packet: Packet, timeout: float | None) -> Any:
        """Says the packet and blocks; -> None, the answer's one value, or a tuple of several. Raises NoAnswer."""
        if has_ended(whose) or not self._socket.connected:
            raise Disconnected(self._socket.reason or 'namespace disconnect')
        result = AsyncResult()
        number = self.ask(whose, lambda *values: result.set(values), result.set_exception, timeout, at_once=True)
        packet['id'], packet['ack'] = number, 'data'
        try:
            self._socket.say_now(packet)
            values = result.get()
        finally:
            self.pop(number)
        return values if len(values) > 1 else values[0] if values else None

    def heard(self, packet: Packet) -> bool:
        """An ack has come; -> it was told. Otherwise it waits for its turn, and its time no longer runs."""
        question = self._questions.get(packet['ackId'])
        if question is None or not question.is_of(packet['endpoint']):
            return False
        question.stop()
        if question.at_once:
            del self._questions[packet['ackId']]
            question.callback(*packet['args'])
        return question.at_once

    def pop(self, number: int, endpoint: str | None = None) -> Callback | None:
        """The callback that waits for this answer, once."""
        question = self._questions.get(number)
        if question is None or not question.is_of(endpoint):
            return None
        del self._questions[number]
        question.stop()
        return question.callback

    def interrupt(self, endpoint: str | None, error: NoAnswer) -> None:
        """The namespace (None: all) is about to end: its handlers wait no more."""
        self._fail_those(lambda question: question.at_once and question.is_of(endpoint), error)

    def fail(self, whose: BaseNamespace, error: NoAnswer) -> None:
        """The namespace has ended."""
        self._fail_those(lambda question: question.whose is whose, error)

    def _fail_those(self, meant: Callable[[Question], bool], error: NoAnswer) -> None:
        for number in [number for number, question in self._questions.items() if meant(question)]:
            self._fail(number, error)

    def _timed_out(self, number: int, timeout: float) -> None:
        """Runs in the hub."""
        self._fail(number, AnswerTimeout(f'no answer within {timeout:g} seconds'))

    def _fail(self, number: int, error: NoAnswer) -> None:
        question = self._questions.pop(number)
        question.stop()
        if question.on_failure is None:
            return
        if question.at_once:
            question.on_failure(error)
        elif question.whose is not None:
            self._socket.tell(question.whose, question.on_failure, error)
