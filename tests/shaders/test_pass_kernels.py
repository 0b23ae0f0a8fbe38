"""Kernels of several passes: each fulfils its contract, and every honest mistake in one is found.

Beside `NAME.wgsl` in `data/` stands `NAME.broken.toml`: small replacements in its text, and what is to be said about each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli

from pixel_testing.check_command import CheckOutcome, run_check

pytestmark = pytest.mark.device

DATA = Path(__file__).parent / "data"
KERNELS = sorted(path.stem for path in DATA.glob("*.wgsl"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One mistake: which text it makes of a kernel's, and the finding that it must lead to."""

    kernel: str
    number: int
    name: str
    text: str
    code: str
    says: str

    @property
    def file_name(self) -> str:
        """Of the broken shader."""
        return f"{self.kernel}_{self.number}.wgsl"


def read_variants() -> list[Variant]:
    variants: list[Variant] = []
    for kernel in KERNELS:
        right = (DATA / f"{kernel}.wgsl").read_text(encoding="utf-8")
        written = tomli.loads((DATA / f"{kernel}.broken.toml").read_text(encoding="utf-8"))["variant"]
        for number, one in enumerate(written, start=1):
            assert right.count(one["find"]) == 1, f"{kernel}: {one['name']}: the text to replace occurs {right.count(one['find'])} times"
            text = right.replace(one["find"], one["replace"])
            variants.append(Variant(kernel=kernel, number=number, name=one["name"], text=text, code=one["code"], says=one["says"]))
    return variants


VARIANTS = read_variants()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> CheckOutcome:
    folder = tmp_path_factory.mktemp("passes")
    for kernel in KERNELS:
        (folder / f"{kernel}.wgsl").write_text((DATA / f"{kernel}.wgsl").read_text(encoding="utf-8"), encoding="utf-8")
    for variant in VARIANTS:
        (folder / variant.file_name).write_text(variant.text, encoding="utf-8")
    return run_check(folder)


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_fulfils_its_contract(outcome: CheckOutcome, name: str) -> None:
    kernel = outcome.kernel(f"{name}.wgsl")
    assert [finding["message"] for finding in kernel["findings"]] == []
    assert kernel["status"] == "passed"
    assert len(kernel["cases"]) >= 3


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.kernel}: {variant.name}")
def test_mistake_is_found(outcome: CheckOutcome, variant: Variant) -> None:
    kernel = outcome.kernel(variant.file_name)
    assert kernel["status"] == "failed"
    found = [finding["message"] for finding in kernel["findings"] if finding["code"] == variant.code]
    assert any(re.search(variant.says, message) for message in found), kernel["findings"]


@pytest.mark.parametrize("name", KERNELS)
def test_each_kernel_has_two_honest_mistakes(name: str) -> None:
    assert sum(variant.kernel == name for variant in VARIANTS) >= 2
