"""The vocabulary of a model as its metadata has it: texts and kinds of tokens, and which of them mean something to the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pixel_core.errors import ModelUnusable
from pixel_core.inference.read_metadata import MetadataReader

NORMAL: Final = 1
UNKNOWN: Final = 2
CONTROL: Final = 3
USER_DEFINED: Final = 4
UNUSED: Final = 5
BYTE: Final = 6
"""Values of `tokenizer.ggml.token_type`: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer"""

BYTE_PAIRS: Final = "gpt2"
SENTENCE_PIECE: Final = "llama"

_MOST_TOKENS: Final = 1 << 22
_LONGEST_TOKEN: Final = 4_096
_ENDS: Final = frozenset({
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>",
    "_<EOT>", "<|end_of_text|>", "<end_of_utterance>",
    # Of models that fill code in: what follows belongs to another file.
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>",
    "<|file_sep|>",
})  # fmt: skip
"""Tokens that end a reply whatever the metadata names besides, as llama.cpp has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the metadata says of tokens.

    Attributes:
        kind: `gpt2` (pairs of bytes) or `llama` (SentencePiece).
        pre: Name of the rules that cut a text before pairs are merged; `default` where the file has none.
        texts: Of each token, as stored.
        kinds: Of each token: `NORMAL`, `CONTROL` and so on.
        scores: Of each token; empty where the file has none.
        merges: Pairs of texts, the first to be merged first.
        bos: Token that begins a text; None where there is none.
        eos: Token that ends a text; None where there is none.
        ends: Every token that ends a reply.
        adds_bos: Whether a prompt begins with `bos`.
        adds_eos: Whether a prompt ends with `eos`.
        adds_space: Whether a space is put before a text (SentencePiece alone).
        chat_template: jinja2; empty where there is none.
    """

    kind: str
    pre: str
    texts: tuple[str, ...]
    kinds: tuple[int, ...]
    scores: tuple[float, ...]
    merges: tuple[tuple[str, str], ...]
    bos: int | None
    eos: int | None
    ends: frozenset[int]
    adds_bos: bool
    adds_eos: bool
    adds_space: bool
    chat_template: str

    def is_special(self, token: int) -> bool:
        """Whether a token steers the model and is no text."""
        return self.kinds[token] in {CONTROL, UNKNOWN}

    def text_of(self, token: int | None) -> str:
        """As stored; empty for None."""
        return "" if token is None else self.texts[token]


def read_vocabulary(metadata: Mapping[str, object]) -> Vocabulary:
    """Read the vocabulary of a model.

    Args:
        metadata: All key-values of the file, as plain numbers, texts, truth values and sequences of those.

    Raises:
        ModelUnusable: There is none, it contradicts itself, or is of a kind that is not known here.
    """
    read = MetadataReader(metadata, "tokenizer.ggml.")
    kind = read.text("model")
    if kind not in {BYTE_PAIRS, SENTENCE_PIECE}:
        raise ModelUnusable(f"the tokenizer `{kind}` is not supported", hint="models with `gpt2` (BPE) or `llama` (SentencePiece) can run")
    texts = read.sequence("tokens", str, longest=_MOST_TOKENS)
    if not texts:
        raise ModelUnusable("the metadata has no `tokenizer.ggml.tokens`")
    if (longest := max(map(len, texts))) > _LONGEST_TOKEN:
        raise ModelUnusable(f"a token of {longest:,} characters is longer than the {_LONGEST_TOKEN:,} that are allowed")
    kinds = read.sequence("token_type", int, longest=_MOST_TOKENS) or (NORMAL,) * len(texts)
    scores = read.sequence("scores", float, longest=_MOST_TOKENS) or ()
    if len(kinds) != len(texts) or (scores and len(scores) != len(texts)):
        raise ModelUnusable(f"{len(texts):,} tokens have {len(kinds):,} kinds and {len(scores):,} scores")
    if kind == SENTENCE_PIECE and not scores:
        raise ModelUnusable("the metadata has no `tokenizer.ggml.scores`")
    pre = read.optional_text("pre") or "default"
    bos = _token(read, "bos_token_id", len(texts))
    eos = _token(read, "eos_token_id", len(texts))
    ends = {eos, _token(read, "eot_token_id", len(texts)), _token(read, "eom_token_id", len(texts))} - {None}
    ends |= {token for token, text in enumerate(texts) if text in _ENDS}
    is_sentence_piece = kind == SENTENCE_PIECE
    return Vocabulary(
        kind=kind,
        pre=pre,
        texts=texts,
        kinds=kinds,
        scores=scores,
        merges=_merges(read),
        bos=bos,
        eos=eos,
        ends=frozenset(token for token in ends if token is not None),
        adds_bos=read.truth("add_bos_token", default=is_sentence_piece or pre in {"llama3", "llama-v3", "llama-bpe", "falcon3"}),
        adds_eos=read.truth("add_eos_token", default=False),
        adds_space=is_sentence_piece and read.truth("add_space_prefix", default=True),
        chat_template=MetadataReader(metadata).optional_text("tokenizer.chat_template") or "",
    )


def _token(read: MetadataReader, key: str, count: int) -> int | None:
    token = read.integer(key, low=-1, high=(1 << 32) - 1, default=-1)
    # Files write the largest number, or -1, for none.
    return token if 0 <= token < count else None


def _merges(read: MetadataReader) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for line in read.sequence("merges", str, longest=_MOST_TOKENS) or ():
        # A part may itself begin with a space.
        at = line.find(" ", 1)
        if at > 0:
            pairs.append((line[:at], line[at + 1 :]))
    return tuple(pairs)
