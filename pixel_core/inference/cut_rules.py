"""How a text is cut before pairs of bytes are merged: the rules that `tokenizer.ggml.pre` names.

Each rule set is a list of regular expressions for the `tokenizers` library, applied one after the other: each cuts the pieces that the
one before left. They are those of `src/llama-vocab.cpp` of llama.cpp, so that a text has the same tokens there and here.
"""

from __future__ import annotations

from typing import Final

from pixel_core.errors import ModelUnusable

_CONTRACTIONS: Final = r"'s|'t|'re|'ve|'m|'ll|'d"
_GPT2: Final = rf"{_CONTRACTIONS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)"
_ANY_CASE: Final = r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
_DIGIT: Final = r"\p{N}"


def _by_words(digits: str) -> tuple[str, ...]:
    return (rf"(?:{_ANY_CASE})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",)


_RULES: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo", "jina-es", "jina-de", "roberta-bpe", "gigachat"), (_GPT2,)),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"), (_DIGIT, _GPT2)),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "dbrx", "smaug-bpe"), _by_words(r"\p{N}{1,3}")),
    **dict.fromkeys(("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan-dense"), _by_words(_DIGIT)),
    "default": (r"[\p{P}\$\+<=>\^~\|]+", _GPT2.removesuffix(r"|\s+(?!\S)") + r"|\s+(?!\S)", r"\p{N}+", "[0-9][0-9][0-9]"),
}

_MERGES_IGNORED: Final = frozenset({"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"})


def cut_rules(pre: str) -> tuple[str, ...]:
    """The expressions of a rule set, the first to be applied first.

    Raises:
        ModelUnusable: It is not known.
    """
    rules = _RULES.get(pre)
    if rules is None:
        raise ModelUnusable(f"the rules `{pre}` of the tokenizer are not known", hint=f"known are: {', '.join(sorted(_RULES))}")
    return rules


def takes_whole_pieces(pre: str) -> bool:
    """Whether a piece that is a token itself becomes that token, whatever the merges would make of it."""
    return pre in _MERGES_IGNORED
