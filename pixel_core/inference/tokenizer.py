"""Texts to tokens and back, as llama.cpp does it for the same metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pixel_core.inference.build_merger import SPACE, Merge, build_merger
from pixel_core.inference.byte_characters import BYTE_CHARACTERS
from pixel_core.inference.text_stream import TextStream
from pixel_core.inference.vocabulary import BYTE, BYTE_PAIRS, CONTROL, NORMAL, UNKNOWN, UNUSED, USER_DEFINED, Vocabulary, read_vocabulary

_BYTE_LENGTH: Final = len("<0x00>")


class Tokenizer:
    """The tokenizer of one model.

    Args:
        vocabulary: What the metadata says.

    Raises:
        ModelUnusable: The vocabulary contradicts itself, or its rules are not known.
        PixelError: The `tokenizers` library is not installed.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._merge: Merge = build_merger(vocabulary)
        # Longer ones first, as llama.cpp looks for them: one may begin another.
        marked = [
            token for token, kind in enumerate(vocabulary.kinds) if kind in {CONTROL, UNKNOWN, USER_DEFINED} and vocabulary.texts[token]
        ]
        self._marked = sorted(marked, key=lambda token: -len(vocabulary.texts[token].encode("utf-8", "surrogateescape")))
        self._bytes = {character: byte for byte, character in enumerate(BYTE_CHARACTERS)}

    @property
    def size(self) -> int:
        """Tokens of the vocabulary."""
        return len(self.vocabulary.texts)

    @property
    def special_texts(self) -> tuple[str, ...]:
        """Texts of tokens that steer the model, longer ones first."""
        return tuple(self.vocabulary.texts[token] for token in self._marked if self.vocabulary.is_special(token))

    def encode(self, text: str, *, adds_special: bool = True, parses_special: bool = False) -> list[int]:
        """The tokens of a text.

        Args:
            text: Any text; what is no Unicode (lone surrogates) becomes U+FFFD.
            adds_special: Put the tokens around it that the model wants at the beginning and the end of a text.
            parses_special: A text such as `<|im_end|>` is the token of that name. Never for text of a stranger.
        """
        return self.encode_parts([(text, not parses_special)], adds_special=adds_special)

    def encode_parts(self, parts: Iterable[tuple[str, bool]], *, adds_special: bool = True) -> list[int]:
        """The tokens of a text that comes in parts, each with whether it is plain: whether special tokens in it are only text."""
        vocabulary = self.vocabulary
        ids: list[int] = []
        is_first = True
        for text, is_plain in parts:
            text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            for piece in self._cut(text, parses_special=not is_plain):
                if isinstance(piece, int):
                    ids.append(piece)
                    is_first = True
                elif piece:
                    ids += self._merge(f" {piece}" if vocabulary.adds_space and is_first else piece)
                    is_first = False
        if adds_special:
            # A chat template may have written it already.
            if vocabulary.adds_bos and vocabulary.bos is not None and ids[:1] != [vocabulary.bos]:
                ids.insert(0, vocabulary.bos)
            if vocabulary.adds_eos and vocabulary.eos is not None:
                ids.append(vocabulary.eos)
        return ids

    def bytes_of(self, token: int, *, shows_special: bool = False) -> bytes:
        """What a token stands for, in UTF-8; perhaps a part of a character. Tokens that steer the model are nothing, unless shown."""
        vocabulary = self.vocabulary
        text, kind = vocabulary.texts[token], vocabulary.kinds[token]
        if kind == UNUSED or (kind in {CONTROL, UNKNOWN} and not shows_special):
            return b""
        if kind == BYTE and len(text) == _BYTE_LENGTH:
            return bytes([int(text[3:5], 16)])
        if kind == NORMAL and vocabulary.kind == BYTE_PAIRS:
            return b"".join(self._byte(character) for character in text)
        if kind == NORMAL:
            text = text.replace(SPACE, " ")
        return text.encode("utf-8", "surrogateescape")

    def decode(self, tokens: Sequence[int], *, shows_special: bool = False) -> str:
        """The text of tokens; what is no UTF-8 becomes U+FFFD."""
        return b"".join(self.bytes_of(token, shows_special=shows_special) for token in tokens).decode("utf-8", "replace")

    def stream(self) -> TextStream:
        """Takes tokens one by one and gives whole characters."""
        return TextStream(self.bytes_of)

    def _byte(self, character: str) -> bytes:
        byte = self._bytes.get(character)
        return character.encode("utf-8", "surrogateescape") if byte is None else bytes([byte])

    def _cut(self, text: str, *, parses_special: bool) -> Iterator[str | int]:
        pieces: list[str | int] = [text]
        for token in self._marked:
            mark = self.vocabulary.texts[token]
            if mark in text and (parses_special or self.vocabulary.kinds[token] == USER_DEFINED):
                pieces = [part for piece in pieces for part in ([piece] if isinstance(piece, int) else _split(piece, mark, token))]
        return iter(pieces)


def read_tokenizer(metadata: Mapping[str, object]) -> Tokenizer:
    """The tokenizer that the metadata of a model describes.

    Raises:
        ModelUnusable: There is none, it contradicts itself, or is of a kind that is not known here.
        PixelError: The `tokenizers` library is not installed.
    """
    return Tokenizer(read_vocabulary(metadata))


def _split(text: str, mark: str, token: int) -> Iterator[str | int]:
    first, *rest = text.split(mark)
    yield first
    for part in rest:
        yield token
        yield part
