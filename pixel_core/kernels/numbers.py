"""Numbers as people read them."""

from __future__ import annotations

import math

from pixel_core.kernels.results import Real


def count(number: int) -> str:
    """An integer with thousands separators: `2,145`."""
    return f"{number:,}"


def real(number: Real | float, digits: int = 5) -> str:
    """A float with that many significant digits, whole numbers without a fraction: `3.2187`, `4.1e-06`, `0`, `NaN`."""
    if isinstance(number, str) and number.lstrip("-").isdigit():
        return number
    value = float(number)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    if value == int(value) and abs(value) < 10**digits:
        return str(int(value))
    return f"{value:.{digits}g}"


def ratio(number: Real | float) -> str:
    """A ratio or an error with two significant digits."""
    return real(number, 2)


def listed(items: list[str], most: int = 4) -> str:
    """`a, b and 3 more`."""
    if len(items) <= most:
        return ", ".join(items)
    return f"{', '.join(items[:most])} and {len(items) - most} more"
