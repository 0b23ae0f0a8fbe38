"""The functions that kernels of `shaders/model` have in common, operation by operation in float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

_F = np.float32


def exact_exp(x: Floats) -> Floats:
    """`exact_exp` of exact_exp.wgsl: e to the power x, x held between -87 and 88; relative error below 2e-7."""
    held = np.clip(x, _F(-87.0), _F(88.0))
    k = np.rint(held * _F(1.44269504))
    r = (held - k * _F(0.693359375)) - k * _F(-2.12194440e-4)
    p = np.full_like(r, 1.3888889e-3)
    for coefficient in (8.3333338e-3, 4.1666668e-2, 0.16666667, 0.5, 1.0, 1.0):
        p = p * r + _F(coefficient)
    power = ((k.astype(np.int32) + 127) << 23).view(np.float32)
    return p * power


def exact_rsqrt(x: Floats) -> Floats:
    """`exact_rsqrt` of norm_quantise.wgsl: 1 / √x by four steps of Newton's iteration, for positive x."""
    x = np.atleast_1d(np.asarray(x, np.float32))
    y = (np.uint32(0x5F3759DF) - (x.view(np.uint32) >> 1)).view(np.float32)
    for _ in range(4):
        y = y * (_F(1.5) - (_F(0.5) * x * y) * y)
    return y


def as_half(x: Floats) -> Floats:
    """Rounded to f16 (ties to even) and back; magnitudes above 65504 become 65504."""
    return np.clip(x, _F(-65504.0), _F(65504.0)).astype(np.float16).astype(np.float32)


def rms_factor(x: Floats, epsilon: float) -> Floats:
    """float32[rows, 1]: what the rows of float32[rows, columns] are multiplied with, as 32 invocations of norm_quantise.wgsl find it."""
    rows, columns = x.shape
    steps = -(-columns // 128)
    padded = np.zeros((rows, steps * 128), np.float32)
    padded[:, :columns] = x
    squares = np.square(padded).reshape(rows, steps, 32, 4)
    lanes = np.zeros((rows, 32, 4), np.float32)
    for step in range(steps):
        lanes = lanes + squares[:, step]
    sums = np.asarray((lanes[..., 0] + lanes[..., 1]) + (lanes[..., 2] + lanes[..., 3]), np.float32)
    return exact_rsqrt(_mean(in_order(sums), columns, epsilon))[:, None]


def head_factor(x: Floats, epsilon: float) -> Floats:
    """As `rms_factor`, one component after the other, as rope_append.wgsl does it for a head; over the last axis."""
    return exact_rsqrt(_mean(in_order(np.asarray(x * x, np.float32)), x.shape[-1], epsilon))[..., None]


def _mean(sums: Floats, count: int, epsilon: float) -> Floats:
    return np.asarray(sums / _F(count) + _F(epsilon), np.float32)


def in_order(x: Floats) -> Floats:
    """Sum over the last axis, from 0 on and one after the other."""
    total = np.zeros(x.shape[:-1], np.float32)
    for i in range(x.shape[-1]):
        total = total + x[..., i]
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations:
    """Quantised rows.

    Attributes:
        bytes: int8[rows, blocks, 32].
        d: float32[rows, blocks], f16 values.
        s: float32[rows, blocks], f16 values: d times the sum, before d was rounded.
        sums: float32[rows, blocks]: of the bytes.
        floats: float32[rows, columns]: what was quantised.
    """

    bytes: NDArray[np.int8]
    d: Floats
    s: Floats
    sums: Floats
    floats: Floats


def quantise(x: Floats) -> Activations:
    """`quantise_block` of quantise_block.wgsl for every 32 of float32[rows, columns]."""
    blocks = x.reshape(x.shape[0], -1, 32)
    most = np.abs(blocks).max(axis=2)
    with np.errstate(divide="ignore"):
        inverse = np.where(most > 0, _F(127.0) / most, _F(0.0))
    d = most / _F(127.0)
    levels = np.rint(blocks * inverse[..., None])
    sums = levels.sum(axis=2, dtype=np.float32)  # whole numbers far below 2^24
    return Activations(bytes=levels.astype(np.int8), d=as_half(d), s=as_half(d * sums), sums=sums, floats=x)


def activate(gate: Floats, *, gelu: bool) -> Floats:
    """`activate` of gate_quantise.wgsl."""
    inner = _F(1.5957691) * (gate + _F(0.044715) * ((gate * gate) * gate)) if gelu else gate
    small = exact_exp(-np.abs(inner))
    return gate * (np.where(inner >= 0, _F(1.0), small) / (_F(1.0) + small))
