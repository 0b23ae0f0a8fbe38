"""GeminiAgent against a fake Gemini, which Google's own client takes for a real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from model_servers import gemini_outcomes as outcomes
from model_servers.fake_gemini import KEY, FakeGemini, prompt_text
from model_servers.fake_server import Sent
from model_servers.gemini_outcomes import Outcome
from model_servers.until import until
from pixel_coach.agents import gemini
from pixel_coach.agents.base import Availability, Prompt
from pixel_coach.agents.gemini import GeminiAgent
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyBlocked, ReplyCut, ReplyMalformed
from pixel_coach.settings import AgentSettings

MODEL = "gemini-2.5-flash"
REVIEW = Prompt(system="You review kernels.", user="Review this.", max_tokens=400, temperature=0.1, seed=5, stop=("END",))
SCHEMA = {
    "type": "object",
    "properties": {
        "evidence": {"type": "string"},
        "verdict": {"type": "string", "enum": ["right", "wrong"]},
        "score": {"type": "integer", "minimum": 1, "maximum": 10},
        "findings": {"type": "array", "items": {"type": "object", "properties": {"line": {"type": "integer"}}, "required": ["line"]}},
    },
    "required": ["evidence", "verdict", "score", "findings"],
    "additionalProperties": False,
}


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with FakeGemini() as server:
        yield server


@pytest.fixture
def log() -> list[Any]:
    return []


@pytest.fixture
async def agent(fake: FakeGemini, log: list[Any]) -> AsyncIterator[GeminiAgent]:
    agent = agent_for(fake, log=log)
    yield agent
    await agent.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, none of which takes its time."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(gemini, "asyncio", _Asyncio(note))
    return waited


class _Asyncio:
    def __init__(self, sleep: Any) -> None:
        self.sleep = sleep


def agent_for(fake: FakeGemini, *, log: list[Any] | None = None, key: str = KEY, **settings: Any) -> GeminiAgent:
    keep = (lambda _: None) if log is None else log.append
    return GeminiAgent(AgentSettings(service="gemini", url=fake.url, **settings), {"GEMINI_API_KEY": key}, keep)


async def look(fake: FakeGemini, **settings: Any) -> Availability:
    agent = agent_for(fake, **settings)
    availability = await agent.is_available()
    await agent.close()
    return availability


async def check_failure(agent: GeminiAgent, kind: type[AgentError], message: str) -> AgentError:
    with pytest.raises(AgentError) as failure:
        await agent.ask(REVIEW)
    assert (type(failure.value), failure.value.message) == (kind, message)
    assert failure.value.hint
    return failure.value


async def test_available(fake: FakeGemini) -> None:
    reason = f"Gemini takes the key in GEMINI_API_KEY and has {MODEL}"
    expected = Availability(agent="gemini", is_available=True, reason=reason, model=MODEL, context_tokens=1_048_576, is_local=False)
    assert await look(fake) == expected
    assert await look(fake, model=f"models/{MODEL}") == expected


async def test_a_reply(fake: FakeGemini, agent: GeminiAgent) -> None:
    pieces: list[str] = []
    fake.queue(outcomes.answer("WGSL is fine 😀", thoughts=9, pieces=3))
    reply = await agent.ask(REVIEW, pieces.append)
    assert (reply.text, reply.is_complete, reply.model, len(pieces)) == ("WGSL is fine 😀", True, MODEL, 3)
    assert (reply.usage.prompt_tokens, reply.usage.reply_tokens, reply.usage.thinking_tokens, reply.usage.is_exact) == (120, 4, 9, True)
    assert reply.detail == {"finish_reason": "STOP", "response_id": outcomes.RESPONSE_ID, "tries": 1}


async def test_the_request(fake: FakeGemini, agent: GeminiAgent) -> None:
    await agent.ask(REVIEW)
    (request,) = fake.requests
    assert (request.path, request.query) == (f"/v1beta/models/{MODEL}:streamGenerateContent", {"alt": "sse"})
    assert request.headers["x-goog-api-key"] == KEY
    assert prompt_text(request) == "You review kernels.\nReview this."
    assert request.body["generationConfig"] == {
        "temperature": 0.1,
        "maxOutputTokens": 400,
        "seed": 5,
        "stopSequences": ["END"],
        "thinkingConfig": {"thinkingBudget": 0},
    }


async def test_structured_output_keeps_the_order_of_its_members(fake: FakeGemini, agent: GeminiAgent) -> None:
    reply = await agent.ask(Prompt(system="", user="x", json_schema=SCHEMA))
    schema = fake.requests[0].body["generationConfig"]["responseSchema"]
    assert schema["propertyOrdering"] == ["evidence", "verdict", "score", "findings"]
    assert schema["properties"]["findings"]["items"]["propertyOrdering"] == ["line"]
    assert json.loads(reply.text) == {"evidence": "example", "verdict": "right", "score": 1, "findings": []}


async def test_thoughts_are_no_part_of_the_text(fake: FakeGemini, agent: GeminiAgent) -> None:
    fake.queue(outcomes.thought("yes", "the user asks"))
    assert (await agent.ask(REVIEW)).text == "yes"


@pytest.mark.parametrize(
    ("outcome", "text", "thoughts"),
    [(outcomes.answer("half", finish="MAX_TOKENS"), "half", 0), (outcomes.out_of_tokens(400), "", 400)],
)
async def test_a_reply_cut_by_its_limit_is_not_complete(
    fake: FakeGemini, agent: GeminiAgent, outcome: Outcome, text: str, thoughts: int
) -> None:
    """A limit that went into thinking is billed as well, so that it is a reply, without a text."""
    fake.queue(outcome)
    reply = await agent.ask(REVIEW)
    assert (reply.text, reply.is_complete, reply.usage.thinking_tokens) == (text, False, thoughts)


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (
            outcomes.blocked_prompt("PROHIBITED_CONTENT"),
            ReplyBlocked,
            "Gemini did not answer, because it holds the prompt for unsafe (PROHIBITED_CONTENT)",
        ),
        (outcomes.answer("some", finish="SAFETY"), ReplyBlocked, "Gemini withheld its reply (SAFETY)"),
        (outcomes.answer("some", finish="RECITATION"), ReplyBlocked, "Gemini withheld its reply (RECITATION)"),
        (outcomes.answer("some", finish="A_NEW_REASON"), ReplyCut, "Gemini stopped before the reply was whole (A_NEW_REASON)"),
        (outcomes.answer("some", finish=None), ReplyCut, "the connection to Gemini ended before the reply was whole"),
        (outcomes.cut("some"), ReplyCut, "the connection to Gemini at URL broke before the reply was whole"),
        (
            outcomes.failure_in_stream("some"),
            AgentUnavailable,
            "Gemini is overloaded or down (503: The model is overloaded. Please try again later.)",
        ),
        (outcomes.malformed("some"), ReplyMalformed, "Gemini sent something that is not JSON (Input data was truncated)"),
        (outcomes.empty_candidate(), ReplyMalformed, "Gemini ended its reply without writing anything"),
        (outcomes.no_candidate(), ReplyMalformed, "Gemini answered with neither text nor a reason"),
        (
            outcomes.too_long(2_000_000, 1_048_576),
            PromptTooLong,
            f"the prompt is too long for {MODEL}: The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
        ),
        (
            outcomes.permission_denied(),
            AgentUnavailable,
            f"Gemini does not let the key in GEMINI_API_KEY use {MODEL}: Your API key was reported as leaked. Please use another API key.",
        ),
        (
            outcomes.wrong_region(),
            AgentUnavailable,
            "Gemini cannot be used with the key in GEMINI_API_KEY: User location is not supported for the API use.",
        ),
        (outcomes.refused("no such member"), AgentError, "Gemini refuses the request (400: no such member)"),
    ],
)
async def test_faults(fake: FakeGemini, agent: GeminiAgent, outcome: Outcome, kind: type[AgentError], message: str) -> None:
    fake.queue(outcome)
    await check_failure(agent, kind, message.replace("URL", fake.url))


async def test_what_was_counted_before_a_failure_is_told(fake: FakeGemini, agent: GeminiAgent) -> None:
    fake.queue(outcomes.answer("some text", finish="SAFETY", thoughts=7))
    failure = await check_failure(agent, ReplyBlocked, "Gemini withheld its reply (SAFETY)")
    assert (failure.prompt_tokens, failure.reply_tokens) == (120, 10)


async def test_overload_is_tried_again(fake: FakeGemini, agent: GeminiAgent, waits: list[float]) -> None:
    fake.queue(outcomes.server_error(503), outcomes.failure_in_stream(""), outcomes.answer("at last"))
    reply = await agent.ask(REVIEW)
    assert (reply.text, reply.detail["tries"], waits) == ("at last", 3, [1.0, 2.0])


async def test_overload_is_not_tried_for_ever(fake: FakeGemini, agent: GeminiAgent, waits: list[float]) -> None:
    fake.queue(*[outcomes.server_error(500)] * 4)
    failure = await check_failure(
        agent, AgentUnavailable, "Gemini is overloaded or down (500: An internal error has occurred. Please retry.)"
    )
    assert (failure.retry_after_s, len(waits), len(fake.requests)) == (60.0, 2, 3)


async def test_a_short_wait_is_waited(fake: FakeGemini, agent: GeminiAgent, waits: list[float]) -> None:
    fake.queue(outcomes.rate_limited("2.5s"), outcomes.answer("at last"))
    assert ((await agent.ask(REVIEW)).text, waits) == ("at last", [2.5])


@pytest.mark.parametrize(
    ("outcome", "message", "retry_after_s"),
    [
        (outcomes.rate_limited("46s"), f"Gemini takes no more requests for {MODEL} for now", 46.0),
        (outcomes.rate_limited(None), f"Gemini takes no more requests for {MODEL} for now", 60.0),
        (outcomes.rate_limited("3s", per="PerDay", value="20"), f"the requests that this key has for {MODEL} are used up for today", None),
        (outcomes.rate_limited("3s", value="0"), f"this key has no quota for {MODEL} at all", None),
    ],
)
async def test_quotas(
    fake: FakeGemini, agent: GeminiAgent, waits: list[float], outcome: Outcome, message: str, retry_after_s: float | None
) -> None:
    fake.queue(outcome)
    failure = await check_failure(agent, QuotaExceeded, message)
    assert (failure.retry_after_s, waits, len(fake.requests)) == (retry_after_s, [], 1)


async def test_a_proxy_that_answers_with_a_page(fake: FakeGemini, agent: GeminiAgent, waits: list[float]) -> None:
    fake._answer = lambda _: Sent(status=502, pieces=(b"<html>Bad Gateway</html>",), content_type="text/html")
    await check_failure(agent, AgentUnavailable, "Gemini is overloaded or down (502: status 502)")


async def test_a_wrong_key(fake: FakeGemini, log: list[Any]) -> None:
    agent = agent_for(fake, log=log, key="another-key-entirely")
    availability = await agent.is_available()
    assert availability.reason == "Gemini refuses the key in GEMINI_API_KEY: API key not valid. Please pass a valid API key."
    assert availability.hint == "make a new key at https://aistudio.google.com/apikey and export it again"
    await check_failure(agent, AgentUnavailable, availability.reason)
    assert "another-key-entirely" not in json.dumps(log)
    await agent.close()


async def test_an_unknown_model(fake: FakeGemini) -> None:
    availability = await look(fake, model="gemini-9")
    assert availability.reason == "Gemini has no model gemini-9"


@pytest.mark.parametrize("name", ["x/../../secret", "x?key=1", "x:generateContent"])
async def test_a_name_cannot_leave_its_place_in_the_path(fake: FakeGemini, name: str) -> None:
    await look(fake, model=name)
    (request,) = fake.requests
    assert (request.query, request.path.count("/"), request.path.count(":")) == ({}, 3, 0)


async def test_no_key_reaches_log_or_exception(fake: FakeGemini, agent: GeminiAgent, log: list[Any]) -> None:
    """A service that quotes the key does not get it into a sentence, nor into what an exception holds."""
    fake._answer = lambda _: Sent(status=400, pieces=(json.dumps({"error": {"code": 400, "message": f"bad {KEY}"}}).encode(),))
    failure = await check_failure(agent, AgentError, "Gemini refuses the request (400: bad [redacted])")
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert KEY not in json.dumps(log)
    assert not any(KEY in str(request.query) for request in fake.requests)


async def test_a_broken_connection_keeps_the_request_out_of_the_exception(fake: FakeGemini, agent: GeminiAgent) -> None:
    fake.queue(outcomes.cut("some"))
    failure = await check_failure(agent, ReplyCut, f"the connection to Gemini at {fake.url} broke before the reply was whole")
    assert (failure.__cause__, failure.__context__) == (None, None)


async def test_cancelling_closes_the_connection(fake: FakeGemini, agent: GeminiAgent) -> None:
    fake.queue(outcomes.answer("one two three", pause_s=0.2))
    pieces: list[str] = []
    asking = asyncio.create_task(agent.ask(REVIEW, pieces.append))
    await until(lambda: bool(pieces))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(fake.was_left.is_set)


async def test_a_slow_stream_has_an_end(fake: FakeGemini) -> None:
    agent = agent_for(fake, timeout_s=0.5)
    fake.queue(outcomes.answer("one two three", pause_s=0.3))
    with pytest.raises(ReplyCut) as failure:
        await agent.ask(REVIEW)
    assert failure.value.message == "Gemini gave no whole reply within 0.5 s, and the request was ended"
    await agent.close()


@pytest.mark.parametrize(
    ("environment", "settings", "message"),
    [
        ({}, {}, "there is no key for Gemini: neither GEMINI_API_KEY nor GOOGLE_API_KEY is set"),
        ({"GEMINI_API_KEY": " "}, {}, "there is no key for Gemini: neither GEMINI_API_KEY nor GOOGLE_API_KEY is set"),
        ({}, {"key_variable": "MY_KEY"}, "the variable MY_KEY holds no key"),
        (
            {"GOOGLE_API_KEY": "a\r\nx-other: header"},
            {},
            "what GOOGLE_API_KEY holds is no key: it has spaces, line ends or letters that no key has",
        ),
        ({"GEMINI_API_KEY": KEY}, {"url": "http://example.org"}, "the key would travel unencrypted to http://example.org"),
        ({"GEMINI_API_KEY": KEY}, {"url": "https://x?key=1"}, "the address in `url` under [reviewer] must end before `?` and `#`"),
    ],
)
def test_what_cannot_even_be_asked(environment: dict[str, str], settings: dict[str, str], message: str) -> None:
    with pytest.raises(AgentUnavailable) as refusal:
        GeminiAgent(AgentSettings(service="gemini", **settings), environment, lambda _: None)
    assert refusal.value.message == message
    assert refusal.value.hint
    assert KEY not in refusal.value.hint
