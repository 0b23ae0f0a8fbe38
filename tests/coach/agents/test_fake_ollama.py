"""The fake Ollama against Ollama's own client."""

from __future__ import annotations

from collections.abc import Iterator

import ollama
import pytest

from model_servers.fake_ollama import FakeOllama, OllamaOutcome

MODEL = "qwen2.5-coder:7b"
HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def fake() -> Iterator[FakeOllama]:
    with FakeOllama() as server:
        yield server


@pytest.fixture
def client(fake: FakeOllama) -> Iterator[ollama.Client]:
    client = ollama.Client(host=fake.url, trust_env=False)
    yield client
    client._client.close()


def test_list_and_show(client: ollama.Client) -> None:
    assert [model.model for model in client.list().models] == ["nomic-embed-text:latest", MODEL]
    assert client.show(MODEL).modelinfo["qwen2.context_length"] == 32_768


def test_chat(client: ollama.Client) -> None:
    reply = client.chat(MODEL, HELLO, options={"num_ctx": 2048})
    assert (reply.message.content, reply.done_reason, reply.prompt_eval_count) == ("fine", "stop", 13)


def test_chat_stream(fake: FakeOllama, client: ollama.Client) -> None:
    fake.queue(OllamaOutcome(text="one two three", thinking="hm"))
    lines = list(client.chat(MODEL, HELLO, stream=True))
    assert "".join(line.message.content for line in lines) == "one two three"
    assert (lines[0].message.thinking, lines[-1].done, len(lines)) == ("hm", True, 5)


def test_generate(client: ollama.Client) -> None:
    assert client.generate(MODEL, "Say hello.").response == "fine"
    assert "".join(line.response for line in client.generate(MODEL, "Say hello.", stream=True)) == "fine"


def test_errors(fake: FakeOllama, client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'llama9' not found") as missing:
        client.chat("llama9", HELLO)
    assert missing.value.status_code == 404
    fake.queue(OllamaOutcome(error="llama runner process has terminated"))
    with pytest.raises(ollama.ResponseError, match="llama runner process has terminated"):
        list(client.chat(MODEL, HELLO, stream=True))
