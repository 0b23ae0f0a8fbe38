"""What counts as evidence for which task, and what the generator is told. The ways to cheat are in test_cheats.py."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pixel_coach.attempts import CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.evidence import CHECKS_OF, Prover
from pixel_coach.sandbox import SandboxAbsence
from pixel_coach.settings import CoachSettings
from pixel_coach.tasks import Action, Task

pytestmark = pytest.mark.device

TRIPLE = """\
//! y = 3 x.
//!
//! [triple]
//! dims = "n"
//! shapes = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect = { y = "3 * x" }
//! cases = ["n=64", "n=100"]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn triple(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) {
        y[id.x] = x[id.x] * 3.0;
    }
}
"""
CODE = TRIPLE[TRIPLE.index("@group(0)") :]
CONTRACT = "".join(line.removeprefix("//! ") + "\n" for line in TRIPLE.splitlines()[2:8])
NO_SANDBOX = SandboxAbsence(reason="`bwrap` is not installed, so no generated code is executed", hint="install it")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def prover(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prover]:
    async with Prover(tmp_path_factory.mktemp("workspace"), CoachSettings(python=Path(sys.executable)), sandbox=NO_SANDBOX) as found:
        yield found


@pytest.fixture
def workspace(prover: Prover) -> Path:
    folder = prover._workspace
    for path in folder.iterdir():
        path.unlink()
    return folder


async def gather(prover: Prover, path: str, text: str, *, action: Action = Action.EDIT_FILE, **fields: Any) -> Evidence:
    workspace = prover._workspace
    file = workspace / path
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
    task = Task(number=1, workspace=workspace, title="a task", action=action, target=path, **fields)
    return await prover.gather(task, Patch(path=path, base_sha256=sha256, new_text=text), hidden_seed=11)


def statuses(evidence: Evidence) -> Mapping[str, str]:
    return {check.name: check.status.value for check in evidence.checks}


def check_of(evidence: Evidence, name: str) -> EvidenceCheck:
    return next(check for check in evidence.checks if check.name == name)


asyncio_module = pytest.mark.asyncio(loop_scope="module")


@asyncio_module
async def test_kernel_that_fulfils_its_contract(prover: Prover, workspace: Path) -> None:
    (workspace / "triple.wgsl").write_text(TRIPLE)
    evidence = await gather(prover, "triple.wgsl", TRIPLE.replace("x[id.x] * 3.0", "3.0 * x[id.x]"))
    assert evidence.proof is Proof.PROVED
    assert list(statuses(evidence)) == ["protected", "parse", "check", "unchanged_contract", "contract", "hidden", "repeat"]
    assert evidence.seeds == (0, 11)
    assert evidence.engine.startswith("device ")
    assert evidence.contract_sha256 == hashlib.sha256(CONTRACT.rstrip().encode()).hexdigest()
    assert set(statuses(evidence)) <= set(CHECKS_OF[Action.EDIT_FILE])


@asyncio_module
async def test_feedback_shows_the_line_and_the_cases_that_were_shown(prover: Prover, workspace: Path) -> None:
    (workspace / "triple.wgsl").write_text(TRIPLE)
    evidence = await gather(prover, "triple.wgsl", TRIPLE.replace("x[id.x] * 3.0", "x[id.x] * 2.0"))
    assert evidence.proof is Proof.REFUTED
    assert statuses(evidence)["hidden"] == "skipped"
    feedback = check_of(evidence, "contract").feedback
    assert feedback.startswith("error[PX401]: y is wrong in 64 of 64 elements (case n=64")
    assert "\n  16 |         y[id.x] = x[id.x] * 2.0;\n     |         ^^^^^^^" in feedback, feedback
    assert "re-run" not in feedback


@asyncio_module
async def test_hidden_failure_is_told_by_its_kind_alone(prover: Prover, workspace: Path) -> None:
    (workspace / "triple.wgsl").write_text(TRIPLE)
    evidence = await gather(prover, "triple.wgsl", TRIPLE.replace("id.x < arrayLength(&y)", "id.x < min(arrayLength(&y), 256u)"))
    hidden = check_of(evidence, "hidden")
    assert (evidence.proof, hidden.status) == (Proof.REFUTED, CheckStatus.FAILED)
    assert hidden.summary == "wrong in cases that were not shown"
    assert hidden.feedback == (
        "The kernel is right in every case that was shown, and wrong in others:\n"
        "- sizes larger than those that were shown\n"
        "It must hold for every size and input."
    )
    assert hidden.detail["failed"]


@asyncio_module
async def test_mistake_of_the_language(prover: Prover, workspace: Path) -> None:
    (workspace / "triple.wgsl").write_text(TRIPLE)
    evidence = await gather(prover, "triple.wgsl", TRIPLE.replace("* 3.0;", "* three;"))
    assert statuses(evidence) == {
        "protected": "passed",
        "parse": "failed",
        **dict.fromkeys(["check", "unchanged_contract", "contract", "hidden", "repeat"], "skipped"),
    }
    assert "\n  16 |         y[id.x] = x[id.x] * three;\n" in check_of(evidence, "parse").feedback


@asyncio_module
async def test_new_kernel_under_the_contract_of_the_task(prover: Prover, workspace: Path) -> None:
    given = {"contract_text": CONTRACT}
    assert (await gather(prover, "new.wgsl", CODE, action=Action.WRITE_FILE, metadata=given)).proof is Proof.PROVED
    assert (await gather(prover, "new.wgsl", TRIPLE, action=Action.WRITE_FILE, metadata=given)).proof is Proof.PROVED
    other = await gather(prover, "new.wgsl", TRIPLE.replace('"3 * x"', '"x"'), action=Action.WRITE_FILE, metadata=given)
    assert check_of(other, "unchanged_contract").summary == "the contract differs from the one that the task gives"


@asyncio_module
async def test_new_kernel_with_a_contract_of_its_own_is_unproved(prover: Prover, workspace: Path) -> None:
    evidence = await gather(prover, "new.wgsl", TRIPLE, action=Action.WRITE_FILE)
    assert evidence.proof is Proof.UNPROVED
    assert check_of(evidence, "unchanged_contract").status is CheckStatus.ABSENT
    assert check_of(evidence, "contract").status is CheckStatus.PASSED


@asyncio_module
async def test_generated_contract_that_would_run_python_is_not_run(prover: Prover, workspace: Path) -> None:
    (workspace / "deploy.py").write_text("raise SystemExit('this must not run')")
    text = TRIPLE.replace('expect = { y = "3 * x" }', 'reference = "deploy.py:main"')
    evidence = await gather(prover, "new.wgsl", text, action=Action.WRITE_FILE)
    assert check_of(evidence, "unchanged_contract").summary == "the candidate's own contract runs `deploy.py:main`"


@asyncio_module
async def test_generated_contract_that_would_choose_its_judge_is_not_run(prover: Prover, workspace: Path) -> None:
    text = TRIPLE.replace('expect = { y = "3 * x" }', 'oracle = "mine.wgsl:main"')
    evidence = await gather(prover, "new.wgsl", text, action=Action.WRITE_FILE)
    assert check_of(evidence, "unchanged_contract").summary == "the candidate's own contract runs `mine.wgsl:main`"


@asyncio_module
async def test_partly_proved_is_no_proof(prover: Prover, workspace: Path) -> None:
    text = TRIPLE.replace('expect = { y = "3 * x" }', 'invariants = ["all(y == 3 * x)"]')
    (workspace / "triple.wgsl").write_text(text)
    evidence = await gather(prover, "triple.wgsl", text.replace("x[id.x] * 3.0", "3.0 * x[id.x]"))
    assert evidence.proof is Proof.UNPROVED
    contract = check_of(evidence, "contract")
    assert contract.status is CheckStatus.ABSENT
    assert contract.summary == "partly proved: its invariants hold, and nothing says what its outputs must equal"
    assert statuses(evidence)["hidden"] == "passed"
    assert (await gather(prover, "triple.wgsl", text.replace("x[id.x] * 3.0", "x[id.x]"))).proof is Proof.REFUTED


@asyncio_module
async def test_kernel_in_a_dialect(prover: Prover, workspace: Path) -> None:
    """A template and macros are expanded as the contract says, and a program of the user's is given nothing that was generated."""
    steps = '//! prepare = [{ template = { factor = 3 } }, { define = { WIDTH = "n" } }]\n//! cases'
    dialect = TRIPLE.replace("//! cases", steps).replace("* 3.0", "* f32({{ factor }})").replace("arrayLength(&x)", "WIDTH")
    (workspace / "k.wgsl").write_text(dialect, encoding="utf-8")
    better = dialect.replace("x[id.x] * f32", "f32").replace("{{ factor }})", "{{ factor }}) * x[id.x]")
    assert better != dialect
    evidence = await gather(prover, "k.wgsl", better)
    assert evidence.proof is Proof.PROVED, evidence.checks
    evidence = await gather(prover, "k.wgsl", dialect.replace("{{ factor }}", "{{ factor + 1 }}"))
    assert evidence.proof is Proof.REFUTED
    assert check_of(evidence, "contract").status is CheckStatus.FAILED
    commanded = dialect.replace("{ template = { factor = 3 } }", f'{{ command = ["touch", "{workspace / "was-here"}"] }}')
    (workspace / "k.wgsl").write_text(commanded, encoding="utf-8")
    evidence = await gather(prover, "k.wgsl", commanded + "// more")
    assert evidence.proof is Proof.NOT_VALIDATED
    assert check_of(evidence, "parse").summary == "`touch` prepares this shader, and no program of yours is given what was generated"
    own = CODE.replace("triple(", "other(")
    generated = dialect.replace("[triple]", "[other]").replace(CODE, own)
    (workspace / "k.wgsl").unlink()
    evidence = await gather(prover, "k.wgsl", generated.replace("triple(", "other("))
    assert evidence.proof is not Proof.PROVED
    assert not (workspace / "was-here").exists()


@asyncio_module
async def test_kernel_held_against_the_one_it_replaces(prover: Prover, workspace: Path) -> None:
    (workspace / "old.wgsl").write_text(CODE)
    text = TRIPLE.replace('expect = { y = "3 * x" }', 'oracle = "old.wgsl:triple"')
    (workspace / "triple.wgsl").write_text(text)
    assert (await gather(prover, "triple.wgsl", text.replace("x[id.x] * 3.0", "3.0 * x[id.x]"))).proof is Proof.PROVED
    assert (await gather(prover, "triple.wgsl", text.replace("x[id.x] * 3.0", "2.0 * x[id.x]"))).proof is Proof.REFUTED


@asyncio_module
async def test_kernel_without_a_contract_is_unproved(prover: Prover, workspace: Path) -> None:
    evidence = await gather(prover, "new.wgsl", CODE, action=Action.WRITE_FILE)
    assert (evidence.proof, evidence.engine) == (Proof.UNPROVED, "")


@asyncio_module
async def test_one_contract_of_several_counts(prover: Prover, workspace: Path) -> None:
    contract = TRIPLE.partition("//!\n")[2].partition("\n\n")[0]
    two = TRIPLE.replace(contract, f"{contract}\n//!\n{contract}")
    two = two.replace("[triple]", "[other]", 1).replace("3 * x", "4 * x", 1).replace("shapes = {", 'entry = "triple"\n//! shapes = {', 1)
    (workspace / "triple.wgsl").write_text(two)
    assert (await gather(prover, "triple.wgsl", two + "\n", contract="triple")).proof is Proof.PROVED
    assert (await gather(prover, "triple.wgsl", two + "\n", contract="other")).proof is Proof.REFUTED
    assert (await gather(prover, "triple.wgsl", two + "\n")).proof is Proof.REFUTED


@asyncio_module
async def test_contract_that_was_written(prover: Prover, workspace: Path) -> None:
    (workspace / "triple.wgsl").write_text(CODE)
    inside = await gather(prover, "triple.wgsl", TRIPLE, action=Action.WRITE_CONTRACT)
    assert inside.proof is Proof.PROVED, inside
    mutants = check_of(inside, "mutants").detail
    assert mutants["killed"] >= 0.6 * mutants["mutants"]
    changed = await gather(prover, "triple.wgsl", TRIPLE.replace("* 3.0", "* 3.00"), action=Action.WRITE_CONTRACT)
    assert check_of(changed, "unchanged_code").summary == "the code of the shader was changed"


@asyncio_module
async def test_python_without_a_sandbox_is_not_executed(prover: Prover, workspace: Path) -> None:
    evidence = await gather(prover, "a.py", "x = 1\n", action=Action.WRITE_FILE, test_command=("pytest",))
    assert evidence.proof is Proof.NOT_VALIDATED
    tests = check_of(evidence, "tests")
    assert (tests.status, tests.summary) == (CheckStatus.UNAVAILABLE, NO_SANDBOX.reason)


@asyncio_module
@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("a.py", "def f(:\n", "a.py:1: invalid syntax"),
        ("a.py", "", "the file is empty"),
        ("a.json", "{", "a.json cannot be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
async def test_text_that_cannot_be_read(prover: Prover, workspace: Path, path: str, text: str, message: str) -> None:
    evidence = await gather(prover, path, text, action=Action.WRITE_FILE, test_command=("pytest",))
    assert (evidence.proof, check_of(evidence, "parse").summary) == (Proof.REFUTED, message)
    assert statuses(evidence)["tests"] == "skipped"


@asyncio_module
async def test_nothing_to_prove_it_by(prover: Prover, workspace: Path) -> None:
    assert (await gather(prover, "notes.md", "# Notes\n", action=Action.WRITE_FILE)).proof is Proof.UNPROVED
    assert (await gather(prover, "a.py", "x = 1\n", action=Action.REVIEW)).proof is Proof.UNPROVED


@asyncio_module
async def test_patch_for_another_file_or_another_base(prover: Prover, workspace: Path) -> None:
    (workspace / "a.md").write_text("new")
    task = Task(number=1, workspace=workspace, title="t", action=Action.EDIT_FILE, target="a.md")
    stale = await prover.gather(task, Patch(path="a.md", base_sha256=None, new_text="x"), hidden_seed=1)
    assert check_of(stale, "protected").summary == "a.md changed since the patch was made from it"
    other = await prover.gather(task, Patch(path="b.md", base_sha256=None, new_text="x"), hidden_seed=1)
    assert check_of(other, "protected").summary == "the patch is for 'b.md', and the task for a.md"
