"""A model's file as something that answers prompts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pixel_core.errors import ModelFileError, ModelUnusable, RequestRefused
from pixel_core.inference.apply_chat_template import apply_chat_template
from pixel_core.inference.config import read_config
from pixel_core.inference.constraint import Constraint, ConstraintMaker
from pixel_core.inference.generate_text import TextGenerator
from pixel_core.inference.measure_model import measure_model, split_model
from pixel_core.inference.messages import (
    GenerateRequest,
    Measured,
    MeasureRequest,
    ModelFacts,
    ModelSource,
    Outcome,
    Split,
    SplitRequest,
)
from pixel_core.inference.open_backend import open_backend
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.sampler import Sampling
from pixel_core.inference.shield_contents import shield_contents
from pixel_core.inference.tokenizer import read_tokenizer
from pixel_core.weights.model_file import open_model

DEFAULT_CONTEXT: Final = 8_192
"""Tokens, where nobody says how many: models that were made for more would fill the memory with an empty cache."""


class LanguageModel:
    """A loaded model.

    Args:
        source: Its file and what is to compute it.

    Raises:
        ModelFileError: The file cannot be read.
        ModelUnusable: It is of a kind that is not computed here.
        EngineUnavailable: There is no adapter.
        DeviceFailed: The device has no room.
    """

    def __init__(self, source: ModelSource) -> None:
        started = time.perf_counter()
        self.source = source
        path = Path(source.path)
        try:
            self._file = open_model(path)
        except OSError as problem:
            raise ModelFileError(f"{path} cannot be read: {problem.strerror or problem}") from problem
        metadata = PlainMetadata(self._file.metadata)
        config = read_config(metadata, {name: tensor.shape for name, tensor in self._file.tensors.items()})
        self._tokenizer = read_tokenizer(metadata)
        if self._tokenizer.size > config.vocabulary_size:
            raise ModelUnusable(f"the tokenizer has {self._tokenizer.size:,} tokens, and the model computes {config.vocabulary_size:,}")
        context_length = min(source.context_tokens or DEFAULT_CONTEXT, config.context_length)
        self._backend, reason = open_backend(source.backend, self._file, config, context_length)
        self._generator = TextGenerator(self._backend, self._tokenizer)
        self._constraints: ConstraintMaker | None = None
        self.facts = ModelFacts(
            name=config.name or path.stem,
            backend=f"{self._backend.description}, since {reason}" if reason else self._backend.description,
            context_tokens=self._backend.context_length,
            has_chat_template=bool(self._tokenizer.vocabulary.chat_template),
            load_seconds=time.perf_counter() - started,
            vocabulary_size=config.vocabulary_size,
            # Of an embedding that is not the output as well, one token needs one row.
            step_bytes=sum(
                one.byte_count for name, one in self._file.tensors.items() if config.is_output_tied or name != "token_embd.weight"
            ),
        )

    def answer(self, request: GenerateRequest, on_text: Callable[[str], None], is_cancelled: Callable[[], bool]) -> Outcome:
        """Go on with a text or a conversation.

        Args:
            request: What is asked; its `model` is this one.
            on_text: Told of each piece of the reply.
            is_cancelled: Asked between tokens.

        Raises:
            PixelError: One of its children, where no reply is possible.
        """
        prompt = self._prompt(request)
        options = request.sampling
        generated = self._generator.generate(
            prompt,
            Sampling(
                temperature=options.temperature,
                top_k=options.top_k,
                top_p=options.top_p,
                min_p=options.min_p,
                repeat_penalty=options.repeat_penalty,
                repeat_window=options.repeat_window,
                seed=options.seed,
            ),
            max_tokens=request.max_tokens,
            stop=request.stop,
            constraint=self._constraint(request),
            on_text=on_text,
            is_cancelled=is_cancelled,
        )
        return Outcome(
            reason=generated.reason,
            text=generated.text,
            prompt_tokens=len(prompt),
            cached_tokens=generated.cached_tokens,
            reply_tokens=generated.reply_tokens,
            prompt_seconds=generated.prompt_seconds,
            reply_seconds=generated.reply_seconds,
            facts=self.facts,
        )

    def measure(self, request: MeasureRequest) -> Measured:
        """Take the time of a prompt and a reply.

        Raises:
            PixelError: One of its children, where there is no reply.
        """
        if any(not 0 <= token < self.facts.vocabulary_size for token in request.prompt):
            raise RequestRefused("a token of the prompt is none of the vocabulary")
        return measure_model(self._backend, request.prompt, request.reply_tokens)

    def split(self, request: SplitRequest) -> Split:
        """Take the time of each kernel.

        Raises:
            PixelError: One of its children, where that is not possible.
        """
        return split_model(self._backend, request.position)

    def close(self) -> None:
        """Give back memory and device."""
        self._backend.close()
        self._file.close()

    def _prompt(self, request: GenerateRequest) -> list[int]:
        if (request.prompt is None) == (not request.messages):
            raise RequestRefused("a request has either a prompt or messages")
        if request.prompt is not None:
            tokens = self._tokenizer.encode(request.prompt)
        else:
            messages = [{"role": message.role, "content": message.content} for message in request.messages]
            shielded = shield_contents(messages, self._tokenizer.special_texts)
            text = apply_chat_template(self._tokenizer.vocabulary, shielded.messages)
            tokens = self._tokenizer.encode_parts(shielded.parts(text))
        if not tokens:
            raise RequestRefused("the prompt is empty, and the model has no token that begins a text", hint="write something")
        return tokens

    def _constraint(self, request: GenerateRequest) -> Constraint | None:
        if request.json_schema is None and request.grammar is None:
            return None
        if request.json_schema is not None and request.grammar is not None:
            raise RequestRefused("a reply can be held to a JSON schema or to a grammar, not to both")
        if self._constraints is None:
            self._constraints = ConstraintMaker(self._tokenizer, self._tokenizer.size)
        if request.json_schema is not None:
            return self._constraints.for_schema(request.json_schema)
        return self._constraints.for_grammar(request.grammar or "")
