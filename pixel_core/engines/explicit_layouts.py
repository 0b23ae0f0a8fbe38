"""The layouts of an entry point's bind groups, as data, for pipelines that cannot have automatic ones. Knows no wgpu."""

from __future__ import annotations

from pixel_core.engines.base import BindingJob, DispatchJob, KernelJob

LayoutEntry = dict[str, object]


def explicit_layouts(job: KernelJob, dispatch: DispatchJob, visibility: int) -> list[list[LayoutEntry]]:
    """The entries of each group up to the last that a dispatch uses (WebGPU: `GPUBindGroupLayoutEntry`).

    Args:
        job: Says which names are uniforms, textures and samplers.
        dispatch: Its bindings.
        visibility: The flag of the compute stage.
    """
    groups: dict[int, list[LayoutEntry]] = {}
    for binding in dispatch.bindings:
        entry: LayoutEntry = {"binding": binding.binding, "visibility": visibility, **_resource(job, binding)}
        groups.setdefault(binding.group, []).append(entry)
    return [groups.get(group, []) for group in range(max(groups, default=-1) + 1)]


def _resource(job: KernelJob, binding: BindingJob) -> LayoutEntry:
    view, sampler = binding.view, job.samplers.get(binding.buffer)
    if view is not None and view.access == "sampled":
        return {"texture": {"sample_type": view.sample_type, "view_dimension": view.dimension}}
    if view is not None:
        access = {"read": "read-only", "write": "write-only", "read_write": "read-write"}[view.access]
        texel_format = job.textures[binding.buffer].format
        return {"storage_texture": {"access": access, "format": texel_format, "view_dimension": view.dimension}}
    if sampler is not None:
        return {"sampler": {"type": "filtering" if sampler.filter == "linear" else "non-filtering"}}
    reading = "uniform" if job.buffers[binding.buffer].is_uniform else "read-only-storage"
    return {"buffer": {"type": "storage" if binding.writable else reading}}
