"""Rope and attention as rope_append.wgsl, attention_tile.wgsl and attention_merge.wgsl compute them."""

from __future__ import annotations

import numpy as np

from pixel_core.inference.exact.arithmetic import Floats, exact_exp, in_order

_TILE = 32
"""Keys that a workgroup of attention_tile.wgsl sees."""


def turn(heads: Floats, table: Floats, *, halves: bool) -> Floats:
    """Rope.

    Args:
        heads: float32[tokens, heads, width].
        table: float32[tokens, pairs, 2]: cosine and sine at each token's position.
        halves: Pairs are i and i + pairs, not 2i and 2i + 1.
    """
    pairs = table.shape[1]
    made = heads.copy()
    one = slice(0, pairs) if halves else slice(0, 2 * pairs, 2)
    other = slice(pairs, 2 * pairs) if halves else slice(1, 2 * pairs, 2)
    cosine, sine = table[:, None, :, 0], table[:, None, :, 1]
    made[..., one] = heads[..., one] * cosine - heads[..., other] * sine
    made[..., other] = heads[..., other] * cosine + heads[..., one] * sine
    return made


def attend(q: Floats, keys: Floats, values: Floats, oldest: int = 0) -> Floats:
    """Attention of one token.

    Args:
        q: float32[kv_heads, group, width], scaled.
        keys: float32[seen, kv_heads, width], the oldest first.
        values: As `keys`.
        oldest: Position of the first key.

    Returns:
        float32[kv_heads, group, width].
    """
    kv_heads, group, width = q.shape
    seen = len(keys)
    products = (keys[:, :, None] * q).reshape(seen, kv_heads, group, width // 4, 4)
    four = in_order(products.swapaxes(-1, -2))
    scores = (four[..., 0] + four[..., 1]) + (four[..., 2] + four[..., 3])
    tops: list[Floats] = []
    totals: list[Floats] = []
    sums: list[Floats] = []
    # Tiles begin at multiples of their size, counted from the first key of all.
    start = 0
    while start < seen:
        end = min(seen, start + _TILE - (oldest + start) % _TILE)
        tile = scores[start:end]
        tops.append(tile.max(axis=0))
        weights = exact_exp(np.asarray(tile - tops[-1], np.float32))
        total, sum_ = np.zeros((kv_heads, group), np.float32), np.zeros((kv_heads, group, width), np.float32)
        for key in range(end - start):
            total = total + weights[key]
            sum_ = sum_ + values[start + key][:, None] * weights[key][..., None]
        totals.append(total)
        sums.append(sum_)
        start = end
    greatest: Floats = np.max(np.stack(tops), axis=0)
    whole, merged = np.zeros((kv_heads, group), np.float32), np.zeros((kv_heads, group, width), np.float32)
    for top, total, sum_ in zip(tops, totals, sums, strict=True):
        share = exact_exp(np.asarray(top - greatest, np.float32))
        whole = whole + total * share
        merged = merged + sum_ * share[..., None]
    return merged / whole[..., None]
