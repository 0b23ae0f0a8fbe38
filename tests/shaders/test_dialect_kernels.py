"""Kernels in dialects, one for each step of `prepare`: each fulfils its contract, and every mistake is found on the line that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_testing.check_command import CheckOutcome, run_check
from pixel_testing.kernels_with_parts import Variant, assert_found, read_variants, reports_of, write_kernels

pytestmark = pytest.mark.device

DATA = Path(__file__).parent / "dialects"
KERNELS = sorted(path.stem for path in DATA.glob("*.wgsl"))
VARIANTS = read_variants(DATA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dialects")
    write_kernels(DATA, made)
    return made


@pytest.fixture(scope="module")
def outcome(folder: Path) -> CheckOutcome:
    return run_check(folder)


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_fulfils_its_contract(outcome: CheckOutcome, name: str) -> None:
    found = reports_of(outcome, name)
    assert [(one["status"], [finding["message"] for finding in one["findings"]]) for one in found] == [("passed", [])] * len(found)
    assert found
    assert all(len(one["cases"]) >= 3 for one in found)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.kernel}: {variant.name}")
def test_mistake_is_found_where_it_was_written(outcome: CheckOutcome, folder: Path, variant: Variant) -> None:
    assert_found(outcome, folder, variant)


@pytest.mark.parametrize("name", KERNELS)
def test_each_kernel_has_two_honest_mistakes(name: str) -> None:
    assert sum(variant.kernel == name for variant in VARIANTS) >= 2
