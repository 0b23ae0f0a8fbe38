"""What stands between a request and its handler: a bug of ours is a traceback in the log, and the server lives on."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, Final

_LOG: Final = logging.getLogger(__name__)


def guard(name: str, handler: Callable[..., Any], *, is_request: bool) -> Callable[..., Any]:
    """A handler that logs what it raises.

    Args:
        name: Of the method.
        handler: A function or coroutine function.
        is_request: Whether somebody waits for an answer; then the exception goes on, and becomes an error response.
    """
    # pygls looks at a handler's kind and writes attributes to it, which a bound method does not allow.
    if inspect.iscoroutinefunction(handler):

        async def answer(*arguments: Any) -> Any:
            try:
                return await handler(*arguments)
            except Exception:
                _LOG.exception("%s failed", name)
                if is_request:
                    raise

        return answer

    def answer_at_once(*arguments: Any) -> Any:
        try:
            return handler(*arguments)
        except Exception:
            _LOG.exception("%s failed", name)
            if is_request:
                raise
            return None

    return answer_at_once
