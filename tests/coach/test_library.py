"""The coach from Python: the names of its first description."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pixel_coach
from coach_testing.desk import KnowingProver, fenced
from coach_testing.reviews import finding, review_reply
from pixel_coach import Action, CoachSettings, GeminiAgent, LocalLLMAgent, NewTask, batch, coach_task, run_coaching_loop
from pixel_coach.attempts import Proof
from pixel_coach.errors import AgentUnavailable, ReplyMalformed
from pixel_coach.settings import AgentSettings
from pixel_coach.tasks import State


class Scripted:
    """Settings whose models give the replies of a script, and an environment with an empty queue."""

    def __init__(self, folder: Path, *replies: dict[str, object]) -> None:
        script = folder / "script.json"
        script.write_text(json.dumps({"replies": replies}), encoding="utf-8")
        agent = AgentSettings(service="scripted", model=str(script))
        self.settings = CoachSettings(generator=agent, reviewer=agent)
        self.environment = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.workspace = folder / "workspace"
        self.workspace.mkdir(exist_ok=True)
        self.task = NewTask(
            workspace=self.workspace, title="Write notes", action=Action.WRITE_FILE, target="notes.txt", description="about pixels"
        )


def test_review_code_gives_score_and_feedback(tmp_path: Path) -> None:
    found = [finding(line=2, quote="  b", message="indent it less")]
    given = Scripted(tmp_path, {"role": "reviewer", "round": 2, "contains": "about pixels", "text": review_reply(7, found, "nearly")})
    score, feedback = GeminiAgent(given.settings, given.environment).review_code("a\n  b\n", given.task, iteration=2)
    assert (score, feedback) == (7, "nearly\nline 2: indent it less (PX803)")


def test_review_code_makes_no_score_up(tmp_path: Path) -> None:
    given = Scripted(tmp_path, {"role": "reviewer", "text": "9 of 10"})
    with pytest.raises(AgentUnavailable, match="the review is not what was asked for"):
        GeminiAgent(given.settings, given.environment).review_code("a\n", given.task)


def test_generate_code_goes_on_from_previous_code_and_feedback(tmp_path: Path) -> None:
    given = Scripted(
        tmp_path,
        {"role": "generator", "contains": "Add docstrings", "text": fenced("better\n")},
        {"role": "generator", "text": fenced("first\n")},
    )
    writer = LocalLLMAgent(given.settings, given.environment)
    first = writer.generate_code(given.task)
    assert (first, writer.generate_code(given.task, feedback="Add docstrings", previous_code=first)) == ("first\n", "better\n")


def test_generate_code_says_what_was_wrong_with_the_reply(tmp_path: Path) -> None:
    given = Scripted(tmp_path, {"role": "generator", "text": "no"})
    with pytest.raises(ReplyMalformed, match="the reply holds no code block"):
        LocalLLMAgent(given.settings, given.environment).generate_code(given.task)


def test_an_agent_that_is_not_there_says_why_and_how_to_mend_it(tmp_path: Path) -> None:
    given = Scripted(tmp_path)
    settings = CoachSettings(generator=AgentSettings(service="scripted", model=str(tmp_path / "gone.json")))
    with pytest.raises(AgentUnavailable) as caught:
        LocalLLMAgent(settings, given.environment).generate_code(given.task)
    assert str(tmp_path / "gone.json") in str(caught.value)
    assert caught.value.hint


@pytest.fixture
def _knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "Prover", lambda *_: KnowingProver({"bad": Proof.REFUTED}))


@pytest.mark.usefixtures("_knowing")
def test_coach_task_works_on_a_new_task_and_writes_nothing(tmp_path: Path) -> None:
    given = Scripted(
        tmp_path,
        {"role": "generator", "round": 1, "text": fenced("bad\n")},
        {"role": "generator", "round": 2, "text": fenced("good\n")},
        {"role": "reviewer", "text": review_reply(8)},
    )
    outcome = coach_task(given.task, settings=given.settings, environment=given.environment)
    assert (outcome.is_accepted, outcome.score, outcome.code, outcome.reason) == (True, 8, "good\n", "proved; scored 8/10")
    assert not list(given.workspace.iterdir())


@pytest.mark.usefixtures("_knowing")
def test_coach_task_gives_the_best_attempt_after_max_attempts(tmp_path: Path) -> None:
    given = Scripted(tmp_path, {"role": "generator", "text": fenced("good\n")}, {"role": "reviewer", "text": review_reply(6)})
    outcome = coach_task(given.task, max_attempts=1, settings=given.settings, environment=given.environment)
    assert (outcome.is_accepted, outcome.score, outcome.code) == (False, 6, "good\n")
    assert outcome.task.state is State.NEEDS_HUMAN
    assert outcome.reason.startswith("not accepted in 1 round; ")


@pytest.mark.usefixtures("_knowing")
def test_the_loop_takes_the_tasks_of_a_phase_by_its_alias(tmp_path: Path) -> None:
    given = Scripted(tmp_path, {"role": "generator", "text": fenced("good\n")}, {"role": "reviewer", "text": review_reply(9)})
    ended = run_coaching_loop(2, "2_inference", workspace=given.workspace, settings=given.settings, environment=given.environment)
    assert (ended.processed, ended.reason) == (0, "no task of phase 6_full_inference is ready")


def test_importing_the_package_loads_nothing() -> None:
    code = "import sys, pixel_coach; print(sorted(name for name in sys.modules if name.startswith('pixel_coach')), 'httpx' in sys.modules)"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert done.stdout == "['pixel_coach'] False\n"


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pixel_coach.nothing  # noqa: B018
    assert all(getattr(pixel_coach, name) for name in pixel_coach.__all__)
