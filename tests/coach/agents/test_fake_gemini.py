"""The fake Gemini against google-genai, Google's own client: what it sends is of their types, and what they send it takes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from model_servers import gemini_outcomes as outcomes
from model_servers.fake_gemini import KEY, FakeGemini
from model_servers.gemini_outcomes import Outcome

MODEL = "gemini-2.5-flash"

ANSWERS = {
    "answer": outcomes.answer("WGSL is a shading language."),
    "cut by its limit": outcomes.answer("WGSL is", finish="MAX_TOKENS", thoughts=30),
    "thought": outcomes.thought("yes", "the user asks"),
    "out of tokens": outcomes.out_of_tokens(64),
    "empty candidate": outcomes.empty_candidate(),
    "no candidate": outcomes.no_candidate(),
    "blocked prompt": outcomes.blocked_prompt("SAFETY"),
    "blocked reply": outcomes.answer("", finish="SAFETY"),
    "cut": outcomes.cut("half of"),
    "malformed": outcomes.malformed("half of"),
    "failure in the stream": outcomes.failure_in_stream("half of"),
}
REFUSALS = {
    429: outcomes.rate_limited(),
    500: outcomes.server_error(500),
    503: outcomes.server_error(503),
    400: outcomes.wrong_key(),
    403: outcomes.permission_denied(),
    404: outcomes.unknown_model("gemini-9"),
}


class Verdict(str, Enum):
    RIGHT = "right"
    WRONG = "wrong"


class Review(BaseModel):
    evidence: str
    verdict: Verdict
    score: int


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with FakeGemini() as server:
        yield server


def client_of(fake: FakeGemini, key: str = KEY) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=fake.url, timeout=20_000))


@pytest.mark.parametrize("outcome", ANSWERS.values(), ids=ANSWERS)
def test_every_message_is_a_generate_content_response(outcome: Outcome) -> None:
    assert outcome.messages
    for message in outcome.messages:
        types.GenerateContentResponse.model_validate(message)


def test_generate(fake: FakeGemini) -> None:
    fake.queue(outcomes.answer("WGSL is a shading language.", thoughts=9))
    with client_of(fake) as client:
        response = client.models.generate_content(model=MODEL, contents="What is WGSL?")
    assert (response.text, response.usage_metadata.thoughts_token_count) == ("WGSL is a shading language.", 9)
    assert fake.requests[0].path == f"/v1beta/models/{MODEL}:generateContent" or fake.requests[0].path.startswith("/v1/models/")


def test_stream(fake: FakeGemini) -> None:
    fake.queue(outcomes.answer("one two three", pieces=3))
    with client_of(fake) as client:
        pieces = [piece.text for piece in client.models.generate_content_stream(model=MODEL, contents="Count.")]
    assert (len(pieces), "".join(pieces)) == (3, "one two three")


def test_structured_output(fake: FakeGemini) -> None:
    config = types.GenerateContentConfig(
        response_mime_type="application/json",
        response_schema=Review,
        system_instruction="You review kernels.",
        temperature=0.1,
        max_output_tokens=200,
        thinking_config=types.ThinkingConfig(thinking_budget=0),
    )
    with client_of(fake) as client:
        response = client.models.generate_content(model=MODEL, contents="Review it.", config=config)
    assert response.parsed == Review(evidence="example", verdict=Verdict.RIGHT, score=1)


def test_count_and_models(fake: FakeGemini) -> None:
    with client_of(fake) as client:
        assert client.models.count_tokens(model=MODEL, contents="eight letters").total_tokens == 4
        assert client.models.get(model=MODEL).input_token_limit == 1_048_576
        assert MODEL in [model.name.removeprefix("models/") for model in client.models.list()]


@pytest.mark.parametrize(("status", "outcome"), REFUSALS.items())
def test_refusals_are_errors_of_the_client(fake: FakeGemini, status: int, outcome: Outcome) -> None:
    fake.queue(outcome)
    with client_of(fake) as client, pytest.raises(errors.APIError) as refusal:
        client.models.generate_content(model=MODEL, contents="x")
    assert (refusal.value.code, refusal.value.message) == (status, outcome.error["error"]["message"])


def test_a_wrong_key_is_refused(fake: FakeGemini) -> None:
    with client_of(fake, "another-key") as client, pytest.raises(errors.ClientError, match="API key not valid"):
        client.models.generate_content(model=MODEL, contents="x")


def test_a_blocked_prompt_has_feedback(fake: FakeGemini) -> None:
    fake.queue(outcomes.blocked_prompt("SAFETY"))
    with client_of(fake) as client:
        response = client.models.generate_content(model=MODEL, contents="x")
    assert response.prompt_feedback.block_reason == types.BlockedReason.SAFETY
    assert response.candidates is None
