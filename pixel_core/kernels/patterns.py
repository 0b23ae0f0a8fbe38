"""What the wrong elements have in common: where they are, and what stands there instead. Every pattern is checked against the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.bounded import Floats
from pixel_core.kernels.place_patterns import find_place_patterns
from pixel_core.kernels.results import Pattern
from pixel_core.kernels.value_patterns import find_value_patterns

MAX_PATTERNS = 4

MAX_ANALYSED = 1 << 22
"""Of a larger output only the beginning is searched for patterns of values."""


class PatternContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is known around an output.

    Attributes:
        workgroup_size: x, y, z of the dispatch that writes it.
        tiles: Other sizes that structure it: overrides and constants such as TILE.
        inputs: Arrays before the first pass, by name.
        unwritten: Elements that still hold what the output was filled with; None where the elements themselves show it.
        axes: Of a texture, the names of its axes: `y`, `x`, `channel`.
    """

    workgroup_size: tuple[int, int, int] = (1, 1, 1)
    tiles: tuple[int, ...] = ()
    inputs: Mapping[str, NDArray[Any]] = msgspec.field(default_factory=dict)
    unwritten: NDArray[np.bool_] | None = None
    axes: tuple[str, ...] = ()

    def sizes(self) -> tuple[int, ...]:
        """Lengths at which an output may break, largest first."""
        x, y, z = self.workgroup_size
        return tuple(sorted({size for size in (x, y, z, x * y * z, *self.tiles) if size > 1}, reverse=True))


def find_patterns(
    wrong: NDArray[np.bool_], expected: NDArray[Any], actual: NDArray[Any], bound: Floats, context: PatternContext
) -> tuple[Pattern, ...]:
    """The structure of the wrong elements, most telling first; at least one.

    Args:
        wrong: Which elements are; none of them when only the mean square error is too large.
        expected: The truth.
        actual: What the kernel wrote.
        bound: Error bound of each element, or one number.
        context: Sizes and inputs.
    """
    limit = np.broadcast_to(bound, actual.shape)
    found: list[Pattern] = []
    with np.errstate(all="ignore"):
        if actual.size <= MAX_ANALYSED:
            found += find_value_patterns(wrong, expected, actual, limit, context.sizes(), context.inputs, context.unwritten, context.axes)
        if wrong.any():
            found += find_place_patterns(wrong, context.sizes(), context.axes) or _right_places(wrong, context)
    if not found:
        found.append(_unstructured(wrong))
    return tuple(found[:MAX_PATTERNS])


def _right_places(wrong: NDArray[np.bool_], context: PatternContext) -> list[Pattern]:
    """Where the right elements are, when they are the few that have a structure."""
    if 2 * np.count_nonzero(wrong) <= wrong.size or wrong.all():
        return []
    places = find_place_patterns(~wrong, context.sizes(), context.axes)
    return [Pattern(kind="all_but", text=f"the elements that are right: {place.text}") for place in places]


def _unstructured(wrong: NDArray[np.bool_]) -> Pattern:
    count = int(np.count_nonzero(wrong))
    if not count:
        return Pattern(
            kind="inaccurate", text="no element is beyond its own bound, but all together are less accurate than rounding explains"
        )
    return Pattern(kind="scattered", text="scattered, without an evident structure" if count > 1 else "a single element")
