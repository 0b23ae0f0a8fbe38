"""The configuration of a model's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pixel_core.inference.config import ModelConfig, read_config

if TYPE_CHECKING:
    from pixel_core.weights.model_file import ModelFile


def model_config(model: ModelFile) -> ModelConfig:
    """What a model is, without a look at its vocabulary.

    Raises:
        ModelUnusable: As `read_config` says.
    """
    values = {key: model.metadata[key].value for key in model.metadata if not key.startswith("tokenizer.")}
    plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in values.items()}
    return read_config(plain, {name: one.shape for name, one in model.tensors.items()})
