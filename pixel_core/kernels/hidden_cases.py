"""Cases that the author of a kernel cannot know: other sizes, seeds, magnitudes and parameters, under the same contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import cast

import msgspec
import tomli

from pixel_core.kernels.buffer_uses import pass_entries
from pixel_core.kernels.contract import CaseContract, KernelContract
from pixel_core.kernels.contract_fields import Toml
from pixel_core.kernels.contract_text import contract_text, without_contract
from pixel_core.kernels.derive_cases import draw_sizes, find_tiles
from pixel_core.kernels.doc_block import embed_whole
from pixel_core.kernels.examine import ExaminedKernel, examine
from pixel_core.kernels.expression_nodes import FunctionCall, Number
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.input_sources import InputFile
from pixel_core.kernels.load_shader import LoadedShader, sidecar_path, understand
from pixel_core.kernels.plan import MAX_DERIVED_BYTES, MAX_DERIVED_INVOCATIONS
from pixel_core.kernels.planned import BufferPlan, Case
from pixel_core.kernels.symbols import SymbolValue
from pixel_core.kernels.toml_text import toml_text
from pixel_core.source import SourceText
from pixel_core.wgsl.types import Array, Scalar, Vector

_SIZES = 8
_RESEEDED = 4
_SCALES = (0.125, 4.0)
_SMALLER = (0.5, 0.625, 0.75, 0.875)
"""Other values of a parameter: its sign stays, and so does a share of one."""

_OVER_ZEROS = "outputs that hold zeros before it runs"


class HiddenCases(msgspec.Struct, frozen=True, kw_only=True):
    """A shader under its contract with other cases.

    Attributes:
        loaded: To be checked.
        over_zeros: To be checked too: the same contracts, and outputs that hold what a host's new buffers hold, not the poison by which
            a kernel could tell that it is tried out. None where no output can be filled.
        kinds: Contract → case → what is special about it, in words that give no number away.
    """

    loaded: LoadedShader
    over_zeros: LoadedShader | None
    kinds: Mapping[str, Mapping[str, str]]

    @property
    def shaders(self) -> tuple[LoadedShader, ...]:
        """Everything to be checked."""
        return (self.loaded,) if self.over_zeros is None else (self.loaded, self.over_zeros)


def hidden_cases(loaded: LoadedShader, *, seed: int) -> HiddenCases | None:
    """The same kernels with cases drawn from a seed; None when no contract of the shader can be planned.

    Sizes: primes, one below, at and above multiples of the tiles, 1, and some beyond the largest known; then known sizes with other
    seeds, and f32 inputs of a normal distribution with other magnitudes (which a contract does not narrow, as `uniform(low, high)` does);
    then other values of those parameters and overrides that are a plain float and that the truth speaks of by name.

    Args:
        loaded: A shader whose contracts can be read.
        seed: Drawn after the shader was written.
    """
    text = loaded.sidecar.text if loaded.sidecar else contract_text(loaded.source) or ""
    document = tomli.loads(embed_whole(SourceText(loaded.source.path, text)).text)
    kinds: dict[str, dict[str, str]] = {}
    tables: dict[str, Toml] = {}
    zeroed: dict[str, Toml] = {}
    for examined in examine(loaded).kernels:
        contract = examined.kernel.contract
        if contract.name in kinds:
            continue  # another part of a contract whose shader depends on sizes
        drawn = _Drawing(examined, Random(f"{seed} {contract.name}"))  # noqa: S311 - not for cryptography
        cases = {f"hidden {number}": case for number, case in enumerate(drawn.cases(), 1)}
        trial = {**cast("dict[str, Toml]", document[contract.name]), "derive": False}
        trial["cases"] = [{"name": name, **case.table} for name, case in cases.items()]
        planned = _planned(loaded, {contract.name: trial})
        trial["cases"] = [case for case in trial["cases"] if case["name"] in planned]
        if planned:
            tables[contract.name] = trial
            kinds[contract.name] = {name: case.kind for name, case in cases.items() if name in planned}
            over_zeros = drawn.over_zeros(trial)
            if over_zeros is not None and _planned(loaded, {contract.name: over_zeros}):
                zeroed[contract.name] = over_zeros
                kinds[contract.name]["over zeros"] = _OVER_ZEROS
    if not tables:
        return None
    return HiddenCases(loaded=_under(loaded, tables), over_zeros=_under(loaded, zeroed) if zeroed else None, kinds=kinds)


class _Hidden(msgspec.Struct, frozen=True):
    kind: str
    table: Mapping[str, Toml]


class _Drawing:
    """The hidden cases of one kernel."""

    def __init__(self, examined: ExaminedKernel, random: Random) -> None:
        self._kernel = examined.kernel
        self._contract: KernelContract = examined.kernel.contract
        self._planned = examined.cases
        self._random = random

    def cases(self) -> Iterator[_Hidden]:
        """Sizes first; names are given by the caller."""
        # What comes from a file has one size.
        if not any(isinstance(source, InputFile) for source in self._contract.sources.values()):
            yield from self._sizes()
        written = list(self._contract.cases)
        again = self._random.sample(written, min(_RESEEDED, len(written)))
        yield from (_Hidden("other input values at the sizes that were shown", self._reseeded(case)) for case in again)
        known = sorted((case for case in self._planned if case.size_bytes <= MAX_DERIVED_BYTES), key=lambda case: case.size_bytes)
        if not known:
            return
        for scale in _SCALES:
            # Of one element alone, a magnitude shows little.
            case = self._random.choice(known[len(known) // 2 :])
            inputs = {name: f"{scale!r} * ({text})" for name, text in _scalable(case)}
            if inputs:
                kind = "inputs of larger magnitude" if scale > 1 else "inputs of smaller magnitude"
                sizes = {dim: case.symbols[dim] for dim in self._contract.dims}
                yield _Hidden(kind, {"dims": sizes, "inputs": inputs, "seed": self._seed()})
        yield from self._parameters(known[-1])

    def over_zeros(self, trial: Mapping[str, Toml]) -> Toml | None:
        """The contract with one case, whose outputs hold zeros before; None where it has no output that is a buffer."""
        known = [case for case in self._planned if case.size_bytes <= MAX_DERIVED_BYTES]
        if not known:
            return None
        case = max(known, key=lambda case: case.size_bytes)
        names = [buffer.name for buffer in case.buffers if buffer.role == "out" and buffer.texture is None]
        if not names:
            return None
        sizes = {dim: case.symbols[dim] for dim in self._contract.dims}
        zeros = {"name": "over zeros", "dims": sizes, "inputs": dict.fromkeys(names, "zeros()"), "seed": self._seed()}
        return {**trial, "roles": {**self._contract.roles, **dict.fromkeys(names, "inout")}, "cases": [zeros]}

    def _parameters(self, case: Case) -> Iterator[_Hidden]:
        """One case in which every plain float that the truth names has another value: a kernel must not know it by heart."""
        contract, smaller = self._contract, self._random.choice(_SMALLER)
        named = {use.name for truth in (*contract.expect.values(), *contract.define.values()) for use in truth.used_names()}
        params = _smaller_floats(contract.params, named, smaller)
        overrides = {name: text for name, value in contract.overrides.items() if name in named and (text := _smaller(value, smaller))}
        for one in self._kernel.interface.overrides:
            if one.name in named and one.name not in contract.overrides and isinstance(one.value, float) and one.value:
                overrides[one.name] = repr(one.value * smaller)
        if params or overrides:
            sizes = {dim: case.symbols[dim] for dim in contract.dims}
            yield _Hidden("other values of parameters", {"dims": sizes, "params": params, "overrides": overrides, "seed": self._seed()})

    def _sizes(self) -> Iterator[_Hidden]:
        contract, interface = self._contract, self._kernel.interface
        entries = pass_entries(contract, interface)
        symbols: dict[str, SymbolValue] = {**interface.constants}
        symbols.update({one.name: one.value for one in interface.overrides if one.value is not None})
        known = [{dim: int(case.symbols[dim]) for dim in contract.dims} for case in self._planned]
        small = [sizes for sizes, case in zip(known, self._planned, strict=True) if case.size_bytes <= MAX_DERIVED_BYTES]
        largest = {dim: max((sizes[dim] for sizes in small), default=1) for dim in contract.dims}
        seen = {tuple(sizes.values()) for sizes in known}
        tile = next(iter(find_tiles(interface, entries)), 16)
        count = 0
        for sizes in draw_sizes(contract, interface, entries, symbols, largest, self._random):
            if tuple(sizes.values()) in seen:
                continue
            seen.add(tuple(sizes.values()))
            yield _Hidden(_size_kind(sizes, largest, tile), {"dims": sizes, "seed": self._seed()})
            count += 1
            if count == _SIZES:
                return

    def _reseeded(self, case: CaseContract) -> dict[str, Toml]:
        table: dict[str, Toml] = {"dims": dict(case.dims), "seed": self._seed()}
        if case.overrides:
            table["overrides"] = {name: expression.text for name, expression in case.overrides.items()}
        if case.inputs or case.sources:
            table["inputs"] = {name: one.text for name, one in (*case.inputs.items(), *case.sources.items())}
        if case.params:
            table["params"] = {name: _plain_parameter(value) for name, value in case.params.items()}
        return table

    def _seed(self) -> int:
        return self._random.getrandbits(48)


def _planned(loaded: LoadedShader, tables: Mapping[str, Toml]) -> set[str]:
    """The names of the cases that can be planned, and are not too much work."""
    return {
        case.name
        for kernel in examine(_under(loaded, tables)).kernels
        for case in kernel.cases
        if case.size_bytes <= 8 * MAX_DERIVED_BYTES and case.invocations <= 8 * MAX_DERIVED_INVOCATIONS
    }


def _under(loaded: LoadedShader, tables: Mapping[str, Toml]) -> LoadedShader:
    path: Path = loaded.source.path
    return understand(without_contract(loaded.source), SourceText(sidecar_path(path), toml_text(tables)), loaded.surroundings)


def _size_kind(sizes: Mapping[str, int], largest: Mapping[str, int], tile: int) -> str:
    if any(size > largest[dim] for dim, size in sizes.items()):
        return "sizes larger than those that were shown"
    if all(size == 1 for size in sizes.values()):
        return "one element"
    if all(size % tile == 0 for size in sizes.values()):
        return "multiples of the workgroup size"
    return "sizes that are not a multiple of the workgroup size"


def _scalable(case: Case) -> Iterator[tuple[str, str]]:
    """Inputs of a normal distribution around zero, in f32: of those the contract does not narrow the range."""
    for name, expression in case.inputs.items():
        buffer = case.buffer(name.partition(".")[0])
        tree = expression.tree
        if isinstance(tree, FunctionCall) and tree.function == "normal" and _holds_floats(buffer):
            yield name, expression.text


def _holds_floats(buffer: BufferPlan) -> bool:
    """Whether a buffer or texture holds floats of any size that f32 has, or nearly so."""
    if buffer.texture is not None:
        return buffer.texture.format.encoding == "float"
    type_: object = buffer.type
    if buffer.codec is not None:
        return False
    while isinstance(type_, (Array, Vector)):
        type_ = type_.element if isinstance(type_, Array) else type_.component
    return isinstance(type_, Scalar) and type_.name == "f32"


def _smaller_floats(params: Mapping[str, object], named: set[str], smaller: float, path: str = "") -> dict[str, Toml]:
    """Those parameters that are a plain float and named, made smaller; structures hold only such fields."""
    found: dict[str, Toml] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            inner = _smaller_floats(cast("Mapping[str, object]", value), named, smaller, f"{path}{name}.")
            if inner:
                found[name] = inner
        elif isinstance(value, Expression) and f"{path}{name}" in named and (text := _smaller(value, smaller)):
            found[name] = text
    return found


def _smaller(value: Expression, smaller: float) -> str:
    """The text of a plain float times a share; empty for anything else."""
    tree = value.tree
    return repr(float(tree.value) * smaller) if isinstance(tree, Number) and tree.is_float and tree.value else ""


def _plain_parameter(value: Toml) -> Toml:
    if isinstance(value, Mapping):
        return {name: _plain_parameter(item) for name, item in cast("Mapping[str, Toml]", value).items()}
    if isinstance(value, tuple):
        return [_plain_parameter(item) for item in cast("tuple[Toml, ...]", value)]
    return value.text
