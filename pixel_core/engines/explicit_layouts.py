"""The layouts of an entry point's bind groups, as data, for pipelines that cannot have automatic ones. Knows no wgpu."""

from __future__ import annotations

from pixel_core.engines.base import DispatchJob, KernelJob

LayoutEntry = dict[str, object]


def explicit_layouts(job: KernelJob, dispatch: DispatchJob, visibility: int) -> list[list[LayoutEntry]]:
    """The entries of each group up to the last that a dispatch uses (WebGPU: `GPUBindGroupLayoutEntry`).

    Args:
        job: Says which buffers are uniforms.
        dispatch: Its bindings.
        visibility: The flag of the compute stage.
    """
    groups: dict[int, list[LayoutEntry]] = {}
    for binding in dispatch.bindings:
        reading = "uniform" if job.buffers[binding.buffer].is_uniform else "read-only-storage"
        kind = "storage" if binding.writable else reading
        entry: LayoutEntry = {"binding": binding.binding, "visibility": visibility, "buffer": {"type": kind}}
        groups.setdefault(binding.group, []).append(entry)
    return [groups.get(group, []) for group in range(max(groups, default=-1) + 1)]
