"""The kernels of `shaders/model`, as texts that can be run: each with the macros of the model that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pixel_core.dialects.files import ABSENT
from pixel_core.dialects.prepare import prepare
from pixel_core.dialects.steps import Preparation, Preprocess, Written
from pixel_core.engines.strip_enables import strip_enables
from pixel_core.findings import Span
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import reflect


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelKernel:
    """One entry point, ready to be compiled.

    Attributes:
        source: WGSL without macros, as naga takes it.
        entry_point: Of the source.
        bindings: Number of each variable that the entry point uses, all in group 0.
        width: Invocations of a workgroup.
    """

    source: str
    entry_point: str
    bindings: Mapping[str, int]
    width: int


def model_shaders() -> Path:
    """The folder of the kernels: beside the package in a wheel, beside the repository's packages in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "shaders" / "model"
    return shipped if shipped.is_dir() else package.parent / "shaders" / "model"


class ModelKernels:
    """Reads kernels, each once for a set of macros.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[object, ...], ModelKernel] = {}

    def get(self, file: str, entry_point: str | None = None, macros: Mapping[str, int] | None = None) -> ModelKernel:
        """A kernel.

        Args:
            file: Name of its file, without `.wgsl`.
            entry_point: In that file; called like the file when None.
            macros: What stands for the names of `#ifdef` and for sizes. As everywhere in C's world, a name without a value is absent.
        """
        entry_point, macros = entry_point or file, macros or {}
        key = (file, entry_point, tuple(sorted(macros.items())))
        if key not in self._read:
            self._read[key] = self._load(file, entry_point, macros)
        return self._read[key]

    def _load(self, file: str, entry_point: str, macros: Mapping[str, int]) -> ModelKernel:
        path = self._folder / f"{file}.wgsl"
        source = SourceText(path, path.read_text(encoding="utf-8"))
        nowhere = Span(0, 0)
        written = {name: Written(f"{value}u" if name in _NUMBERS else str(value), nowhere) for name, value in macros.items()}
        steps = (Preprocess(macros=written, folders=(), span=nowhere),)
        made = prepare(source, Preparation(steps=steps, source=source, span=nowhere), _read_file, may_run=False)
        assert made.is_complete, made.findings
        tree = parse(SourceText(path, made.text.text))
        interface = reflect(tree)
        (entry,) = (one for one in interface.entry_points if one.name == entry_point)
        bindings = {one.name: one.binding for one in interface.bindings if one.name in entry.bindings}
        width = entry.workgroup_size[0] if entry.workgroup_size else 1
        return ModelKernel(source=strip_enables(tree), entry_point=entry_point, bindings=bindings, width=width)


_NUMBERS = frozenset({"TOKENS", "HEAD", "GROUP"})
"""Macros that stand in WGSL, where a number has its type; all others stand in directives."""


def _read_file(path: Path) -> SourceText | str:
    try:
        return SourceText(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ABSENT
