"""Evidence for tests that were written: they pass on the code as it is, and fail on stubs and mutants of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from pixel_coach.apply import read_base
from pixel_coach.attempts import CheckStatus, EvidenceCheck, Patch
from pixel_coach.errors import RefusedPath
from pixel_coach.protect import is_test_path
from pixel_coach.prove_outcome import Outcome, skipped
from pixel_coach.prove_python import is_python, parse_python
from pixel_coach.prove_run_tests import TestRunner
from pixel_coach.prove_stub import python_mutants, same_in_other_words
from pixel_coach.prove_tests import run_problem, stub_of
from pixel_coach.sandbox_copy import visible_files

MUTANTS: Final = 6
KILLED_SHARE: Final = 0.6
"""Of the mutants, tests must notice this share; the rest may be the same program in other words."""

WRITTEN_TESTS_CHECKS: Final = ("tests", "stub", "mutants")
_FOLDERS: Final = ("", "src/", "lib/", "python/")


def find_subjects(workspace: Path, patch: Patch, named: object) -> dict[str, str]:
    """The modules of the workspace that a test file is about.

    They are what the task names; else the one module that the file is named after, as `test_grade.py` is after `grade.py`, whatever easier
    one it may import instead; else those that it imports.

    Args:
        workspace: Root of the workspace.
        patch: The tests.
        named: `subject` of the task's metadata: a path or a list of paths.

    Returns:
        Path → text.
    """
    wanted = [named] if isinstance(named, str) else [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
    if not wanted:
        name = f"{PurePosixPath(patch.path).stem.removeprefix('test_').removesuffix('_test')}.py"
        namesakes = [path.as_posix() for path in visible_files(workspace) if path.name == name and not is_test_path(path.as_posix())]
        wanted = namesakes if len(namesakes) == 1 else _imported(patch)
    subjects: dict[str, str] = {}
    for path in wanted:
        try:
            text, _ = read_base(workspace, path)
        except RefusedPath:
            continue
        if text is not None and path != patch.path:
            subjects[path] = text
    return subjects


async def prove_written_tests(runner: TestRunner, patch: Patch, subjects: Mapping[str, str], *, seed: int) -> tuple[EvidenceCheck, ...]:
    """Run new tests on the code as it is, in other words, emptied, and with one mistake each.

    Args:
        runner: Runs the tests.
        patch: The tests.
        subjects: What they are about.
        seed: Which mutants are made.

    Returns:
        `tests`, `stub`, `mutants`.
    """
    tests = {patch.path: patch.new_text}
    try:
        first = await _on_present_code(runner, tests, subjects)
        if first.status is not CheckStatus.PASSED:
            return first, *(skipped(name) for name in WRITTEN_TESTS_CHECKS[1:])
        if not subjects:
            said = "the tests import no file of the workspace, so there is nothing that they could be shown to notice"
            return first, Outcome("stub").absent(said), skipped("mutants")
        second = await _on_stubs(runner, tests, subjects)
        if second.status is not CheckStatus.PASSED:
            return first, second, skipped("mutants")
        return first, second, await _on_mutants(runner, tests, subjects, seed)
    except (OSError, SyntaxError) as error:
        return (Outcome("tests").unavailable(f"the tests could not be run: {error}"), *(skipped(name) for name in WRITTEN_TESTS_CHECKS[1:]))


async def _on_present_code(runner: TestRunner, tests: Mapping[str, str], subjects: Mapping[str, str]) -> EvidenceCheck:
    outcome = Outcome("tests")
    run = await runner.run(tests)
    problem = run_problem(run, is_pytest=runner.command.is_pytest)
    if problem is not None:
        return (outcome.unavailable if run.result.ended_by == "sandbox" else outcome.failed)(problem, feedback=run.output)
    skips = [name for name, word in (run.outcomes or {}).items() if word != "passed"]
    if skips:
        return outcome.failed("some of the new tests are skipped", feedback="\n".join(f"- {name}" for name in skips[:10]))
    reworded = {path: same_in_other_words(text) for path, text in subjects.items() if path.endswith(".py") and is_python(text)}
    if reworded and not (again := await runner.run({**reworded, **tests})).ended_well:
        return outcome.failed("the tests fail when the code says the same in other words", feedback=again.output)
    count = len(run.outcomes or {})
    return outcome.passed(f"{count} new tests pass on the code as it is", detail={"passed": count, "subjects": list(subjects)})


async def _on_stubs(runner: TestRunner, tests: Mapping[str, str], subjects: Mapping[str, str]) -> EvidenceCheck:
    outcome = Outcome("stub")
    stubs = {path: stub_of(path, text) for path, text in subjects.items()}
    run = await runner.run({**stubs, **tests})
    if run.result.ended_by == "sandbox":
        return outcome.unavailable("the stub could not be run")
    if run.ended_well:
        feedback = f"With every function of {', '.join(subjects)} emptied, the tests still pass. Compare results with expected values."
        return outcome.failed("the tests pass on a stub that does nothing", feedback=feedback)
    return outcome.passed("the tests fail on a stub")


async def _on_mutants(runner: TestRunner, tests: Mapping[str, str], subjects: Mapping[str, str], seed: int) -> EvidenceCheck:
    outcome = Outcome("mutants")
    mutants = [
        (f"{path} {name}", {path: text})
        for path, original in subjects.items()
        if path.endswith(".py") and is_python(original)
        for name, text in python_mutants(original, seed=seed, count=max(MUTANTS // len(subjects), 2))
    ]
    if not mutants:
        return outcome.absent("nothing in the code can be mutated, so what the tests notice is not known")
    survived: list[str] = []
    for name, overlay in mutants[:MUTANTS]:
        run = await runner.run({**overlay, **tests})
        if run.ended_well:
            survived.append(name)
    total = len(mutants[:MUTANTS])
    detail = {"mutants": total, "killed": total - len(survived), "survived": survived}
    if (total - len(survived)) / total >= KILLED_SHARE:
        return outcome.passed(f"the tests notice {total - len(survived)} of {total} mistakes put into the code", detail=detail)
    said = "\n".join(f"- {name}" for name in survived)
    return outcome.failed(
        f"the tests notice only {total - len(survived)} of {total} mistakes put into the code", feedback=said, detail=detail
    )


def _imported(patch: Patch) -> list[str]:
    """Paths that the imports of a test file may mean."""
    if not is_python(patch.new_text):
        return []
    modules: dict[str, None] = {}
    for node in ast.walk(parse_python(patch.new_text)):
        if isinstance(node, ast.Import):
            modules.update(dict.fromkeys(one.name for one in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules[node.module] = None
            modules.update(dict.fromkeys(f"{node.module}.{one.name}" for one in node.names))
    beside = PurePosixPath(patch.path).parent.as_posix()
    folders = (*_FOLDERS, "" if beside == "." else f"{beside}/")
    stems = [f"{folder}{module.replace('.', '/')}" for module in modules for folder in folders]
    return [path for stem in stems for path in (f"{stem}.py", f"{stem}/__init__.py")]
