"""When has the transaction of a request or an event committed?

TurboGears' transaction manager (`tm.enabled`) and repoze.tm2 use the package `transaction`, whose hooks say it. Where a
site has neither, what ends without an exception counts as committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import tg
from tg.support.converters import asbool

from ..bus.outbox import Outbox, current
from ..errors import ConfigurationError

Function = TypeVar('Function', bound=Callable[..., Any])


def hold(config: Mapping[str, Any]) -> None:
    """Called inside a request or event, perhaps a second time for one (`tm.attempts`): from now on what is said waits.

    Who began the event lets it go: see `settles`.
    """
    outbox = current()
    if outbox is None:
        outbox = Outbox()
    else:
        outbox.restart()
    if managed(config):
        import transaction

        # Doomed or vetoed: aborted without an exception.
        transaction.get().addAfterAbortHook(outbox.doom)


def settles(run: Function) -> Function:
    """Around all of an event: what was held inside leaves when `run` returns, and is dropped when it raises."""

    @wraps(run)
    def settled(*args: Any, **kwargs: Any) -> Any:
        try:
            value = run(*args, **kwargs)
        except BaseException:
            outbox = current()
            if outbox is not None:
                outbox.drop()
            raise
        outbox = current()
        if outbox is not None:
            outbox.commit()
        return value

    return settled  # type: ignore[return-value]


def doom(config: Mapping[str, Any]) -> None:
    """Whatever is answered, the transaction of the request or event under way will abort."""
    if managed(config) or 'repoze.tm.active' in tg.request.environ:
        import transaction

        transaction.doom()


def managed(config: Mapping[str, Any]) -> bool:
    """The application's requests and events run in transactions of the package `transaction`."""
    return bool(asbool(config.get('tm.enabled', False)))


def after_commit(what: Callable[..., None], *args: Any) -> None:
    """Calls `what(*args)` when the transaction of the request under way has committed, and not at all when it aborts.

    Raises ConfigurationError where there is none.
    """
    try:
        under_way = managed(tg.config) or 'repoze.tm.active' in tg.request.environ
        tg.request.environ  # noqa: B018  raises TypeError outside of requests
    except TypeError:
        under_way = False
    if not under_way:
        raise ConfigurationError(
            'on_commit=True without a transaction: inside a request, set tm.enabled = true in the configuration of the '
            'application (or put repoze.tm2 in front of it); elsewhere, emit after a commit of your own'
        )
    import transaction

    def hook(committed: bool) -> None:
        if committed:
            what(*args)

    transaction.get().addAfterCommitHook(hook)
