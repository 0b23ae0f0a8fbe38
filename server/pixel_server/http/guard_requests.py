"""Lets in who may come in: from this machine, under a name of this machine, with the token."""

from __future__ import annotations

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from pixel_server.http.loopback_names import LOOPBACK_NAMES
from pixel_server.http.problems import Problem, problem_response


class GuardRequests:
    """Looks at each request before anything else does.

    A page in the user's browser can send requests to this machine, under a name that its owner lets point here; the `Host` header gives
    it away. Other users of the machine can reach the port; they do not know the token.

    Args:
        app: What answers.
        token: That every request must bring as `Authorization: Bearer`.
        port: Where it listens.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = f"Bearer {token}".encode()
        self._hosts = {f"{name}:{port}".encode() for name in LOOPBACK_NAMES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            return
        problem = self._problem([(bytes(name), bytes(value)) for name, value in scope["headers"]])
        if problem is not None:
            await problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _problem(self, headers: list[tuple[bytes, bytes]]) -> Problem | None:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return Problem(421, "only requests to this machine under its own name are answered", code="wrong_host")
        tokens = [value for name, value in headers if name == b"authorization"]
        if len(tokens) != 1 or not hmac.compare_digest(tokens[0], self._token):
            return Problem(
                401,
                "the request needs the token that `pixel-lsp serve` was started with, as `Authorization: Bearer TOKEN`",
                kind="authentication_error",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        return None
