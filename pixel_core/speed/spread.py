"""Several measurements of the same thing: their middle and how far apart they lie."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A quarter of the measurements lies below `low` and a quarter above `high`."""

    low: float
    median: float
    high: float


def spread_of(values: Sequence[float]) -> Spread:
    """Quartiles, inclusive (the method of `statistics.quantiles` for data that hold their extremes); of one value, that value.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    if len(values) == 1:
        return Spread(low=values[0], median=values[0], high=values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(low=low, median=median(values), high=high)
