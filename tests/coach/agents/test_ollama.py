"""OllamaAgent against a fake Ollama, which Ollama's own client takes for a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from model_servers.fake_ollama import FakeModel, FakeOllama, OllamaOutcome
from model_servers.fake_server import Received, Sent, send_json
from model_servers.until import until
from pixel_coach.agents.base import Availability, Prompt
from pixel_coach.agents.ollama import OllamaAgent
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyCut, ReplyMalformed
from pixel_coach.settings import AgentSettings

MODEL = "qwen2.5-coder:7b"
HELLO = Prompt(system="Be brief.", user="Say hello.", max_tokens=50, temperature=0.5, seed=3, stop=("END",))


@pytest.fixture
def fake() -> Iterator[FakeOllama]:
    with FakeOllama() as server:
        yield server


@pytest.fixture
async def agent(fake: FakeOllama) -> AsyncIterator[OllamaAgent]:
    agent = agent_for(fake)
    yield agent
    await agent.close()


def agent_for(fake: FakeOllama, **settings: Any) -> OllamaAgent:
    return OllamaAgent(AgentSettings(service="ollama", url=fake.url, **settings), {}, lambda _: None)


async def look(fake: FakeOllama, **settings: Any) -> Availability:
    agent = agent_for(fake, **settings)
    availability = await agent.is_available()
    await agent.close()
    return availability


async def check_failure(agent: OllamaAgent, kind: type[AgentError], message: str, prompt: Prompt = HELLO) -> AgentError:
    with pytest.raises(AgentError) as failure:
        await agent.ask(prompt)
    assert (type(failure.value), failure.value.message) == (kind, message)
    assert failure.value.hint
    return failure.value


async def test_available(fake: FakeOllama) -> None:
    """Without a name, the first model that writes: the embedding model before it is passed over."""
    assert await look(fake) == Availability(
        agent="ollama", is_available=True, reason=f"Ollama 0.13.0 at {fake.url} has {MODEL}", model=MODEL, context_tokens=16_384
    )
    assert (await look(fake, model=MODEL, context_tokens=65_536)).context_tokens == 32_768
    assert (await look(fake, model="nomic-embed-text")).model == "nomic-embed-text:latest"


async def test_a_missing_model(fake: FakeOllama) -> None:
    availability = await look(fake, model="llama9")
    assert availability.reason == f"Ollama at {fake.url} has no model llama9; it has nomic-embed-text:latest, {MODEL}"
    assert (availability.is_available, availability.hint) == (False, "ollama pull llama9")


async def test_no_model_at_all() -> None:
    with FakeOllama(models={}) as fake:
        availability = await look(fake)
        assert (availability.reason, availability.hint) == (f"Ollama at {fake.url} has no model that writes text", f"ollama pull {MODEL}")


async def test_a_cloud_model_is_not_local_and_not_taken_unasked() -> None:
    with FakeOllama(models={"gpt-oss:120b-cloud": FakeModel(remote_host="https://ollama.com:443")}) as fake:
        assert not (await look(fake)).is_available
        named = await look(fake, model="gpt-oss:120b-cloud")
        assert (named.is_available, named.is_local) == (True, False)


async def test_nothing_answers() -> None:
    with FakeOllama() as fake:
        pass
    availability = await look(fake)
    assert availability.reason == f"nothing answers at {fake.url}"
    assert availability.hint == f"start it with `ollama serve` (https://ollama.com/download), then `ollama pull {MODEL}`"


async def test_something_else_answers() -> None:
    with FakeOllama() as fake:
        fake._answer = lambda _: Sent(status=404, pieces=(b"<html>",))
        availability = await look(fake)
    assert availability.reason == f"what answers at {fake.url} is not Ollama (/api/version gives 404)"


async def test_a_reply(fake: FakeOllama, agent: OllamaAgent) -> None:
    pieces: list[str] = []
    fake.queue(OllamaOutcome(text="hello, you there", thinking="who is it?"))
    reply = await agent.ask(HELLO, pieces.append)
    assert (reply.text, reply.is_complete, reply.model, len(pieces)) == ("hello, you there", True, MODEL, 3)
    assert (reply.usage.prompt_tokens, reply.usage.reply_tokens, reply.usage.is_exact) == (16, 5, True)
    (request,) = fake.asked("/api/chat")
    assert request.body["options"] == {"num_ctx": 16_384, "num_predict": 50, "temperature": 0.5, "seed": 3, "stop": ["END"]}
    assert (request.body["truncate"], request.body["shift"], request.body["keep_alive"]) == (False, False, "15m")


async def test_a_reply_cut_by_its_limit_is_not_complete(fake: FakeOllama, agent: OllamaAgent) -> None:
    fake.queue(OllamaOutcome(text="hel", done_reason="length"))
    assert not (await agent.ask(HELLO)).is_complete


async def test_separators_of_lines_inside_of_texts(fake: FakeOllama, agent: OllamaAgent) -> None:
    """JSON may hold every separator but line feeds as it is; a client that splits at them breaks the line in two."""
    fake.queue(OllamaOutcome(text="a\u2028b\u0085c\x0bd"))
    assert (await agent.ask(HELLO)).text == "a\u2028b\u0085c\x0bd"


async def test_a_schema_is_sent(fake: FakeOllama, agent: OllamaAgent) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}}
    await agent.ask(Prompt(system="", user="x", json_schema=schema))
    assert fake.asked("/api/chat")[0].body["format"] == schema


async def test_grammars_are_refused(agent: OllamaAgent) -> None:
    await check_failure(agent, AgentError, "Ollama cannot be held to a grammar", Prompt(system="", user="x", grammar='root ::= "x"'))


async def test_a_prompt_that_cannot_fit_is_not_sent(fake: FakeOllama) -> None:
    agent = agent_for(fake, context_tokens=512)
    prompt = Prompt(system="", user="word " * 600)
    message = f"the prompt has at least 632 tokens, and the context of {MODEL} is 512"
    failure = await check_failure(agent, PromptTooLong, message, prompt)
    assert failure.hint == "raise `context_tokens` under [generator] in coach.toml as far as the model and the memory allow"
    assert fake.asked("/api/chat") == []
    await agent.close()


async def test_a_prompt_that_the_server_finds_too_long(fake: FakeOllama) -> None:
    agent = agent_for(fake, context_tokens=512)
    prompt = Prompt(system="", user="incomprehensibilities " * 400)
    message = f"the prompt is too long for Ollama, and the context of {MODEL} is 512"
    await check_failure(agent, PromptTooLong, message, prompt)
    await agent.close()


async def test_a_prompt_that_an_old_server_cut_silently() -> None:
    with FakeOllama(is_old=True) as fake:
        agent = agent_for(fake, context_tokens=512)
        prompt = Prompt(system="", user="incomprehensibilities " * 400)
        message = f"Ollama cut the prompt and gave the model 512 tokens of about 3,668, and the context of {MODEL} is 512"
        await check_failure(agent, PromptTooLong, message, prompt)
        await agent.close()


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (OllamaOutcome(text="hel", error="llama runner crashed"), ReplyCut, "Ollama broke off its reply: llama runner crashed"),
        (OllamaOutcome(text="hel", is_cut=True), ReplyCut, "the connection to Ollama at URL broke before the reply was whole"),
        (OllamaOutcome(text="hel", is_short=True), ReplyCut, "Ollama at URL closed the connection before the reply was whole"),
        (
            OllamaOutcome(text="hel", raw=b'{"message": {"con\n'),
            ReplyMalformed,
            "Ollama at URL sent something that is not JSON (Input data was truncated)",
        ),
        (
            OllamaOutcome(raw=b'{"message": 7}\n'),
            ReplyMalformed,
            "Ollama at URL sent something that is not of the documented form (Expected `object | null`, got `int` - at `$.message`)",
        ),
        (
            OllamaOutcome(raw=b'{"x":' + b"[" * 100_000 + b"\n"),
            ReplyMalformed,
            "Ollama at URL sent something that is nested too deeply to be read",
        ),
        (
            OllamaOutcome(status=500, error="model requires more system memory (8.4 GiB) than is available (3.9 GiB)"),
            AgentUnavailable,
            f"Ollama cannot load {MODEL}: model requires more system memory (8.4 GiB) than is available (3.9 GiB)",
        ),
        (OllamaOutcome(status=503, error="server busy"), QuotaExceeded, "Ollama at URL has too many requests in its queue"),
        (OllamaOutcome(status=404, error="model 'x' not found"), AgentUnavailable, f"Ollama at URL has no model {MODEL}"),
        (OllamaOutcome(status=500, error="what\x1b[31mever\nit is"), AgentError, "Ollama refuses the request: what [31mever it is"),
    ],
)
async def test_faults(fake: FakeOllama, agent: OllamaAgent, outcome: OllamaOutcome, kind: type[AgentError], message: str) -> None:
    fake.queue(outcome)
    await check_failure(agent, kind, message.replace("URL", fake.url))


async def test_a_reply_that_takes_too_long(fake: FakeOllama) -> None:
    agent = agent_for(fake, timeout_s=0.3)
    fake.queue(OllamaOutcome(text="one two three", pause_s=20))
    with pytest.raises(ReplyCut, match=r"0\.3 s, and the request was ended$"):
        await agent.ask(HELLO)
    await until(fake.was_left.is_set)
    await agent.close()


async def test_cancelling_closes_the_connection(fake: FakeOllama, agent: OllamaAgent) -> None:
    fake.queue(OllamaOutcome(text="one two three", pause_s=0.2))
    pieces: list[str] = []
    asking = asyncio.create_task(agent.ask(HELLO, pieces.append))
    await until(lambda: bool(pieces))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(fake.was_left.is_set)
    assert (await agent.ask(HELLO)).text == "fine"


async def test_a_flood_is_cut_off(fake: FakeOllama, agent: OllamaAgent) -> None:
    line = b'{"message": {"content": "' + b"x" * 1_000_000 + b'"}}\n'
    fake.queue(OllamaOutcome(raw=line * 20))
    await check_failure(agent, ReplyMalformed, f"Ollama at {fake.url} sent more than 16 MiB for one reply, and was cut off")


async def test_redirects_are_not_followed(fake: FakeOllama) -> None:
    def answer(request: Received) -> Sent:
        location = {"location": f"{fake.url}/api/elsewhere"}
        return Sent(status=307, headers=location) if request.path == "/api/version" else send_json({})

    fake._answer = answer
    availability = await look(fake)
    assert availability.reason == f"Ollama at {fake.url} answers with a redirect (307), which is not followed"
    assert [request.path for request in fake.requests] == ["/api/version"]


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "http://127.0.0.1:11434"),
        ({"OLLAMA_HOST": "0.0.0.0:9999"}, "http://127.0.0.1:9999"),
        ({"OLLAMA_HOST": ":9999"}, "http://127.0.0.1:9999"),
        ({"OLLAMA_HOST": "big-machine"}, "http://big-machine:11434"),
        ({"OLLAMA_HOST": "https://ollama.example.org/api-of-mine/"}, "https://ollama.example.org/api-of-mine"),
        ({"OLLAMA_HOST": "[::1]:9999"}, "http://[::1]:9999"),
    ],
)
def test_addresses(environment: dict[str, str], url: str) -> None:
    agent = OllamaAgent(AgentSettings(service="ollama"), environment, lambda _: None)
    assert agent._client.address.url == url


async def test_another_machine_is_not_local() -> None:
    agent = OllamaAgent(AgentSettings(service="ollama", url="http://nowhere.invalid:11434"), {}, lambda _: None)
    availability = await agent.is_available()
    await agent.close()
    assert (availability.is_local, availability.reason) == (False, "the name nowhere.invalid of Ollama cannot be resolved")


def test_an_address_that_is_none() -> None:
    with pytest.raises(AgentUnavailable) as refusal:
        OllamaAgent(AgentSettings(service="ollama"), {"OLLAMA_HOST": "http://me:secret@host"}, lambda _: None)
    expected = "must not hold a name or password; name the variable that holds the key as `key_variable` instead"
    assert refusal.value.message == f"the address of Ollama in OLLAMA_HOST {expected}"
