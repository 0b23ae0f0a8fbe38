"""Weights on a device: the planes of tensors as pages of texels, in textures or buffers, split where the adapter's limits demand it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pixel_core.engines.device_program import TEXEL_BYTES, ProgramBuffer, ProgramDevice, ProgramTexture
from pixel_core.errors import ModelUnusable
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.texel_formats import TexelFormat, pack_plane, plane_sizes, texel_format_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pixel_core.weights.model_file import ModelFile

StorageKind: TypeAlias = Literal["texture", "buffer"]

ROW_GROUP = 8
"""Rows of weights that the kernels take together: one row of texels of scales."""

FLOATS = (GgmlType.F32, GgmlType.F16, GgmlType.BF16)
"""Types whose kernels take activations as floats; all others take them quantised."""

COMPUTABLE = (*FLOATS, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.Q4_K, GgmlType.Q6_K)
"""Types that have kernels."""

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


def plane_shapes(tensor: Tensor) -> tuple[PlaneShape, ...]:
    """The planes of a row group: quants and scales, or the bytes of floats.

    Raises:
        ModelUnusable: The type has no kernels, or a row is too long for them.
    """
    kind = tensor.type
    if kind not in COMPUTABLE:
        known = ", ".join(one.name for one in COMPUTABLE)
        raise ModelUnusable(
            f"weights of the type {kind.name} have no kernels yet (tensor `{tensor.name}`)", hint=f"these types have: {known}"
        )
    if tensor.columns % 32:
        raise ModelUnusable(f"the tensor `{tensor.name}` has rows of {tensor.columns:,}, which is no multiple of 32")
    texel_format = texel_format_of(tensor)
    group = Tensor(name=tensor.name, shape=(tensor.columns, ROW_GROUP), type=kind)
    sizes = plane_sizes(group, texel_format)
    # Rows that do not fit beside each other in a texture lie in another order, which no kernel reads.
    if (texel_format is TexelFormat.LINEAR) != (kind in FLOATS) or (kind in FLOATS and sizes["bytes"].height != ROW_GROUP):
        raise ModelUnusable(f"the tensor `{tensor.name}` has rows of {tensor.columns:,} weights, too long for the device's kernels")
    return tuple(PlaneShape(name=name, width=size.width, rows_per_group=size.height) for name, size in sizes.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPage:
    """Rows of a matrix that lie together.

    Attributes:
        first: The first row, a multiple of `ROW_GROUP`.
        rows: How many.
        planes: Texels by the name that the kernels have for them: `quants`, `scales`, of Q6_K `high`, or `weights` alone of floats.
    """

    first: int
    rows: int
    planes: Mapping[str, ProgramTexture | ProgramBuffer]


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

    @property
    def takes_floats(self) -> bool:
        """Whether it is multiplied with floats, not with quantised activations."""
        return self.type in FLOATS


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
    shapes = plane_shapes(first)
    for one in tensors[:-1]:
        if one.rows % ROW_GROUP:
            raise ModelUnusable(f"the tensor `{one.name}` has {one.rows:,} rows, which is no multiple of {ROW_GROUP}")
    rows = sum(-(-one.rows // ROW_GROUP) * ROW_GROUP for one in tensors)
    groups_per_page = _groups_per_page(device, shapes, storage)
    pages: list[WeightPage] = []
    for start in range(0, rows // ROW_GROUP, groups_per_page):
        groups = min(groups_per_page, rows // ROW_GROUP - start)
        planes = {_variable(shape): _create(device, shape, groups, storage) for shape in shapes}
        pages.append(WeightPage(first=start * ROW_GROUP, rows=groups * ROW_GROUP, planes=planes))
    top = 0
    for one in tensors:
        for shape in shapes:
            _write(device, pages, shape, _texels(model, one, shape.name), top)
        top += -(-one.rows // ROW_GROUP)
    return DeviceMatrix(type=first.type, columns=first.columns, rows=rows, storage=storage, pages=tuple(pages))


def _variable(shape: PlaneShape) -> str:
    """What the kernels call a plane."""
    return "weights" if shape.name == "bytes" else shape.name


def _texels(model: ModelFile, tensor: Tensor, plane: str) -> NDArray[np.uint32]:
    try:
        return model.texels(tensor.name, plane)
    except KeyError:  # a PXI may hold any tensor as `linear`
        return pack_plane(tensor, texel_format_of(tensor), plane, model.blocks(tensor.name))


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
        target = page.planes[_variable(shape)]
        row = (low - page_top) * per_group
        if isinstance(target, ProgramTexture):
            device.write_texture(target, part, width=shape.width, height=part.shape[0], y=row)
        else:
            device.write_buffer(target, part, row * shape.width * TEXEL_BYTES)
