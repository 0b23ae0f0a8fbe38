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
