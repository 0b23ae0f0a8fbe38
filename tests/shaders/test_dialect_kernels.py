"""Kernels in dialects, one for each step of `prepare`: each fulfils its contract, and every mistake is found on the line that has it.

Beside `NAME.wgsl` in `dialects/` stand the files that it is made of and `NAME.broken.toml`: small replacements, what is to be said about
each, and at which text of which file.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli

from pixel_testing.check_command import CheckOutcome, run_check

pytestmark = pytest.mark.device

DATA = Path(__file__).parent / "dialects"
KERNELS = sorted(path.stem for path in DATA.glob("*.wgsl"))


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


def read_broken(kernel: str) -> dict[str, Any]:
    return tomli.loads((DATA / f"{kernel}.broken.toml").read_text(encoding="utf-8"))


def copy(kernel: str, folder: Path) -> None:
    folder.mkdir()
    for name in (f"{kernel}.wgsl", *read_broken(kernel).get("parts", ())):
        shutil.copy(DATA / name, folder / name)


VARIANTS = [
    Variant(
        kernel=kernel,
        folder=f"{kernel}_{number}",
        name=one["name"],
        code=one["code"],
        says=one["says"],
        file=one.get("in", f"{kernel}.wgsl"),
        line=one["at"],
    )
    for kernel in KERNELS
    for number, one in enumerate(read_broken(kernel)["variant"], start=1)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dialects")
    for kernel in KERNELS:
        copy(kernel, made / kernel)
        for number, one in enumerate(read_broken(kernel)["variant"], start=1):
            copy(kernel, made / f"{kernel}_{number}")
            path = made / f"{kernel}_{number}" / one.get("file", f"{kernel}.wgsl")
            right = path.read_text(encoding="utf-8")
            assert right.count(one["find"]) == 1, f"{kernel}: {one['name']}: the text to replace occurs {right.count(one['find'])} times"
            path.write_text(right.replace(one["find"], one["replace"]), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def outcome(folder: Path) -> CheckOutcome:
    return run_check(folder)


def kernels(outcome: CheckOutcome, folder: str) -> list[dict[str, Any]]:
    return [one for one in outcome.report["kernels"] if Path(one["shader"]).parent.name == folder]


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_fulfils_its_contract(outcome: CheckOutcome, name: str) -> None:
    found = kernels(outcome, name)
    assert [(one["status"], [finding["message"] for finding in one["findings"]]) for one in found] == [("passed", [])] * len(found)
    assert found
    assert all(len(one["cases"]) >= 3 for one in found)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.kernel}: {variant.name}")
def test_mistake_is_found_where_it_was_written(outcome: CheckOutcome, folder: Path, variant: Variant) -> None:
    mine = kernels(outcome, variant.folder)
    assert "failed" in {one["status"] for one in mine}
    told = [*outcome.report["findings"], *(finding for one in mine for finding in one["findings"])]
    path = folder / variant.folder / variant.file
    lines = path.read_text(encoding="utf-8").split("\n")
    found = [
        one
        for one in told
        if folder / one["file"] == path and re.fullmatch(variant.code, one["code"]) and re.search(variant.says, one["message"])
    ]
    assert found, [one for one in told if variant.folder in one["file"]]
    assert variant.line in lines[found[0]["line"] - 1]


@pytest.mark.parametrize("name", KERNELS)
def test_each_kernel_has_two_honest_mistakes(name: str) -> None:
    assert sum(variant.kernel == name for variant in VARIANTS) >= 2
