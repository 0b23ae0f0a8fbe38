"""Saved measurements: a JSON file that lives beside the shaders, in the repository if you like.

An entry is found by shader, contract, case, adapter, driver and clock; saving replaces the entries that were measured anew and keeps
the others, so that one file serves several machines. Paths are relative to the file's folder, with `/`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from pixel_core.errors import PixelError
from pixel_core.replace_file import replace_file
from pixel_core.speed.benchmark import Benchmark, Measurement
from pixel_core.speed.roofline_kernels import roofline_sha256
from pixel_core.speed.spread import Spread, spread_of

VERSION: Final = 1
MAX_BYTES: Final = 16 << 20
"""Of a baseline file: about twenty thousand entries."""


class Quartiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `Spread` in a file."""

    low: float
    median: float
    high: float


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kernel at one size on one adapter.

    Attributes:
        shader: Path relative to the file's folder.
        contract: Name of the contract.
        case: Name of the case.
        adapter: Name of the adapter.
        driver: Driver and version.
        clock: One of `benchmark.CLOCKS`.
        shader_sha256: Of the shader's text then.
        roofline_sha256: Of the texts of the roofline's kernels.
        flops: Operations of one run, or None.
        bytes: Bytes of the bound buffers.
        rounds: How many measurements.
        seconds: Of one run.
        share: Of the roofline.
    """

    shader: str
    contract: str
    case: str
    adapter: str
    driver: str
    clock: str
    shader_sha256: str
    roofline_sha256: str
    flops: float | None
    bytes: int
    rounds: int
    seconds: Quartiles
    share: Quartiles

    @property
    def key(self) -> tuple[str, ...]:
        """What it is found by."""
        return (self.shader, self.contract, self.case, self.adapter, self.driver, self.clock)


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file."""

    version: int
    entries: tuple[Entry, ...]


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        PixelError: There is none, it cannot be read, or it is damaged.
    """
    hint = f"save one: pixel-lsp bench FILES --save-baseline {path}"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PixelError(f"there is no baseline `{path}`", hint=hint) from None
    except OSError as problem:
        raise PixelError(f"the baseline `{path}` cannot be read: {problem.strerror or problem}") from None
    if len(data) > MAX_BYTES:
        raise PixelError(f"`{path}` is no baseline: it is larger than {MAX_BYTES >> 20} MiB", hint=hint)
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise PixelError(f"`{path}` is no baseline: {problem}", hint=hint) from None
    if baseline.version != VERSION:
        raise PixelError(f"`{path}` is a baseline of version {baseline.version}; this pixel-lsp reads version {VERSION}", hint=hint)
    for entry in baseline.entries:
        if not (_is_ordered(entry.seconds) and _is_ordered(entry.share)):
            raise PixelError(f"`{path}` is no baseline: the numbers of `{entry.contract}`, case `{entry.case}`, cannot be", hint=hint)
    return baseline


def save_baseline(path: Path, benchmark: Benchmark) -> int:
    """Put the measurements of a benchmark into a baseline, which is made where there is none. Returns the number of its entries.

    Raises:
        PixelError: What is there is no baseline, or the file cannot be written.
    """
    known: dict[tuple[str, ...], Entry] = {}
    if path.exists():
        known = {entry.key: entry for entry in read_baseline(path).entries}
    known.update({entry.key: entry for entry in (entry_of(path, benchmark, one) for one in benchmark.measurements)})
    entries = tuple(known[key] for key in sorted(known))
    text = msgspec.json.format(msgspec.json.encode(Baseline(version=VERSION, entries=entries)), indent=2) + b"\n"
    try:
        replace_file(path, text)
    except OSError as problem:
        raise PixelError(f"the baseline `{path}` cannot be written: {problem.strerror or problem}") from None
    return len(entries)


def entries_by_key(baseline: Baseline) -> Mapping[tuple[str, ...], Entry]:
    """The entries by what they are found by."""
    return {entry.key: entry for entry in baseline.entries}


def entry_of(path: Path, benchmark: Benchmark, measurement: Measurement) -> Entry:
    """A measurement as an entry of a baseline that lies at `path`."""
    return Entry(
        shader=_relative(measurement.shader, path),
        contract=measurement.contract,
        case=measurement.case,
        adapter=benchmark.adapter.name,
        driver=benchmark.adapter.driver,
        clock=benchmark.clock,
        shader_sha256=measurement.shader_sha256,
        roofline_sha256=roofline_sha256(),
        flops=measurement.work.flops,
        bytes=measurement.work.size_bytes,
        rounds=len(measurement.seconds),
        seconds=_quartiles(measurement.time),
        share=_quartiles(spread_of(measurement.share)),
    )


def _relative(shader: Path, baseline: Path) -> str:
    try:
        found = os.path.relpath(os.path.realpath(shader), os.path.realpath(baseline.parent))
    except ValueError:  # another drive of Windows
        found = os.path.realpath(shader)
    # A path that is no Unicode must not keep the file from being written.
    return Path(found).as_posix().encode("utf-8", "backslashreplace").decode()


def _quartiles(spread: Spread) -> Quartiles:
    return Quartiles(low=spread.low, median=spread.median, high=spread.high)


def _is_ordered(found: Quartiles) -> bool:
    return 0 < found.low <= found.median <= found.high and math.isfinite(found.high)
