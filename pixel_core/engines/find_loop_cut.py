"""Which loop an adapter ended before its exit was taken: the job once more, with every loop watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from pixel_core.engines.base import Answer, BindingJob, BufferJob, KernelJob, LoopCut
from pixel_core.engines.instrument import WatchedShader, watch_loops
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.reflect import interface_of

_CUT = "\0cut"
"""A name that no shader can give to a buffer."""


def watch_every_loop(module: Module) -> WatchedShader:
    """The shader of a module with every loop watched, and the extra buffer at a free binding of group 0."""
    binding = max((known.binding for known in interface_of(module).bindings if known.group == 0), default=-1) + 1
    return watch_loops(module, group=0, binding=binding)


def find_loop_cut(job: KernelJob, watched: WatchedShader, run: Callable[[Sequence[KernelJob]], Answer]) -> LoopCut | None:
    """The first loop of a job that was cut; None when there is none, or when the watched shader does not run.

    Args:
        job: What gave a wrong result.
        watched: Its source, from `watch_every_loop`.
        run: The engine.
    """
    if not watched.loops:
        return None
    extra = BindingJob(group=0, binding=watched.binding, buffer=_CUT, writable=True)
    answer = run((
        replace(
            job,
            source=watched.source,
            buffers={**job.buffers, _CUT: BufferJob(initial=bytes(4), read_back=True)},
            dispatches=tuple(
                replace(dispatch, bindings=(*dispatch.bindings, extra)) if dispatch.entry_point in watched.entries else dispatch
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
