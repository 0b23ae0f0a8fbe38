"""What a device may not be asked for: found before anything is created, and said in the words of the limits."""

from __future__ import annotations

from collections.abc import Mapping

from pixel_core.engines.base import BufferJob, DispatchJob, KernelJob, RunFailure, TextureJob


def check_job(job: KernelJob, limits: Mapping[str, int]) -> RunFailure | None:
    """The first thing of a job that WebGPU refuses, some of which wgpu accepts or ends the process for.

    Args:
        job: What is to run.
        limits: As `Engine.limits`; a limit that is absent is not checked.
    """
    message = _too_large(job.buffers, limits) or _too_wide(job.textures, limits)
    for dispatch in job.dispatches:
        message = (
            message
            or _too_many_workgroups(dispatch, limits)
            or _aliased(dispatch)
            or _misplaced(dispatch, job.buffers)
            or _too_many_immediates(dispatch, limits)
        )
    return None if message is None else RunFailure(reason="validation", message=message)


def _too_large(buffers: Mapping[str, BufferJob], limits: Mapping[str, int]) -> str | None:
    for name, buffer in buffers.items():
        kind = "uniform" if buffer.is_uniform else "storage"
        size, limit = len(buffer.initial), limits.get(f"max-{kind}-buffer-binding-size")
        if limit is not None and size > limit:
            return f"`{name}` holds {size:,} bytes; this adapter binds {kind} buffers of at most {limit:,}"
    return None


def _too_wide(textures: Mapping[str, TextureJob], limits: Mapping[str, int]) -> str | None:
    for name, texture in textures.items():
        flat = texture.extent[:2] if texture.has_layers else texture.extent
        longest, limit = max(flat), limits.get(f"max-texture-dimension-{texture.dimension}")
        if limit is not None and longest > limit:
            return f"`{name}` is {longest:,} texels long; this adapter has {texture.dimension} textures of at most {limit:,}"
        layers = limits.get("max-texture-array-layers")
        if texture.has_layers and layers is not None and texture.extent[2] > layers:
            return f"`{name}` has {texture.extent[2]:,} layers; this adapter has at most {layers:,}"
    return None


def _too_many_workgroups(dispatch: DispatchJob, limits: Mapping[str, int]) -> str | None:
    limit = limits.get("max-compute-workgroups-per-dimension")
    for axis, count in zip("xyz", dispatch.workgroups, strict=True):
        if limit is not None and count > limit:
            return f"`{dispatch.entry_point}` is dispatched over {count:,} workgroups in {axis}; the limit is {limit:,} per dimension"
    return None


def _misplaced(dispatch: DispatchJob, buffers: Mapping[str, BufferJob]) -> str | None:
    if dispatch.indirect is None:
        return None
    name, first = dispatch.indirect
    if not 0 <= first * 4 <= len(buffers[name].initial) - 12:
        return f"the workgroups of `{dispatch.entry_point}` would stand outside of `{name}`"
    if any(binding.writable and binding.buffer == name for binding in dispatch.bindings):
        return f"`{dispatch.entry_point}` may write `{name}`, which holds its own workgroups"
    return None


def _too_many_immediates(dispatch: DispatchJob, limits: Mapping[str, int]) -> str | None:
    size, limit = len(dispatch.immediates), limits.get("max-immediate-size")
    if limit is not None and size > limit:
        return f"`{dispatch.entry_point}` has {size:,} bytes of immediate data; this adapter holds {limit:,}"
    return None


def _aliased(dispatch: DispatchJob) -> str | None:
    # wgpu accepts one buffer behind two writable bindings; browsers refuse it (WebGPU, "encoder bind groups alias a writable resource").
    writable: dict[str, tuple[int, int]] = {}
    for binding in dispatch.bindings:
        if binding.writable and binding.buffer in writable:
            group, number = writable[binding.buffer]
            return (
                f"`{dispatch.entry_point}` binds `{binding.buffer}` twice as writable, at @group({group}) @binding({number}) "
                f"and @group({binding.group}) @binding({binding.binding})"
            )
        if binding.writable:
            writable[binding.buffer] = (binding.group, binding.binding)
    return None
