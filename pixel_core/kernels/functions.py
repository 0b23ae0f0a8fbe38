"""The functions that contract expressions may call: one plain table for the reader, which checks calls, and the evaluators, which run them.

Three kinds of expression use it. *symbol*: sizes, dispatches, parameters (exact numbers, see `symbols`). *input*: how a buffer is
filled before the run. *expect*: what an output must equal, `define` included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

SYMBOL = "symbol"
INPUT = "input"
EXPECT = "expect"

CONSTANTS = frozenset({"pi", "inf", "nan", "true", "false"})
"""Names that mean the same in every expression."""

ARRAY_ATTRIBUTE_HINTS: Mapping[str, str] = MappingProxyType({"T": "transpose", "shape": "shape", "size": "len"})
"""What to call instead of an attribute that numpy users reach for: `a.T` → `transpose(a)`."""


class FunctionRule(msgspec.Struct, frozen=True, kw_only=True):
    """How one function may be called.

    Attributes:
        name: As written in expressions.
        min_args: Fewest positional arguments.
        max_args: Most positional arguments; None for any number.
        keywords: Keyword arguments; a positional argument may not be given again by keyword.
        contexts: Kinds of expression that may call it: `symbol`, `input`, `expect`.
        signature: How it is shown to the user.
        summary: What it computes, a few words.
    """

    name: str
    min_args: int
    max_args: int | None
    keywords: frozenset[str]
    contexts: frozenset[str]
    signature: str
    summary: str


_ARRAY = (INPUT, EXPECT)
_ANY = (SYMBOL, INPUT, EXPECT)


def _rule(signature: str, min_args: int, max_args: int | None, contexts: Iterable[str], summary: str, keywords: str = "") -> FunctionRule:
    name = signature.partition("(")[0]
    return FunctionRule(
        name=name,
        min_args=min_args,
        max_args=max_args,
        keywords=frozenset(keywords.split()),
        contexts=frozenset(contexts),
        signature=signature,
        summary=summary,
    )


_REDUCTION = "axis keepdims"

_RULES = (
    # Numbers and elementwise arithmetic; in a symbol these are exact.
    _rule("abs(x)", 1, 1, _ANY, "magnitude"),
    _rule("ceil(x)", 1, 1, _ANY, "next whole number, up"),
    _rule("floor(x)", 1, 1, _ANY, "next whole number, down"),
    _rule("round(x)", 1, 1, _ANY, "nearest whole number, halves to even"),
    _rule("min(x, …)", 1, None, _ANY, "least of several values; of one array, over `axis`", _REDUCTION),
    _rule("max(x, …)", 1, None, _ANY, "greatest of several values; of one array, over `axis`", _REDUCTION),
    _rule("sqrt(x)", 1, 1, _ANY, "square root"),
    _rule("exp(x)", 1, 1, _ANY, "e to the power x"),
    _rule("log(x)", 1, 1, _ANY, "natural logarithm"),
    _rule("log2(x)", 1, 1, _ANY, "logarithm to base 2; exact for powers of two"),
    # Whole numbers only.
    _rule("gcd(a, b)", 2, 2, (SYMBOL,), "greatest common divisor"),
    _rule("lcm(a, b)", 2, 2, (SYMBOL,), "least common multiple"),
    _rule("bits(n)", 1, 1, (SYMBOL,), "number of binary digits of n"),
    _rule("isqrt(n)", 1, 1, (SYMBOL,), "whole part of the square root"),
    _rule("is_power_of_two(n)", 1, 1, (SYMBOL,), "whether n is 1, 2, 4, 8, …"),
    # Drawing inputs.
    _rule("normal(mean, sd)", 0, 2, (INPUT,), "normally distributed values"),
    _rule("uniform(low, high)", 0, 2, (INPUT,), "evenly distributed values in [low, high)"),
    _rule("integers(low, high)", 1, 2, (INPUT,), "whole numbers in [low, high)"),
    _rule("choice(a, b, …)", 1, None, (INPUT,), "one of the values, at random, for each element"),
    _rule("special()", 0, 0, (INPUT,), "±0, denormals, the largest and smallest values of the type, ±1, powers of two"),
    _rule("permutation(n)", 1, 1, (INPUT,), "0 … n-1 in random order"),
    # Making arrays. Without arguments an input takes its buffer's shape.
    _rule("arange(start, stop, step)", 0, 3, _ARRAY, "0, 1, 2, …"),
    _rule("zeros(n, …)", 0, None, _ARRAY, "an array of zeros"),
    _rule("ones(n, …)", 0, None, _ARRAY, "an array of ones"),
    _rule("full(n, …, value)", 1, None, _ARRAY, "an array of one value"),
    _rule("tril(x, k)", 1, 2, _ARRAY, "lower triangle, the rest zero", "k"),
    _rule("triu(x, k)", 1, 2, _ARRAY, "upper triangle, the rest zero", "k"),
    _rule("one_hot(index, n)", 2, 2, _ARRAY, "1 at the index, else 0, along a new last axis"),
    # Elementwise functions.
    _rule("exp2(x)", 1, 1, _ARRAY, "2 to the power x"),
    _rule("inverse_sqrt(x)", 1, 1, _ARRAY, "1 / sqrt(x)"),
    _rule("sin(x)", 1, 1, _ARRAY, "sine, radians"),
    _rule("cos(x)", 1, 1, _ARRAY, "cosine, radians"),
    _rule("tan(x)", 1, 1, _ARRAY, "tangent, radians"),
    _rule("asin(x)", 1, 1, _ARRAY, "inverse sine"),
    _rule("acos(x)", 1, 1, _ARRAY, "inverse cosine"),
    _rule("atan(x)", 1, 1, _ARRAY, "inverse tangent"),
    _rule("atan2(y, x)", 2, 2, _ARRAY, "angle of the point (x, y)"),
    _rule("sinh(x)", 1, 1, _ARRAY, "hyperbolic sine"),
    _rule("cosh(x)", 1, 1, _ARRAY, "hyperbolic cosine"),
    _rule("tanh(x)", 1, 1, _ARRAY, "hyperbolic tangent"),
    _rule("pow(x, y)", 2, 2, _ARRAY, "x to the power y"),
    _rule("sign(x)", 1, 1, _ARRAY, "-1, 0 or 1"),
    _rule("trunc(x)", 1, 1, _ARRAY, "whole part, toward zero"),
    _rule("fract(x)", 1, 1, _ARRAY, "x - floor(x)"),
    _rule("clip(x, low, high)", 3, 3, _ARRAY, "x held between low and high"),
    _rule("clamp(x, low, high)", 3, 3, _ARRAY, "x held between low and high"),
    _rule("where(condition, a, b)", 3, 3, _ARRAY, "a where the condition holds, else b"),
    _rule("select(b, a, condition)", 3, 3, _ARRAY, "WGSL's order of `where`: a where the condition holds, else b"),
    _rule("erf(x)", 1, 1, _ARRAY, "error function"),
    _rule("sigmoid(x)", 1, 1, _ARRAY, "1 / (1 + exp(-x))"),
    _rule("silu(x)", 1, 1, _ARRAY, "x · sigmoid(x)"),
    _rule("gelu(x)", 1, 1, _ARRAY, "x · Φ(x), exact (with erf)"),
    _rule("relu(x)", 1, 1, _ARRAY, "max(x, 0)"),
    _rule("isnan(x)", 1, 1, _ARRAY, "whether not a number"),
    _rule("isinf(x)", 1, 1, _ARRAY, "whether infinite"),
    _rule("popcount(x)", 1, 1, _ARRAY, "number of one bits"),
    # Types.
    _rule("f32(x)", 1, 1, _ARRAY, "rounded to f32"),
    _rule("f16(x)", 1, 1, _ARRAY, "rounded to f16"),
    _rule("i32(x)", 1, 1, _ARRAY, "as i32, toward zero"),
    _rule("u32(x)", 1, 1, _ARRAY, "as u32, toward zero"),
    _rule("bitcast_f32(x)", 1, 1, _ARRAY, "the same 32 bits read as f32"),
    _rule("bitcast_u32(x)", 1, 1, _ARRAY, "the same 32 bits read as u32"),
    _rule("bitcast_i32(x)", 1, 1, _ARRAY, "the same 32 bits read as i32"),
    # Reductions and scans.
    _rule("sum(x)", 1, 1, _ARRAY, "sum over `axis`", _REDUCTION),
    _rule("prod(x)", 1, 1, _ARRAY, "product over `axis`", _REDUCTION),
    _rule("mean(x)", 1, 1, _ARRAY, "mean over `axis`", _REDUCTION),
    _rule("var(x)", 1, 1, _ARRAY, "population variance over `axis`", _REDUCTION),
    _rule("any(x)", 1, 1, _ARRAY, "whether any is true", _REDUCTION),
    _rule("all(x)", 1, 1, _ARRAY, "whether all are true", _REDUCTION),
    _rule("argmax(x)", 1, 1, _ARRAY, "index of the first greatest", _REDUCTION),
    _rule("argmin(x)", 1, 1, _ARRAY, "index of the first least", _REDUCTION),
    _rule("cumsum(x)", 1, 1, _ARRAY, "running sum (inclusive)", "axis"),
    _rule("cummax(x)", 1, 1, _ARRAY, "running maximum (inclusive)", "axis"),
    _rule("diff(x)", 1, 1, _ARRAY, "difference of neighbours", "axis"),
    # Products.
    _rule("dot(a, b)", 2, 2, _ARRAY, "sum of the products of two vectors"),
    _rule("matmul(a, b)", 2, 2, _ARRAY, "a @ b"),
    _rule("outer(a, b)", 2, 2, _ARRAY, "all products of two vectors"),
    # Rearranging.
    _rule("transpose(x, axes)", 1, 2, _ARRAY, "axes reversed, or in the given order", "axes"),
    _rule("reshape(x, shape)", 2, None, _ARRAY, "the same elements in another shape"),
    _rule("concat(a, b, …)", 1, None, _ARRAY, "joined along `axis`", "axis"),
    _rule("stack(a, b, …)", 1, None, _ARRAY, "joined along a new `axis`", "axis"),
    _rule("repeat(x, n)", 2, 2, _ARRAY, "each element n times", "axis"),
    _rule("tile(x, n)", 2, 2, _ARRAY, "the whole array n times"),
    _rule("flip(x)", 1, 1, _ARRAY, "reversed along `axis`", "axis"),
    _rule("roll(x, shift)", 2, 2, _ARRAY, "rotated along `axis`", "axis"),
    _rule("pad(x, before, after, value)", 3, 4, _ARRAY, "longer along `axis`", "axis value"),
    _rule("sort(x)", 1, 1, _ARRAY, "ascending along `axis`", "axis"),
    _rule("argsort(x)", 1, 1, _ARRAY, "indices that sort, stable", "axis"),
    _rule("gather(x, indices)", 2, 2, _ARRAY, "x[indices] along `axis`", "axis"),
    _rule("take(x, indices)", 2, 2, _ARRAY, "x[indices] along `axis`", "axis"),
    _rule("histogram(x, bins)", 2, 2, _ARRAY, "how often each of 0 … bins-1 occurs; others are not counted"),
    _rule("bincount(x, n)", 2, 2, _ARRAY, "how often each of 0 … n-1 occurs; others are not counted"),
    # Sizes of arrays.
    _rule("sample(image, s, u, v)", 3, 5, (EXPECT,), "what the sampler `s` reads at u and v, 0 to 1 across the image; with u alone, or w"),
    _rule("len(x)", 1, 1, _ARRAY, "length of the first axis"),
    _rule("shape(x, axis)", 2, 2, _ARRAY, "length of one axis"),
)

FUNCTIONS: Mapping[str, FunctionRule] = MappingProxyType({rule.name: rule for rule in _RULES})
"""Every function by name."""

FOREIGN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "concatenate": "concat",
        "rsqrt": "inverse_sqrt",
        "inverseSqrt": "inverse_sqrt",
        "arctan2": "atan2",
        "arcsin": "asin",
        "arccos": "acos",
        "arctan": "atan",
        "power": "pow",
        "absolute": "abs",
        "fabs": "abs",
        "maximum": "max",
        "minimum": "min",
        "amax": "max",
        "amin": "min",
        "logistic": "sigmoid",
        "swish": "silu",
        "randn": "normal",
        "rand": "uniform",
        "randint": "integers",
        "float32": "f32",
        "float16": "f16",
        "int32": "i32",
        "uint32": "u32",
        "countOneBits": "popcount",
        "cdiv": "ceil",
        "div_up": "ceil",
        "arrayLength": "len",
        "product": "prod",
    }
)
"""Names of other libraries and of WGSL → ours, for hints."""
