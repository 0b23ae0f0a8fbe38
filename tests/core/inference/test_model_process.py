"""A model in its own process: what it answers, how it is withdrawn, and what is said when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from model_testing.random_models import RandomModel
from pixel_core.errors import ContextFull, ModelProcessEnded, ModelUnusable, PixelError, RequestRefused
from pixel_core.inference.messages import ChatMessage, GenerateRequest, ModelSource, Outcome, SamplingOptions
from pixel_core.inference.model_process import ModelProcess

GREEDY = SamplingOptions(temperature=0)
ENDLESS = "root ::= [a-z] root"
"""A grammar whose texts never end, so that a reply goes on until the context is full."""


@pytest.fixture
def source(random_model: Callable[[RandomModel], Path]) -> ModelSource:
    return ModelSource(path=str(random_model(RandomModel(width=64, head_length=16, feed_forward=64, context=2048))), backend="reference")


@pytest.fixture
async def process(source: ModelSource) -> AsyncIterator[ModelProcess]:
    process = ModelProcess(source)
    yield process
    await process.close()


async def test_a_reply_streams_and_is_the_same_with_the_same_seed(process: ModelProcess, source: ModelSource) -> None:
    facts = await process.load()
    assert (facts.name, facts.backend, facts.context_tokens, facts.has_chat_template) == ("tiny", "reference (numpy, float32)", 2048, True)
    hot = SamplingOptions(temperature=5.0, top_k=0, top_p=1.0, min_p=0.0, seed=7)
    request = GenerateRequest(model=source, prompt="the hello", max_tokens=20, sampling=hot)
    pieces: list[str] = []
    first = await process.generate(request, pieces.append)
    second = await process.generate(request)
    assert first is not None
    assert second is not None
    assert "".join(pieces) == first.text == second.text
    assert (first.prompt_tokens, first.cached_tokens, second.cached_tokens) == (4, 0, 3)
    chat = GenerateRequest(model=source, messages=(ChatMessage(role="user", content="the"),), max_tokens=2, sampling=GREEDY)
    answered = await process.generate(chat)
    assert answered is not None
    assert answered.prompt_tokens == 18


async def test_what_cannot_be_answered_is_said_and_the_process_lives_on(process: ModelProcess, source: ModelSource) -> None:
    await process.load()
    number = process.process_id
    for request, kind, message in (
        (GenerateRequest(model=source, prompt="the " * 3000), ContextFull, "the prompt has"),
        (GenerateRequest(model=source, prompt=""), RequestRefused, "the prompt is empty"),
        (GenerateRequest(model=source), RequestRefused, "a request has either a prompt or messages"),
        (GenerateRequest(model=source, prompt="a", json_schema={"type": "what"}), RequestRefused, "the JSON schema cannot be used"),
        (GenerateRequest(model=source, prompt="a", json_schema={}, grammar="x"), RequestRefused, "a reply can be held to"),
    ):
        with pytest.raises(kind, match=message):
            await process.generate(request)
    assert process.process_id == number


async def test_a_withdrawn_reply_leaves_the_model_loaded(process: ModelProcess, source: ModelSource) -> None:
    await process.load()
    number = process.process_id
    cancel = asyncio.Event()
    request = GenerateRequest(model=source, prompt="the", grammar=ENDLESS)
    assert await process.generate(request, lambda _: cancel.set(), cancel) is None
    begun = asyncio.Event()
    asking = asyncio.ensure_future(process.generate(request, lambda _: begun.set()))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    after = await process.generate(GenerateRequest(model=source, prompt="the", max_tokens=1, sampling=GREEDY))
    assert isinstance(after, Outcome)
    assert process.process_id == number


async def test_a_process_that_dies_is_one_sentence_and_the_next_request_starts_another(process: ModelProcess, source: ModelSource) -> None:
    await process.load()
    number = process.process_id
    assert number is not None
    request = GenerateRequest(model=source, prompt="the", grammar=ENDLESS)
    with pytest.raises(ModelProcessEnded) as caught:
        await process.generate(request, lambda _: os.kill(number, signal.SIGKILL))
    assert caught.value.message == "the model's process was killed from outside"
    assert await process.generate(GenerateRequest(model=source, prompt="the", max_tokens=1)) is not None
    assert process.process_id != number


async def test_files_that_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\x03\0\0\0")
    for name, kind, message in (
        ("absent.gguf", ModelUnusable, "is not a file"),
        ("text.gguf", ModelUnusable, "is not a model"),
        ("cut.gguf", ModelUnusable, "."),
    ):
        process = ModelProcess(ModelSource(path=str(tmp_path / name)))
        with pytest.raises(kind, match=message) as caught:
            await process.load()
        assert isinstance(caught.value, PixelError)
        await process.close()
