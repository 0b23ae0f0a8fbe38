"""Goes on with a text, token by token."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pixel_core.toy.mlp import ToyOutput
from pixel_core.toy.vocabulary import ToyVocabulary


def write_text(
    forward: Callable[[NDArray[np.float32]], ToyOutput], vocabulary: ToyVocabulary, prompt: str = "", *, max_tokens: int = 32
) -> str:
    """The prompt and what follows it, up to the end that the model finds or to `max_tokens` more tokens.

    Args:
        forward: Of a `ToyMlp` or a `DeviceMlp`.
        vocabulary: Of the model.
        prompt: What to begin with; nothing for the beginning of a text.
        max_tokens: At most.

    Raises:
        RequestRefused: The model has no token for a word of the prompt.
    """
    # A prompt is the middle of a text, so nothing stands before it.
    tokens = vocabulary.encode(prompt) or [vocabulary.end]
    for _ in range(max_tokens):
        token = int(forward(vocabulary.vector(tokens)[np.newaxis]).next[0])
        tokens.append(token)
        if token == vocabulary.end:
            break
    return vocabulary.decode(tokens)
