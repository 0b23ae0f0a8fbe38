"""The network on a device: its weights are textures, as they lie on the map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixel_core.source import SourceText
from pixel_core.toy.mlp import INPUTS, LAYERS, OUTPUTS, ToyMlp, ToyOutput, check_inputs
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import reflect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pixel_core.engines.device_program import ProgramDevice, Resource

_WIDTH = 64  # invocations of a workgroup
_MOST_ROWS = 1024  # of one dispatch
_ROW_BYTES = {"x": INPUTS * 4, "y": OUTPUTS * 4, "next": 4}


def toy_shader() -> Path:
    """The kernel: beside the package in a wheel, beside the repository's packages in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "shaders" / "toy_mlp.wgsl"
    return shipped if shipped.is_file() else package.parent / "shaders" / "toy_mlp.wgsl"


class DeviceMlp:
    """The network on a device.

    Args:
        device: Stays open, and somebody else's.
        texels: As for `ToyMlp`.

    Raises:
        ModelUnusable: As for `ToyMlp`.
        DeviceFailed: The device refused.
    """

    def __init__(self, device: ProgramDevice, texels: Mapping[str, NDArray[np.uint32]]) -> None:
        ToyMlp(texels)  # which refuses what would not be exact
        self._device = device
        path = toy_shader()
        source = path.read_text(encoding="utf-8")
        self._bindings = {one.name: one.binding for one in reflect(parse(SourceText(path, source))).bindings}
        self._pipeline = device.compile(source, "toy_mlp")
        self._textures: dict[str, Resource] = {}
        for name in LAYERS:
            height, width, _ = texels[name].shape
            texture = device.create_texture(width, height)
            device.write_texture(texture, np.ascontiguousarray(texels[name]), width=width, height=height)
            self._textures[name] = texture
        self._rows = {name: device.create_buffer(_MOST_ROWS * size) for name, size in _ROW_BYTES.items()}

    def forward(self, x: NDArray[np.float32]) -> ToyOutput:
        """As `ToyMlp.forward`, bit for bit.

        Raises:
            ValueError: As there.
            DeviceFailed: The device refused.
        """
        check_inputs(x)
        parts = [self._forward(x[start : start + _MOST_ROWS]) for start in range(0, max(len(x), 1), _MOST_ROWS)]
        return ToyOutput(scores=np.concatenate([part.scores for part in parts]), next=np.concatenate([part.next for part in parts]))

    def _forward(self, x: NDArray[np.float32]) -> ToyOutput:
        from pixel_core.engines.device_program import BufferRange  # which loads wgpu; whoever has a device has it

        count = len(x)
        if not count:
            return ToyOutput(scores=np.zeros((0, OUTPUTS), np.float32), next=np.zeros(0, np.uint32))
        self._device.write_buffer(self._rows["x"], np.ascontiguousarray(x))
        # The kernel takes the number of rows from the length of what is bound.
        rows = {name: BufferRange(buffer=self._rows[name], offset=0, size=count * size) for name, size in _ROW_BYTES.items()}
        resources: dict[str, Resource] = {**self._textures, **rows}
        bindings = {self._bindings[name]: resource for name, resource in resources.items()}
        self._device.run([self._device.dispatch(self._pipeline, bindings, (-(-count // _WIDTH), 1, 1))])
        scores, chosen = (self._device.read_buffer(self._rows[name], count * _ROW_BYTES[name]) for name in ("y", "next"))
        return ToyOutput(scores=np.frombuffer(scores, np.float32).reshape(count, OUTPUTS), next=np.frombuffer(chosen, np.uint32))
