"""Which loop an adapter ended before its exit was taken: the job once more, with every loop watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pixel_core.engines.base import Answer, BindingJob, BufferJob, KernelJob, LoopCut
from pixel_core.engines.instrument import watch_loops
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module, analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import ShaderInterface, interface_of

_CUT = "\0cut"
"""A name that no shader can give to a buffer."""


def find_loop_cut(job: KernelJob, module: Module, run: Callable[[Sequence[KernelJob]], Answer]) -> LoopCut | None:
    """The first loop of a job that was cut; None when there is none, or when the watched shader does not run.

    Args:
        job: What gave a wrong result.
        module: Of its source.
        run: The engine.
    """
    interface = interface_of(module)
    binding = max((known.binding for known in interface.bindings if known.group == 0), default=-1) + 1
    watched = watch_loops(module, group=0, binding=binding)
    if not watched.loops:
        return None
    watching = _watching_entries(watched.source, interface)
    extra = BindingJob(group=0, binding=binding, buffer=_CUT, writable=True)
    answer = run((
        replace(
            job,
            source=watched.source,
            buffers={**job.buffers, _CUT: BufferJob(initial=bytes(4), read_back=True)},
            dispatches=tuple(
                replace(dispatch, bindings=(*dispatch.bindings, extra)) if dispatch.entry_point in watching else dispatch
                for dispatch in job.dispatches
            ),
        ),
    ))  # fmt: skip
    if not isinstance(answer, tuple):
        return None
    number = int.from_bytes(answer[0].buffers[_CUT], "little")
    if not 1 <= number <= len(watched.loops):
        return None
    line, column = watched.loops[number - 1]
    return LoopCut(line=line, column=column)


def _watching_entries(source: str, before: ShaderInterface) -> set[str]:
    """Entry points that use the extra buffer; the others must not be given it."""
    known = {binding.name for binding in before.bindings}
    after = interface_of(analyse(parse(SourceText(Path("watched.wgsl"), source))))
    return {entry.name for entry in after.entry_points if entry.bindings - known}
