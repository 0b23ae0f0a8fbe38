"""Every broken variant of a shipped kernel is reported: the right output, the right line, and a pattern that points at the cause."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from pixel_testing.broken_variants import BrokenVariant, read_broken_variants
from pixel_testing.check_command import SHADERS, CheckOutcome, run_check

VARIANTS = read_broken_variants()

HAS_BARRIER = re.compile(r"workgroupBarrier|workgroupUniformLoad")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> CheckOutcome:
    folder = tmp_path_factory.mktemp("broken")
    for variant in VARIANTS:
        (folder / variant.file_name).write_text(variant.text, encoding="utf-8")
    return run_check(folder)


def test_each_kernel_has_a_mistake_of_each_kind() -> None:
    for kernel in {variant.kernel for variant in VARIANTS}:
        kinds = Counter(variant.kind for variant in VARIANTS if variant.kernel == kernel)
        assert kinds["boundary"] >= 1
        assert kinds["index"] + kinds["stride"] >= 1
        assert kinds["synchronisation"] >= 1 or not HAS_BARRIER.search((SHADERS / f"{kernel}.wgsl").read_text(encoding="utf-8"))
        assert kinds["precision"] >= 1
        assert kinds.total() >= 5


@pytest.mark.device
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.kernel}: {variant.name}")
def test_broken_variant_is_reported(outcome: CheckOutcome, variant: BrokenVariant) -> None:
    kernel = outcome.kernel(variant.file_name)
    assert kernel["status"] == "failed"
    assert {case["name"]: case["status"] for case in kernel["cases"]}[variant.case] == "failed"
    wrong = [finding for finding in kernel["findings"] if finding["code"] == "PX401"]
    (finding,) = (finding for finding in wrong if finding["message"].startswith(f"{variant.output} is wrong"))
    assert any(re.search(variant.says, note) for note in finding["notes"]), finding["notes"]
    near_the_bug = range(variant.bug_lines.start - 1, variant.bug_lines.stop + 1)
    assert finding["line"] in {*near_the_bug, *variant.store_lines}
