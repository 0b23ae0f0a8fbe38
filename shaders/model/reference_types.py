"""What the kernels for floats and for ggml's larger blocks must compute, in numpy: products and sums in float64."""

import numpy as np


def floats(texels, kind):
    """Weights [rows, columns] of the texels of a linear plane."""
    words = np.ascontiguousarray(texels, np.uint32).reshape(len(texels), -1)
    if kind == "bf16":
        return (np.ascontiguousarray(words).view(np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return words.view(np.float16 if kind == "f16" else np.float32).astype(np.float64)


def float_product(weights, x, y, first, add):
    """Gives y with W · x put or added in from row `first` on, and the sum of all magnitudes."""
    numbers, value, scale = x.astype(np.float64), y.astype(np.float64), np.zeros(y.shape)
    rows = slice(first, first + len(weights))
    before = value[:, rows] * add
    value[:, rows] = before + numbers @ weights.T
    scale[:, rows] = np.abs(before) + np.abs(numbers) @ np.abs(weights).T
    return {"y": (value, scale)}


def f32_matvec(weights, x, y, first, add):
    """The truth of float_matvec.wgsl for F32."""
    return float_product(floats(weights, "f32"), x, y, first, add)


def f16_matvec(weights, x, y, first, add):
    """The truth of float_matvec.wgsl for F16."""
    return float_product(floats(weights, "f16"), x, y, first, add)


def bf16_matvec(weights, x, y, first, add):
    """The truth of float_matvec.wgsl for BF16."""
    return float_product(floats(weights, "bf16"), x, y, first, add)


def float_rows(weights, tokens, y, first, size):
    """Rows of a page where the tokens' rows lie on it; the others of y stay. Gives the magnitudes too."""
    value, scale = y.astype(np.float64), np.zeros(y.shape)
    place = tokens.astype(np.int64) - first
    here = (place >= 0) & (place < len(weights))
    value[here] = weights[place[here]] * size["scale"]
    scale[here] = np.abs(value[here])
    return {"y": (value, scale)}


def embed_f32(weights, tokens, y, first, size):
    """The truth of embed_float.wgsl for F32."""
    return float_rows(floats(weights, "f32"), tokens, y, first, size)


def embed_f16(weights, tokens, y, first, size):
    """The truth of embed_float.wgsl for F16."""
    return float_rows(floats(weights, "f16"), tokens, y, first, size)


def embed_bf16(weights, tokens, y, first, size):
    """The truth of embed_float.wgsl for BF16."""
    return float_rows(floats(weights, "bf16"), tokens, y, first, size)


def float_merge(sums, tops, tokens, position, heads, columns):
    """The truth of float_merge.wgsl."""
    value, scale = np.zeros((2, tokens, heads, columns))
    for token in range(tokens):
        tiles = (position + token) // 32 + 1
        top, total = tops[token, :tiles].astype(np.float64).transpose(2, 0, 1)
        share = np.exp(top - top.max(axis=0))
        whole = (total * share).sum(axis=0)[:, None]
        parts = sums[token, :tiles].astype(np.float64) * share[..., None]
        value[token] = parts.sum(axis=0) / whole
        # The exponent's own rounding is as large as its argument.
        scale[token] = np.abs(parts).sum(axis=0) / whole * (4 + np.abs(top - top.max(axis=0)).max())
    return {"y": (value, scale)}
