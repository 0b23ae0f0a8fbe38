"""What a model's worker is asked and what it answers, as JSON in frames. Loads neither numpy nor a model."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, Union

import msgspec

BackendName: TypeAlias = Literal["auto", "device", "reference", "exact"]

EndReason: TypeAlias = Literal["stop", "length", "cancelled"]
"""`stop`: the model ended, or a stop text was found; `length`: as many tokens as were asked for, or the context is full."""


class ModelSource(msgspec.Struct, frozen=True, kw_only=True):
    """Which model is to answer. A worker keeps the one it has loaded, for as long as it is asked for the same.

    Attributes:
        path: A GGUF or PXI file, absolute.
        backend: What computes it; `auto` takes the best that works here.
        context_tokens: Room of the cache; 0 for what the model was made for, 8,192 at most.
    """

    path: str
    backend: BackendName = "auto"
    context_tokens: int = 0


class SamplingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """As `sampler.Sampling`, in the same words."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_window: int = 64
    seed: int = 0


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation."""

    role: str
    content: str


class LoadRequest(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """Load the model and say what it is; answered by `ModelFacts` or `Refusal`."""

    model: ModelSource


class GenerateRequest(msgspec.Struct, frozen=True, kw_only=True, tag="generate"):
    """Go on with a text or a conversation; `Text` events, then `Outcome` or `Refusal`.

    Attributes:
        model: Is loaded first where it is not.
        prompt: A text; None where `messages` are given. Special tokens in it are plain text.
        messages: A conversation, which the model's chat template makes a text of.
        max_tokens: Of the reply; 0 for as many as the context takes.
        sampling: How tokens are chosen.
        stop: Texts that end the reply, and are no part of it.
        json_schema: The reply is JSON of this schema.
        grammar: GBNF that the reply follows.
    """

    model: ModelSource
    prompt: str | None = None
    messages: tuple[ChatMessage, ...] = ()
    max_tokens: int = 0
    sampling: SamplingOptions = SamplingOptions()
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None


class MeasureRequest(msgspec.Struct, frozen=True, kw_only=True, tag="measure"):
    """Read a prompt of any tokens and go on greedily, for the time that it takes; answered by `Measured` or `Refusal`.

    Attributes:
        model: Is loaded first where it is not.
        prompt: Ids of tokens.
        reply_tokens: How many follow.
    """

    model: ModelSource
    prompt: tuple[int, ...]
    reply_tokens: int


class SplitRequest(msgspec.Struct, frozen=True, kw_only=True, tag="split"):
    """How long each kernel takes for one token of a reply; answered by `Split` or `Refusal`.

    Attributes:
        model: Is loaded first where it is not.
        position: Tokens in the cache before it.
    """

    model: ModelSource
    position: int


class PeerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """As `MeasureRequest`, of llama.cpp.

    Attributes:
        path: A GGUF file, absolute.
        context_tokens: Room of the cache.
        threads: Of the processor.
        prompt: Ids of tokens.
        reply_tokens: How many follow.
    """

    path: str
    context_tokens: int
    threads: int
    prompt: tuple[int, ...]
    reply_tokens: int


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """An event: the next characters of the reply."""

    text: str


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True, tag="facts"):
    """What a loaded model is.

    Attributes:
        name: As the file says; its stem where it says nothing.
        backend: What computes, for people.
        context_tokens: Room of the cache.
        has_chat_template: Whether conversations can be had.
        load_seconds: From the request to a model that can answer.
        vocabulary_size: Ids of tokens are below it.
        step_bytes: Of all weights that one token needs, as they lie in the file.
    """

    name: str
    backend: str
    context_tokens: int
    has_chat_template: bool
    load_seconds: float
    vocabulary_size: int
    step_bytes: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag="outcome"):
    """How a reply ended.

    Attributes:
        reason: See `EndReason`.
        text: The whole reply, as the events had it.
        prompt_tokens: Tokens of the prompt.
        cached_tokens: Those of them that were in the cache from the request before.
        reply_tokens: Tokens of the reply, one that ended it not counted.
        prompt_seconds: Until the logits of the first token were there.
        reply_seconds: From then on.
        facts: Of the model.
    """

    reason: EndReason
    text: str
    prompt_tokens: int
    cached_tokens: int
    reply_tokens: int
    prompt_seconds: float
    reply_seconds: float
    facts: ModelFacts


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What something took.

    Attributes:
        wall: Seconds.
        cpu: Seconds of all threads of the process.
    """

    wall: float
    cpu: float


class Measured(msgspec.Struct, frozen=True, kw_only=True, tag="measured"):
    """A prompt and a reply, with an empty cache before them.

    Attributes:
        prompt: Until the logits of the first token were there.
        reply: From then on.
        resident_bytes: Of the process afterwards; 0 where the system does not say.
    """

    prompt: Taken
    reply: Taken
    resident_bytes: int


class KernelTime(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel's part of one token.

    Attributes:
        kernel: Its entry point.
        dispatches: How many.
        taken: By all of them.
    """

    kernel: str
    dispatches: int
    taken: Taken


class Split(msgspec.Struct, frozen=True, kw_only=True, tag="split"):
    """The kernels of one token, the longest first; none where no kernels compute."""

    kernels: tuple[KernelTime, ...]


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """Why there is no answer.

    Attributes:
        kind: `model`: it cannot be used; `context`: too many tokens; `request`: what was asked for is not possible; `environment`:
            something is missing here.
        message: One sentence.
        hint: What mends it; empty where nothing is known.
    """

    kind: Literal["model", "context", "request", "environment"]
    message: str
    hint: str = ""


WorkerRequest: TypeAlias = Union[LoadRequest, GenerateRequest, MeasureRequest, SplitRequest]
WorkerReply: TypeAlias = Union[ModelFacts, Outcome, Measured, Split, Refusal]
