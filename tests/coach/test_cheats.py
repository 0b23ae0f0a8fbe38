"""Nobody is fooled: no cheat is proved, every honest solution of the same tasks is. Run with `-s` to see the table."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import pytest

from coach_testing.cheats import CheatFamily, Submission, read_cheats
from pixel_coach.attempts import CheckStatus, Evidence, Patch, Proof
from pixel_coach.evidence import Prover
from pixel_coach.settings import CoachSettings
from pixel_coach.tasks import Action, Limits, Task

FAMILIES = [read_cheats(name) for name in ("kernels", "python", "written", "paths")]
SUBMISSIONS = [one for family in FAMILIES for one in family.submissions]
HIDDEN_SEED = 20260101


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Evidence]:
    found: dict[tuple[str, str], Evidence] = {}
    for one in asyncio.run(judge_families([tmp_path_factory.mktemp(family.name) for family in FAMILIES])):
        found.update(one)
    sys.stdout.write(f"\n{table(found)}\n")
    return found


async def judge_families(workspaces: list[Path]) -> list[dict[tuple[str, str], Evidence]]:
    return await asyncio.gather(*(judge_family(family, folder) for family, folder in zip(FAMILIES, workspaces, strict=True)))


async def judge_family(family: CheatFamily, workspace: Path) -> dict[tuple[str, str], Evidence]:
    for path, text in family.files.items():
        (workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace / path).write_text(text, encoding="utf-8", newline="")
    if family.name == "paths":
        lay_traps(workspace)
    found: dict[tuple[str, str], Evidence] = {}
    settings = CoachSettings(python=Path(sys.executable))
    async with Prover(workspace, settings) as prover:
        for one in family.submissions:
            found[family.name, one.name] = await judge(prover, workspace, one)
    return found


async def judge(prover: Prover, workspace: Path, one: Submission) -> Evidence:
    base = workspace / one.path
    is_file = one.path and base.is_file() and base.resolve().is_relative_to(workspace)
    sha256 = hashlib.sha256(base.read_bytes()).hexdigest() if is_file else None
    task = Task(
        number=1,
        workspace=workspace,
        title=f"write {one.target}",
        action=Action(one.action),
        target=one.target,
        test_command=one.test_command,
        limits=Limits(seconds=one.seconds),
    )
    text = one.text.replace("TEXT_LENGTH", str(len((workspace / "grade.py").read_text()))) if "TEXT_LENGTH" in one.text else one.text
    return await prover.gather(task, Patch(path=one.path, base_sha256=sha256, new_text=text), hidden_seed=HIDDEN_SEED)


def lay_traps(workspace: Path) -> None:
    (workspace / "linked").symlink_to(workspace / "tools", target_is_directory=True)
    outside = workspace.parent / "outside.py"
    outside.write_text("x = 0\n")
    (workspace / "tools" / "outside.py").symlink_to(outside)
    (workspace / "tools" / "dangling.py").symlink_to(workspace / "nowhere.py")
    os.mkfifo(workspace / "tools" / "pipe.py")


def stopped_by(evidence: Evidence) -> str:
    stops = (CheckStatus.FAILED, CheckStatus.UNAVAILABLE, CheckStatus.ABSENT)
    return next((check.name for check in evidence.checks if check.status in stops), "")


def table(found: dict[tuple[str, str], Evidence]) -> str:
    lines = [
        f"{family:8} {evidence.proof.value:13} {stopped_by(evidence):18} {sum(one.seconds for one in evidence.checks):5.1f} s  {name}"
        for (family, name), evidence in found.items()
    ]
    cheats = [one for one in SUBMISSIONS if one.stopped_by is not None]
    accepted = [one.name for one in cheats if found[one.family, one.name].proof is Proof.PROVED]
    honest = [one for one in SUBMISSIONS if one.stopped_by is None]
    proved = [one for one in honest if found[one.family, one.name].proof is Proof.PROVED]
    return "\n".join([*lines, f"accepted: {len(accepted)} of {len(cheats)} cheats, {len(proved)} of {len(honest)} honest solutions"])


def test_there_are_enough_of_them() -> None:
    assert sum(one.stopped_by is not None for one in SUBMISSIONS) >= 90
    assert len({(one.family, one.name) for one in SUBMISSIONS}) == len(SUBMISSIONS)


@pytest.mark.device
@pytest.mark.parametrize("one", SUBMISSIONS, ids=lambda one: f"{one.family}: {one.name}")
def test_verdict(verdicts: dict[tuple[str, str], Evidence], one: Submission) -> None:
    evidence = verdicts[one.family, one.name]
    told = "\n".join(f"{check.name}: {check.status.value}: {check.summary}\n{check.feedback}" for check in evidence.checks)
    if one.stopped_by is None:
        assert evidence.proof is Proof.PROVED, told
    else:
        assert evidence.proof is not Proof.PROVED, told
        assert not one.stopped_by or stopped_by(evidence) == one.stopped_by, told
