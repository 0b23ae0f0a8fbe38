"""Eight tokens, and the vector that stands for the last three of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import RequestRefused

MEMORY: Final = 3
"""Tokens that the model sees."""


class ToyVocabulary:
    """Words to tokens and back.

    Args:
        words: The text of each token; the first one ends a text, and begins it.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._tokens = {word: token for token, word in enumerate(self.words)}

    @property
    def end(self) -> int:
        """The token at both ends of a text."""
        return 0

    def encode(self, text: str) -> list[int]:
        """Tokens of a text: words between blanks, a full stop stands alone too.

        Raises:
            RequestRefused: There is no token for a word.
        """
        words = text.lower().replace(".", " . ").split()
        for word in words:
            if word not in self._tokens or self._tokens[word] == self.end:
                raise RequestRefused(f"the toy does not know the word `{word}`", hint=f"it knows: {' '.join(self.words[1:])}")
        return [self._tokens[word] for word in words]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without what ends it."""
        return " ".join(self.words[token] for token in tokens if token != self.end).replace(" .", ".")

    def vector(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """What the model sees of a text, `f32[8]`: 1 at its last token, 1/2 added at the one before, 1/4 at the one before that."""
        vector = np.zeros(len(self.words), np.float32)
        for age, token in enumerate(reversed(tokens[-MEMORY:])):
            vector[token] += 0.5**age
        return vector
