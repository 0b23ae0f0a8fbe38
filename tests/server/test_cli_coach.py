"""The coach's verbs as a user types them, over a queue and a workspace of their own. What a model does is tested with the coach."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixel_coach.attempts import (
    Attempt,
    CheckStatus,
    CriterionScore,
    Evidence,
    EvidenceCheck,
    Patch,
    Proof,
    Review,
    ReviewFinding,
)
from pixel_coach.settings import LOCAL_SERVICES, REVIEW_SERVICES
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, State
from pixel_server import cli_coach
from pixel_server.cli import main

OLD, NEW = "old\nkept\n", "new\nkept\n"


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, a queue of its own, no model and no key."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def store(workspace: Path) -> Iterator[Store]:
    with Store(queue_path(os.environ)) as opened:
        yield opened


class Shell:
    """Runs command lines in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *arguments: str, code: int = 0) -> str:
        assert main(arguments) == code, self._capsys.readouterr()
        captured = self._capsys.readouterr()
        assert captured.err == ""
        return captured.out

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        value = json.loads(self.run(*arguments, "--format", "json", code=code))
        assert value.pop("version") == 1
        return value

    def refused(self, *arguments: str) -> list[str]:
        assert main(arguments) == 2
        captured = self._capsys.readouterr()
        assert captured.out == ""
        return captured.err.splitlines()


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def coached(store: Store, number: int, state: State = State.AWAITING_ACCEPTANCE, *, proof: Proof = Proof.PROVED) -> None:
    """Let a coach have worked on a task: one attempt that replaces `OLD`, reviewed at 8."""
    task = store.get(number)
    lease = store.lease(workspace=task.workspace, owner="test", number=number)
    assert lease is not None
    base = hashlib.sha256(OLD.encode()).hexdigest()
    attempt = Attempt(
        task=number,
        run=lease.run,
        round=1,
        candidate=0,
        agent="scripted",
        model="demo",
        patch=Patch(path=task.target, base_sha256=base, new_text=NEW),
        reply=f"Here it is:\n{NEW}",
    )
    attempt = store.add_attempt(lease, attempt)
    passed = CheckStatus.PASSED if proof is Proof.PROVED else CheckStatus.FAILED
    checks = (
        EvidenceCheck(name="parse", status=CheckStatus.PASSED, summary="it parses"),
        EvidenceCheck(name="contract", status=passed, summary="14 cases", feedback="row 64\nis zero", seconds=0.25),
    )
    store.set_evidence(lease, attempt.number, Evidence(proof=proof, checks=checks, text_sha256="", engine="device llvmpipe"))
    review = Review(
        reviewer="gemini gemini-2.5-flash",
        is_model=True,
        score=8,
        criteria=(CriterionScore(criterion="completeness", evidence="every size is computed", score=8),),
        findings=(ReviewFinding(rule="PX803", line=1, quote="new", message="say why", suggestion="newer"),),
        feedback="Good.",
        text_sha256="",
    )
    store.set_review(lease, attempt.number, review)
    store.mark_best(lease, attempt.number)
    store.move(lease, state, "proved; scored 8/10")


def added(shell: Shell, title: str = "Tile it", *more: str) -> int:
    Path("k.wgsl").write_text(OLD, encoding="utf-8")
    return int(shell.run("add", title, "--target", "k.wgsl", *more).split()[1].rstrip(":"))


def test_a_phase_is_loaded_once(shell: Shell) -> None:
    assert shell.run("init", "--phase", "2_inference") == "6_full_inference: added 4 tasks, 0 already there\n"
    assert shell.run("init", "--phase", "6_full_inference") == "6_full_inference: added 0 tasks, 4 already there\n"
    again = shell.json("init", "--phase", "2_inference")
    assert (again["phase"], again["added"], again["already_there"]) == ("6_full_inference", 0, 4)
    assert shell.json("status")["phases"] == {"6_full_inference": {**dict.fromkeys(cli_coach.STATES, 0), "pending": 4}}


def test_an_unknown_phase_names_those_there_are(shell: Shell) -> None:
    said = shell.refused("init", "--phase", "1_gpu_cor")
    assert said[0] == "pixel-lsp: there is no phase `1_gpu_cor`"
    assert said[1].startswith("  hint: `1_gpu_core` is close; there are 0_stabilization, 1_gpu_core, ")


def test_phases_are_listed_with_what_is_queued(shell: Shell) -> None:
    shell.run("init", "--phase", "7_conversion")
    lines = shell.run("list-phases").splitlines()
    assert lines[-1] == "7_conversion            Model conversion: 3 tasks (queued: 3 pending)"
    (phase,) = [each for each in shell.json("list-phases")["phases"] if each["id"] == "6_full_inference"]
    assert (phase["aliases"], phase["tasks"], phase["queued"]["pending"]) == (["2_inference"], 4, 0)


def test_phases_of_a_workspace_count_too(shell: Shell, workspace: Path) -> None:
    (workspace / "pixel.toml").write_text("[coach]\nplaybooks = ['mine.toml']\n", encoding="utf-8")
    playbook = "id = 'mine'\ntitle = 'Mine'\n[[tasks]]\nkey = 'a'\ntitle = 'A'\naction = 'write_file'\ntarget = 'a.wgsl'\n"
    (workspace / "mine.toml").write_text(playbook, encoding="utf-8")
    assert shell.run("init", "--phase", "mine") == "mine: added 1 task, 0 already there\n"
    assert [task["title"] for task in shell.json("list-tasks", "--phase", "mine")["tasks"]] == ["A"]


def test_a_task_is_added_and_found_again(shell: Shell, workspace: Path) -> None:
    number = added(shell, "Tile it", "--priority", "8", "--test-command", "pytest -q 'a b'", "--rounds", "2", "--dollars", "0.01")
    second = added(shell, "Then this", "--depends-on", str(number), "--action", "review")
    value = shell.json("show-task", str(number))
    task = value["task"]
    assert (task["title"], task["target"], task["action"], task["priority"]) == ("Tile it", "k.wgsl", "edit_file", 8)
    assert (task["test_command"], task["limits"]["rounds"], task["limits"]["dollars"]) == (["pytest", "-q", "a b"], 2, 0.01)
    assert (task["workspace"], value["attempts"], value["best"]) == (str(workspace), [], None)
    assert shell.json("next")["task"]["number"] == number
    assert shell.run("list-tasks") == ("1  pending   8  k.wgsl  Tile it\n2  pending   5  k.wgsl  Then this (after 1)\n\n2 pending\n")
    assert [each["number"] for each in shell.json("list-tasks", "--limit", "1")["tasks"]] == [number]
    assert shell.run("list-tasks", "--limit", "1").splitlines()[-2] == "only the first 1 are shown; --limit changes that"
    assert "  waits     task 2 waits for task 1 (pending)\n" in shell.run("show-task", str(second))


def test_what_is_missing_or_refused_of_a_task(shell: Shell) -> None:
    assert shell.refused("add", "Tile it") == ["pixel-lsp: a task needs a target", "  hint: for example: --target matmul.wgsl"]
    assert shell.refused("add", "--target", "a")[0] == "pixel-lsp: a task needs a title"
    assert shell.refused("add", "x", "--target", "../a")[0].startswith("pixel-lsp: ../a is no file inside the workspace ")
    assert shell.refused("add", "x", "--target", ".git/config")[0] == "pixel-lsp: .git/config is protected: `.git` is configuration"
    assert shell.refused("add", "x", "--target", "a", "--test-command", "a 'b")[0] == (
        "pixel-lsp: the test command cannot be read: no closing quotation"
    )
    assert shell.refused("add", "x", "--target", "a", "--depends-on", "99")[0].startswith("pixel-lsp: ")


def test_targets_count_from_the_current_folder(shell: Shell, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "kernels").mkdir()
    monkeypatch.chdir(workspace / "kernels")
    number = added(shell)
    assert shell.json("show-task", str(number))["task"]["target"] == "kernels/k.wgsl"
    assert len(shell.json("list-tasks", "--target", "k.wgsl")["tasks"]) == 1
    monkeypatch.chdir(workspace.parent)
    assert shell.run("list-tasks", "--workspace", "project", "--target", "kernels/k.wgsl").startswith("1  pending")


def test_comments_become_tasks_once(shell: Shell) -> None:
    Path("k.wgsl").write_text("// TODO(coach): tile this\nfn k() {}\n", encoding="utf-8")
    assert shell.run("add", "--todo", "k.wgsl", "--priority", "7") == "task 1: tile this\n"
    assert shell.run("add", "--todo", "k.wgsl") == "task 1 is there already: tile this\n"
    assert shell.json("show-task", "1")["task"]["priority"] == 7
    assert shell.refused("add", "--todo", "nowhere.wgsl") == ["pixel-lsp: nowhere.wgsl does not exist"]
    assert shell.refused("add", "x", "--todo", "k.wgsl") == ["pixel-lsp: with --todo the title comes from the comment"]


def test_a_task_is_edited_as_a_whole_or_not_at_all(shell: Shell) -> None:
    number = str(added(shell, "Tile it", "--contract", "k"))
    assert shell.run("edit", number, "--title", "Tile it well", "--contract", "", "--seconds", "60") == (
        "task 1: changed title, contract, limits\n"
    )
    task = shell.json("show-task", number)["task"]
    assert (task["title"], task["contract"], task["limits"]["seconds"]) == ("Tile it well", None, 60)
    assert shell.refused("edit", number)[0] == "pixel-lsp: there is nothing to change"
    assert shell.refused("edit", number, "--title", "Other", "--before", "99")[0] == "pixel-lsp: there is no task 99"
    assert shell.json("show-task", number)["task"]["title"] == "Tile it well"
    second = str(added(shell, "Second"))
    shell.run("edit", second, "--before", number)
    assert shell.json("next")["task"]["title"] == "Second"


def test_tasks_are_paused_cancelled_and_taken_up_again(shell: Shell) -> None:
    numbers = [str(added(shell)), str(added(shell))]
    assert shell.run("pause", *numbers) == "task 1 is paused\ntask 2 is paused\n"
    assert shell.run("next", code=1).splitlines()[1] == (
        "  the pending ones are paused or wait for others: pixel-lsp list-tasks --state pending"
    )
    assert "(paused)" in shell.run("list-tasks")
    assert shell.run("resume", "1") == "task 1 can be taken again\n"
    assert shell.run("cancel", "1", "--reason", "not needed") == "task 1 is cancelled\n"
    assert [task["reason"] for task in shell.json("list-tasks", "--state", "cancelled")["tasks"]] == ["not needed"]
    assert shell.run("retry", "1") == "task 1 is pending again\n"


def test_the_tasks_that_can_be_moved_are(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    added(shell)
    value = shell.json("cancel", "99", "1", code=1)
    assert [task["number"] for task in value["tasks"]] == [1]
    assert value["errors"] == [{"task": 99, "message": "there is no task 99", "hint": "`pixel-lsp list-tasks` shows those there are"}]
    assert main(["cancel", "98"]) == 1
    assert capsys.readouterr().err == "pixel-lsp: there is no task 98\n  hint: `pixel-lsp list-tasks` shows those there are\n"


def test_a_task_is_shown_with_what_came_of_it(shell: Shell, store: Store, workspace: Path) -> None:
    coached(store, added(shell, "Tile it", "--description", "All of it."))
    assert (
        shell.run("show-task", "1")
        == f"""\
task 1  Tile it
  state     awaiting_acceptance
  why       proved; scored 8/10
  target    k.wgsl (edit_file)
  priority  5 of 10
  limits    3 rounds, 1800 s, $0.05, 20 requests
  workspace {workspace}

  All of it.

1 attempt:
 *1  run 1, round 1  scripted demo  9 characters  proved  8/10

attempt 1 of run 1, round 1, by scripted demo
  evidence: proved on device llvmpipe
    ✓ parse     it parses
    ✓ contract  14 cases  0.25 s
  review: 8/10 by gemini gemini-2.5-flash
     8  completeness  every size is computed
    line 1: warning[PX803] say why
      write instead: newer
    feedback:
      Good.

to do: pixel-lsp show-task 1 --diff, then pixel-lsp accept 1, or pixel-lsp reject 1 --reason 'why'
"""
    )
    assert shell.run("show-task", "1", "--code") == NEW
    assert shell.run("show-task", "1", "--diff") == "--- a/k.wgsl\n+++ b/k.wgsl\n@@ -1,2 +1,2 @@\n-old\n+new\n kept\n"
    (attempt,) = shell.json("show-task", "1")["attempts"]
    assert (attempt["patch"]["characters"], "reply" in attempt) == (9, False)
    (attempt,) = shell.json("show-task", "1", "--attempt", "1")["attempts"]
    assert (attempt["patch"]["new_text"], attempt["reply"]) == (NEW, f"Here it is:\n{NEW}")
    assert shell.refused("show-task", "1", "--attempt", "7") == ["pixel-lsp: task 1 has no attempt 7", "  hint: its attempts are: 1"]
    added(shell)
    assert shell.refused("show-task", "2", "--code") == [
        "pixel-lsp: task 2 has no attempt yet",
        "  hint: `pixel-lsp --coach --task 2` works on it",
    ]


def test_what_failed_says_so_with_its_feedback(shell: Shell, store: Store) -> None:
    coached(store, added(shell), State.NEEDS_HUMAN, proof=Proof.REFUTED)
    shown = shell.run("show-task", "1", "--attempt", "1")
    assert "  evidence: refuted on device llvmpipe\n" in shown
    assert "    ✗ contract  14 cases  0.25 s\n        row 64\n        is zero\n" in shown


def test_accepting_writes_the_file_and_completes_the_task(shell: Shell, store: Store, workspace: Path) -> None:
    coached(store, added(shell))
    assert shell.run("accept", "1") == f"task 1 is completed; wrote {workspace / 'k.wgsl'}\n"
    assert Path("k.wgsl").read_text(encoding="utf-8") == NEW
    assert shell.refused("accept", "1")[0] == "pixel-lsp: task 1 is completed: there is nothing to accept"


def test_a_file_that_changed_is_left_alone(shell: Shell, store: Store) -> None:
    coached(store, added(shell))
    Path("k.wgsl").write_text("mine\n", encoding="utf-8")
    assert shell.refused("accept", "1") == [
        "pixel-lsp: k.wgsl changed since the patch was made from it",
        "  hint: run the task again, or apply the text by hand",
    ]
    assert Path("k.wgsl").read_text(encoding="utf-8") == "mine\n"
    assert shell.json("show-task", "1")["task"]["state"] == "awaiting_acceptance"


def test_rejecting_keeps_the_reason(shell: Shell, store: Store) -> None:
    coached(store, added(shell))
    assert shell.run("reject", "1", "--reason", "too slow") == (
        "rejected; task 1 waits for you; `pixel-lsp retry 1` puts it back to work\n"
    )
    assert shell.json("reject", "1", "--reason", "and ugly", "--retry")["task"]["state"] == "pending"
    assert [each["reason"] for each in shell.json("show-task", "1")["task"]["metadata"]["rejections"]] == ["too slow", "and ugly"]


def test_texts_of_a_task_drive_no_terminal(shell: Shell) -> None:
    added(shell, "a\x1b[31m\u202eb")
    assert "\x1b" not in shell.run("list-tasks") + shell.run("show-task", "1") + shell.run("next")


def test_without_a_model_nothing_is_done_and_it_says_why(shell: Shell) -> None:
    added(shell)
    said = shell.run("--coach", code=2)
    assert "warning: gemini: there is no key for Gemini: neither GEMINI_API_KEY nor GOOGLE_API_KEY is set\n  hint: " in said
    assert "the coach stopped: no model can be asked, see above\n" in said
    events = [json.loads(line) for line in shell.run("--coach", "--format", "jsonl", code=2).splitlines()]
    assert [event["event"] for event in (events[0], events[-1])] == ["RunStarted", "RunEnded"]
    value = shell.json("coach", code=2)
    assert (value["started"]["mode"], value["tasks"], value["ended"]["processed"]) == ("none", [], 0)
    assert {notice["message"].partition(":")[0] for notice in value["notices"]} >= {"ollama", "llama.cpp", "gemini", "gemini-cli"}


def test_agents_say_what_is_missing_and_what_would_be_sent(shell: Shell, workspace: Path) -> None:
    said = shell.run("agents", code=2)
    assert "mode: none (nothing can be asked)\n" in said
    assert f"nothing of {workspace} is sent to a remote reviewer\n" in said
    assert shell.json("agents", "--allow-review", code=2)["review_is_allowed"] is True
    assert f"tasks of {workspace} may be sent to a remote reviewer\n" in shell.run("agents", code=2)
    assert shell.json("agents", "--forbid-review", code=2)["review_is_allowed"] is False
    one = shell.json("agents", "--generator", "llama.cpp", "--reviewer", "gemini", code=2)
    assert [agent["agent"] for agent in one["agents"]] == ["llama.cpp", "gemini"]


def test_settings_that_are_mistaken_stop_what_would_use_them(shell: Shell, workspace: Path, tmp_path: Path) -> None:
    own = tmp_path / "config" / "pixel-lsp" / "coach.toml"
    own.parent.mkdir(parents=True)
    own.write_text("candidates = 0\n[limits]\ndolars = 1\n", encoding="utf-8")
    assert shell.refused("--coach") == [
        "pixel-lsp: the settings of the coach cannot be used as they are",
        f"  {own}:1: `candidates` must be a whole number from 1 to 64",
        f"  {own}:3: there is no setting `limits.dolars` (did you mean `dollars`?)",
        "  hint: docs/coach.md describes every setting",
    ]


def test_what_a_workspace_may_not_set_is_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "pixel.toml").write_text("[coach]\n[coach.generator]\nservice = 'openai'\nurl = 'https://x'\n", encoding="utf-8")
    assert main(["agents"]) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[0] == "pixel-lsp: pixel.toml:2: `generator` does not count here: a workspace cannot set it"
    assert "openai" not in captured.out


def test_stats_of_an_empty_ledger(shell: Shell) -> None:
    assert shell.run("stats") == (
        "in all  0 calls (0 reviews), 0 + 0 tokens, $0.0000, 0 ms\n"
        "saved   not known: nothing was generated yet, or no reviewer whose price is known\n"
        "today, all workspaces: $0.0000 of $1.00, 0 reviews of 200\n"
    )
    value = shell.json("stats")
    assert (value["success_rate"], value["saved_share"], value["summary"]["total"]["calls"]) == (None, None, 0)


def test_the_dashboard_needs_a_terminal(shell: Shell) -> None:
    assert shell.refused("dashboard")[0] == "pixel-lsp: the dashboard needs a terminal"


def test_a_workspace_that_is_no_folder(shell: Shell) -> None:
    assert shell.refused("status", "--workspace", "nowhere") == ["pixel-lsp: the workspace nowhere is not a folder"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tcp", "127.0.0.1:0", "--coach"], "pixel-lsp: error: argument --coach: not allowed with argument --tcp"),
        (["status", "--coach"], "pixel-lsp: error: unrecognized arguments: --coach"),
        (["--coach", "--max-tasks", "0"], "pixel-lsp coach: error: argument --max-tasks: 0 is not a positive number"),
        (["add", "x", "--priority", "11"], "pixel-lsp add: error: argument --priority: 11 is not a number from 1 to 10"),
        (["coach", "--dollars", "-1"], "pixel-lsp coach: error: argument --dollars: -1 is not a number from 0"),
        (["coach", "--dollars", "nan"], "pixel-lsp coach: error: argument --dollars: nan is not a number from 0"),
        (["retry"], "pixel-lsp retry: error: the following arguments are required: TASK"),
        (["reject", "1"], "pixel-lsp reject: error: the following arguments are required: --reason"),
    ],
)
def test_usage(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == expected


def test_the_words_of_the_command_line_are_those_of_the_coach() -> None:
    assert list(cli_coach.ACTIONS) == [action.value for action in Action]
    assert list(cli_coach.STATES) == [state.value for state in State]
    parser = ArgumentParser()
    cli_coach.coach_verbs()["coach"][1](parser)
    helped = " ".join(parser.format_help().split())
    assert f"what writes: {', '.join(LOCAL_SERVICES)}" in helped
    assert f"what reviews: {', '.join(REVIEW_SERVICES)}" in helped


@pytest.mark.parametrize("shell_name", cli_coach.SHELLS)
def test_every_shell_gets_its_script(shell_name: str, shell: Shell) -> None:
    script = shell.run("completion", shell_name)
    for word in ("list-tasks", "max-tasks", "awaiting_acceptance"):
        assert word in script


def test_bash_completes_verbs_options_and_values(tmp_path: Path) -> None:
    """The script of `completion bash`, loaded by a real bash."""
    script = tmp_path / "completion"
    done = subprocess.run(
        [sys.executable, "-m", "pixel_server.cli", "completion", "bash"], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    script.write_text(done.stdout, encoding="utf-8")

    def complete(*words: str) -> set[str]:
        ask = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shtab_pixel_lsp; printf "%s\\n" "${COMPREPLY[@]}"'
        command = ["/bin/bash", "-c", ask, "bash", str(script), "pixel-lsp", *words]
        return set(subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout.split())

    assert complete("list-") == {"list-phases", "list-tasks"}
    assert {"--phase", "--max-tasks"} <= complete("coach", "--")
    assert complete("list-tasks", "--state", "awa") == {"awaiting_acceptance"}
