"""OpenAICompatibleAgent, and with it the reading of chat completions, against a fake endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from model_servers.fake_completions import CompletionOutcome, FakeCompletions
from model_servers.until import until
from pixel_coach.agents.base import Availability, Prompt
from pixel_coach.agents.openai_compatible import OpenAICompatibleAgent
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyBlocked, ReplyCut
from pixel_coach.settings import AgentSettings

HELLO = Prompt(system="Be brief.", user="Say hello.", max_tokens=50, stop=("END",))


@pytest.fixture
def fake() -> Iterator[FakeCompletions]:
    with FakeCompletions() as server:
        yield server


@pytest.fixture
async def agent(fake: FakeCompletions) -> AsyncIterator[OpenAICompatibleAgent]:
    agent = agent_for(fake.url)
    yield agent
    await agent.close()


def agent_for(url: str | None, key: str = "", **settings: Any) -> OpenAICompatibleAgent:
    variable = "MY_KEY" if key else None
    return OpenAICompatibleAgent(
        AgentSettings(service="openai", url=url, key_variable=variable, **settings), {"MY_KEY": key}, lambda _: None
    )


async def look(url: str, key: str = "", **settings: Any) -> Availability:
    agent = agent_for(url, key, **settings)
    availability = await agent.is_available()
    await agent.close()
    return availability


async def test_available(fake: FakeCompletions) -> None:
    expected = Availability(
        agent="openai",
        is_available=True,
        reason=f"the endpoint at {fake.url} has served-model",
        model="served-model",
        context_tokens=8192,
    )
    assert await look(fake.url) == expected
    assert (await look(f"{fake.url}/v1")).is_available
    assert (await look(fake.url, context_tokens=2048)).context_tokens == 2048


async def test_models_that_it_does_not_have(fake: FakeCompletions) -> None:
    availability = await look(fake.url, model="other")
    assert availability.reason == f"the endpoint at {fake.url} has no model other; it has served-model"


async def test_an_endpoint_that_lists_nothing() -> None:
    with FakeCompletions(models=None) as fake:
        assert (await look(fake.url, model="mine")).is_available
        nameless = await look(fake.url)
    assert nameless.reason == f"the endpoint at {fake.url} does not know the model or the path (File Not Found)"


async def test_keys() -> None:
    with FakeCompletions(key="the-right-key") as fake:
        assert (await look(fake.url, "the-right-key")).is_available
        availability = await look(fake.url, "a-wrong-key")
    assert availability.reason == f"the endpoint at {fake.url} refuses the key (Invalid API Key)"


async def test_a_reply(fake: FakeCompletions, agent: OpenAICompatibleAgent) -> None:
    pieces: list[str] = []
    fake.queue(CompletionOutcome(text="hello, you there"))
    reply = await agent.ask(HELLO, pieces.append)
    assert (reply.text, reply.is_complete, reply.model, len(pieces)) == ("hello, you there", True, "served-model", 3)
    assert (reply.usage.prompt_tokens, reply.usage.reply_tokens, reply.usage.is_exact) == (31, 7, True)
    (request,) = fake.asked("/chat/completions")
    assert {name: request.body[name] for name in ("max_tokens", "stop", "stream")} == {"max_tokens": 50, "stop": ["END"], "stream": True}
    assert "authorization" not in request.headers


async def test_tokens_that_nobody_counted_are_estimated(fake: FakeCompletions, agent: OpenAICompatibleAgent) -> None:
    fake.queue(CompletionOutcome(text="hello", has_usage=False))
    usage = (await agent.ask(HELLO)).usage
    assert (usage.prompt_tokens, usage.reply_tokens, usage.is_exact) == (9, 3, False)


async def test_a_schema_is_sent(fake: FakeCompletions, agent: OpenAICompatibleAgent) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}}
    await agent.ask(Prompt(system="", user="x", json_schema=schema))
    expected = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
    assert fake.asked("/chat/completions")[0].body["response_format"] == expected


CONTEXT = {"error": {"code": "context_length_exceeded", "message": "This model's maximum context length is 4096 tokens.", "type": "x"}}
SIZES = {"error": {"code": 400, "type": "exceed_context_size_error", "message": "m", "n_prompt_tokens": 9000, "n_ctx": 4096}}


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (CompletionOutcome(status=400, error=CONTEXT), PromptTooLong, "the prompt is too long for HERE"),
        (
            CompletionOutcome(status=400, error=SIZES),
            PromptTooLong,
            "the prompt is too long for HERE: it has 9,000 tokens, and the context has 4,096",
        ),
        (CompletionOutcome(status=400, error={"detail": "bad field"}), AgentError, "HERE refuses the request (bad field)"),
        (
            CompletionOutcome(status=404, error={"error": "no such model"}),
            AgentUnavailable,
            "HERE does not know the model or the path (no such model)",
        ),
        (CompletionOutcome(status=429, error={"message": "slow down"}), QuotaExceeded, "HERE takes no more requests for now (slow down)"),
        (CompletionOutcome(status=503, error=[]), AgentUnavailable, "HERE is not ready (status 503)"),
        (CompletionOutcome(text="hel", error={"message": "out of memory"}), ReplyCut, "HERE broke off its reply: out of memory"),
        (CompletionOutcome(text="hel", error="out of memory"), ReplyCut, "HERE broke off its reply: out of memory"),
        (CompletionOutcome(text="hel", finish=None), ReplyCut, "HERE closed the connection before the reply was whole"),
        (CompletionOutcome(text="hel", is_cut=True), ReplyCut, "the connection to HERE broke before the reply was whole"),
        (CompletionOutcome(finish="content_filter"), ReplyBlocked, "the filter of HERE withheld the reply"),
    ],
)
async def test_faults(
    fake: FakeCompletions, agent: OpenAICompatibleAgent, outcome: CompletionOutcome, kind: type[AgentError], message: str
) -> None:
    fake.queue(outcome)
    with pytest.raises(AgentError) as failure:
        await agent.ask(HELLO)
    assert (type(failure.value), failure.value.message) == (kind, message.replace("HERE", f"the endpoint at {fake.url}"))
    assert failure.value.hint


async def test_cancelling_closes_the_connection(fake: FakeCompletions, agent: OpenAICompatibleAgent) -> None:
    fake.queue(CompletionOutcome(text="one two three", pause_s=0.2))
    pieces: list[str] = []
    asking = asyncio.create_task(agent.ask(HELLO, pieces.append))
    await until(lambda: bool(pieces))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(fake.was_left.is_set)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "the service `openai` has no address of its own"),
        ("http://10.0.0.7:8000/v1", "the key would travel unencrypted to http://10.0.0.7:8000/v1"),
        ("http://:99999", "the address in `url` under [generator] has no valid host or port"),
    ],
)
def test_addresses_that_are_refused(url: str | None, message: str) -> None:
    with pytest.raises(AgentUnavailable) as refusal:
        agent_for(url, "a-key")
    assert refusal.value.message == message
