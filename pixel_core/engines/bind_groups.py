"""What each dispatch binds: bind groups, made once for a pipeline and a set of buffers. Knows no wgpu: the device is handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pixel_core.engines.base import DispatchJob
from pixel_core.engines.bounded_cache import BoundedCache
from pixel_core.engines.buffer_pool import Allocation
from pixel_core.engines.textures import PlacedTextures

_KEPT_BIND_GROUPS = 16


class CompiledPipeline(msgspec.Struct):
    """A compiled entry point with the layouts of its groups, and the bind groups made for it."""

    pipeline: Any
    layouts: dict[int, Any] = msgspec.field(default_factory=dict[int, Any])
    bind_groups: BoundedCache[tuple[object, ...], Any] = msgspec.field(default_factory=lambda: BoundedCache(_KEPT_BIND_GROUPS))


def bind_groups(
    device: Any, pipeline: CompiledPipeline, dispatch: DispatchJob, buffers: Mapping[str, Allocation[Any]], textures: PlacedTextures
) -> Iterator[tuple[int, Any]]:
    """The number of each group of a dispatch, and the group. What the device raises is passed on."""
    held: dict[int, list[tuple[int, Allocation[Any]]]] = {}
    others: dict[int, list[tuple[int, object]]] = {}
    for binding in dispatch.bindings:
        if binding.buffer in buffers:
            held.setdefault(binding.group, []).append((binding.binding, buffers[binding.buffer]))
        else:
            others.setdefault(binding.group, []).append((binding.binding, textures.resource(binding)))
    for group in range(max((*held, *others), default=-1) + 1):
        # An automatic layout has an empty group in each gap; wgpu-native before 29 wants those set as well.
        members = held.get(group, [])
        if group in others:
            # Textures live as long as their run, so no later one could use the group again.
            yield group, _make(device, pipeline, group, members, others[group])
            continue
        key = (group, *((number, allocation.serial, allocation.region.size) for number, allocation in members))
        yield group, pipeline.bind_groups.get_or_make(key, lambda g=group, m=members: _make(device, pipeline, g, m))


def _make(
    device: Any,
    pipeline: CompiledPipeline,
    group: int,
    members: Sequence[tuple[int, Allocation[Any]]],
    others: Sequence[tuple[int, object]] = (),
) -> Any:
    if group not in pipeline.layouts:
        pipeline.layouts[group] = pipeline.pipeline.get_bind_group_layout(group)
    entries: list[dict[str, object]] = [
        {"binding": number, "resource": {"buffer": one.buffer, "offset": one.region.offset, "size": one.region.size}}
        for number, one in members
    ]
    entries += [{"binding": number, "resource": resource} for number, resource in others]
    return device.create_bind_group(layout=pipeline.layouts[group], entries=entries)
