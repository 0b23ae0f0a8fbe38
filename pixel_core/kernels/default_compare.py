"""How an output is judged where the contract does not say."""

from __future__ import annotations

from pixel_core.findings import Span
from pixel_core.kernels.contract import Compare

_FLOATS = frozenset({"f32", "f16"})


def default_compare(scalar: str, span: Span, *, has_steps: bool = False) -> Compare:
    """Floats within their derived bound, integers exactly, and what is packed in steps to the nearest of them."""
    if has_steps:
        return Compare(mode="quantised", span=span)
    return Compare(mode="scaled" if scalar in _FLOATS else "exact", span=span)
