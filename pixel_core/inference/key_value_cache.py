"""Keys and values of every token so far, for each layer."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_FIRST_ROOM: Final = 256


class KeyValueCache:
    """Room that doubles as tokens come, up to the length of the context.

    Args:
        layers: How many.
        heads: Key heads of each.
        head_length: Components of each head.
        context_length: Tokens at most.
    """

    def __init__(self, *, layers: int, heads: int, head_length: int, context_length: int) -> None:
        self.length = 0
        self._context_length = context_length
        room = min(_FIRST_ROOM, context_length)
        self._layers = [np.zeros((2, heads, room, head_length), np.float32) for _ in range(layers)]

    def reserve(self, count: int) -> None:
        """Make room for `count` more tokens, which fit into the context."""
        room = self._layers[0].shape[2]
        wanted = self.length + count
        if wanted <= room:
            return
        room = min(max(wanted, 2 * room), self._context_length)
        for index, old in enumerate(self._layers):
            grown = np.zeros((2, old.shape[1], room, old.shape[3]), np.float32)
            grown[:, :, : self.length] = old[:, :, : self.length]
            self._layers[index] = grown

    def append(self, layer: int, keys: NDArray[np.float32], values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Put down what `reserve` made room for; `advance` counts it when every layer has.

        Args:
            layer: From 0.
            keys: float32[heads, tokens, head_length].
            values: Likewise.

        Returns:
            All keys and all values of the layer, the new ones included: float32[heads, length + tokens, head_length].
        """
        room = self._layers[layer]
        end = self.length + keys.shape[1]
        room[0, :, self.length : end] = keys
        room[1, :, self.length : end] = values
        return room[0, :, :end], room[1, :, :end]

    def advance(self, count: int) -> None:
        """Count tokens that every layer has appended."""
        self.length += count

    def truncate(self, length: int) -> None:
        """Forget what is behind the first `length` tokens."""
        self.length = length
