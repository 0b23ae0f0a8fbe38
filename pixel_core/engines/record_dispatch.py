"""One dispatch, recorded into a compute pass. Knows no wgpu: the device is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixel_core.engines.base import DispatchJob
from pixel_core.engines.bind_groups import CompiledPipeline, bind_groups
from pixel_core.engines.buffer_pool import Allocation
from pixel_core.engines.textures import PlacedTextures


def record_dispatch(
    device: Any,
    compute: Any,
    dispatch: DispatchJob,
    pipeline: CompiledPipeline,
    placed: Mapping[str, Allocation[Any]],
    textures: PlacedTextures,
) -> None:
    """Set the pipeline, what it binds and its immediate data, and dispatch. What the device raises is passed on."""
    compute.set_pipeline(pipeline.pipeline)
    for group, bind_group in bind_groups(device, pipeline, dispatch, placed, textures):
        compute.set_bind_group(group, bind_group)
    if dispatch.immediates:
        # wgpu-py 0.32 fails without an explicit size.
        compute.set_immediates(0, dispatch.immediates, 0, len(dispatch.immediates))
    if dispatch.indirect is None:
        compute.dispatch_workgroups(*dispatch.workgroups)
    else:
        name, first = dispatch.indirect
        compute.dispatch_workgroups_indirect(placed[name].buffer, placed[name].region.offset + 4 * first)
