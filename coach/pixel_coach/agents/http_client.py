"""HTTP to one service: time-outs, caps, the log without keys, and every fault as a sentence."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, Final, TypeVar

import httpx
import msgspec

from pixel_coach.agents.address import Address
from pixel_coach.agents.base import Log
from pixel_coach.agents.redact import redact
from pixel_coach.errors import AgentError, AgentUnavailable, ReplyCut, ReplyMalformed

MAX_REPLY_BYTES: Final = 16 * 1024 * 1024
"""Of one reply, framing included. The longest that is asked for is a hundredth of it."""

_CONNECT_S: Final = {True: 2.0, False: 10.0}
"""Time to connect, by whether the address is on this machine."""

_ERROR_STATUS: Final = 400
T = TypeVar("T")


class HttpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is spoken to.

    Attributes:
        agent: Its name in the log.
        service: Its name in sentences, such as `Ollama`.
        address: Where it is.
        log: Told of each request and reply.
        key_headers: Headers that hold the key, and nothing else.
        key: The key itself, so that it can be taken out of everything; empty for none.
        silence_s: How long a service may send nothing before it is given up.
        absent_hint: What to do where nothing answers.
    """

    agent: str
    service: str
    address: Address
    log: Log
    key_headers: Mapping[str, str]
    key: str = ""
    silence_s: float
    absent_hint: str


class HttpClient:
    """Requests to one service. Redirects are not followed: a key goes where the user sent it, and nowhere else."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._client: httpx.AsyncClient | None = None

    @property
    def address(self) -> Address:
        """Where it speaks to."""
        return self._options.address

    @property
    def service(self) -> str:
        """Name and address of the service, for sentences."""
        return f"{self._options.service} at {self._options.address.url}"

    def exchange(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, connect_s: float | None = None) -> Exchange:
        """A request that begins when it is entered (`async with`), and whose connection closes when it is left before the end.

        Args:
            method: `GET` or `POST`.
            path: Below the base address, with its slash.
            body: Sent as JSON.
            connect_s: For this one; also the longest silence then.
        """
        loopback = self._options.address.is_loopback
        timeout = httpx.Timeout(self._options.silence_s, connect=_CONNECT_S[loopback])
        if connect_s is not None:
            timeout = httpx.Timeout(connect_s)
        # A compressed reply could be a thousand times larger than what the cap sees of it.
        headers = {"accept-encoding": "identity", "user-agent": "pixel-lsp", **self._options.key_headers}
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        client = self._open()
        request = client.build_request(method, self._options.address.url + path, headers=headers, content=content, timeout=timeout)
        return Exchange(client, request, body, self._options)

    async def fetch(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, connect_s: float | None = None
    ) -> tuple[int, bytes]:
        """Status and body of one request.

        Raises:
            AgentError: No whole answer came.
        """
        async with self.exchange(method, path, body, connect_s=connect_s) as exchange:
            return exchange.status, await exchange.read()

    async def close(self) -> None:
        """Close what is open; a later request opens anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def redact(self, text: str) -> str:
        """A text of the service as it may stand in a sentence: one line, no key, not long."""
        line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
        line = redact(line, (self._options.key,))
        return line if len(line) <= 300 else line[:299] + "…"

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            address = self._options.address
            self._client = httpx.AsyncClient(
                # Proxies and certificates of the environment are for what is elsewhere; nothing on this machine is asked through a proxy.
                trust_env=not address.is_loopback,
                # Plain HTTP has nothing to verify, and to load the certificates takes a tenth of a second.
                verify=address.scheme == "https",
                follow_redirects=False,
                max_redirects=0,
            )
        return self._client


class Exchange:
    """One request under way, to be entered once."""

    def __init__(self, client: httpx.AsyncClient, request: httpx.Request, body: Mapping[str, Any] | None, options: HttpOptions) -> None:
        self._client = client
        self._request = request
        self._body = body
        self._options = options
        self._response: httpx.Response | None = None
        self._received = 0
        self._began = 0.0
        self.status = 0

    async def __aenter__(self) -> Exchange:  # noqa: PYI034 - typing has no Self before Python 3.11
        self._began = time.monotonic()
        request = self._request
        self._tell("request", method=request.method, url=str(request.url), headers={**self._options.key_headers}, body=self._body)
        response = await self._spoken(self._client.send(request, stream=True))
        self._response = response
        self.status = response.status_code
        if response.is_redirect:
            await response.aclose()
            raise AgentUnavailable(
                f"{self._where()} answers with a redirect ({self.status}), which is not followed",
                hint="give the address of the service itself as `url` in coach.toml",
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._response is not None:
            self._tell("reply", status=self.status, bytes=self._received, seconds=round(time.monotonic() - self._began, 3))
            await self._response.aclose()

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            AgentError: It broke off, or is too long.
        """
        pieces = [piece async for piece in self._pieces()]
        data = b"".join(pieces)
        if self.status >= _ERROR_STATUS:
            self._tell("refusal", status=self.status, text=data[:4000].decode("utf-8", "replace"))
        return data

    async def lines(self) -> AsyncIterator[bytes]:
        """The body line by line, without line ends; only line feeds end one, since JSON may hold every other separator.

        Raises:
            AgentError: It broke off, or is too long.
        """
        rest: list[bytes] = []
        async for piece in self._pieces():
            *whole, last = piece.split(b"\n")
            for line in whole:
                yield (b"".join(rest) + line).rstrip(b"\r")
                rest.clear()
            rest.append(last)
        if line := b"".join(rest).rstrip(b"\r"):
            yield line

    async def _pieces(self) -> AsyncIterator[bytes]:
        assert self._response is not None, "the exchange has not been entered"
        stream = self._response.aiter_bytes()
        while (piece := await self._spoken(anext(stream, None))) is not None:
            self._received += len(piece)
            if self._received > MAX_REPLY_BYTES:
                raise ReplyMalformed(
                    f"{self._where()} sent more than {MAX_REPLY_BYTES >> 20} MiB for one reply, and was cut off",
                    hint="check that the address is that of the service, and look into its log",
                )
            yield piece

    async def _spoken(self, step: Awaitable[T]) -> T:
        # Raised outside of the handler: httpx's exceptions hold the request, and the request holds the key.
        try:
            return await step
        except httpx.HTTPError as problem:
            failure = self._explain(problem)
        except (httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError) as problem:
            failure = AgentUnavailable(f"{self._where()} cannot be asked: {problem}", hint=self._options.absent_hint)
        self._tell("fault", text=failure.message)
        raise failure

    def _explain(self, problem: httpx.HTTPError) -> AgentError:
        causes = list(_causes(problem))
        where = self._where()
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            host = self._options.address.host
            return AgentUnavailable(
                f"the name {host} of {self._options.service} cannot be resolved", hint="check the address and this machine's network"
            )
        untrusted = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
        if isinstance(untrusted, ssl.SSLCertVerificationError):
            return AgentUnavailable(
                f"{where} has no certificate that this machine trusts: {untrusted.verify_message}",
                hint="check the address; for a proxy with a certificate of its own, set SSL_CERT_FILE to it",
            )
        if untrusted is not None:
            return AgentUnavailable(
                f"{where} does not speak TLS: {untrusted}", hint="check whether its address begins with http:// instead"
            )
        if isinstance(problem, httpx.ProxyError):
            return AgentUnavailable(f"the proxy to {where} refuses: {problem}", hint="check HTTPS_PROXY and NO_PROXY")
        if isinstance(problem, httpx.ConnectTimeout | httpx.PoolTimeout):
            return AgentUnavailable(f"no connection to {where} came about in time", hint=self._options.absent_hint)
        if isinstance(problem, httpx.ConnectError):
            return AgentUnavailable(f"nothing answers at {self._options.address.url}", hint=self._options.absent_hint)
        if isinstance(problem, httpx.TimeoutException):
            silence = self._request.extensions["timeout"]["read"]
            return ReplyCut(
                f"{where} sent nothing for {silence:g} s, and the request was ended",
                hint="it may be loading a model or be overloaded; try again, or raise `timeout_s` of the agent in coach.toml",
            )
        return ReplyCut(
            f"the connection to {where} broke before the reply was whole", hint="try again; if it recurs, look into the log of that service"
        )

    def _where(self) -> str:
        return f"{self._options.service} at {self._options.address.url}"

    def _tell(self, event: str, **members: Any) -> None:
        self._options.log(redact({"event": event, "agent": self._options.agent, **members}, (self._options.key,)))


def _causes(problem: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    cause: BaseException | None = problem
    while cause is not None and len(causes) < 20:
        causes.append(cause)
        causes.extend(getattr(cause, "exceptions", ()))
        cause = cause.__cause__ or cause.__context__
    return causes
