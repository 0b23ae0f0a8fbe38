"""What the kernels for floats and for ggml's larger blocks must compute, in numpy: products and sums in float64."""

import numpy as np


def floats(texels, kind):
    """Weights [rows, columns] of the texels of a linear plane."""
    words = np.ascontiguousarray(texels, np.uint32).reshape(len(texels), -1)
    if kind == "bf16":
        return (np.ascontiguousarray(words).view(np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return words.view(np.float16 if kind == "f16" else np.float32).astype(np.float64)


def float_product(weights, x, y):
    """Gives y + W · x and the sum of all magnitudes."""
    numbers = x.astype(np.float64)
    before = 0 if y is None else y.astype(np.float64)
    return {"y": (before + numbers @ weights.T, np.abs(before) + np.abs(numbers) @ np.abs(weights).T)}


def f32_matvec(weights, x, y=None, **_sizes):
    """The truth of float_matvec.wgsl for F32."""
    return float_product(floats(weights, "f32"), x, y)


def f16_matvec(weights, x, y=None, **_sizes):
    """The truth of float_matvec.wgsl for F16."""
    return float_product(floats(weights, "f16"), x, y)


def bf16_matvec(weights, x, y=None, **_sizes):
    """The truth of float_matvec.wgsl for BF16."""
    return float_product(floats(weights, "bf16"), x, y)


def float_rows(weights, tokens):
    """Rows of the table."""
    return {"y": (weights[tokens], np.abs(weights[tokens]))}


def embed_f32(weights, tokens, **_sizes):
    """The truth of embed_float.wgsl for F32."""
    return float_rows(floats(weights, "f32"), tokens)


def embed_f16(weights, tokens, **_sizes):
    """The truth of embed_float.wgsl for F16."""
    return float_rows(floats(weights, "f16"), tokens)


def embed_bf16(weights, tokens, **_sizes):
    """The truth of embed_float.wgsl for BF16."""
    return float_rows(floats(weights, "bf16"), tokens)


def eight_rows(words):
    """Nibbles [8 groups, columns] of the words of a plane."""
    flat = np.ascontiguousarray(words, np.uint32).reshape(len(words), 1, -1)
    return (flat >> (4 * np.arange(8, dtype=np.uint32))[None, :, None] & 15).reshape(len(words) * 8, -1).astype(np.int64)


def six_bits(low, high):
    """Four and four numbers of six bits."""
    return np.concatenate((low & 63, high), axis=-1).astype(np.float64)


def q4_k_weights(quants, scales):
    """Levels [rows, runs, 32], factors and minima [rows, runs] of the planes of Q4_K."""
    groups, blocks = len(scales), scales.shape[1] // 8
    heads = np.ascontiguousarray(scales, np.uint32).reshape(groups, blocks, 8, 4).transpose(0, 2, 1, 3).reshape(groups * 8, blocks, 4)
    data = np.ascontiguousarray(heads).view(np.uint8).reshape(groups * 8, blocks, 16)
    d = np.ascontiguousarray(data[..., :4]).view(np.float16).astype(np.float64)
    a, b, c = data[..., 4:8], data[..., 8:12], data[..., 12:16]
    factors = d[..., :1] * six_bits(a, c & 15 | a >> 2 & 48)
    minima = d[..., 1:] * six_bits(b, c >> 4 | b >> 2 & 48)
    return (
        eight_rows(quants).reshape(groups * 8, -1, 32).astype(np.float64),
        factors.reshape(groups * 8, -1),
        minima.reshape(groups * 8, -1),
    )


def q6_k_weights(quants, high, scales):
    """Levels [rows, runs, 16], less 32, and factors [rows, runs] of the planes of Q6_K."""
    groups, blocks = len(scales), scales.shape[1] // 9
    pairs = eight_rows(high)
    upper = np.stack((pairs & 3, pairs >> 2), axis=-1).reshape(groups * 8, -1)
    levels = (eight_rows(quants) | upper << 4) - 32
    data = np.ascontiguousarray(scales, np.uint32).view(np.uint8).reshape(groups, blocks, 9, 8, 2)
    d = np.ascontiguousarray(data[:, :, 8]).view(np.float16)[..., 0].astype(np.float64)  # [groups, blocks, 8]
    numbers = data[:, :, :8].view(np.int8).astype(np.float64)  # [groups, blocks, part, row, run]
    factors = numbers * d[:, :, None, :, None]
    return levels.reshape(groups * 8, -1, 16).astype(np.float64), factors.transpose(0, 3, 1, 2, 4).reshape(groups * 8, -1)


def runs_product(levels, factors, minima, x, x_scales, y):
    """Gives y + W · x and the sum of all magnitudes; the runs are as long as those of `levels`, the scales of x are for 32."""
    runs = levels.shape[2]
    numbers = np.ascontiguousarray(x, np.uint32).view(np.int8).reshape(len(x), -1, runs).astype(np.float64)
    d = np.repeat(x_scales[..., 0].astype(np.float64), 32 // runs, axis=1)
    parts = np.einsum("rbi,tbi->trb", levels, numbers) * factors * d[:, None]
    reach = np.einsum("rbi,tbi->trb", np.abs(levels), np.abs(numbers)) * np.abs(factors) * np.abs(d)[:, None]
    less = minima * (d * x_scales[..., 2].astype(np.float64))[:, None] if minima is not None else np.zeros_like(parts)
    before = 0 if y is None else y.astype(np.float64)
    return {"y": (before + parts.sum(axis=2) - less.sum(axis=2), np.abs(before) + reach.sum(axis=2) + np.abs(less).sum(axis=2))}


def q4_k_matvec(quants, scales, x, x_scales, y=None, **_sizes):
    """The truth of q4_k_matvec.wgsl."""
    return runs_product(*q4_k_weights(quants, scales), x, x_scales, y)


def q6_k_matvec(quants, high, scales, x, x_scales, y=None, **_sizes):
    """The truth of q6_k_matvec.wgsl."""
    return runs_product(*q6_k_weights(quants, high, scales), None, x, x_scales, y)


def embed_q4_k(quants, scales, tokens, **_sizes):
    """The truth of embed_q4_k.wgsl."""
    levels, factors, minima = q4_k_weights(quants, scales)
    rows = (levels * factors[..., None] - minima[..., None]).reshape(len(levels), -1)[tokens]
    return {"y": (rows, (levels * np.abs(factors)[..., None] + np.abs(minima)[..., None]).reshape(len(levels), -1)[tokens])}


def embed_q6_k(quants, high, scales, tokens, **_sizes):
    """The truth of embed_q6_k.wgsl."""
    levels, factors = q6_k_weights(quants, high, scales)
    return float_rows((levels * factors[..., None]).reshape(len(levels), -1), tokens)
