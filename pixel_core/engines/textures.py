"""Textures and samplers of a job on a device: created, filled, bound, read back. Knows no wgpu: the device is handed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from pixel_core.engines.base import BindingJob, KernelJob, SamplerJob, TextureJob

ROW_ALIGNMENT = 256
"""Rows that are copied from a texture into a buffer start at multiples of it (WebGPU: `GPUTexelCopyBufferLayout`)."""

_COPY_SRC, _COPY_DST, _TEXTURE_BINDING, _STORAGE_BINDING = 1, 2, 4, 8
"""WebGPU, `GPUTextureUsage`."""

_MAP_READ, _BUFFER_COPY_DST = 1, 8
"""WebGPU, `GPUBufferUsage`."""

Device = Any
Encoder = Any


def level_extents(texture: TextureJob) -> Iterator[tuple[int, int, int]]:
    """Width, height, and depth or layers of each level, the largest first; each is half of the one before, rounded down, at least 1."""
    width, height, depth = texture.extent
    for level in range(texture.levels):
        yield max(width >> level, 1), max(height >> level, 1), depth if texture.has_layers else max(depth >> level, 1)


def texture_bytes(texture: TextureJob) -> int:
    """Size of all levels without gaps."""
    return sum(width * height * depth for width, height, depth in level_extents(texture)) * texture.texel_bytes


class PlacedTextures:
    """What a job's texture and sampler bindings hold.

    Args:
        device: A WebGPU device. What it raises is passed on.
        job: Its textures and samplers.
    """

    def __init__(self, device: Device, job: KernelJob) -> None:
        self._device = device
        self._jobs = job.textures
        self._textures: dict[str, Any] = {}
        self._staged: list[tuple[str, list[tuple[Any, int, tuple[int, int, int]]]]] = []
        self._samplers = {name: _make_sampler(device, sampler) for name, sampler in job.samplers.items()}
        for name, texture in job.textures.items():
            views = [one.view for dispatch in job.dispatches for one in dispatch.bindings if one.buffer == name and one.view is not None]
            usage = _COPY_SRC | _COPY_DST
            usage |= _TEXTURE_BINDING if any(view.access == "sampled" for view in views) else 0
            usage |= _STORAGE_BINDING if any(view.access != "sampled" for view in views) else 0
            self._textures[name] = self._create(texture, usage)

    def resource(self, binding: BindingJob) -> object:
        """What a binding of a texture or a sampler holds."""
        if binding.view is None:
            return self._samplers[binding.buffer]
        texture = self._textures[binding.buffer]
        levels = self._jobs[binding.buffer].levels if binding.view.access == "sampled" else 1
        return texture.create_view(dimension=binding.view.dimension, base_mip_level=0, mip_level_count=levels)

    def encode_reads(self, encoder: Encoder) -> None:
        """Record the copies of every texture that is read back."""
        for name, texture in self._jobs.items():
            if not texture.read_back:
                continue
            parts: list[tuple[Any, int, tuple[int, int, int]]] = []
            for level, (width, height, depth) in enumerate(level_extents(texture)):
                pitch = -(-width * texture.texel_bytes // ROW_ALIGNMENT) * ROW_ALIGNMENT
                staging = self._device.create_buffer(size=pitch * height * depth, usage=_MAP_READ | _BUFFER_COPY_DST)
                source = {"texture": self._textures[name], "mip_level": level, "origin": (0, 0, 0)}
                target = {"buffer": staging, "offset": 0, "bytes_per_row": pitch, "rows_per_image": height}
                encoder.copy_texture_to_buffer(source, target, (width, height, depth))
                parts.append((staging, pitch, (width * texture.texel_bytes, height, depth)))
            self._staged.append((name, parts))

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """What was read back, once the copies have been submitted: name and texels of all levels without gaps."""
        for name, parts in self._staged:
            yield name, b"".join(_without_gaps(*part) for part in parts)
        self._staged.clear()

    def restore(self, name: str) -> None:
        """Give a texture its first content again."""
        self._write(self._textures[name], self._jobs[name])

    def destroy(self) -> None:
        """Free every texture at once."""
        for texture in self._textures.values():
            texture.destroy()

    def _create(self, job: TextureJob, usage: int) -> Any:
        texture = self._device.create_texture(
            size=job.extent, mip_level_count=job.levels, dimension=job.dimension, format=job.format, usage=usage
        )
        self._write(texture, job)
        return texture

    def _write(self, texture: Any, job: TextureJob) -> None:
        content, start = memoryview(job.initial), 0
        for level, (width, height, depth) in enumerate(level_extents(job)):
            row = width * job.texel_bytes
            size = row * height * depth
            target = {"texture": texture, "mip_level": level, "origin": (0, 0, 0)}
            layout = {"offset": 0, "bytes_per_row": row, "rows_per_image": height}
            self._device.queue.write_texture(target, content[start : start + size], layout, (width, height, depth))
            start += size


def _make_sampler(device: Device, sampler: SamplerJob) -> Any:
    u, v, w = sampler.address
    return device.create_sampler(
        address_mode_u=u, address_mode_v=v, address_mode_w=w, mag_filter=sampler.filter, min_filter=sampler.filter, mipmap_filter="nearest"
    )


def _without_gaps(staging: Any, pitch: int, rows: tuple[int, int, int]) -> bytes:
    row, height, depth = rows
    staging.map_async("READ_NOSYNC").sync_wait()
    mapped = cast("memoryview", staging.read_mapped(copy=False))
    content = b"".join(bytes(mapped[start : start + row]) for start in range(0, pitch * height * depth, pitch))
    staging.unmap()
    staging.destroy()
    return content
