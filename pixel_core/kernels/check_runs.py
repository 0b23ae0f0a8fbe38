"""What two runs of one case say besides the numbers: broken guards, changed inputs, results that depend on chance."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Union

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from pixel_core.engines.base import KernelRun
from pixel_core.engines.guards import GUARD_BYTES
from pixel_core.kernels.build_jobs import is_poisoned
from pixel_core.kernels.contents import content_words, decode_content, still_holds
from pixel_core.kernels.memory import POISONS
from pixel_core.kernels.planned import BufferPlan, Case
from pixel_core.kernels.results import Fault
from pixel_core.wgsl.texel_formats import name_channel

_WRITTEN_ROLES = frozenset({"out", "inout", "accumulate"})
_INPUT_ROLES = frozenset({"in", "table"})


class _Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Elements of one part that differ between two runs.

    Attributes:
        where: They do.
        unwritten: Each run's elements still hold the filling of that run.
        before: Values of one run.
        after: Of the other.
    """

    buffer: BufferPlan
    part: str
    where: NDArray[np.bool_]
    unwritten: NDArray[np.bool_]
    before: NDArray[Any]
    after: NDArray[Any]

    @property
    def name(self) -> str:
        return f"{self.buffer.name}.{self.part}" if self.part else self.buffer.name


def check_runs(
    case: Case,
    contents: Mapping[str, bytes],
    first: KernelRun,
    second: KernelRun,
    run_first_again: Callable[[], Union[KernelRun, None]],
    *,
    valid: Mapping[str, int] = MappingProxyType({}),
    unordered: Collection[str] = (),
    judged_twice: Collection[str] = (),
) -> list[Fault]:
    """The faults that show in two runs of a case with different fillings of outputs and scratch.

    Args:
        case: Its buffers.
        contents: What the inputs held.
        first: Filled with the first poison; every storage buffer but scratch was read back.
        second: Filled with the second poison.
        valid: Output → length of the part that is compared; what lies behind it may hold anything.
        unordered: Outputs whose elements may stand in any order.
        judged_twice: Outputs that may differ from run to run as far as their bound allows, because both runs are judged.
        run_first_again: Runs the first job once more, to tell chance from dependence on the filling; None when that fails.
    """
    faults = [
        Fault(kind="guard_overwritten", subject=name, message=f"the {GUARD_BYTES} bytes before or after `{name}` changed")
        for name in dict.fromkeys((*first.broken_guards, *second.broken_guards))
    ]
    faults += [fault for buffer in _changeable_inputs(case) for fault in _changed_input(buffer, contents, first)]
    differences = [
        one
        for buffer in case.buffers
        if buffer.role in _WRITTEN_ROLES and buffer.name not in judged_twice
        for one in _differences(buffer, first, second)
    ]
    differences = [one for one in (_compared(one, valid, unordered) for one in differences) if one is not None]
    depending = [one for one in differences if _depends(one).any()]
    again = run_first_again() if depending else None
    for one in depending:
        repeated = [] if again is None else [same for same in _differences(one.buffer, first, again) if same.part == one.part]
        chance = [same for same in (_compared(same, valid, unordered) for same in repeated) if same is not None]
        if chance:
            faults.append(
                Fault(kind="not_repeatable", subject=one.name, message=_describe(chance[0], chance[0].where, "in one run", "in another"))
            )
        else:
            text = _describe(one, _depends(one), "after one filling", "after another")
            faults.append(Fault(kind="depends_on_poison", subject=one.name, message=text))
    return faults


def unwritten_elements(buffer: BufferPlan, part: str, first: KernelRun, second: KernelRun, valid: int | None = None) -> int:
    """How many elements of a part, or of its valid prefix, still hold the filling, in both runs."""
    return sum(int(one.unwritten[:valid].sum()) for one in _differences(buffer, first, second) if one.part == part)


def _compared(one: _Difference, valid: Mapping[str, int], unordered: Collection[str]) -> _Difference | None:
    """The difference in what is compared; None where there is none."""
    length = valid.get(one.name)
    if length is not None:
        kept = slice(length)
        one = replace(one, where=one.where[kept], unwritten=one.unwritten[kept], before=one.before[kept], after=one.after[kept])
    if one.name in unordered and np.array_equal(np.sort(_words(one.before), axis=None), np.sort(_words(one.after), axis=None)):
        return None
    return one if one.where.any() else None


def _changeable_inputs(case: Case) -> Iterator[BufferPlan]:
    """What a kernel should leave alone and could change: a uniform cannot be written."""
    return (buffer for buffer in case.buffers if buffer.role in _INPUT_ROLES and not buffer.is_uniform)


def _changed_input(buffer: BufferPlan, contents: Mapping[str, bytes], run: KernelRun) -> Iterator[Fault]:
    before, after = contents[buffer.name], run.buffers[buffer.name]
    if before == after:
        return
    for one in _between(buffer, before, after):
        yield Fault(kind="input_changed", subject=one.name, message=_describe(one, one.where, "before", "afterwards"))
        return
    yield Fault(kind="input_changed", subject=buffer.name, message="bytes between its elements changed")


def _differences(buffer: BufferPlan, first: KernelRun, second: KernelRun) -> list[_Difference]:
    before, after = first.buffers[buffer.name], second.buffers[buffer.name]
    return [] if before == after else list(_between(buffer, before, after))


def _between(buffer: BufferPlan, before: bytes, after: bytes) -> Iterator[_Difference]:
    # By element, not by byte: padding between elements belongs to nobody and may hold anything.
    decoded_before, decoded_after = decode_content(buffer, before), decode_content(buffer, after)
    words_before, words_after = content_words(buffer, before), content_words(buffer, after)
    can_be_unwritten = is_poisoned(buffer.role) and buffer.codec is None
    held_before = still_holds(buffer, before, POISONS[0]) if can_be_unwritten else {}
    held_after = still_holds(buffer, after, POISONS[1]) if can_be_unwritten else {}
    for part, old in decoded_before.items():
        where = words_before[part] != words_after[part]
        if where.any():
            unwritten = held_before[part] & held_after[part] if can_be_unwritten else np.zeros(where.shape, np.bool_)
            yield _Difference(buffer=buffer, part=part, where=where, unwritten=unwritten, before=old, after=decoded_after[part])


def _depends(one: _Difference) -> NDArray[np.bool_]:
    # An element that still holds the filling was not written at all; that is a wrong number, not a dependence.
    return one.where & ~one.unwritten


def _words(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array).view(np.uint16 if array.dtype.itemsize == 2 else np.uint32)


def _describe(one: _Difference, where: NDArray[np.bool_], before: str, after: str) -> str:
    flat = int(np.argmax(where))
    index = tuple(int(place) for place in np.unravel_index(flat, where.shape))
    element = f"{one.name}[{', '.join(map(str, index))}]" if index else one.name
    if one.buffer.texture is not None:
        element = f"{one.name}{name_channel(one.buffer.texture.dimension, index)}"
    if one.buffer.has_python_codec:
        element = f"word {flat:,} of {one.name}"
    old, new = one.before.flat[flat], one.after.flat[flat]
    count = int(where.sum())
    return f"{element} is {old:.7g} {before} and {new:.7g} {after} ({count:,} of {where.size:,} elements)"
