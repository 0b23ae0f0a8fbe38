"""A part of a shader is run again by hand: it runs anew, and what is known of the rest stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_testing.editor import Editor
from lsp_testing.kernels import COUNTING, REFERRING, RIGHT, WRONG, write

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="session")]


async def test_one_case_is_run_again_and_the_verdicts_of_the_others_stay(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", COUNTING)
    calls = tmp_path / "calls"
    wrong = REFERRING.replace("2.0 * x", "select(2.0, 3.0, id.x == 64u) * x")
    uri = client.open(write(tmp_path, "k.wgsl", wrong), wrong)
    (finding,) = await client.codes(uri, "PX401")
    before = calls.read_text(encoding="utf-8").splitlines()
    rerun = (await client.action(uri, finding, "Re-run the failing case only (N=")).command
    assert rerun is not None
    assert rerun.arguments is not None
    report = await client.command(rerun.command, *rerun.arguments)
    _, _, case = rerun.arguments
    assert calls.read_text(encoding="utf-8").splitlines() == [*before, case.removeprefix("N=")]
    statuses = {case["name"]: case["status"] for case in report["kernels"][0]["cases"]}
    assert {name: statuses[name] for name in ("N=64", "N=65", "N=1")} == {"N=64": "passed", "N=65": "failed", "N=1": "passed"}
    assert "skipped" not in statuses.values()
    await client.codes(uri, "PX401")


async def test_a_case_of_a_newer_text_leaves_the_verdict_of_the_older_one_to_be_seen(client: Editor, tmp_path: Path) -> None:
    uri = client.open(write(tmp_path, "k.wgsl", WRONG), WRONG)
    await client.codes(uri, "PX401")
    (_, before) = await client.lenses(uri)
    client.change(uri, 2, RIGHT)
    report = await client.command("pixel-lsp.check", uri, "twice", "N=65")
    cases = report["kernels"][0]["cases"]
    assert {case["name"] for case in cases if case["status"] == "passed"} == {"N=65"}
    assert {case["status"] for case in cases} == {"passed", "skipped"}
    (_, now) = await client.lenses(uri)
    assert now.startswith(f"✓ 1 passed, {len(cases) - 1} skipped of {len(cases)} cases, ")
    assert now.endswith(f"; {before} – before the last edit")
    await client.codes(uri)


async def test_a_kernel_is_run_again_and_the_verdict_of_the_other_stays(client: Editor, tmp_path: Path) -> None:
    other = WRONG[: WRONG.index("@group")].replace("[twice]", '[thrice]\n//! entry = "twice"').replace("2 * x", "3 * x")
    both = f"{other}{WRONG}"
    uri = client.open(write(tmp_path, "k.wgsl", both), both)
    await client.until_verdict(uri, "passed", "failed")
    report = await client.command("pixel-lsp.check", uri, "thrice", None)
    assert [kernel["status"] for kernel in report["kernels"]] == ["passed", "failed"]
    await client.codes(uri, "PX401")
    client.change(uri, 2, f"{both}\n")
    report = await client.command("pixel-lsp.check", uri, "thrice", None)
    assert [kernel["status"] for kernel in report["kernels"]] == ["passed", "skipped"]
    *_, verdict = await client.lenses(uri)
    assert verdict.startswith("✗ ")
    assert verdict.endswith(" – before the last edit")
    await client.command("pixel-lsp.check", uri, None, "N=nothing")
    await client.codes(uri, "PX393", "PX393")
