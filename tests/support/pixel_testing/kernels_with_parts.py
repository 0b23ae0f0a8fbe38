"""Kernels that need files beside them, and mistakes in any of these files.

Beside `NAME.wgsl` stands `NAME.broken.toml`: `parts`, the files that it needs, and for each `variant` a small replacement, what is to be
said about it, and at which text of which file.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from pixel_testing.check_command import CheckOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One mistake, and the finding that it must lead to.

    Attributes:
        kernel: Stem of the shader.
        folder: Where the broken files are.
        name: What is wrong.
        code: Of the finding, as a pattern.
        says: What its message must match.
        file: That it must stand in.
        line: Text of the first line that it must stand on.
    """

    kernel: str
    folder: str
    name: str
    code: str
    says: str
    file: str
    line: str


def read_variants(data: Path) -> list[Variant]:
    """Every mistake of the kernels in a folder."""
    return [
        Variant(
            kernel=path.stem,
            folder=f"{path.stem}_{number}",
            name=one["name"],
            code=one["code"],
            says=one["says"],
            file=one.get("in", path.name),
            line=one["at"],
        )
        for path in sorted(data.glob("*.wgsl"))
        for number, one in enumerate(_read_broken(path)["variant"], start=1)
    ]


def write_kernels(data: Path, made: Path) -> None:
    """Write every kernel with its parts into a folder of its own, right and with each mistake."""
    for source in sorted(data.glob("*.wgsl")):
        kernel = source.stem
        _copy(source, made / kernel)
        for number, one in enumerate(_read_broken(source)["variant"], start=1):
            _copy(source, made / f"{kernel}_{number}")
            path = made / f"{kernel}_{number}" / one.get("file", source.name)
            right = path.read_text(encoding="utf-8")
            assert right.count(one["find"]) == 1, f"{kernel}: {one['name']}: the text to replace occurs {right.count(one['find'])} times"
            path.write_text(right.replace(one["find"], one["replace"]), encoding="utf-8")


def reports_of(outcome: CheckOutcome, folder: str) -> list[dict[str, Any]]:
    """The reports of the kernels in one of these folders."""
    return [one for one in outcome.report["kernels"] if Path(one["shader"]).parent.name == folder]


def assert_found(outcome: CheckOutcome, made: Path, variant: Variant) -> None:
    """A mistake fails the kernel, and a finding says it where it was written."""
    mine = reports_of(outcome, variant.folder)
    assert "failed" in {one["status"] for one in mine}
    told = [*outcome.report["findings"], *(finding for one in mine for finding in one["findings"])]
    path = made / variant.folder / variant.file
    lines = path.read_text(encoding="utf-8").split("\n")
    found = [
        one
        for one in told
        if made / one["file"] == path and re.fullmatch(variant.code, one["code"]) and re.search(variant.says, one["message"])
    ]
    assert found, [one for one in told if f"{variant.folder}/" in one["file"]]
    assert variant.line in lines[found[0]["line"] - 1]


def _read_broken(source: Path) -> dict[str, Any]:
    return tomli.loads(source.with_suffix(".broken.toml").read_text(encoding="utf-8"))


def _copy(source: Path, folder: Path) -> None:
    folder.mkdir()
    for name in (source.name, *_read_broken(source).get("parts", ())):
        shutil.copy(source.parent / name, folder / name)
