"""What a client is told when it is not answered: JSON in the form of OpenAI's interface."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from pixel_core.errors import ContextFull, ModelProcessEnded, ModelUnusable, PixelError, RequestRefused


class Problem(Exception):  # noqa: N818 -- an answer
    """A request that is not answered.

    Args:
        status: Of HTTP.
        message: One sentence.
        kind: `invalid_request_error`, `authentication_error`, `rate_limit_error` or `server_error`.
        code: For programs; None where there is none.
        headers: Of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.headers = headers or {}


def problem_response(problem: Problem) -> Response:
    """The answer."""
    return Response(problem_body(problem), status_code=problem.status, headers=problem.headers, media_type="application/json")


def problem_body(problem: Problem) -> bytes:
    """Its JSON."""
    return msgspec.json.encode({"error": {"message": problem.message, "type": problem.kind, "param": None, "code": problem.code}})


def problem_of(error: PixelError) -> Problem:
    """What a client is told of an error of the model."""
    message = error.message + (f"; {error.hint}" if error.hint else "")
    if isinstance(error, ContextFull):
        return Problem(400, message, code="context_length_exceeded")
    if isinstance(error, RequestRefused):
        return Problem(400, message)
    if isinstance(error, ModelUnusable):
        return Problem(400, message, code="model_unusable")
    if isinstance(error, ModelProcessEnded):
        return Problem(503, message, kind="server_error", code="model_process_ended", headers={"retry-after": "1"})
    return Problem(500, message, kind="server_error")
