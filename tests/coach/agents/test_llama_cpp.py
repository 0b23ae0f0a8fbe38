"""LlamaCppAgent against llama.cpp's own server; what that does not do on demand, against a fake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from model_servers.fake_completions import FakeCompletions
from model_servers.llama_server import LlamaServer
from model_servers.until import until
from pixel_coach.agents.base import Availability, Prompt
from pixel_coach.agents.llama_cpp import LlamaCppAgent
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong
from pixel_coach.settings import AgentSettings

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
LONG = Prompt(system="You tell stories.", user="Tell a long story of a king.", max_tokens=900)


@pytest.fixture
def log() -> list[Any]:
    return []


@pytest.fixture
async def agent(llama_server: LlamaServer, log: list[Any]) -> AsyncIterator[LlamaCppAgent]:
    settings = AgentSettings(service="llama.cpp", url=llama_server.url, key_variable="LLAMA_KEY")
    agent = LlamaCppAgent(settings, {"LLAMA_KEY": llama_server.key}, log.append)
    yield agent
    await agent.close()


async def look(fake: FakeCompletions, settings: AgentSettings | None = None, **environment: str) -> Availability:
    agent = LlamaCppAgent(settings or AgentSettings(service="llama.cpp", url=fake.url), environment, lambda _: None)
    availability = await agent.is_available()
    await agent.close()
    return availability


async def test_available(agent: LlamaCppAgent, llama_server: LlamaServer) -> None:
    assert await agent.is_available() == Availability(
        agent="llama.cpp",
        is_available=True,
        reason=f"llama.cpp at {llama_server.url} has {MODEL}",
        model=MODEL,
        context_tokens=1024,
    )


async def test_a_reply_streams_and_is_counted(agent: LlamaCppAgent) -> None:
    pieces: list[str] = []
    prompt = Prompt(system="Be brief.", user="Say hello.", max_tokens=6)
    reply = await agent.ask(prompt, pieces.append)
    assert (reply.text, reply.model, reply.usage.is_exact) == ("".join(pieces), MODEL, True)
    assert reply.usage.reply_tokens <= 6
    assert 1 < reply.usage.prompt_tokens < 40
    assert reply.detail["finish_reason"] == ("stop" if reply.is_complete else "length")


async def test_a_reply_cut_by_its_limit_is_not_complete(agent: LlamaCppAgent) -> None:
    prompt = Prompt(system="Be brief.", user="Count.", max_tokens=3, grammar='root ::= ("1 " | "2 ") root')
    reply = await agent.ask(prompt)
    assert (reply.is_complete, reply.usage.reply_tokens) == (False, 3)


async def test_a_grammar_is_honoured(agent: LlamaCppAgent) -> None:
    prompt = Prompt(system="Be brief.", user="Which of them?", max_tokens=20, grammar='root ::= "workgroupBarrier" | "storageBarrier"')
    reply = await agent.ask(prompt)
    assert reply.is_complete
    assert reply.text in {"workgroupBarrier", "storageBarrier"}


async def test_a_schema_is_honoured(agent: LlamaCppAgent) -> None:
    members = {"verdict": {"type": "string", "enum": ["right", "wrong"]}, "is_sure": {"type": "boolean"}}
    schema = {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}
    reply = await agent.ask(Prompt(system="Be brief.", user="Is it right?", max_tokens=60, json_schema=schema))
    assert reply.is_complete
    value = json.loads(reply.text)
    assert (list(value), value["verdict"] in {"right", "wrong"}) == (["verdict", "is_sure"], True)


async def test_the_same_seed_gives_the_same_reply(agent: LlamaCppAgent) -> None:
    prompt = Prompt(system="Be brief.", user="Name a colour.", max_tokens=8, temperature=0.0, seed=7)
    first, second = await agent.ask(prompt), await agent.ask(prompt)
    assert first.text == second.text


async def test_a_long_prompt_is_refused_with_its_size(agent: LlamaCppAgent, llama_server: LlamaServer) -> None:
    with pytest.raises(PromptTooLong) as refusal:
        await agent.ask(Prompt(system="", user="one " * 2000, max_tokens=4))
    expected = f"the prompt is too long for llama.cpp at {llama_server.url}: it has 2,0"
    assert refusal.value.message.startswith(expected)
    assert refusal.value.message.endswith(" tokens, and the context has 1,024")


async def test_a_broken_grammar_is_refused(agent: LlamaCppAgent) -> None:
    with pytest.raises(AgentError, match="failed to parse grammar"):
        await agent.ask(Prompt(system="", user="x", grammar="root ::= nothing"))


async def test_tokens_are_counted_in_the_vocabulary_of_the_model(agent: LlamaCppAgent) -> None:
    assert await agent.count_tokens("hello world") == 2


async def test_cancelling_frees_the_slot(agent: LlamaCppAgent, llama_server: LlamaServer) -> None:
    pieces: list[str] = []
    asking = asyncio.create_task(agent.ask(LONG, pieces.append))
    await until(lambda: bool(pieces))
    assert not await asyncio.to_thread(llama_server.is_idle)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(llama_server.is_idle)
    assert (await agent.ask(Prompt(system="", user="x", max_tokens=1))).usage.reply_tokens == 1


async def test_the_log_holds_the_request_and_no_key(agent: LlamaCppAgent, llama_server: LlamaServer, log: list[Any]) -> None:
    await agent.ask(Prompt(system="Be brief.", user="Say hello.", max_tokens=2))
    (request,) = (entry for entry in log if entry["event"] == "request" and entry["method"] == "POST")
    assert request["body"]["messages"][1] == {"role": "user", "content": "Say hello."}
    assert request["headers"] == {"authorization": "[redacted]"}
    assert llama_server.key not in json.dumps(log)


async def test_a_wrong_key(llama_server: LlamaServer) -> None:
    settings = AgentSettings(service="llama.cpp", url=llama_server.url, key_variable="LLAMA_KEY")
    agent = LlamaCppAgent(settings, {"LLAMA_KEY": "another-key"}, lambda _: None)
    availability = await agent.is_available()
    await agent.close()
    assert availability.reason == f"llama.cpp at {llama_server.url} refuses the key (Invalid API Key)"
    assert availability.hint == "set the right key in the variable that `key_variable` under [generator] in coach.toml names"


async def test_still_loading() -> None:
    with FakeCompletions(is_llama_cpp=True, is_loading=True) as fake:
        availability = await look(fake)
    assert availability.reason == f"llama.cpp at {fake.url} is still loading its model"


async def test_something_else_answers() -> None:
    with FakeCompletions() as fake:
        availability = await look(fake)
    assert availability.reason == f"what answers at {fake.url} is not llama.cpp's server"


async def test_another_model_is_loaded() -> None:
    with FakeCompletions(is_llama_cpp=True, models=("qwen",)) as fake:
        availability = await look(fake, AgentSettings(service="llama.cpp", url=fake.url, model="llama"))
        same = await look(fake, AgentSettings(service="llama.cpp", url=fake.url, model="qwen"))
    assert availability.reason == f"llama.cpp at {fake.url} has qwen.gguf, not llama"
    assert same.is_available


async def test_nothing_answers() -> None:
    with FakeCompletions() as fake:
        pass
    availability = await look(fake)
    assert (availability.reason, availability.is_available) == (f"nothing answers at {fake.url}", False)
    assert availability.hint == "start it with `llama-server --model MODEL.gguf --ctx-size 16384`"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://127.0.0.1", "the address in `url` under [generator] must begin with http:// or https://"),
        ("http://10.0.0.7:8080", "the key would travel unencrypted to http://10.0.0.7:8080"),
    ],
)
def test_addresses_that_are_refused(url: str, sentence: str) -> None:
    with pytest.raises(AgentUnavailable) as refusal:
        LlamaCppAgent(AgentSettings(service="llama.cpp", url=url, key_variable="K"), {"K": "a-key"}, lambda _: None)
    assert refusal.value.message == sentence
