"""Gemini through its REST interface. The key travels in a header, never in a URL.

Reference: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from pixel_coach.agents.address import read_address
from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply, Usage
from pixel_coach.agents.decode_reply import decode_reply
from pixel_coach.agents.finish_within import finish_within
from pixel_coach.agents.gemini_failures import KEY_PAGE, OVERLOADED, explain_failure, read_failure, retry_delay_s
from pixel_coach.agents.gemini_messages import Candidate, Failure, Model, Response, UsageMetadata, generate_body
from pixel_coach.agents.http_client import HttpClient, HttpOptions
from pixel_coach.agents.read_events import read_events
from pixel_coach.agents.read_key import read_key
from pixel_coach.errors import AgentError, AgentUnavailable, ReplyBlocked, ReplyCut, ReplyMalformed
from pixel_coach.settings import AgentSettings

DEFAULT_MODEL: Final = "gemini-2.5-flash"
DEFAULT_ADDRESS: Final = "https://generativelanguage.googleapis.com"
KEY_VARIABLES: Final = ("GEMINI_API_KEY", "GOOGLE_API_KEY")

_LOOK_S: Final = 10.0
_SILENCE_S: Final = 180.0
"""A model that thinks sends nothing meanwhile."""
_TRIES: Final = 3
_LONGEST_RETRY_S: Final = 10.0
"""A longer wait is the queue's business, not ours."""
_FIRST_BACKOFF_S: Final = 1.0

_BLOCKING: Final = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
    }
)


class GeminiAgent:
    """A model of Google's Gemini API."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str], log: Log) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            AgentUnavailable: There is no key, or the address is none.
        """
        self._settings = settings
        self._key_source, key = _find_key(settings, environment)
        try:
            address = read_address(settings.url or DEFAULT_ADDRESS)
        except ValueError as problem:
            raise AgentUnavailable(f"the address in `url` under [reviewer] {problem}", hint=f"an example: {DEFAULT_ADDRESS}") from None
        if address.scheme == "http" and not address.is_loopback:
            raise AgentUnavailable(f"the key would travel unencrypted to {address.url}", hint="use an address that begins with https://")
        self._model = (settings.model or DEFAULT_MODEL).removeprefix("models/")
        self._path = f"/v1beta/models/{quote(self._model, safe='')}"
        self._client = HttpClient(
            HttpOptions(
                agent=self.name,
                service="Gemini",
                address=address,
                log=log,
                key_headers={"x-goog-api-key": key},
                key=key,
                silence_s=min(settings.timeout_s, _SILENCE_S),
                absent_hint="check this machine's network, and HTTPS_PROXY where there is a proxy",
            )
        )

    @property
    def name(self) -> str:
        """`gemini`."""
        return "gemini"

    @property
    def takes_grammar(self) -> bool:
        """Gemini takes schemas and no grammars."""
        return False

    async def is_available(self) -> Availability:
        """Look whether the key is good for the model, which costs nothing. Never raises."""
        try:
            status, data = await self._client.fetch("GET", self._path, connect_s=_LOOK_S)
            if status != 200:
                raise self._explain(read_failure(status, data))
            model = decode_reply(data, Model, "Gemini")
        except AgentError as problem:
            return Availability(
                agent=self.name,
                is_available=False,
                reason=problem.message,
                hint=problem.hint or "",
                model=self._model,
                is_local=False,
            )
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"Gemini takes the key in {self._key_source} and has {self._model}",
            model=self._model,
            context_tokens=model.input_token_limit,
            is_local=False,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt. Overload and short waits are tried again, three times at most and never after text has arrived.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await finish_within(self._settings.timeout_s, self._ask(prompt, on_text), "Gemini")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _ask(self, prompt: Prompt, on_text: OnText | None) -> Reply:
        if prompt.grammar is not None:
            raise AgentError("Gemini cannot be held to a grammar", hint="use the service `llama.cpp` or `embedded` for this task")
        body = generate_body(prompt, self._model)
        began = time.monotonic()
        tries = 1
        while True:
            reading = _Reading(self._client, prompt, self._model, on_text)
            async with self._client.exchange("POST", f"{self._path}:streamGenerateContent?alt=sse", body) as exchange:
                if exchange.status == 200:
                    failure = None
                    async for data in read_events(exchange.lines()):
                        response = decode_reply(data, Response, "Gemini")
                        if response.error is not None:
                            failure = response.error
                            break
                        reading.take(response)
                else:
                    failure = read_failure(exchange.status, await exchange.read())
            if failure is None:
                return reading.finish(time.monotonic() - began, tries)
            wait = _backoff_s(failure, tries)
            if reading.pieces or wait is None:
                raise self._explain(failure)
            tries += 1
            await asyncio.sleep(wait)

    def _explain(self, failure: Failure) -> AgentError:
        return explain_failure(failure, self._model, self._key_source, self._client.redact)


class _Reading:
    """What has come of one reply so far."""

    def __init__(self, client: HttpClient, prompt: Prompt, model: str, on_text: OnText | None) -> None:
        self.pieces: list[str] = []
        self._client = client
        self._prompt = prompt
        self._model = model
        self._on_text = on_text
        self._usage = UsageMetadata()
        self._has_usage = False
        self._finish: str | None = None
        self._finish_message = ""
        self._block: str | None = None
        self._response_id = ""

    def take(self, response: Response) -> None:
        """Add one message of the stream."""
        self._response_id = response.response_id or self._response_id
        self._model = response.model_version or self._model
        if response.usage_metadata is not None:
            self._usage = response.usage_metadata
            self._has_usage = True
        if response.prompt_feedback is not None:
            self._block = response.prompt_feedback.block_reason or self._block
        for candidate in response.candidates[:1]:
            self._take_candidate(candidate)

    def finish(self, seconds: float, tries: int) -> Reply:
        """The reply, once the stream has ended.

        Raises:
            AgentError: It is none.
        """
        text = "".join(self.pieces)
        if self._block is not None:
            raise self._failed(
                ReplyBlocked,
                f"Gemini did not answer, because it holds the prompt for unsafe ({self._clean(self._block)})",
                "look at what the task's texts ask for",
            )
        if self._finish is None:
            raise (
                self._failed(ReplyCut, "the connection to Gemini ended before the reply was whole", "try again")
                if text
                else self._failed(ReplyMalformed, "Gemini answered with neither text nor a reason", "try again; it may be overloaded")
            )
        if self._finish in _BLOCKING:
            raise self._failed(
                ReplyBlocked, f"Gemini withheld its reply ({self._clean(self._finish)})", "look at what the task's texts ask for"
            )
        if self._finish not in {"STOP", "MAX_TOKENS"}:
            reason = self._clean(f"{self._finish} {self._finish_message}")
            raise self._failed(ReplyCut, f"Gemini stopped before the reply was whole ({reason})", "try again")
        if self._finish == "STOP" and not text:
            raise self._failed(ReplyMalformed, "Gemini ended its reply without writing anything", "try again")
        detail = {"finish_reason": self._finish, "response_id": self._response_id, "tries": tries}
        usage = Usage(
            prompt_tokens=self._usage.prompt_token_count,
            reply_tokens=self._usage.candidates_token_count,
            thinking_tokens=self._usage.thoughts_token_count,
            cached_tokens=self._usage.cached_content_token_count,
            seconds=seconds,
            is_exact=self._has_usage,
        )
        return Reply(text=text, is_complete=self._finish == "STOP", model=self._model, usage=usage, detail=detail)

    def _take_candidate(self, candidate: Candidate) -> None:
        self._finish = candidate.finish_reason or self._finish
        self._finish_message = candidate.finish_message or self._finish_message
        for part in candidate.content.parts if candidate.content is not None else ():
            if part.text and not part.thought:
                self.pieces.append(part.text)
                if self._on_text is not None:
                    self._on_text(part.text)

    def _failed(self, kind: type[AgentError], message: str, hint: str) -> AgentError:
        usage = self._usage
        return kind(
            message,
            hint=hint,
            prompt_tokens=usage.prompt_token_count,
            reply_tokens=usage.candidates_token_count + usage.thoughts_token_count,
        )

    def _clean(self, text: str) -> str:
        return self._client.redact(text)


def _find_key(settings: AgentSettings, environment: Mapping[str, str]) -> tuple[str, str]:
    if settings.key_variable is not None:
        return settings.key_variable, read_key(environment, settings.key_variable)
    for variable in KEY_VARIABLES:
        if environment.get(variable, "").strip():
            return variable, read_key(environment, variable)
    raise AgentUnavailable(
        "there is no key for Gemini: neither GEMINI_API_KEY nor GOOGLE_API_KEY is set",
        hint=f'get one at {KEY_PAGE}, then: export {KEY_VARIABLES[0]}="your key"',
    )


def _backoff_s(failure: Failure, tries: int) -> float | None:
    """Seconds to wait before the next try; None where another would not help."""
    if tries >= _TRIES:
        return None
    if failure.code == 429:
        asked = retry_delay_s(failure)
        violations = [violation for detail in failure.details for violation in detail.violations]
        is_spent = "limit: 0" in failure.message or any(v.quota_value == "0" or "PerDay" in v.quota_id for v in violations)
        return None if is_spent or asked is None or asked > _LONGEST_RETRY_S else asked
    if failure.code not in OVERLOADED:
        return None
    asked = retry_delay_s(failure)
    wait = _FIRST_BACKOFF_S * 2 ** (tries - 1) if asked is None else asked
    return wait if wait <= _LONGEST_RETRY_S else None
