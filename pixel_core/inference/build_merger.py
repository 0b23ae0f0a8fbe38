"""Makes the part of a tokenizer that merges: a model of the `tokenizers` library, from a vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pixel_core.errors import ModelUnusable, PixelError
from pixel_core.inference.byte_characters import BYTE_CHARACTERS
from pixel_core.inference.cut_rules import cut_rules, takes_whole_pieces
from pixel_core.inference.vocabulary import BYTE_PAIRS, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Pipeline

Merge = Callable[[str], list[int]]
"""A text without special tokens to ids."""

SPACE: Final = "▁"
"""What SentencePiece writes for a space."""

INSTALL: Final = "pip install 'pixel-lsp[inference]'"


def build_merger(vocabulary: Vocabulary) -> Merge:
    """The function that turns plain text into tokens.

    Raises:
        ModelUnusable: The vocabulary contradicts itself, or its rules are not known.
        PixelError: The `tokenizers` library is not installed.
    """
    try:
        import tokenizers
    except ImportError as problem:
        raise PixelError("models need the package tokenizers, which is not installed", hint=INSTALL) from problem
    del tokenizers
    try:
        pipeline = _byte_pairs(vocabulary) if vocabulary.kind == BYTE_PAIRS else _sentence_piece(vocabulary)
    except ModelUnusable:
        raise
    except Exception as problem:  # the library raises plain Exception
        raise ModelUnusable(f"the vocabulary contradicts itself: {problem}") from problem
    size = len(vocabulary.texts)
    return lambda text: [token for token in pipeline.encode(text, add_special_tokens=False).ids if token < size]


def _byte_pairs(vocabulary: Vocabulary) -> Pipeline:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    ids = _ids(vocabulary)
    # A byte that is no token is left out of the result, as in llama.cpp; until then it keeps its neighbours apart.
    for character in BYTE_CHARACTERS:
        ids.setdefault(character, len(ids) + len(vocabulary.texts))
    merges = [pair for pair in vocabulary.merges if pair[0] in ids and pair[1] in ids and pair[0] + pair[1] in ids]
    pipeline = Tokenizer(models.BPE(vocab=ids, merges=merges, ignore_merges=takes_whole_pieces(vocabulary.pre)))
    cuts = [pre_tokenizers.Split(Regex(rule), "isolated") for rule in cut_rules(vocabulary.pre)]
    pipeline.pre_tokenizer = pre_tokenizers.Sequence([*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return pipeline


def _sentence_piece(vocabulary: Vocabulary) -> Pipeline:
    from tokenizers import Tokenizer, models, normalizers

    ids = _ids(vocabulary)
    unknown = next((text for text, token in ids.items() if vocabulary.kinds[token] == UNKNOWN), None)
    model = models.BPE(vocab=ids, merges=_merges_by_score(vocabulary, ids), byte_fallback=True, unk_token=unknown, fuse_unk=True)
    pipeline = Tokenizer(model)
    pipeline.normalizer = normalizers.Replace(" ", SPACE)
    return pipeline


def _ids(vocabulary: Vocabulary) -> dict[str, int]:
    """Of tokens with equal texts the last counts, as in llama.cpp. A text that is no Unicode can be no part of a prompt."""
    return {text: token for token, text in enumerate(vocabulary.texts) if text.isascii() or _is_unicode(text)}


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _merges_by_score(vocabulary: Vocabulary, ids: dict[str, int]) -> list[tuple[str, str]]:
    """SentencePiece joins the neighbours whose joined text has the highest score; written as the merges of BPE, best first."""
    ranked: list[tuple[float, int, int, tuple[str, str]]] = []
    for text, token in ids.items():
        for at in range(1, len(text)):
            first, second = text[:at], text[at:]
            if first in ids and second in ids:
                ranked.append((-vocabulary.scores[token], token, at, (first, second)))
    ranked.sort()
    return [pair for *_, pair in ranked]
