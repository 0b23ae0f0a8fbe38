"""Bodies of requests: what the model is asked for them, and what is said of those that cannot be honoured."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.inference.messages import ChatMessage, GenerateRequest, ModelSource
from pixel_server.http.openai_requests import ChatBody, CompletionBody, chat_request, completion_request, read_request
from pixel_server.http.problems import Problem

MODEL = ModelSource(path="/model.gguf")
MESSAGES = [{"role": "user", "content": "hello"}]


def chat(**fields: Any) -> GenerateRequest:
    body = {"model": "m", "messages": MESSAGES, "seed": 1} | fields
    return chat_request(read_request(json.dumps(body).encode(), ChatBody), MODEL)


def complete(**fields: Any) -> GenerateRequest:
    body = {"model": "m", "prompt": "hello"} | fields
    return completion_request(read_request(json.dumps(body).encode(), CompletionBody), MODEL)


def test_what_nobody_says_is_what_openai_takes() -> None:
    request = chat()
    assert (request.prompt, request.messages) == (None, (ChatMessage(role="user", content="hello"),))
    assert (request.max_tokens, request.stop, request.json_schema) == (0, (), None)
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.min_p, sampling.repeat_penalty) == (1.0, 1.0, 0, 0.0, 1.0)
    assert (complete().prompt, complete().max_tokens) == ("hello", 16)


def test_every_request_without_a_seed_has_one_of_its_own() -> None:
    assert len({chat(seed=None).sampling.seed for _ in range(8)}) > 1


def test_fields_are_carried_over() -> None:
    request = chat(max_completion_tokens=9, max_tokens=5, temperature=0.5, top_k=3, stop="x", seed=-1, grammar='root ::= "a"')
    assert (request.max_tokens, request.sampling.temperature, request.sampling.top_k, request.stop) == (9, 0.5, 3, ("x",))
    assert (request.sampling.seed, request.grammar) == (0xFFFF_FFFF, 'root ::= "a"')
    assert chat(stop=["a", "b"]).stop == ("a", "b")
    assert complete(prompt=["only"]).prompt == "only"


def test_contents_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert chat(messages=[{"role": "user", "content": parts}, {"role": "assistant", "content": None}]).messages == (
        ChatMessage(role="user", content="ab"),
        ChatMessage(role="assistant", content=""),
    )


def test_formats() -> None:
    assert chat(response_format={"type": "text"}).json_schema is None
    assert chat(response_format={"type": "json_object"}).json_schema == {"type": "object"}
    schema = {"type": "integer"}
    assert (
        chat(response_format={"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}).json_schema == schema
    )


def test_fields_of_other_services_are_passed_over() -> None:
    assert chat(store=False, metadata={"a": 1}, tools=[], logprobs=False, n=1, presence_penalty=0) == chat()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": []}, "`messages` holds 0 messages, not 1 to 1,000"),
        ({"messages": MESSAGES * 1001}, "`messages` holds 1,001 messages, not 1 to 1,000"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "only parts of the type `text` are supported in `content`"),
        ({"messages": "hi"}, "the body cannot be read: Expected `array`, got `str` - at `$.messages`"),
        ({"n": 2}, "`n` must be 1: there is one reply to a request"),
        ({"tools": [{}]}, "`tools` is not supported"),
        ({"logprobs": True}, "`logprobs` is not supported"),
        ({"frequency_penalty": 1}, "`frequency_penalty`, `presence_penalty` and `logit_bias` are not supported; `repeat_penalty` is"),
        ({"max_tokens": 0}, "`max_tokens` must be at least 1"),
        ({"temperature": -1}, "`temperature` = -1 is not between 0 and 100"),
        ({"top_p": 1.5}, "`top_p` = 1.5 is not between 0 and 1"),
        ({"stop": ["x"] * 17}, "`stop` may hold 16 texts of 256 characters"),
        ({"stop": "x" * 257}, "`stop` may hold 16 texts of 256 characters"),
        ({"response_format": {"type": "json_schema"}}, "`response_format` of the type json_schema needs `json_schema.schema`"),
        ({"response_format": {"type": "xml"}}, "the body cannot be read: Invalid enum value 'xml' - at `$.response_format.type`"),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_is_said(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem) as caught:
        chat(**fields)
    assert (caught.value.status, caught.value.message) == (400, message)


@pytest.mark.parametrize(
    "fields", [{"prompt": ["a", "b"]}, {"prompt": [1, 2]}, {"echo": True}, {"suffix": "x"}, {"best_of": 2}, {"logprobs": 1}]
)
def test_completions_that_cannot_be_honoured(fields: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        complete(**fields)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"[" * 100_000, b'{"model": 1, "messages": []}', b'{"model": "\xed\xa0\x80"}'])
def test_bodies_that_are_none(body: bytes) -> None:
    with pytest.raises(Problem, match="the body cannot be read"):
        read_request(body, ChatBody)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    for kind in (ChatBody, CompletionBody):
        with pytest.raises(Problem):
            read_request(body, kind)
