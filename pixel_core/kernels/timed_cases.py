"""One case of a contract many times over, each time with other inputs: what timing a kernel needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import tomli

from pixel_core.kernels.contract_fields import Toml
from pixel_core.kernels.contract_text import contract_text, without_contract
from pixel_core.kernels.doc_block import embed_whole
from pixel_core.kernels.examine import examine
from pixel_core.kernels.load_shader import LoadedShader, sidecar_path, understand
from pixel_core.kernels.plan import MAX_DERIVED_BYTES, MAX_DERIVED_INVOCATIONS
from pixel_core.kernels.planned import Case
from pixel_core.kernels.read_cases import case_name
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.kernels.toml_text import toml_text
from pixel_core.source import SourceText

_GROWTH = (16, 8, 4, 2, 1)
_MAX_WORK = 1 << 24
"""Product of the dims of a case: about a second on a software adapter for a kernel that is cubic in them."""


class TimedCases(msgspec.Struct, frozen=True, kw_only=True):
    """A contract with one size and many seeds.

    Attributes:
        contract: Its name.
        sizes: As a case is named: `M=256 N=256 K=256`.
        names: Of the cases, in order.
        size_bytes: Of all buffers of one case.
        sidecar: The contract's text.
        surroundings: Of the shader.
    """

    contract: str
    sizes: str
    names: tuple[str, ...]
    size_bytes: int
    sidecar: SourceText
    surroundings: Surroundings

    def under(self, shader: str) -> LoadedShader:
        """A shader's text under this contract instead of its own."""
        path = self.sidecar.path.with_name(f"{self.sidecar.path.name.removesuffix('.contract.toml')}.wgsl")
        return understand(without_contract(SourceText(path, shader)), self.sidecar, self.surroundings)


def timed_cases(loaded: LoadedShader, contract: str | None, *, seed: int, rounds: int) -> TimedCases | None:
    """The largest case of a contract that takes about a second at most, `rounds` times; None when none can be planned.

    Args:
        loaded: A shader under its contracts.
        contract: Which one; None takes the first.
        seed: Inputs follow from it.
        rounds: How many cases.
    """
    kernels = [one for one in examine(loaded).kernels if contract in (None, one.kernel.contract.name) and one.cases]
    if not kernels:
        return None
    name = kernels[0].kernel.contract.name
    random = Random(seed)  # noqa: S311 - not for cryptography
    seeds = [random.getrandbits(48) for _ in range(rounds)]
    for sizes in grown_sizes(kernels[0].cases, kernels[0].kernel.contract.dims):
        names = tuple(f"run {number}" for number in range(1, rounds + 1))
        cases: Toml = [{"name": run, "dims": sizes, "seed": one} for run, one in zip(names, seeds, strict=True)]
        alone = with_cases(loaded, name, cases)
        sidecar = None if alone is None else alone.sidecar
        if alone is None or sidecar is None:
            return None
        fitting = [case for kernel in examine(alone).kernels for case in kernel.cases if is_small(case)]
        if len(fitting) == rounds:
            size = fitting[0].size_bytes
            return TimedCases(
                contract=name,
                sizes=case_name(sizes),
                names=names,
                size_bytes=size,
                sidecar=sidecar,
                surroundings=loaded.surroundings,
            )
    return None


def with_cases(loaded: LoadedShader, contract: str, cases: Toml, **changed: Toml) -> LoadedShader | None:
    """A shader with one contract of its own, which has these cases alone; None where its text is not to be found.

    Args:
        loaded: A shader under its contracts.
        contract: Name of one of them.
        cases: As `cases` is written.
        changed: Other keys of the contract, and what they become.
    """
    text = loaded.sidecar.text if loaded.sidecar else contract_text(loaded.source)
    document = {} if text is None else tomli.loads(embed_whole(SourceText(Path("contract.toml"), text)).text)
    if contract not in document:
        return None
    table: Toml = {**document[contract], "derive": False, "cases": cases, **changed}
    sidecar = SourceText(sidecar_path(loaded.source.path), toml_text({contract: table}))
    return understand(without_contract(loaded.source), sidecar, loaded.surroundings)


def grown_sizes(cases: tuple[Case, ...], dims: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """The sizes of the largest case and whole multiples of them, largest first, as far as they take about a second at most."""
    largest = max(cases, key=lambda case: case.invocations)
    for factor in _GROWTH:
        sizes = {dim: int(largest.symbols[dim]) * factor for dim in dims}
        work = 1
        for size in sizes.values():
            work *= max(size, 1)
        if work <= _MAX_WORK or factor == 1:
            yield sizes


def is_small(case: Case) -> bool:
    """Whether a case is as cheap as those that are derived."""
    return case.size_bytes <= MAX_DERIVED_BYTES and case.invocations <= MAX_DERIVED_INVOCATIONS
