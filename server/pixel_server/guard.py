"""What stands between a request and its handler: a bug of ours is a traceback in the log, and the server lives on; a refusal is a line."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, Final

from pygls.exceptions import JsonRpcException

_LOG: Final = logging.getLogger(__name__)


def guard(name: str, handler: Callable[..., Any], *, is_request: bool) -> Callable[..., Any]:
    """A handler that logs what it raises; a `JsonRpcException` is its answer, and no bug.

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
            except Exception as problem:
                _log(name, problem)
                if is_request:
                    raise

        return answer

    def answer_at_once(*arguments: Any) -> Any:
        try:
            return handler(*arguments)
        except Exception as problem:
            _log(name, problem)
            if is_request:
                raise
            return None

    return answer_at_once


def is_no_refusal(record: logging.LogRecord) -> bool:
    """Whether a record should be written: pygls logs every error response with a traceback, and `guard` has told of a refusal already."""
    return not (record.name.startswith("pygls") and record.exc_info and isinstance(record.exc_info[1], JsonRpcException))


def _log(name: str, problem: Exception) -> None:
    if isinstance(problem, JsonRpcException):
        _LOG.warning("%s refused: %s", name, problem.message)
    else:
        _LOG.error("%s failed", name, exc_info=problem)
