"""Which sizes fail: the shortest condition on one dimension that all failing cases meet and no passing one does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

_FEWEST_CASES = 4
"""With fewer cases than this, chance would find a condition too easily."""

Sizes = Mapping[str, int]


def describe_failing_sizes(failing: Sequence[Sizes], passing: Sequence[Sizes], widths: Iterable[int]) -> str | None:
    """One sentence on what the failing sizes have in common, or None when no condition on a single dimension tells them apart.

    Args:
        failing: Dimensions of each failing case, by name.
        passing: Dimensions of each passing case.
        widths: Workgroup and tile widths of the kernel, which a condition may speak of.
    """
    if not failing or not passing or len(failing) + len(passing) < _FEWEST_CASES:
        return None
    known = sorted({width for width in widths if width > 1}, reverse=True)
    for name in failing[0]:
        bad = [sizes[name] for sizes in failing]
        good = [sizes[name] for sizes in passing]
        for sentence in _conditions(name, bad, good, known):
            return sentence
    return None


def _conditions(name: str, bad: Sequence[int], good: Sequence[int], widths: Sequence[int]) -> Iterator[str]:
    for width in widths:
        if all(size % width for size in bad) and not any(size % width for size in good):
            yield f"fails exactly when {name} is not a multiple of {width}"
        if all(size % width for size in good) and not any(size % width for size in bad):
            yield f"fails exactly when {name} is a multiple of {width}"
    if max(good) < min(bad):
        yield _threshold(name, "above", max(good), min(bad), widths)
    if max(bad) < min(good):
        yield _threshold(name, "below", max(bad), min(good), widths)


def _threshold(name: str, side: str, lower: int, upper: int, widths: Sequence[int]) -> str:
    """The sizes on one side of a border between `lower` and `upper` fail; a width of the kernel is the likelier border."""
    border = next((width for width in widths if lower <= width < upper), None)
    if side == "above":
        near = f"passes up to {lower}, fails from {upper}"
        return f"fails exactly when {name} > {border} ({near})" if border else f"fails for large {name}: {near}"
    near = f"fails up to {lower}, passes from {upper}"
    return f"fails exactly when {name} <= {border} ({near})" if border else f"fails for small {name}: {near}"
