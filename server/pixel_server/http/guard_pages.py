"""Lets a browser of this machine in, once it has shown the code of the address that its user was given, and no page of others."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixel_server.http.loopback_names import LOOPBACK_NAMES
from pixel_server.http.problems import Problem, problem_response

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class GuardPages:
    """Looks at each request before anything else does, and puts on each answer what browsers ask for.

    A page in the user's browser can send requests to this machine, under a name that its owner lets point here: the `Host` header gives
    it away; or from where it is: `Sec-Fetch-Site` does, and the cookie does not come along. Other users of the machine can reach the
    port; they do not have the cookie.

    Args:
        app: What answers.
        token: That every request to what is not open must bring in the cookie.
        port: Where it listens.
        open_paths: What may be had without the cookie: the page, which says nothing, and where it logs in.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, open_paths: Iterable[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._cookie = cookie_name(port)
        self._hosts = {f"{name}:{port}".encode() for name in LOOPBACK_NAMES}
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        problem = self._problem(scope["path"], [(bytes(name), bytes(value)) for name, value in scope["headers"]])
        answer = self._app if problem is None else problem_response(problem)
        await answer(scope, receive, send_with_headers)

    def _problem(self, path: str, headers: list[tuple[bytes, bytes]]) -> Problem | None:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return Problem(421, "only requests to this machine under its own name are answered", code="wrong_host")
        if any(value not in (b"same-origin", b"none") for name, value in headers if name == b"sec-fetch-site"):
            return Problem(403, "requests of other pages are not answered", code="wrong_site")
        if path in self._open_paths or hmac.compare_digest(self._shown(headers), self._token):
            return None
        return Problem(401, "the page has to be opened by the address that `pixel-lsp map` printed", code="not_logged_in")

    def _shown(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The token that a request brings."""
        for name, value in headers:
            if name == b"cookie":
                try:
                    cookies = SimpleCookie(value.decode("latin-1"))
                except CookieError:
                    continue
                if self._cookie in cookies:
                    return cookies[self._cookie].value.encode("latin-1", "replace")
        return b""


def cookie_name(port: int) -> str:
    """Cookies do not know ports, so the name does."""
    return f"pixel-lsp-map-{port}"
