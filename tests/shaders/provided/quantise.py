"""Blocks of eight values: an f32 scale, and eight levels of 4 bits from -7 to 7."""

import numpy as np


class Levels:
    """The codec."""

    @staticmethod
    def encode(values):
        """float32 → bytes."""
        blocks = values.reshape(-1, 8)
        scale = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype("<f4")
        level = np.rint(blocks / np.where(scale == 0, 1, scale)).astype(np.uint32) + np.uint32(7)
        words = (level << np.arange(0, 32, 4, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
        return np.stack([scale[:, 0].view("<u4"), words], axis=1).astype("<u4").tobytes()

    @staticmethod
    def decode(data, shape):
        """uint8 → float32, and how far each value lies from its neighbours."""
        words = data.view("<u4").reshape(-1, 2)
        level = (words[:, 1:] >> np.arange(0, 32, 4, dtype=np.uint32)) & 15
        scale = words[:, :1].copy().view("<f4")
        step = np.abs(np.repeat(scale, 8, axis=1))
        return (scale * (level.astype(np.float32) - 7)).reshape(shape), step.reshape(shape)
