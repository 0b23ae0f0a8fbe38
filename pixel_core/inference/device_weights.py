"""Weights on a device: the planes of tensors as pages of texels, in textures or buffers, split where the adapter's limits demand it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pixel_core.engines.device_program import TEXEL_BYTES, ProgramBuffer, ProgramDevice, ProgramTexture
from pixel_core.errors import ModelUnusable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pixel_core.weights.ggml_types import GgmlType
    from pixel_core.weights.model_file import ModelFile

StorageKind: TypeAlias = Literal["texture", "buffer"]

ROW_GROUP = 8
"""Rows of weights that the kernels take together: one row of texels of scales."""

_PAGE_SIDE = 8192
"""Every adapter of today has it; some have no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneShape:
    """How the rows of a tensor lie in one of its planes.

    Attributes:
        name: Of the plane.
        width: Texels in a row of texels.
        rows_per_group: Rows of texels for each `ROW_GROUP` rows of weights.
    """

    name: str
    width: int
    rows_per_group: int


def plane_shapes(type_name: str, columns: int) -> tuple[PlaneShape, PlaneShape]:
    """Quants and scales of a row group.

    Raises:
        ModelUnusable: The type has no kernels.
    """
    blocks = columns // 32
    if type_name in {"Q4_0", "Q4_1"}:
        quants = PlaneShape(name="quants", width=columns // 4, rows_per_group=1)
        return quants, PlaneShape(name="scales", width=blocks * (2 if type_name == "Q4_1" else 1), rows_per_group=1)
    if type_name == "Q8_0":
        return PlaneShape(name="quants", width=columns // 4, rows_per_group=2), PlaneShape(name="scales", width=blocks, rows_per_group=1)
    raise ModelUnusable(f"weights of the type {type_name} have no kernels yet", hint="quantise the model to Q4_0, Q4_1 or Q8_0")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPage:
    """Rows of a matrix that lie together.

    Attributes:
        first: The first row, a multiple of `ROW_GROUP`.
        rows: How many.
        quants: Texels of the weights.
        scales: Texels of their scales.
    """

    first: int
    rows: int
    quants: ProgramTexture | ProgramBuffer
    scales: ProgramTexture | ProgramBuffer


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMatrix:
    """One or several tensors, one below the other, as a matrix on the device.

    Attributes:
        type: Of its blocks.
        columns: Length of its rows.
        rows: Of all tensors together, the last one's filled up to a multiple of `ROW_GROUP`.
        storage: Where its texels lie.
        pages: In order.
    """

    type: GgmlType
    columns: int
    rows: int
    storage: StorageKind
    pages: tuple[WeightPage, ...]


def upload_matrix(device: ProgramDevice, model: ModelFile, names: Sequence[str], storage: StorageKind) -> DeviceMatrix:
    """Put tensors of one type and one row length on the device.

    Args:
        device: Where to.
        model: Holds the tensors.
        names: Which, from the top.
        storage: Textures or buffers.

    Raises:
        DeviceFailed: There is no room, or a row is too long.
        ModelUnusable: The type has no kernels, or the rows of all but the last tensor are no multiple of `ROW_GROUP`.
    """
    tensors = [model.tensors[name] for name in names]
    first = tensors[0]
    shapes = plane_shapes(first.type.name, first.columns)
    if first.columns % 32:
        raise ModelUnusable(f"the tensor `{first.name}` has rows of {first.columns:,}, which is no multiple of 32")
    for one in tensors[:-1]:
        if one.rows % ROW_GROUP:
            raise ModelUnusable(f"the tensor `{one.name}` has {one.rows:,} rows, which is no multiple of {ROW_GROUP}")
    rows = sum(-(-one.rows // ROW_GROUP) * ROW_GROUP for one in tensors)
    groups_per_page = _groups_per_page(device, shapes, storage)
    pages: list[WeightPage] = []
    for start in range(0, rows // ROW_GROUP, groups_per_page):
        groups = min(groups_per_page, rows // ROW_GROUP - start)
        quants, scales = (_create(device, shape, groups, storage) for shape in shapes)
        pages.append(WeightPage(first=start * ROW_GROUP, rows=groups * ROW_GROUP, quants=quants, scales=scales))
    top = 0
    for one in tensors:
        for shape in shapes:
            _write(device, pages, shape, model.texels(one.name, shape.name), top)
        top += -(-one.rows // ROW_GROUP)
    return DeviceMatrix(type=first.type, columns=first.columns, rows=rows, storage=storage, pages=tuple(pages))


def _groups_per_page(device: ProgramDevice, shapes: Sequence[PlaneShape], storage: StorageKind) -> int:
    if storage == "texture":
        side = min(_PAGE_SIDE, device.limit("max-texture-dimension-2d"))
        return min(side // shape.rows_per_group for shape in shapes)
    limit = device.limit("max-storage-buffer-binding-size")
    groups = min(limit // (shape.width * shape.rows_per_group * TEXEL_BYTES) for shape in shapes)
    if groups == 0:
        raise ModelUnusable("a row of weights is larger than what this adapter binds as a buffer", hint="keep the weights in textures")
    return groups


def _create(device: ProgramDevice, shape: PlaneShape, groups: int, storage: StorageKind) -> ProgramTexture | ProgramBuffer:
    height = groups * shape.rows_per_group
    if storage == "texture":
        return device.create_texture(shape.width, height)
    return device.create_buffer(shape.width * height * TEXEL_BYTES)


def _write(device: ProgramDevice, pages: Sequence[WeightPage], shape: PlaneShape, texels: NDArray[np.uint32], top: int) -> None:
    """Write a tensor's plane at row group `top` of the matrix, over as many pages as it reaches."""
    texels = np.ascontiguousarray(texels)
    per_group = shape.rows_per_group
    end = top + -(-texels.shape[0] // per_group)
    for page in pages:
        page_top = page.first // ROW_GROUP
        low, high = max(top, page_top), min(end, page_top + page.rows // ROW_GROUP)
        if low >= high:
            continue
        part = texels[(low - top) * per_group : (high - top) * per_group]
        target = page.quants if shape.name == "quants" else page.scales
        row = (low - page_top) * per_group
        if isinstance(target, ProgramTexture):
            device.write_texture(target, part, width=shape.width, height=part.shape[0], y=row)
        else:
            device.write_buffer(target, part, row * shape.width * TEXEL_BYTES)
