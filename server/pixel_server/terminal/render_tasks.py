"""Tasks, their attempts, their evidence and reviews, as a terminal or a pipe shows them.

3  awaiting_acceptance  10  kernels/matmul.wgsl     WGSL matrix multiplication kernel
4  pending               8  kernels/attention.wgsl  WGSL attention mechanism (after 3)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from pixel_coach.accept import best_attempt
from pixel_coach.attempts import Attempt, CheckStatus, Evidence, Proof, Review, ReviewUnavailable
from pixel_coach.tasks import State, Task
from pixel_server.terminal.medium import Glyphs, Medium
from pixel_server.verdict_words import count, seconds

STATE_STYLES: Final[Mapping[State, str]] = {
    State.PENDING: "",
    State.IN_PROGRESS: "bold cyan",
    State.IN_REVIEW: "bold cyan",
    State.AWAITING_ACCEPTANCE: "bold yellow",
    State.COMPLETED: "green",
    State.FAILED: "bold red",
    State.NEEDS_HUMAN: "bold magenta",
    State.BLOCKED: "yellow",
    State.CANCELLED: "dim",
}
PROOF_STYLES: Final[Mapping[Proof, str]] = {
    Proof.PROVED: "bold green",
    Proof.REFUTED: "bold red",
    Proof.UNPROVED: "bold yellow",
    Proof.NOT_VALIDATED: "bold yellow",
}
_CHECK_STYLES: Final[Mapping[CheckStatus, str]] = {
    CheckStatus.PASSED: "green",
    CheckStatus.FAILED: "bold red",
    CheckStatus.SKIPPED: "dim",
    CheckStatus.UNAVAILABLE: "yellow",
    CheckStatus.ABSENT: "dim",
}


def render_tasks(tasks: Sequence[Task], medium: Medium) -> Text:
    """One line a task, and one more for why it stands where it does. Without a final line break."""
    numbers = max((len(str(task.number)) for task in tasks), default=0)
    states = max((len(task.state.value) for task in tasks), default=0)
    targets = max((cell_len(medium.printable(task.target)) for task in tasks), default=0)
    return Text("\n").join(_task_line(task, medium, numbers, states, min(targets, 48)) for task in tasks)


def _task_line(task: Task, medium: Medium, numbers: int, states: int, targets: int) -> Text:
    target = medium.printable(task.target)
    line = Text.assemble(
        (f"{task.number:>{numbers}}", "bold"),
        "  ",
        (task.state.value.ljust(states), STATE_STYLES[task.state]),
        f"  {task.priority:>2}  ",
        target + " " * max(targets - cell_len(target), 0),
        "  ",
        (_one_line(task.title, medium), "bold"),
    )
    if task.is_paused:
        line.append(" (paused)", "yellow")
    if task.depends_on and task.state is State.PENDING:
        line.append(f" (after {', '.join(map(str, task.depends_on))})", "dim")
    if task.reason:
        line.append(f"\n{' ' * numbers}  {_one_line(task.reason, medium)}", "dim")
    return line


def render_counts(counts: Mapping[State, int]) -> Text:
    """`3 pending, 1 completed`; states without tasks are left out."""
    parts = [Text(f"{number:,} {state.value}", STATE_STYLES[state]) for state, number in counts.items() if number]
    return Text(", ").join(parts) if parts else Text("no task")


def render_task(task: Task, waiting: str, medium: Medium, *, with_workspace: bool = True) -> Text:
    """What is asked.

    Args:
        task: The task.
        waiting: What it waits for, one sentence; empty for nothing.
        medium: Where the text goes.
        with_workspace: Say which workspace it belongs to.
    """
    limits = task.limits
    facts: list[tuple[str, str | Text]] = [
        ("state", Text.assemble((task.state.value, STATE_STYLES[task.state]), " (paused)" if task.is_paused else "")),
        ("why", task.reason),
        ("waits", waiting),
        ("target", f"{task.target} ({task.action.value})"),
        ("contract", task.contract or ""),
        ("tests", " ".join(task.test_command)),
        ("phase", task.phase or ""),
        ("priority", f"{task.priority} of 10"),
        ("after", ", ".join(map(str, task.depends_on))),
        ("agent", task.agent or ""),
        ("limits", f"{count(limits.rounds, 'round')}, {limits.seconds:g} s, ${limits.dollars:g}, {count(limits.requests, 'request')}"),
        ("workspace", str(task.workspace) if with_workspace else ""),
    ]
    text = Text.assemble(("task ", "bold"), (str(task.number), "bold"), "  ", (_one_line(task.title, medium), "bold"))
    for name, value in facts:
        if value:
            text.append(f"\n  {name:<10}", "dim").append(value if isinstance(value, Text) else Text(_one_line(value, medium)))
    if task.description:
        text.append("\n\n").append(_indented(task.description, medium))
    return text


def render_attempts(attempts: Sequence[Attempt], medium: Medium) -> Text:
    """One line an attempt; the best of the newest run has a star."""
    best = best_attempt(attempts)
    lines = [Text(f"{count(len(attempts), 'attempt')}:", "bold")]
    for attempt in attempts:
        star = "*" if best is not None and attempt.number == best.number else " "
        line = Text(f" {star}{attempt.number}  run {attempt.run}, round {attempt.round}")
        line.append(f", candidate {attempt.candidate + 1}" if attempt.candidate else "")
        line.append(f"  {_one_line(f'{attempt.agent} {attempt.model}'.strip(), medium)}")
        line.append(f"  {count(len(attempt.patch.new_text), 'character')}" if attempt.patch is not None else "  no usable text")
        if attempt.evidence is not None:
            line.append("  ").append(attempt.evidence.proof.value, PROOF_STYLES[attempt.evidence.proof])
        if attempt.review is not None:
            # The local rules give no score that counts.
            line.append(f"  {attempt.review.score}/10" if attempt.review.is_model else "  unreviewed")
        lines.append(line)
    return Text("\n").join(lines)


def render_attempt(attempt: Attempt, medium: Medium) -> Text:
    """The evidence and the review of one attempt."""
    text = Text.assemble((f"attempt {attempt.number}", "bold"), f" of run {attempt.run}, round {attempt.round}")
    text.append(f", by {_one_line(f'{attempt.agent} {attempt.model}'.strip(), medium)}")
    if attempt.evidence is not None:
        text.append("\n").append(render_evidence(attempt.evidence, medium))
    if attempt.review is not None:
        text.append("\n").append(render_review(attempt.review, medium))
    if attempt.review_unavailable is not None:
        text.append("\n").append(render_unavailable(attempt.review_unavailable, medium))
    return text


def render_evidence(evidence: Evidence, medium: Medium, *, with_feedback: bool = True) -> Text:
    """The verdict, and a line for each check."""
    text = Text.assemble("  evidence: ", (evidence.proof.value.replace("_", " "), PROOF_STYLES[evidence.proof]))
    if evidence.engine:
        text.append(f" on {_one_line(evidence.engine, medium)}")
    if evidence.measured_speedup is not None:
        text.append(f", {evidence.measured_speedup:.2f} times as fast as the file")
    width = max((len(check.name) for check in evidence.checks), default=0)
    for check in evidence.checks:
        text.append(f"\n    {_check_sign(check.status, medium.glyphs)} ", _CHECK_STYLES[check.status])
        text.append(f"{check.name:<{width}}  ", "bold").append(_one_line(check.summary, medium))
        if check.seconds >= 0.1:
            text.append(f"  {seconds(check.seconds)}", "dim")
        if with_feedback and check.feedback and check.status is CheckStatus.FAILED:
            text.append("\n").append(_indented(check.feedback, medium, margin=8))
    return text


def render_review(review: Review, medium: Medium) -> Text:
    """Score, criteria, findings and feedback. The rule-based one is called what it is."""
    kind = "" if review.is_model else " (rules of this program, no model: it accepts nothing)"
    text = Text.assemble("  review: ", (f"{review.score}/10", "bold"), f" by {_one_line(review.reviewer, medium)}{kind}")
    width = max((len(criterion.criterion) for criterion in review.criteria), default=0)
    for criterion in review.criteria:
        text.append(f"\n    {criterion.score:>2}  ").append(f"{criterion.criterion:<{width}}  ", "bold").append(
            _one_line(criterion.evidence, medium)
        )
    for finding in review.findings:
        text.append(f"\n    line {finding.line}: ").append(f"{finding.severity}[{_one_line(finding.rule, medium)}] ", "bold")
        text.append(_one_line(finding.message, medium))
        if finding.suggestion:
            text.append(f"\n      write instead: {_one_line(finding.suggestion, medium)}")
    if review.feedback:
        text.append("\n    feedback:\n").append(_indented(review.feedback, medium, margin=6))
    return text


def render_unavailable(unavailable: ReviewUnavailable, medium: Medium) -> Text:
    """Why there is no review, and what to do."""
    text = Text.assemble("  review: ", ("unavailable", "bold yellow"), f": {_one_line(unavailable.reason, medium)}")
    if unavailable.hint:
        text.append(f"\n    hint: {_one_line(unavailable.hint, medium)}")
    return text


def _check_sign(status: CheckStatus, glyphs: Glyphs) -> str:
    signs = {CheckStatus.PASSED: glyphs.passed, CheckStatus.FAILED: glyphs.failed, CheckStatus.UNAVAILABLE: glyphs.inconclusive}
    return signs.get(status, glyphs.skipped)


def _one_line(text: str, medium: Medium) -> str:
    """The text without line breaks, which would break columns."""
    return medium.printable(" ".join(_words(text)))


def _words(text: str) -> Iterable[str]:
    return text.split() if "\n" in text or "\t" in text else (text,)


def _indented(text: str, medium: Medium, *, margin: int = 2) -> str:
    return "\n".join(f"{' ' * margin}{line}" if line else "" for line in medium.printable(text).strip("\n").splitlines())
