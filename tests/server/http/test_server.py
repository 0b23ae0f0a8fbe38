"""The server as programs meet it: OpenAI's own client, many at once, slow ones, and such as go away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import settings

from model_servers.until import until
from model_testing.random_models import RandomModel, write_random_model
from pixel_core.inference.messages import ModelSource
from pixel_core.inference.model_process import ModelProcess
from pixel_server.http.openai_app import openai_app
from pixel_server.http.read_body import BODY_BYTES
from pixel_server.http.run_server import LocalServer, open_port
from pixel_server.http.turns import Turns

TOKEN = "a-token-for-tests-alone"
NAME = "tiny"
IS_SOAK = settings.get_profile("soak").max_examples == settings().max_examples
CLIENTS = 50 if IS_SOAK else 6
HELLO: Any = [{"role": "user", "content": "hello"}]


@dataclass(frozen=True, kw_only=True)
class Served:
    address: str
    port: int
    process: ModelProcess
    turns: Turns

    def client(self, token: str = TOKEN) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.address}/v1", api_key=token, max_retries=0, timeout=120)

    def http(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, headers={"authorization": f"Bearer {TOKEN}", **headers}, timeout=120)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = RandomModel(width=64, head_length=16, feed_forward=64, context=1024)
    return write_random_model(tmp_path_factory.mktemp("model") / "tiny.gguf", shape)


@asynccontextmanager
async def serving(model: Path, queue: int = 64) -> AsyncIterator[Served]:
    process = ModelProcess(ModelSource(path=str(model), backend="reference"))
    turns = Turns(queue)
    with open_port(0) as listening:
        facts = await process.load()
        port = listening.getsockname()[1]
        server = LocalServer(openai_app(process, name=NAME, context_tokens=facts.context_tokens, token=TOKEN, port=port, turns=turns))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await until(lambda: server.started)
            yield Served(address=f"http://127.0.0.1:{port}", port=port, process=process, turns=turns)
        finally:
            server.stop()
            await running
            await process.close()


async def test_openai_s_own_client(model: Path) -> None:
    async with serving(model) as served, served.client() as client:
        listed = await client.models.list()
        assert [each.id for each in listed.data] == [NAME]
        options: Any = {"model": NAME, "messages": HELLO, "max_tokens": 12, "temperature": 0}
        whole = await client.chat.completions.create(**options)
        assert whole.usage is not None
        assert (whole.choices[0].finish_reason, whole.usage.completion_tokens) == ("length", 12)
        chunks = [
            chunk async for chunk in await client.chat.completions.create(**options, stream=True, stream_options={"include_usage": True})
        ]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole.choices[0].message.content
        assert len(chunks) > 5
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-2].choices[0].finish_reason == "length"
        assert chunks[-1].usage == whole.usage.model_copy(update={"prompt_tokens_details": chunks[-1].usage.prompt_tokens_details})  # pyright: ignore
        texts = [
            chunk.choices[0].text
            async for chunk in await client.completions.create(model=NAME, prompt="the", max_tokens=5, seed=3, stream=True)
        ]
        again = await client.completions.create(model=NAME, prompt="the", max_tokens=5, seed=3)
        assert "".join(texts) == again.choices[0].text
        digit = {"type": "integer", "minimum": 0, "maximum": 9}
        schema = {"type": "object", "properties": {"n": digit}, "required": ["n"], "additionalProperties": False}
        form: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        held = await client.chat.completions.create(model=NAME, messages=HELLO, response_format=form, seed=1)
        assert set(json.loads(held.choices[0].message.content or "")) == {"n"}


async def refusal(request: Any) -> tuple[int, str | None]:
    with pytest.raises(openai.APIStatusError) as caught:
        await request
    body: Any = caught.value.body
    return caught.value.status_code, body["code"]


async def test_what_is_refused(model: Path) -> None:
    async with serving(model) as served, served.client() as client, served.http() as http:
        chat = client.chat.completions.create
        async with served.client("wrong-token-wrong-token") as stranger:
            assert await refusal(stranger.models.list()) == (401, "invalid_api_key")
        assert await refusal(chat(model="gpt", messages=HELLO)) == (404, "model_not_found")
        long: Any = [{"role": "user", "content": "the " * 2_000}]
        assert await refusal(chat(model=NAME, messages=long)) == (400, "context_length_exceeded")
        assert await refusal(chat(model=NAME, messages=long, stream=True)) == (400, "context_length_exceeded")
        huge: Any = [{"role": "user", "content": "x" * BODY_BYTES}]
        assert await refusal(chat(model=NAME, messages=huge)) == (413, "request_too_large")
        assert await refusal(chat(model=NAME, messages=HELLO, tools=[{}])) == (400, None)  # pyright: ignore
        for path, status in (("/v1/nothing", 404), ("/", 404), ("/v1/chat/completions", 405)):
            answer = await http.get(path)
            assert answer.status_code == status
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
        for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1", f"127.0.0.1.evil.example:{served.port}", ""):
            answer = await http.get("/v1/models", headers={"host": host})
            assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host")
        assert (await http.get("/v1/models", headers={"host": f"LOCALHOST:{served.port}"})).status_code == 200
        assert (await http.get("/v1/models?token=x", headers={"authorization": f"Basic {TOKEN}"})).status_code == 401


async def stream_to_end(client: openai.AsyncOpenAI, seed: int = 1) -> str:
    stream = await client.chat.completions.create(model=NAME, messages=HELLO, max_tokens=20, seed=seed, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def test_many_clients_at_once_get_what_each_would_get_alone(model: Path) -> None:
    async with serving(model, queue=CLIENTS) as served, served.client() as client:
        alone = [await stream_to_end(client, seed) for seed in range(3)]
        together = await asyncio.gather(*(stream_to_end(client, seed % 3) for seed in range(CLIENTS)))
        assert together == [alone[seed % 3] for seed in range(CLIENTS)]


async def test_a_full_queue_is_said_at_once(model: Path) -> None:
    async with serving(model, queue=1) as served, served.client() as client:
        outcomes = await asyncio.gather(*(refused_or_answered(client) for _ in range(5)))
        assert sorted(outcomes) == [200, 200, 429, 429, 429]


async def refused_or_answered(client: openai.AsyncOpenAI) -> int:
    try:
        await client.completions.create(model=NAME, prompt="the", max_tokens=100)
    except openai.RateLimitError as problem:
        return problem.status_code
    return 200


async def connected(served: Served, body: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that sends its request, and reads when it likes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1 << 22)
    data = json.dumps({"model": NAME, "prompt": "the", "stream": True, **body}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Length: {len(data)}\r\n"
    head += f"Authorization: Bearer {TOKEN}\r\n\r\n"
    writer.write(head.encode() + data)
    await writer.drain()
    return reader, writer


def hot(**fields: Any) -> dict[str, Any]:
    """A reply that does not end by itself."""
    return {"temperature": 50, "grammar": "root ::= [ab]{300,310}", "max_tokens": 250, **fields}


async def test_a_client_that_reads_nothing_keeps_nobody_waiting(model: Path) -> None:
    async with serving(model) as served, served.client() as client:
        slow = [await connected(served, hot(user=f"slow {number}")) for number in range(2)]
        assert len(await stream_to_end(client)) > 0
        reader, _ = slow[0]
        text = await reader.readuntil(b"data: [DONE]")
        assert text.count(b'"finish_reason":"length"') == 1
        for _, writer in slow:
            writer.close()


async def test_clients_that_go_away_withdraw_what_they_asked(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While they wait and while they are answered; afterwards nothing of them is left."""
    outcomes: list[Any] = []
    generate = ModelProcess.generate

    async def noted(self: ModelProcess, request: Any, on_text: Callable[[str], None]) -> Any:
        try:
            outcomes.append(await generate(self, request, on_text))
        except asyncio.CancelledError:
            outcomes.append("withdrawn")
            raise
        return outcomes[-1]

    monkeypatch.setattr(ModelProcess, "generate", noted)
    async with serving(model) as served, served.client() as client:
        await stream_to_end(client)
        outcomes.clear()
        loop = asyncio.get_running_loop()
        worker, before = served.process.process_id, len(asyncio.all_tasks())
        for _ in range(2):
            clients = [await connected(served, hot()) for _ in range(CLIENTS)]
            await clients[0][0].readuntil(b"data: ")
            await until(lambda: served.turns.waiting == CLIENTS - 1)
            for _, writer in clients:
                writer.transport.abort()
            await until(lambda: served.turns.waiting == 0)
        assert len(await stream_to_end(client)) > 0
        await until(lambda: len(asyncio.all_tasks(loop)) <= before)
        assert outcomes[:-1] == ["withdrawn"] * len(outcomes[:-1])
        assert served.process.process_id == worker, "the model was not loaded again"


async def test_a_model_that_dies_is_an_answer_and_is_started_again(model: Path) -> None:
    async with serving(model) as served, served.client() as client:
        reader, writer = await connected(served, hot())
        await reader.readuntil(b"data: ")
        worker = served.process.process_id
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
        assert b'"code":"model_process_ended"' in await reader.read()
        writer.close()
        await client.completions.create(model=NAME, prompt="the", max_tokens=2)
        assert served.process.process_id != worker


async def test_a_server_that_ends_leaves_no_client_and_no_process_behind(model: Path) -> None:
    async with serving(model) as served:
        reader, writer = await connected(served, hot())
        await reader.readuntil(b"data: ")
        worker = served.process.process_id
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert worker is not None
    assert not Path(f"/proc/{worker}").exists()
