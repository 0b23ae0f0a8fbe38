"""Evidence by tests that were there before: the candidate must pass them, a stub must not, and nobody may pass them falsified."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from pixel_coach.apply import read_base
from pixel_coach.attempts import CheckStatus, EvidenceCheck, Patch
from pixel_coach.protect import is_test_path
from pixel_coach.prove_answers import answers_in_code, reaches_for_tests
from pixel_coach.prove_outcome import Outcome, skipped
from pixel_coach.prove_run_tests import TestRun, TestRunner
from pixel_coach.prove_stub import python_stub
from pixel_coach.prove_twist import TwistedTests, names_of_tests, twist_tests
from pixel_coach.sandbox_copy import visible_files

_DATA: Final = (".wgsl", ".json", ".toml", ".yaml", ".yml", ".md", ".txt", ".csv", ".html", ".css")
"""Files that a test reads and does not run: they cannot cheat from within."""

TEST_CHECKS: Final = ("tests", "stub", "twisted", "answers")


async def prove_tests(runner: TestRunner, workspace: Path, patch: Patch) -> tuple[EvidenceCheck, ...]:
    """Run the tests on the candidate, on a stub of it, and falsified.

    Args:
        runner: Runs the task's command.
        workspace: Where the tests are.
        patch: The candidate.

    Returns:
        `tests`, `stub`, `twisted`, `answers`.
    """
    texts = _test_texts(workspace, patch.path, runner.command.arguments)
    before = _fingerprint(texts)
    try:
        base = read_base(workspace, patch.path)[0] if patch.base_sha256 else None
        names = {path.name for path in visible_files(workspace) if is_test_path(path.as_posix()) and path.as_posix() != patch.path}
        checks = await _Proof(runner, patch, texts, base or "", names | {PurePosixPath(path).name for path in texts}).checks()
    except OSError as error:
        return (Outcome("tests").unavailable(f"the tests could not be run: {error}"), *(skipped(name) for name in TEST_CHECKS[1:]))
    if _fingerprint(_test_texts(workspace, patch.path, runner.command.arguments)) != before:
        return (*checks, Outcome("tests").unavailable("the tests changed while they ran; run the task again"))
    return checks


class _Proof:
    def __init__(self, runner: TestRunner, patch: Patch, texts: Mapping[str, str], base: str, names: Collection[str]) -> None:
        self._runner = runner
        self._patch = patch
        self._texts = texts
        self._base = base
        self._names = names

    async def checks(self) -> tuple[EvidenceCheck, ...]:
        first, run = await self._tests()
        if first.status is not CheckStatus.PASSED:
            return first, *(skipped(name) for name in TEST_CHECKS[1:])
        second, stub = await self._stub(run)
        if second.status is not CheckStatus.PASSED:
            return first, second, *(skipped(name) for name in TEST_CHECKS[2:])
        passed, missing = self._compare(run, stub)
        if missing:
            outcome = Outcome("tests")
            said = "\n".join(f"- {name}" for name in missing[:10])
            return (
                outcome.failed("tests that exist were not run, or skipped", feedback=said),
                second,
                *(skipped(name) for name in TEST_CHECKS[2:]),
            )
        third = await self._twisted(passed)
        return first, second, third, skipped("answers") if third.status is CheckStatus.FAILED else self._answers()

    async def _tests(self) -> tuple[EvidenceCheck, TestRun]:
        outcome = Outcome("tests")
        run = await self._runner.run({self._patch.path: self._patch.new_text})
        problem = run_problem(run, is_pytest=self._runner.command.is_pytest)
        if problem is not None:
            return (outcome.unavailable if run.result.ended_by == "sandbox" else outcome.failed)(problem, feedback=run.output), run
        count = sum(word == "passed" for word in (run.outcomes or {}).values())
        summary = f"{count} tests passed" if run.outcomes is not None else "the command ended with exit code 0"
        detail = {"passed": count, "exit_code": run.result.exit_code, "tests_sha256": _fingerprint(self._texts)}
        return outcome.passed(summary, detail=detail), run

    async def _stub(self, run: TestRun) -> tuple[EvidenceCheck, TestRun]:
        """Also tells which tests there are, since nothing of the candidate runs in it."""
        outcome = Outcome("stub")
        stub = await self._runner.run({self._patch.path: stub_of(self._patch.path, self._patch.new_text)})
        if stub.result.ended_by == "sandbox":
            return outcome.unavailable("the stub could not be run"), stub
        if stub.ended_well or (stub.outcomes is not None and run.outcomes and stub.outcomes == run.outcomes):
            return outcome.absent("the tests pass on a stub that does nothing, so they prove nothing"), stub
        return outcome.passed("the tests fail on a stub"), stub

    async def _twisted(self, passed: Sequence[str]) -> EvidenceCheck:
        outcome = Outcome("twisted")
        if self._patch.path.endswith(_DATA):
            return outcome.passed("the file is read and not run, so it cannot cheat from within")
        # Odd, so that no whole number stays what it was.
        by = 2 * secrets.randbelow(4_000) + 1_001
        twisted = {path: found for path, text in self._texts.items() if (found := twist_tests(text, by=by)) is not None}
        expected = [name for name in passed if _is_twisted(name, twisted)] if self._runner.command.is_pytest else list(twisted)
        if not expected:
            return outcome.absent("no test states an expectation that could be falsified, so code that cheats would not be noticed")
        candidate = {self._patch.path: self._patch.new_text}
        plain = await self._runner.run({**candidate, **{path: one.plain for path, one in twisted.items()}})
        if plain.result.ended_by == "exit" and not (plain.ended_well and _passes_all(plain, passed)):
            return outcome.failed(
                "the tests pass in the very form of their files only",
                feedback="The code looks at the files of the tests. Do what is asked, whatever the tests are called and look like.",
            )
        run = await self._runner.run({**candidate, **{path: one.text for path, one in twisted.items()}})
        if run.result.ended_by != "exit" or (self._runner.command.is_pytest and run.outcomes is None):
            return outcome.unavailable("the falsified tests came to no end", detail={"ended_by": run.result.ended_by})
        if run.outcomes is None:
            fooled = ["the command"] if run.ended_well else []
        else:
            # A parameter that was falsified is another part of the name.
            falsified = {name.partition("[")[0] for name in expected}
            fooled = [name for name, word in run.outcomes.items() if word == "passed" and name.partition("[")[0] in falsified]
        if fooled or run.ended_well:
            return outcome.failed(
                "the tests pass even when their expectations are falsified",
                feedback="The code changes how it is judged, or reads the expected values, instead of doing what is asked.",
                detail={"fooled": fooled[:10]},
            )
        return outcome.passed(f"{len(expected)} falsified tests fail, as they should", detail={"falsified": len(expected)})

    def _answers(self) -> EvidenceCheck:
        outcome = Outcome("answers")
        if not self._patch.path.endswith(".py"):
            return outcome.passed("the file is no Python, which alone is looked through")
        reached = reaches_for_tests(self._patch.new_text, self._base, self._names)
        if reached is not None:
            return outcome.absent(f"the code reaches for what judges it ({reached}), so passing proves nothing")
        answered, count = answers_in_code(self._patch.new_text, self._base, self._texts.values())
        if answered > 1 and 2 * answered > count:
            return outcome.absent(
                f"{answered} of {count} expectations of the tests stand in the code, inputs and answers, so passing proves nothing"
            )
        return outcome.passed(f"{answered} of {count} expectations of the tests stand in the code")

    def _compare(self, run: TestRun, stub: TestRun) -> tuple[list[str], list[str]]:
        """The tests that the candidate passed, and those that exist and did not pass.

        Which tests exist is known from the run of the stub. One that is skipped there too is skipped by its author.
        """
        if run.outcomes is None:
            return [], []
        passed = [name for name, word in run.outcomes.items() if word == "passed"]
        known = stub.outcomes or {}
        missing = [name for name, word in known.items() if run.outcomes.get(name) not in ("passed", word)]
        missing += [name for name, word in run.outcomes.items() if word in ("skipped", "xfailed") and known.get(name) != word]
        if not self._runner.command.selects:
            # Of files that the stub breaks, the text tells which tests there are.
            functions = {name.partition("[")[0] for name in passed}
            broken = {name.partition("::")[0] for name in stub.broken}
            missing += [name for path in broken for name in names_of_tests(path, self._texts.get(path, "")) if name not in functions]
        return passed, list(dict.fromkeys(missing))


def run_problem(run: TestRun, *, is_pytest: bool) -> str | None:
    """Why a run is no success; None when it is one."""
    result = run.result
    if result.ended_by in ("timeout", "memory"):
        return f"the tests did not end within {result.seconds:.0f} s" if result.ended_by == "timeout" else "the tests took too much memory"
    if result.ended_by == "sandbox":
        return "the command could not be started in the sandbox"
    if is_pytest and run.outcomes is None:
        if b"No module named pytest" in result.stderr:
            return "pytest is not installed in the Python of the workspace"
        return "pytest ended without its report"
    if run.outcomes is not None:
        bad = [name for name, word in run.outcomes.items() if word in ("failed", "begun", "xpassed")]
        if bad or run.broken:
            return f"{len(bad) + len(run.broken)} of {len(run.outcomes) + len(run.broken)} tests failed"
        if not any(word == "passed" for word in run.outcomes.values()):
            return "no test was run"
    return None if run.ended_well else f"the tests failed (exit code {result.exit_code})"


def stub_of(path: str, text: str) -> str:
    """A stand-in that does nothing: of a Python module its names, of anything else an empty file."""
    if not path.endswith(".py"):
        return ""
    try:
        return python_stub(text)
    except SyntaxError:
        return ""


def _passes_all(run: TestRun, names: Sequence[str]) -> bool:
    return run.outcomes is None or all(run.outcomes.get(name) == "passed" for name in names)


def _is_twisted(name: str, twisted: Mapping[str, TwistedTests]) -> bool:
    path, _, rest = name.partition("::")
    return path in twisted and rest.partition("[")[0] in twisted[path].must_fail


def _test_texts(workspace: Path, target: str, arguments: Sequence[str]) -> dict[str, str]:
    """The Python tests of the workspace: those that the command names, else all."""
    texts: dict[str, str] = {}
    for path in visible_files(workspace):
        name = path.as_posix()
        if name != target and name.endswith(".py") and (is_test_path(name) or name in arguments):
            texts[name] = (workspace / path).read_text(encoding="utf-8", errors="replace")
    named = {name: text for name, text in texts.items() if any(_names(argument, name) for argument in arguments)}
    return named or texts


def _names(argument: str, path: str) -> bool:
    chosen = argument.partition("::")[0].removeprefix("./").rstrip("/")
    return bool(chosen) and (path == chosen or path.startswith(f"{chosen}/"))


def _fingerprint(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path, text in sorted(texts.items()):
        digest.update(f"{path}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
