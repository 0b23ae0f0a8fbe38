"""A model as pictures in a folder: a heat map of each tensor, the whole model in one, and where it differs from another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path

from pixel_core.errors import ModelFileError
from pixel_core.replace_file import replace_file
from pixel_core.weights.conversion import OnProgress, Step, keep_silent
from pixel_core.weights.dequantize import DEQUANTIZERS
from pixel_core.weights.describe_layers import describe_layers
from pixel_core.weights.draw_map import draw_map
from pixel_core.weights.draw_tensor import draw_tensor
from pixel_core.weights.gguf import Gguf
from pixel_core.weights.measure_tensor import TensorCells, measure_tensor
from pixel_core.weights.model_file import ModelFile, Tensor
from pixel_core.weights.pillow import Pixels, images, save_png
from pixel_core.weights.plan_pxi import plan_pxi
from pixel_core.weights.pxi import Pxi

_KEPT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What was drawn.

    Attributes:
        files: All files that were written.
        drawn: Tensors that were measured.
        skipped: Tensors whose values cannot be computed, or that the other model has not, or in another shape.
        identical: Against another model, tensors that hold the same bytes; else empty.
        differences: Against another model, by how much each of the others differs: root mean square of the difference over that of the
            first, greatest first; else empty.
    """

    files: Sequence[Path]
    drawn: Sequence[str]
    skipped: Sequence[str]
    identical: Sequence[str] = ()
    differences: Sequence[tuple[str, float]] = ()


def picture_model(
    model: ModelFile,
    folder: Path,
    *,
    patterns: Sequence[str] = (),
    against: ModelFile | None = None,
    replace: bool = False,
    on_progress: OnProgress = keep_silent,
) -> Pictures:
    """Draw a model.

    Args:
        model: The model.
        folder: Where the pictures go; it is made where there is none.
        patterns: Names of tensors, with `*` and `?`; empty for all. The map of the model is drawn only of all.
        against: Another model; then differences are drawn, of the tensors that differ.
        replace: Overwrite pictures of an earlier run.
        on_progress: Told of every tensor.

    Raises:
        ModelFileError: A pattern fits nothing, a file is there already, or Pillow is not installed.
        OSError: A file cannot be written.
    """
    images()  # so that a missing package is told before minutes of work
    chosen = _chosen(model, patterns)
    canvas = _Folder(folder, replace=replace)
    total, done = sum(tensor.byte_count for tensor in chosen), 0
    measured: dict[str, TensorCells] = {}
    firsts: dict[str, TensorCells] = {}
    skipped: list[str] = []
    identical: list[str] = []
    differences: list[tuple[str, float]] = []
    numbers = {name: number for number, name in enumerate(model.tensors)}
    for tensor in chosen:
        on_progress(Step(stage="drawing", what=tensor.name, done=done, total=total))
        done += tensor.byte_count
        if tensor.type not in DEQUANTIZERS or (against is not None and not _is_comparable(tensor, against)):
            skipped.append(tensor.name)
            continue
        if against is None:
            cells = measured[tensor.name] = measure_tensor(model, tensor)
            canvas.save(_file_name(numbers[tensor.name], tensor.name), draw_tensor(cells))
            continue
        first = firsts[tensor.name] = measure_tensor(model, tensor)
        cells = measured[tensor.name] = measure_tensor(model, tensor, against)
        if (
            cells.rms == 0
            and against.tensors[tensor.name] == tensor
            and bytes(model.blocks(tensor.name)) == bytes(against.blocks(tensor.name))
        ):
            identical.append(tensor.name)
            continue
        differences.append((tensor.name, cells.rms / first.rms if first.rms else float("inf")))
        canvas.save(_file_name(numbers[tensor.name], tensor.name), draw_tensor(cells, beside=first))
    if not patterns:
        name = "map.png" if against is None else "difference.png"
        canvas.save(name, draw_map(_title(model, against), chosen, measured, None if against is None else firsts))
        if against is None:
            canvas.write("layers.json", _layers(model))
    return Pictures(
        files=canvas.files,
        drawn=list(measured),
        skipped=skipped,
        identical=identical,
        differences=sorted(differences, key=lambda one: -one[1]),
    )


class _Folder:
    """Where pictures go."""

    def __init__(self, folder: Path, *, replace: bool) -> None:
        self.files: list[Path] = []
        self._folder = folder
        self._replace = replace
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, pixels: Pixels) -> None:
        file = BytesIO()
        save_png(pixels, file, level=1)
        self.write(name, file.getvalue())

    def write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        if not self._replace and (path.exists() or path.is_symlink()):
            raise ModelFileError(f"{path} exists", hint="`--force` overwrites it")
        replace_file(path, data)
        self.files.append(path)


def _chosen(model: ModelFile, patterns: Sequence[str]) -> list[Tensor]:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in model.tensors):
            close = get_close_matches(pattern, list(model.tensors)[:10_000], n=1)
            raise ModelFileError(f"{model.path} has no tensor `{pattern}`", hint=f"did you mean `{close[0]}`?" if close else None)
    return [one for one in model.tensors.values() if not patterns or any(fnmatchcase(one.name, pattern) for pattern in patterns)]


def _is_comparable(tensor: Tensor, against: ModelFile) -> bool:
    other = against.tensors.get(tensor.name)
    return other is not None and other.shape == tensor.shape and other.type in DEQUANTIZERS


def _file_name(number: int, name: str) -> str:
    """A file's name that no tensor's name can lead astray."""
    return f"{number:04}-{''.join(sign if sign in _KEPT else '_' for sign in name)[:120]}.png"


def _title(model: ModelFile, against: ModelFile | None) -> str:
    return _name(model) if against is None else f"{_name(model)} beside {_name(against)}"


def _name(model: ModelFile) -> str:
    found = model.metadata.get("general.name")
    return found.value if found is not None and isinstance(found.value, str) and found.value else model.path.stem


def _layers(model: ModelFile) -> bytes:
    if isinstance(model, Pxi):
        places = list(model.places.values())
    else:
        assert isinstance(model, Gguf)
        places = list(plan_pxi(model.header).places)
    return (json.dumps(describe_layers(places, model.metadata), indent=1) + "\n").encode()
