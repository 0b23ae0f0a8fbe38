"""Are the derived tolerances honest? Emulates f32 kernels in numpy and prints error / limit for each.

Honest kernels, in several orders of summation, must stay below 1 in both columns (worst element / bound, and NMSE / limit); kernels
that round to f16 or are wrong in one place must be above 1 in one of them. Run: python bench/tolerance.py [seeds]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from array_testing import SCALED, evaluate
from pixel_core.kernels.bounded import Bounded
from pixel_core.kernels.compare import compare_output
from pixel_core.kernels.evaluate import stored
from pixel_core.kernels.patterns import PatternContext

F = np.float32
Array = np.ndarray
Sum = Callable[[Array], Array]

# ---------------------------------------------------------------- sums over the last axis, in f32


def sequential(x: Array) -> Array:
    """One after another."""
    return np.cumsum(x, axis=-1, dtype=F)[..., -1]


def reverse(x: Array) -> Array:
    """From the end."""
    return sequential(x[..., ::-1])


def tree(x: Array) -> Array:
    """Halves onto halves, as a workgroup does."""
    while x.shape[-1] > 1:
        if x.shape[-1] % 2:
            x = np.concatenate([x, np.zeros((*x.shape[:-1], 1), F)], axis=-1)
        half = x.shape[-1] // 2
        x = x[..., :half] + x[..., half:]
    return x[..., 0]


def blocked(x: Array, width: int = 64) -> Array:
    """A strided loop per invocation, then a tree over the workgroup."""
    pad = -x.shape[-1] % width
    x = np.concatenate([x, np.zeros((*x.shape[:-1], pad), F)], axis=-1)
    return tree(sequential(np.moveaxis(x.reshape(*x.shape[:-1], -1, width), -1, -2)))


def ascending(x: Array) -> Array:
    """Sorted: the partial sums go as far down as they can before they come up."""
    return sequential(np.sort(x, axis=-1))


SUMS: dict[str, Sum] = {"sequential": sequential, "reverse": reverse, "tree": tree, "blocked": blocked, "ascending": ascending}


def fused(a: Array, b: Array) -> Array:
    """One after another with fused multiply-adds: the product in float64 is exact, each sum is rounded once."""
    total = np.zeros(np.broadcast_shapes(a.shape, b.shape)[:-1], F)
    for k in range(a.shape[-1]):
        total = (total.astype(np.float64) + a[..., k].astype(np.float64) * b[..., k].astype(np.float64)).astype(F)
    return total


def half(x: Array) -> Array:
    """Rounded to f16 and back."""
    return x.astype(np.float16).astype(F)


# ---------------------------------------------------------------- reporting


class Ledger:
    """The greatest ratios of each line, over all seeds."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], list[float]] = {}

    def add(self, kernel: str, variant: str, truth: Bounded, actual: Array) -> None:
        """Judge one output."""
        result = compare_output(truth, actual.astype(F), SCALED, output="y", context=PatternContext())
        limit = float(result.nmse_limit)
        nmse = float(result.nmse) / limit if limit and math.isfinite(limit) else 0.0
        line = self.lines.setdefault((kernel, variant), [0.0, 0.0, 0, 0])
        line[0], line[1] = max(line[0], float(result.max_bound_ratio)), max(line[1], nmse)
        line[2], line[3] = line[2] + (not result.passed), line[3] + 1

    def print(self) -> None:
        """One line per kernel and variant."""
        print(f"{'kernel':34} {'variant':24} {'error/bound':>12} {'NMSE/limit':>12}  refused")
        for (kernel, variant), (bound, nmse, refused, runs) in self.lines.items():
            print(f"{kernel:34} {variant:24} {bound:12.3g} {nmse:12.3g}  {refused} of {runs}")


def truth(text: str, shape: tuple[int, ...], **arrays: Array) -> Bounded:
    """The bounded value of an expression as an f32 output."""
    return stored(evaluate(text, **arrays), "f32", shape)


DATA: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "normal": lambda g, shape: g.standard_normal(shape).astype(F),
    "U(0,1)": lambda g, shape: g.random(shape).astype(F),
    "ramp": lambda _, shape: (np.arange(math.prod(shape), dtype=np.float64).reshape(shape) / 7 - math.prod(shape) / 14).astype(F),
    "all 0.1": lambda _, shape: np.full(shape, 0.1, F),
}


def honest(seeds: int) -> Iterator[Ledger]:
    """Kernels that compute what they should, in every order."""
    ledger = Ledger()
    for n in (1, 2, 7, 32, 100, 1024, 4096):
        for seed in range(seeds):
            g = np.random.default_rng(seed)
            for kind, make in DATA.items():
                a, b = make(g, (16, n)), make(g, (16, n))
                rows = truth("sum(a * b, axis=1)", (16,), a=a, b=b)
                one = truth("sum(a * b)", (1,), a=a[:1], b=b[:1])
                products = a * b
                for name, add in SUMS.items():
                    ledger.add(f"dot, {kind}, n ≤ 4096", name, rows, add(products))
                    ledger.add(f"dot of one element, {kind}", name, one, add(products[:1]))
                if n <= 1024:
                    ledger.add(f"dot, {kind}, n ≤ 4096", "fused", rows, fused(a, b))
                product = truth("a @ transpose(b)", (16, 16), a=a, b=b)
                for name, add in SUMS.items():
                    ledger.add(f"matmul, {kind}, K ≤ 4096", name, product, add(a[:, None, :] * b[None, :, :]))
    yield ledger
    ledger = Ledger()
    for n in (1, 7, 128, 1000, 4096):
        for seed in range(seeds):
            g = np.random.default_rng(1000 + seed)
            x, w = g.normal(0, 3, (8, n)).astype(F), g.standard_normal(n).astype(F)
            soft = truth(
                "exp(x - max(x, axis=1, keepdims=True)) / sum(exp(x - max(x, axis=1, keepdims=True)), axis=1, keepdims=True)", x.shape, x=x
            )
            norm = truth("x / sqrt(mean(x * x, axis=1, keepdims=True) + 1e-5) * w", x.shape, x=x, w=w)
            layer = truth("(x - mean(x, axis=1, keepdims=True)) / sqrt(var(x, axis=1, keepdims=True) + 1e-5)", x.shape, x=x)
            gelu = truth("0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))", x.shape, x=x)
            scan = truth("cumsum(x, axis=1)", x.shape, x=x)
            for name, add in SUMS.items():
                e = np.exp(x - x.max(axis=1, keepdims=True))
                ledger.add("softmax", name, soft, e / add(e)[:, None])
                e2 = np.exp2((x - x.max(axis=1, keepdims=True)) * F(math.log2(math.e)))
                ledger.add("softmax by exp2, reciprocal", name, soft, e2 * (F(1) / add(e2))[:, None])
                scale = F(1) / np.sqrt(add(x * x)[:, None] / F(n) + F(1e-5))
                ledger.add("RMS norm by inverseSqrt", name, norm, x * scale * w)
                centred = x - add(x)[:, None] / F(n)
                ledger.add("layer norm", name, layer, centred / np.sqrt(add(centred * centred)[:, None] / F(n) + F(1e-5)))
            ledger.add("GELU (tanh)", "direct", gelu, F(0.5) * x * (F(1) + np.tanh(F(0.7978845608) * (x + F(0.044715) * x * x * x))))
            ledger.add("GELU (tanh)", "by exp", gelu, x / (F(1) + np.exp(F(-2 * 0.7978845608) * (x + F(0.044715) * x * x * x))))
            ledger.add("prefix sum", "sequential", scan, np.cumsum(x, axis=1, dtype=F))
            if n <= 1000:
                ledger.add("prefix sum", "each by a tree", scan, np.stack([tree(x[:, : k + 1]) for k in range(n)], axis=1))
    yield ledger


def dishonest(seeds: int) -> Iterator[Ledger]:
    """Kernels that round to f16, leave something out, or compute nothing."""
    ledger = Ledger()
    for n in (16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384):
        for seed in range(seeds):
            g = np.random.default_rng(2000 + seed)
            for kind in ("normal", "U(0,1)"):
                a, b = DATA[kind](g, (32, n)), DATA[kind](g, (n, 32))
                product = truth("a @ b", (32, 32), a=a, b=b)
                ledger.add(f"matmul, {kind}, K = {n}", "inputs as f16", product, half(a) @ half(b))
                ledger.add(f"matmul, {kind}, K = {n}", "output as f16", product, half(a @ b))
                wrong = a @ b
                wrong[5, 7] = 0
                ledger.add(f"matmul, {kind}, K = {n}", "one element 0", product, wrong)
                short = a[:, :-1] @ b[:-1]
                ledger.add(f"matmul, {kind}, K = {n}", "last term missing", product, short)
                ledger.add(f"matmul, {kind}, K = {n}", "zeros", product, np.zeros((32, 32), F))
                ledger.add(f"matmul, {kind}, K = {n}", "mean everywhere", product, np.full((32, 32), (a @ b).mean(), F))
                if n <= 1024:
                    total = np.zeros((32, 32), np.float16)
                    for k in range(n):
                        total = (total + (a[:, k, None] * b[None, k]).astype(np.float16)).astype(np.float16)
                    ledger.add(f"matmul, {kind}, K = {n}", "sum in f16", product, total.astype(F))
    yield ledger
    ledger = Ledger()
    for n in (128, 1024, 4096, 16384, 65536):
        for seed in range(seeds):
            g = np.random.default_rng(3000 + seed)
            x = g.random((2, n)).astype(F)
            soft = truth(
                "exp(x - max(x, axis=1, keepdims=True)) / sum(exp(x - max(x, axis=1, keepdims=True)), axis=1, keepdims=True)", x.shape, x=x
            )
            e = np.exp(x - x.max(axis=1, keepdims=True))
            y = e / tree(e)[:, None]
            ledger.add(f"softmax of U(0,1), n = {n}", "zeros", soft, np.zeros_like(x))
            ledger.add(f"softmax of U(0,1), n = {n}", "1 / n", soft, np.full_like(x, 1 / n))
            last = e / tree(e[:, :-1])[:, None]
            ledger.add(f"softmax of U(0,1), n = {n}", "last term of the sum missing", soft, last)
            e16 = np.exp(half(x) - half(x).max(axis=1, keepdims=True))
            ledger.add(f"softmax of U(0,1), n = {n}", "inputs as f16", soft, e16 / tree(e16)[:, None])
            ledger.add(f"softmax of U(0,1), n = {n}", "output as f16", soft, half(y))
    yield ledger


def main() -> None:
    """Print both tables."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with np.errstate(all="ignore"):
        print("Honest kernels: every ratio below 1, none refused")
        for ledger in honest(seeds):
            ledger.print()
        print("\nDishonest ones: refused, until rounding itself hides them")
        for ledger in dishonest(seeds):
            ledger.print()


if __name__ == "__main__":
    main()
