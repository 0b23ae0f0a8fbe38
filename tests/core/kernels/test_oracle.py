"""Another kernel as the truth: what it takes from whom, and every way in which it can fail to be one."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pixel_core.findings import Finding
from pixel_core.kernels.examine import examine
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.validate import Checker
from pixel_testing.check_command import CheckOutcome, run_check

BINDINGS = """
    @group(0) @binding(0) var<uniform> k: f32;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
"""

FAST = """
    //! [fast]
    //! dims = "n"
    //! shapes = { x = "n", y = "n" }
    //! params = { k = 3 }
    //! dispatch = "ceil(n / 64)"
    //! oracle = ORACLE
    //! cases = ["n=4", "n=100"]
    BINDINGS
    @compute @workgroup_size(64)
    fn fast(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < arrayLength(&y)) { y[id.x] = exp(x[id.x]) * k; }
    }
"""

SLOW = """
    BINDINGS
    @compute @workgroup_size(1)
    fn slow(@builtin(global_invocation_id) id: vec3<u32>) {
        y[id.x] = exp(x[id.x]) * k;
    }
"""

PROVED = (
    """
    //! [proved]
    //! entry = "slow"
    //! dims = "n"
    //! shapes = { x = "n", y = "n" }
    //! params = { k = 3 }
    //! dispatch = "n"
    //! expect = { y = "exp(x) * k" }
"""
    + SLOW
)

ASKS_SLOW = '{ kernel = "slow.wgsl:slow", dispatch = "n" }'


def write(folder: Path, name: str, text: str, oracle: str = "", *edits: tuple[str, str]) -> None:
    text = textwrap.dedent(text).replace("BINDINGS", textwrap.dedent(BINDINGS)).replace("ORACLE", oracle)
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / f"{name}.wgsl").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> CheckOutcome:
    """All kernels of this page in one check."""
    folder = tmp_path_factory.mktemp("oracle")
    write(folder, "slow", SLOW)
    write(folder, "proved", PROVED)
    write(folder, "half", PROVED, "", ("exp(x[id.x]) * k;", "exp(x[id.x]) * k * f32(id.x % 2u);"), ("[proved]", "[half]"))
    write(folder, "refused", SLOW, "", ("exp(x[id.x])", "exp(x[id.x]) + 1u"))
    write(folder, "stale", SLOW, "", ("y[id.x] = ", "if (id.x > 0u) { y[id.x] = "), ("k;", "k; }"))
    write(folder, "feedback", SLOW, "", ("exp(x[id.x]) * k", "y[id.x] * 0.5 + 1.0"))
    write(folder, "asks", FAST, ASKS_SLOW)
    write(folder, "asks_proved", FAST, '"proved.wgsl:proved"')
    write(folder, "asks_entry", FAST, '"proved.wgsl:slow"')
    write(folder, "wrong", FAST, ASKS_SLOW, ("exp(x[id.x]) * k", "exp(x[id.x]) + k"))
    write(folder, "slightly_wrong", FAST, ASKS_SLOW, ("exp(x[id.x]) * k", "exp(x[id.x]) * k * 1.0001"))
    for one in ("refused", "stale", "feedback"):
        write(folder, f"asks_{one}", FAST, f'{{ kernel = "{one}.wgsl:slow", dispatch = "n" }}')
    write(folder, "asks_half", FAST, '"half.wgsl:half"')
    write(folder, "asks_other_params", FAST, '{ kernel = "slow.wgsl:slow", dispatch = "n", params = { k = 4 } }')
    return run_check(folder)


@pytest.mark.device
@pytest.mark.parametrize("name", ["asks", "asks_proved", "asks_entry"])
def test_an_oracle_proves_a_kernel(outcome: CheckOutcome, name: str) -> None:
    kernel = outcome.kernel(f"{name}.wgsl")
    assert kernel["status"] == "passed"
    assert kernel["findings"] == []
    assert len(kernel["cases"]) >= 3


@pytest.mark.device
@pytest.mark.parametrize("name", ["wrong", "slightly_wrong", "asks_other_params"])
def test_a_wrong_kernel_differs_from_its_oracle(outcome: CheckOutcome, name: str) -> None:
    kernel = outcome.kernel(f"{name}.wgsl")
    (finding,) = kernel["findings"]
    assert finding["code"] == "PX401"
    estimated = (
        "the bound is an estimate: the oracle rounds as well, and tells no magnitudes; a formula in `expect` would give an exact one"
    )
    assert estimated in finding["notes"]


@pytest.mark.device
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("asks_half", "the oracle failed: `half.wgsl:half`: it fails its own contract: `y` is wrong in 2 of 4 elements (case n=4"),
        ("asks_stale", "the oracle failed: `stale.wgsl:slow`: it leaves elements of `y` unwritten (case n=4"),
        ("asks_feedback", "the oracle failed: `feedback.wgsl:slow`: it depends on what an output held before: y[0] is "),
        ("asks_refused", "the oracle failed: `refused.wgsl:slow`: it does not compile: "),
    ],
)
def test_an_oracle_that_is_no_truth_is_told_on_its_line(outcome: CheckOutcome, name: str, message: str) -> None:
    kernel = outcome.kernel(f"{name}.wgsl")
    assert kernel["status"] == "failed"
    (finding,) = kernel["findings"]
    assert (finding["code"], finding["line"]) == ("PX710", 7)
    assert finding["message"].startswith(message)


@pytest.mark.device
def test_nothing_of_an_untrusted_workspace_runs_and_mistakes_are_told_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, "slow", SLOW)
    write(tmp_path, "asks", FAST, ASKS_SLOW)
    write(tmp_path, "asks_nobody", FAST, '"nobody.wgsl:slow"')
    outcome = run_check(tmp_path, options=["--untrusted"])
    codes = {name: [finding["code"] for finding in outcome.kernel(f"{name}.wgsl")["findings"]] for name in ("asks", "asks_nobody")}
    assert codes == {"asks": ["PX708"], "asks_nobody": ["PX710"]}


@pytest.mark.device
def test_a_result_rests_on_the_text_of_the_oracle(tmp_path: Path) -> None:
    """The same checker, the same kernel, another oracle."""
    write(tmp_path, "slow", SLOW)
    write(tmp_path, "fast", FAST, ASKS_SLOW)

    async def scenario() -> list[str]:
        statuses: list[str] = []
        async with Checker() as checker:
            for text in (SLOW, SLOW.replace("* k", "+ k"), SLOW):
                write(tmp_path, "slow", text)
                statuses += [kernel.status for kernel in (await checker.check([tmp_path / "fast.wgsl"])).kernels]
        return statuses

    assert asyncio.run(scenario()) == ["passed", "failed", "passed"]


# ---------------------------------------------------------------- before anything runs


def findings_of(folder: Path, oracle: str, *edits: tuple[str, str]) -> list[Finding]:
    write(folder, "fast", FAST, oracle, *edits)
    loaded = load_shader(folder / "fast.wgsl")
    assert isinstance(loaded, LoadedShader)
    assert loaded.contracts.findings == ()
    (kernel,) = examine(loaded, workspace=folder).kernels
    assert not kernel.cases or not kernel.findings
    return list(kernel.findings)


def check(folder: Path, oracle: str, code: str, message: str, hint: str | None = None, *edits: tuple[str, str]) -> None:
    (finding,) = findings_of(folder, oracle, *edits)
    span = finding.location.span
    assert span is not None
    assert (folder / "fast.wgsl").read_text(encoding="utf-8")[span.start : span.end] == oracle
    assert (finding.code, finding.message, finding.hint) == (code, message, hint)


def test_files_that_are_not_there_or_not_inside(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    write(tmp_path, "outside", SLOW)
    (folder / "link.wgsl").symlink_to(tmp_path / "outside.wgsl")
    hint = "move the file into the workspace"
    check(folder, '"../outside.wgsl:slow"', "PX707", "the oracle `../outside.wgsl` lies outside the workspace", hint)
    check(folder, '"link.wgsl:slow"', "PX707", "the oracle `link.wgsl` lies outside the workspace", hint)
    check(folder, '"none.wgsl:slow"', "PX710", "the oracle cannot be used: none.wgsl does not exist")


def test_kernels_that_cannot_answer(tmp_path: Path) -> None:
    write(tmp_path, "slow", SLOW)
    write(tmp_path, "broken", SLOW, "", ("slow(", "slow(("))
    write(tmp_path, "other", SLOW.replace("y[", "z[").replace("BINDINGS", BINDINGS.replace(" y:", " z:")))
    write(
        tmp_path,
        "whole",
        PROVED,
        "",
        ('dims = "n"', 'dims = "m"'),
        ('x = "n", y = "n"', 'x = "m", y = "m"'),
        ('dispatch = "n"', 'dispatch = "m"'),
    )
    check(tmp_path, '"slow.wgsl:slo"', "PX710", "`slow.wgsl` has no kernel `slo`", "did you mean `slow.wgsl:slow`?")
    check(
        tmp_path, '"fast.wgsl:fast"', "PX710", "`fast` cannot be its own oracle", "name another kernel, one that is simple enough to trust"
    )
    check(
        tmp_path,
        '"whole.wgsl:proved"',
        "PX710",
        "the oracle has a size `m`, and this contract has none of that name",
        "name it in `let`: let = { m = … }",
    )
    hint = 'it must write a buffer `y`; if `y` needs no truth: roles = { y = "scratch" }'
    other = '{ kernel = "other.wgsl:slow", dispatch = "n" }'
    (finding,) = findings_of(tmp_path, other)
    assert finding.message.startswith("the oracle cannot run: `z` ")
    assert hint not in (finding.hint or "")
    (finding,) = findings_of(tmp_path, '"broken.wgsl:slow"')
    assert finding.message.startswith("the oracle does not compile: ")
    assert finding.message.endswith(" (broken.wgsl:8)")


def test_buffers_that_do_not_fit(tmp_path: Path) -> None:
    write(tmp_path, "proved", PROVED, "", ('y = "n"', 'y = "(n + 1)"'), ('"exp(x) * k"', '"concat(exp(x) * k, [0])"'))
    check(tmp_path, '"proved.wgsl:proved"', "PX710", "the oracle has `y` as 5, and this contract as 4 (case n=4)")
    write(
        tmp_path,
        "whole",
        PROVED,
        "",
        ("read_write> y: array<f32>", "read_write> y: array<u32>"),
        ('exp(x) * k"', 'u32(exp(x) * k)"'),
        ("y[id.x] = exp(x[id.x]) * k", "y[id.x] = u32(exp(x[id.x]) * k)"),
    )
    check(tmp_path, '"whole.wgsl:proved"', "PX710", "the oracle has `y` in u32, and this contract in f32")


def test_textures_are_refused(tmp_path: Path) -> None:
    reading = ("y[id.x] = exp(x[id.x]) * k", "y[id.x] = textureLoad(image, vec2(id.x, 0u), 0).r")
    image = ("@compute", "@group(0) @binding(3) var image: texture_2d<f32>;\n@compute")
    write(tmp_path, "slow", SLOW, "", reading, image)
    message = "the oracle uses the texture `image`, and oracles work on buffers alone"
    check(tmp_path, ASKS_SLOW, "PX710", message, "state the truth of textures by `expect` or a `reference`")


def test_codecs_in_python_are_refused(tmp_path: Path) -> None:
    codec = 'codecs = { x = { python = "pairs.py:Pairs", values = 1, bytes = 4 } }'
    write(
        tmp_path,
        "slow",
        PROVED,
        "",
        ("//! dispatch", f"//! {codec}\n//! dispatch"),
        ("x: array<f32>", "x: array<u32>"),
        ("exp(x[id.x])", "f32(x[id.x])"),
    )
    message = "the oracle has `x` in a codec that only Python knows"
    check(tmp_path, '"slow.wgsl:proved"', "PX710", message, "state the truth by `expect` or a `reference`")


def test_a_kernel_of_the_same_file_answers(tmp_path: Path) -> None:
    oracle = '{ kernel = "fast.wgsl:slow", dispatch = "n" }'
    again = textwrap.dedent(SLOW).replace("BINDINGS", "")
    assert (
        findings_of(tmp_path, oracle, ("fn fast", "fn fast"), ("@compute @workgroup_size(64)", f"{again}\n@compute @workgroup_size(64)"))
        == []
    )


def test_an_oracle_is_a_file_that_the_verdict_rests_on(tmp_path: Path) -> None:
    write(tmp_path, "fast", FAST, '"slow.wgsl:slow"')
    loaded: Any = load_shader(tmp_path / "fast.wgsl")
    assert [path.name for path in loaded.files] == ["fast.wgsl", "fast.contract.toml", "slow.wgsl", "slow.contract.toml"]
