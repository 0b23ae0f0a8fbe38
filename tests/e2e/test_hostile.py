"""Hostile shaders, contracts and references: each ends in a clear finding, and the check goes on with the next kernel.

One process checks them all, with a kernel that is right after each of them.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pixel_testing.check_command import CHECK, DATA, CheckOutcome, read_outcome, run_check

pytestmark = pytest.mark.device

HOSTILE = DATA / "hostile"
GOOD = (HOSTILE / "good.wgsl").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the check must say about one file.

    Attributes:
        shader: Stem of the file.
        status: Of its kernel.
        code: Of the finding.
        message: A part of the finding's message.
        place: What the line on which it stands holds.
    """

    shader: str
    status: str = "failed"
    code: str
    message: str
    place: str = ""


EXPECTED = (
    # Contracts.
    Expected(shader="import_in_expression", code="PX306", message="`__import__` starts with two underscores", place="\"__import__('os')"),
    Expected(shader="attribute_escape", code="PX306", message="`__class__` starts with two underscores", place='"x.__class__.__mro__'),
    Expected(shader="subscript_escape", code="PX306", message="`lambda` is not part of the expression language", place="lambda f: f(f)"),
    Expected(shader="huge_power", code="PX325", message="9 to the power 387,420,489 is too large", place="9 ** 9 ** 9"),
    Expected(shader="huge_shift", code="PX325", message="a shift by 1,000,000,000", place="1 << 1000000000"),
    Expected(
        shader="deep_expression", code="PX306", message="the expression has 6,001 characters; at most 4,000 are read", place="expect   ="
    ),
    Expected(shader="deep_toml", code="PX301", message="the contract cannot be read: it is nested too deeply"),
    Expected(shader="four_gib_buffer", code="PX328", message="`x` has 4,294,967,296 bytes; a binding has at most", place='x = "2**30"'),
    Expected(shader="huge_shape", code="PX328", message="`x` has ", place='x = "n n n n"'),
    Expected(shader="huge_intermediate", code="PX392", message="an array of 200,000 × 200,000 elements", place="x[:, None] * x[None, :]"),
    Expected(shader="many_invocations", code="PX328", message="the case `n=64` needs 1,099,478,073,600 invocations", place='["n=64"]'),
    Expected(shader="too_many_workgroups", code="PX327", message="`70000` is 70,000 workgroups in x; at most 65,535", place='"70000"'),
    # References.
    Expected(
        shader="reference_never_returns",
        code="PX706",
        message="`references.py:never_returns`: it did not return within 3 s",
        place='"references.py:never_returns"',
    ),
    Expected(
        shader="reference_prints_and_exits",
        code="PX706",
        message="its process ended with exit code 0 instead of returning",
        place='"references.py:prints_and_exits"',
    ),
    Expected(
        shader="reference_returns_wrong_shape",
        code="PX706",
        message="`y` has shape [65], and the contract says [64]",
        place='"references.py:returns_wrong_shape"',
    ),
    Expected(
        shader="reference_returns_nonsense",
        code="PX706",
        message="`y` has dtype object; it must hold real numbers",
        place='"references.py:returns_nonsense"',
    ),
    Expected(
        shader="reference_raises",
        code="PX706",
        message="it raised: IndexError: index 64 is out of bounds for axis 0 with size 64 (references.py:30)",
        place='"references.py:raises"',
    ),
    Expected(
        shader="reference_wants_all_memory",
        code="PX706",
        message="it needs more memory than it may have",
        place='"references.py:wants_all_memory"',
    ),
    Expected(shader="reference_outside_by_path", code="PX707", message="`outside.py` lies outside of", place='"../outside.py:main"'),
    Expected(shader="reference_outside_by_link", code="PX707", message="`link.py` lies outside of", place='"link.py:main"'),
    # Oracles.
    Expected(shader="oracle_outside_by_path", code="PX707", message="`../outside.wgsl` lies outside", place='"../outside.wgsl:main"'),
    Expected(shader="oracle_outside_by_link", code="PX707", message="`link.wgsl` lies outside", place='"link.wgsl:main"'),
    Expected(shader="oracle_is_itself", code="PX710", message="`double` cannot be its own oracle", place='"oracle_is_itself.wgsl:double"'),
    Expected(shader="oracle_too_large", code="PX710", message="too_large.wgsl is larger than 4 MiB", place='"too_large.wgsl:double"'),
    Expected(
        shader="oracle_never_ends",
        status="inconclusive",
        code="PX410",
        message="inconclusive: the adapter ended a loop of the oracle (endless_loop.wgsl:",
        place="endless_loop.wgsl:main",
    ),
    Expected(shader="include_outside", code="PX341", message="`../outside.wgsl` lies outside of", place="../outside.wgsl"),
    # Shaders.
    Expected(
        shader="endless_loop",
        status="inconclusive",
        code="PX410",
        message="inconclusive: the adapter ended this loop",
        place="while (step < 10u)",
    ),
    Expected(
        shader="endless_loop_with_right_result",
        status="inconclusive",
        code="PX410",
        message="inconclusive: the adapter ended this loop",
        place="while (i < arrayLength(&x))",
    ),
    Expected(shader="recursion", code="PX133", message="the function `twice` calls itself", place="return twice(value, depth + 1u)"),
    Expected(shader="garbage", code="PX903", message="garbage.wgsl is not UTF-8 text"),
    Expected(shader="null_character", code="PX100", message="null character U+0000", place="fn double"),
    Expected(shader="deep_parentheses", code="PX107", message="nested more than 160 levels deep", place="y[global.x] = (((("),
    Expected(shader="unclosed_blocks", code="PX107", message="nested more than 160 levels deep", place="{{{{"),
    Expected(shader="endless_sum", code="PX107", message="more than 256 operators in one expression", place="const c = 1 + 1"),
    Expected(shader="too_large", code="PX903", message="too_large.wgsl is larger than 4 MiB"),
    Expected(shader="huge_workgroup_memory", code="PX203", message="array count (1000000000) must be less than 65536", place="big: array"),
    Expected(shader="compiles_for_minutes", code="PX701", message="stopped: the shader did not compile within 3 s", place="fn double"),
)


def write_generated(folder: Path) -> None:
    """The hostile files that are too large, or no text at all, to be kept in the repository."""

    def write(name: str, old: str = "", new: str = "", tail: str = "") -> None:
        assert old in GOOD
        text = GOOD.replace(old, new) if old else GOOD
        (folder / f"{name}.wgsl").write_text(text + tail, encoding="utf-8")

    (folder / "garbage.wgsl").write_bytes(random.Random(1).randbytes(65_536))
    write("null_character", "fn double", "\0fn double")
    write("deep_parentheses", "2.0 * x", "(" * 100_000 + "2.0" + ")" * 100_000 + " * x")
    write("unclosed_blocks", tail="fn f() " + "{" * 100_000)
    write("endless_sum", tail="const c = 1" + " + 1" * 100_000 + ";\n")
    write("too_large", tail="// filler\n" * 500_000)
    write("deep_expression", '"2 * x"', f'"{"(" * 3000}x{")" * 3000}"')
    write("deep_toml", "derive   = false", "let = " + "[" * 20_000)
    write("huge_workgroup_memory", "    if (", "    big[global.x] = 1u;\n    if (", tail="var<workgroup> big: array<u32, 1000000000>;\n")
    slow_to_compile = "    var v = 0.0;\n" + "    v = v * 1.5 + x[0];\n" * 40_000 + "    if (v > 0.0 && "
    write("compiles_for_minutes", "    if (", slow_to_compile)
    text = (folder / "compiles_for_minutes.wgsl").read_text(encoding="utf-8")
    text = text.replace("derive   = false", "derive   = false\n//! budget   = { seconds = 3 }")
    (folder / "compiles_for_minutes.wgsl").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace: everything hostile, and for each hostile file a kernel that is right."""
    outer = tmp_path_factory.mktemp("outer")
    workspace = outer / "workspace"
    shutil.copytree(HOSTILE, workspace)
    (outer / "outside.py").write_text('def main(x, **_):\n    return {"y": 2 * x}\n', encoding="utf-8")
    (workspace / "link.py").symlink_to(outer / "outside.py")
    shutil.copyfile(HOSTILE / "good.wgsl", outer / "outside.wgsl")
    (workspace / "link.wgsl").symlink_to(outer / "outside.wgsl")
    write_generated(workspace)
    for expected in EXPECTED:
        (workspace / f"good_after_{expected.shader}.wgsl").write_text(GOOD, encoding="utf-8")
    return workspace


@pytest.fixture(scope="module")
def outcome(folder: Path) -> CheckOutcome:
    paths = [name for expected in EXPECTED for name in (f"{expected.shader}.wgsl", f"good_after_{expected.shader}.wgsl")]
    return run_check(folder, paths, ["--workspace", str(folder)])


def findings_about(outcome: CheckOutcome, shader: str) -> list[Mapping[str, Any]]:
    own = [finding for finding in outcome.report["findings"] if Path(finding["file"]).name == shader]
    return [*own, *outcome.kernel(shader)["findings"]]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.shader)
def test_hostile_file_ends_in_a_clear_finding(outcome: CheckOutcome, folder: Path, expected: Expected) -> None:
    shader = f"{expected.shader}.wgsl"
    assert outcome.kernel(shader)["status"] == expected.status
    findings = findings_about(outcome, shader)
    finding = next((finding for finding in findings if finding["code"] == expected.code), None)
    assert finding is not None, findings
    assert expected.message in finding["message"]
    if expected.place:
        line = (folder / shader).read_text(encoding="utf-8").split("\n")[finding["line"] - 1]
        assert expected.place in line


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.shader)
def test_the_next_kernel_is_checked(outcome: CheckOutcome, expected: Expected) -> None:
    kernel = outcome.kernel(f"good_after_{expected.shader}.wgsl")
    assert kernel["findings"] == []
    assert kernel["status"] == "passed"


def test_no_hostile_file_makes_us_fail(outcome: CheckOutcome) -> None:
    assert outcome.exit_code == 1
    codes = {finding["code"] for expected in EXPECTED for finding in findings_about(outcome, f"{expected.shader}.wgsl")}
    assert "PX790" not in codes
    assert "Traceback" not in outcome.stderr


def test_nothing_was_executed_by_an_expression(outcome: CheckOutcome, folder: Path) -> None:
    assert not (folder / "pwned").exists()


def test_a_hundred_thousand_lines_are_checked(tmp_path: Path) -> None:
    lines = (f"// line {number}\n" if number % 10 else f"const c{number} = {number};\n" for number in range(100_000))
    (tmp_path / "long.wgsl").write_text(GOOD + "".join(lines), encoding="utf-8")
    outcome = run_check(tmp_path)
    assert outcome.kernel("long.wgsl")["findings"] == []
    assert outcome.kernel("long.wgsl")["status"] == "passed"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the worker in /proc")
def test_a_killed_worker_is_reported_and_replaced(folder: Path) -> None:
    shutil.copyfile(HOSTILE / "good.wgsl", folder / "good_after_slow.wgsl")
    check = subprocess.Popen(
        [*CHECK, "slow.wgsl", "good_after_slow.wgsl"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    worker = busy_child(check.pid)
    os.kill(worker, signal.SIGKILL)
    stdout, stderr = check.communicate(timeout=120)
    outcome = read_outcome(check.returncode, stdout, stderr)

    assert outcome.exit_code == 1
    assert outcome.kernel("slow.wgsl")["status"] == "failed"
    (finding,) = (finding for finding in outcome.kernel("slow.wgsl")["findings"] if finding["code"] == "PX702")
    assert "SIGKILL" in finding["message"]
    assert outcome.kernel("good_after_slow.wgsl")["status"] == "passed"


def busy_child(process: int) -> int:
    """The first child that has used more CPU time than it takes to start: it runs the slow kernel."""
    ticks = os.sysconf("SC_CLK_TCK")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for child in children(process):
            fields = stat_fields(child)
            if fields and (int(fields[11]) + int(fields[12])) / ticks > 3:
                return child
        time.sleep(0.05)
    pytest.fail("no worker became busy")


def children(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        yield from (int(child) for child in (task / "children").read_text(encoding="utf-8").split())


def stat_fields(process: int) -> Sequence[str]:
    """What /proc says of a process after its name, which stands in parentheses and may hold blanks; nothing once it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ()
