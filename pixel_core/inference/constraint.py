"""Holds a reply to a JSON schema or a grammar: which tokens may come next.

Done by llguidance (https://github.com/guidance-ai/llguidance), which wants the bytes of every token and nothing of the model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import PixelError, RequestRefused
from pixel_core.inference.build_merger import INSTALL
from pixel_core.inference.tokenizer import Tokenizer

_LONGEST: Final = 1 << 18
"""Characters of a schema or grammar."""


class Constraint(Protocol):
    """Which tokens may come next in one reply."""

    def mask(self, logits: NDArray[np.float32]) -> None:
        """Set the logits of tokens that may not come next to minus infinity."""
        ...

    def accept(self, token: int) -> None:
        """Take the token that was chosen."""
        ...

    @property
    def is_finished(self) -> bool:
        """Whether nothing can follow."""
        ...


class ConstraintMaker:
    """Makes the constraints of one model; what depends on its vocabulary alone is made once.

    Args:
        tokenizer: Of the model.
        vocabulary_size: Logits that the model gives; perhaps more than there are tokens.

    Raises:
        PixelError: llguidance is not installed.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary_size: int) -> None:
        try:
            import llguidance
        except ImportError as problem:
            raise PixelError("JSON schemas and grammars need the package llguidance, which is not installed", hint=INSTALL) from problem
        self._size = vocabulary_size
        wrapper: Any = llguidance.TokenizerWrapper(_Tokens(tokenizer, vocabulary_size))
        ends = sorted(tokenizer.vocabulary.ends) or [vocabulary_size - 1]
        self._tokens = llguidance.LLTokenizer(wrapper, n_vocab=vocabulary_size, eos_token=ends)

    def for_schema(self, schema: Mapping[str, Any]) -> Constraint:
        """A reply that is JSON of a schema.

        Raises:
            RequestRefused: It is none, or is too long.
        """
        import llguidance

        text = json.dumps(schema)
        _check_length(text, "JSON schema")
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(text, defaults={"whitespace_flexible": False})
        except ValueError as problem:
            raise RequestRefused(f"the JSON schema cannot be used: {_short(problem)}") from problem
        return self._constraint(grammar, "JSON schema")

    def for_grammar(self, gbnf: str) -> Constraint:
        """A reply that follows a grammar in llama.cpp's form, GBNF.

        Raises:
            RequestRefused: It is none, or is too long.
        """
        import llguidance
        from llguidance.gbnf_to_lark import any_to_lark

        _check_length(gbnf, "grammar")
        try:
            grammar = llguidance.LLMatcher.grammar_from_lark(any_to_lark(gbnf))
        except Exception as problem:  # its parser raises classes of its own, IndexError and RecursionError
            raise RequestRefused(f"the grammar cannot be used: {_short(problem)}") from problem
        return self._constraint(grammar, "grammar")

    def _constraint(self, grammar: str, what: str) -> Constraint:
        import llguidance

        matcher = llguidance.LLMatcher(self._tokens, grammar, log_level=0)
        if matcher.is_error():
            raise RequestRefused(f"the {what} cannot be used: {matcher.get_error()[:300]}")
        return _Matched(matcher, self._size, what)


class _Matched:
    def __init__(self, matcher: Any, size: int, what: str) -> None:
        self._matcher = matcher
        self._size = size
        self._what = what

    def mask(self, logits: NDArray[np.float32]) -> None:
        allowed = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")[: self._size]
        self._check()
        logits[: len(allowed)][allowed == 0] = -np.inf
        logits[len(allowed) :] = -np.inf

    def accept(self, token: int) -> None:
        self._matcher.consume_token(token)
        self._check()

    @property
    def is_finished(self) -> bool:
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise RequestRefused(f"the {self._what} cannot be followed any further: {self._matcher.get_error()[:300]}")


class _Tokens:
    """What llguidance asks of a tokenizer."""

    def __init__(self, tokenizer: Tokenizer, vocabulary_size: int) -> None:
        vocabulary = tokenizer.vocabulary
        self._tokenizer = tokenizer
        self.eos_token_id = min(vocabulary.ends, default=vocabulary_size - 1)
        self.bos_token_id = vocabulary.bos
        self.special_token_ids = [token for token in range(tokenizer.size) if vocabulary.is_special(token)]
        padding = [f"<|padding {token}|>".encode() for token in range(tokenizer.size, vocabulary_size)]
        self.special_token_ids += range(tokenizer.size, vocabulary_size)
        self.tokens = [tokenizer.bytes_of(token, shows_special=True) for token in range(tokenizer.size)] + padding

    def __call__(self, text: bytes | str) -> list[int]:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return self._tokenizer.encode(text, adds_special=False)


def _check_length(text: str, what: str) -> None:
    if len(text) > _LONGEST:
        raise RequestRefused(f"a {what} of {len(text):,} characters is longer than the {_LONGEST:,} that are allowed")


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]
