"""Which remarks of reviews hold for a text as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixel_coach.anchor_findings import fingerprint
from pixel_coach.attempts import Attempt, Patch, Review, ReviewFinding
from pixel_coach.tasks import Action, State, Task
from pixel_server.client_text import ClientText
from pixel_server.coach_session import CoachView, TaskView
from pixel_server.features.coach_remarks import remarks
from pixel_server.session import Document

TEXT = "let a = 1;\nlet b = 2;\n  let c = 3;\n"
SAID = ReviewFinding(rule="PX803", line=2, quote="let b = 2;", message="why two?")
INDENTED = ReviewFinding(rule="PX804", line=3, quote="  let c = 3;", message="why three?", suggestion="  let c = 4;\n")


def reviewed(number: int, *findings: ReviewFinding, text: str = TEXT, is_model: bool = True, **fields: Any) -> TaskView:
    """A task whose kept attempt was reviewed."""
    given: dict[str, Any] = {"action": Action.REVIEW, "state": State.NEEDS_HUMAN, **fields}
    task = Task(number=number, workspace=Path("/workspace"), title="t", target="k.wgsl", **given)
    review = Review(reviewer="gemini", is_model=is_model, score=7, criteria=(), findings=findings, feedback="", text_sha256="")
    patch = Patch(path="k.wgsl", base_sha256=None, new_text=text)
    attempt = Attempt(
        number=number, task=number, run=1, round=1, candidate=0, agent="person", model="", patch=patch, reply="", review=review
    )
    return TaskView(task=task, attempt=attempt)


def check(text: str, expected: list[tuple[str, int]], *views: TaskView, dismissed: frozenset[str] = frozenset()) -> None:
    """Compare codes and lines (from 1)."""
    path = Path("/workspace/k.wgsl")
    content = ClientText(text, "utf-16")
    document = Document(uri=path.as_uri(), path=path, is_file=True, version=1, language="wgsl", content=content)
    found = remarks(CoachView(version=1, open=views, dismissed=dismissed), document)
    assert [(one.finding.code, content.range(one.finding.location.span).start.line + 1) for one in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(TEXT, [("PX803", 2), ("PX804", 3)], id="as it was reviewed"),
        pytest.param("// top\n\n" + TEXT, [("PX803", 4), ("PX804", 5)], id="moved down"),
        pytest.param(TEXT.replace("let b = 2", "let b = 5"), [("PX804", 3)], id="a line edited"),
        pytest.param(TEXT.replace("let b = 2;\n", ""), [("PX804", 2)], id="a line removed"),
        pytest.param(TEXT.replace("\n", "\r\n"), [], id="every line another"),
        pytest.param("fn f() {}\n", [], id="another text"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_remark_stays_with_its_line(text: str, expected: list[tuple[str, int]]) -> None:
    check(text, expected, reviewed(1, SAID, INDENTED))


def test_each_once_the_newest_review_and_none_that_was_dismissed() -> None:
    check(TEXT, [("PX804", 3)], reviewed(1, SAID), reviewed(2, INDENTED))
    check(TEXT, [("PX803", 2)], reviewed(1, SAID, action=Action.EDIT_FILE), reviewed(2, SAID))
    check(TEXT, [("PX804", 3)], reviewed(1, SAID, INDENTED), dismissed=frozenset({fingerprint("k.wgsl", SAID)}))


def test_local_rules_speak_only_where_a_review_was_asked_for() -> None:
    check(TEXT, [("PX803", 2)], reviewed(1, SAID, is_model=False))
    check(TEXT, [], reviewed(1, SAID, is_model=False, action=Action.EDIT_FILE))


def test_nothing_of_a_task_that_went_back_to_work() -> None:
    check(TEXT, [], reviewed(1, SAID, action=Action.EDIT_FILE, state=State.PENDING))


def test_a_quote_that_is_not_the_line_and_a_rule_that_is_none() -> None:
    lying = ReviewFinding(rule="PX803", line=1, quote="let b = 2;", message="m")
    unknown = ReviewFinding(rule="PX899", line=1, quote="let a = 1;", message="m")
    check(TEXT, [], reviewed(1, lying, unknown))


def test_a_text_that_differs_in_thousands_of_lines_is_not_compared() -> None:
    long = "".join(f"let x{number} = 1;\n" for number in range(2000))
    check("".join(f"let y{number} = 1;\n" for number in range(2000)), [], reviewed(1, SAID, text=TEXT + long))
