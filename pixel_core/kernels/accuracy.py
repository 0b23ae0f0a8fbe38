"""How wrong WGSL lets its built-in functions be: one row per function, for f32 and f16.

Source: WGSL, section "Accuracy of Concrete Floating Point Expressions" (gpuweb.github.io/gpuweb/wgsl/#concrete-float-accuracy). What
the specification leaves open says so in its row. A device that is better than this is common; a kernel that needs it to be is not
portable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
import numpy as np

from pixel_core.kernels.bounded import Floats, Precision

OwnError = Callable[[Floats, Floats, Floats, Precision], Floats]
"""(argument, error of the argument, result, precision) → absolute error that the function itself may add."""

WGSL = "WGSL, Accuracy of Concrete Floating Point Expressions"


class AccuracyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One function.

    Attributes:
        name: As in expressions.
        rule: The rule in words.
        source: Where the rule stands.
        error: The rule in numbers.
    """

    name: str
    rule: str
    source: str
    error: OwnError


def _ulps(f32: float, f16: float | None = None) -> OwnError:
    def error(_argument: Floats, _reach: Floats, result: Floats, precision: Precision) -> Floats:
        count = f16 if f16 is not None and precision.name == "f16" else f32
        return count * precision.ulp * np.abs(result)

    return error


def _exponential(argument: Floats, reach: Floats, result: Floats, precision: Precision) -> Floats:
    # Beyond ±200 the result is 0 or infinite in every float type; the cap keeps 0 · inf out.
    magnitude = np.minimum(np.abs(argument) + reach, 200.0)
    return ((1.0 if precision.name == "f16" else 3.0) + 2.0 * magnitude) * precision.ulp * np.abs(result)


def _logarithm(argument: Floats, reach: Floats, result: Floats, precision: Precision) -> Floats:
    near_one = (argument + reach >= 0.5) & (argument - reach <= 2.0)
    absolute = 2.0**-7 if precision.name == "f16" else 2.0**-21
    relative = 3.0 * precision.ulp * np.abs(result)
    return np.where(near_one, np.maximum(absolute, relative), relative)


def _circular(argument: Floats, reach: Floats, _result: Floats, precision: Precision) -> Floats:
    absolute = 2.0**-7 if precision.name == "f16" else 2.0**-11
    outside = np.maximum(np.abs(argument) + reach - math.pi, 0.0)
    return np.minimum(absolute + outside * precision.ulp, 2.0)


def _hyperbolic(argument: Floats, reach: Floats, _result: Floats, precision: Precision) -> Floats:
    # 0.5 · (exp(x) ± exp(-x)): each term errs by (3 + 2|x|) ULP, and both roundings and the halving are within 3 ULP of cosh x.
    magnitude = np.minimum(np.abs(argument) + reach, 200.0)
    return (6.0 + 2.0 * magnitude) * precision.ulp * np.cosh(magnitude)


def _tanh(argument: Floats, reach: Floats, _result: Floats, precision: Precision) -> Floats:
    # sinh / cosh, each within (6 + 2|x|) ULP of cosh x, and a division; both overflow beyond 88.
    magnitude = np.minimum(np.abs(argument) + reach, 88.0)
    inherited = (2.0 * (6.0 + 2.0 * magnitude) + 2.5) * precision.ulp
    return np.maximum(1.0e-5, inherited)


def _absolute(f32: float, f16: float) -> OwnError:
    def error(argument: Floats, _reach: Floats, _result: Floats, precision: Precision) -> Floats:
        return np.full(argument.shape, f16 if precision.name == "f16" else f32)

    return error


_ROWS = (
    AccuracyRow(name="exp", rule="3 + 2·|x| ULP (f16: 1 + 2·|x|)", source=WGSL, error=_exponential),
    AccuracyRow(name="exp2", rule="3 + 2·|x| ULP (f16: 1 + 2·|x|)", source=WGSL, error=_exponential),
    AccuracyRow(name="log", rule="2^-21 absolute for x in [0.5, 2] (f16: 2^-7), else 3 ULP", source=WGSL, error=_logarithm),
    AccuracyRow(name="log2", rule="2^-21 absolute for x in [0.5, 2] (f16: 2^-7), else 3 ULP", source=WGSL, error=_logarithm),
    AccuracyRow(name="inverse_sqrt", rule="2 ULP", source=WGSL, error=_ulps(2.0)),
    AccuracyRow(name="sqrt", rule="inherited from 1 / inverseSqrt(x): 2 + 2.5 ULP", source=WGSL, error=_ulps(4.5)),
    AccuracyRow(
        name="sin",
        rule="2^-11 absolute in [-π, π] (f16: 2^-7); outside WGSL promises nothing: the range reduction gets 1 ULP of |x| - π",
        source=f"{WGSL}; outside [-π, π] ours",
        error=_circular,
    ),
    AccuracyRow(name="cos", rule="as sin", source=f"{WGSL}; outside [-π, π] ours", error=_circular),
    AccuracyRow(
        name="asin",
        rule="the worse of 6.81e-5 absolute (f16: 3.91e-3) and atan2(x, sqrt(1 - x·x))",
        source=WGSL,
        error=_absolute(6.81e-5, 3.91e-3),
    ),
    AccuracyRow(
        name="acos",
        rule="the worse of 6.77e-5 absolute (f16: 3.91e-3) and atan2(sqrt(1 - x·x), x)",
        source=WGSL,
        error=_absolute(6.77e-5, 3.91e-3),
    ),
    AccuracyRow(name="atan", rule="4096 ULP (f16: 5 ULP)", source=WGSL, error=_ulps(4096.0, 5.0)),
    AccuracyRow(name="atan2", rule="4096 ULP (f16: 5 ULP)", source=WGSL, error=_ulps(4096.0, 5.0)),
    AccuracyRow(name="sinh", rule="inherited from (exp(x) - exp(-x)) · 0.5", source=WGSL, error=_hyperbolic),
    AccuracyRow(name="cosh", rule="inherited from (exp(x) + exp(-x)) · 0.5", source=WGSL, error=_hyperbolic),
    AccuracyRow(name="tanh", rule="the worse of 1e-5 absolute and sinh(x) / cosh(x)", source=WGSL, error=_tanh),
    AccuracyRow(
        name="erf",
        rule="2^-20 absolute (f16: 2^-9): WGSL has no erf; this covers the polynomial 7.1.26 (1.5e-7) evaluated in the kernel's precision",
        source="Abramowitz & Stegun, Handbook of Mathematical Functions, 7.1.26; the roundings ours",
        error=_absolute(2.0**-20, 2.0**-9),
    ),
)

ACCURACY: Mapping[str, AccuracyRow] = MappingProxyType({row.name: row for row in _ROWS})
"""Every function with an error of its own; `+ - *` are correctly rounded, either way: 1 ULP."""

DIVISION_ULPS = 2.5
"""`x / y`, for |y| between the smallest normal number and its inverse (WGSL, the same table)."""
