"""The coach from an editor: a task is run, its progress shown, its candidate taken in part, and the file is exactly so."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_testing.coach import CANDIDATE, CoachDesk, generated, reviewed
from lsp_testing.editor import Editor, command_line, descendants, editor, gone
from lsp_testing.kernels import RIGHT
from pixel_coach.hunks import apply_hunks
from pixel_coach.tasks import State

pytestmark = [pytest.mark.device, pytest.mark.asyncio]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CoachDesk:
    made = CoachDesk(tmp_path)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest_asyncio.fixture
async def client(desk: CoachDesk, pushed: types.ClientCapabilities) -> AsyncIterator[Editor]:
    async with editor(pushed, desk.workspace, desk.state, {"trusted": True, "python": sys.executable}) as made:
        yield made


def line_of(text: str, words: str) -> types.Range:
    """The line of a text that holds some words."""
    (number,) = [number for number, line in enumerate(text.splitlines()) if words in line]
    return types.Range(start=types.Position(line=number, character=0), end=types.Position(line=number, character=0))


async def test_task_progress_one_hunk_and_the_file_is_exactly_so(client: Editor, desk: CoachDesk) -> None:
    desk.write_script(generated(seconds=1.0), reviewed(8))
    path = desk.write_kernel()
    desk.add(contract="twice")
    uri = client.open(path, RIGHT)
    await client.until_verdict(uri, "passed")
    assert "▶ Coach: task 1 'Tidy the kernel': pending" in await client.lenses(uri)
    run = [one for one in await client.actions(uri, line_of(RIGHT, "fn twice")) if one.title == "Coach: run task 1 'Tidy the kernel'"]
    assert len(run) == 1
    assert run[0].command is not None
    answered = await client.command(run[0].command.command, *run[0].command.arguments)
    assert answered == {"task": 1, "state": "running"}
    await client.until(lambda: len(client.client.messages) == 1)
    assert client.client.messages[0].message == "task 1 'Tidy the kernel' awaits your acceptance: proved; scored 8/10"
    # Whoever is told that the task ended finds its candidate there, without waiting.
    lenses = await client.lenses(uri)
    assert "Coach: task 1 'Tidy the kernel': awaits your acceptance, 8/10" in lenses
    said = [getattr(one, "message", None) for one in client.client.progress_reports["pixel-lsp/coach/1"]]
    assert said[0] == "starting"
    assert "round 1 of 3: scripted script script.json writes" in said
    assert any(one is not None and "tokens/s" in one for one in said)
    assert [one for one in said if one in ("round 1 of 3: proved", "round 1 of 3: scored 8/10")] != []
    assert said[-2:] == ["awaiting acceptance: proved; scored 8/10", "awaiting acceptance: proved; scored 8/10"]
    # Nothing is written by itself.
    assert path.read_text(encoding="utf-8") == RIGHT

    candidate = await client.command("pixel-lsp.coach.showCandidate", 1)
    assert (candidate["text"], candidate["score"], candidate["evidence"]) == (CANDIDATE, 8, "proved")
    assert [one for one in lenses if "hunk" in one] == [
        "✓ Accept hunk 1 of 3 (+2 −0)",
        "✗ Leave hunk 1 of 3 (+2 −0) out",
        "✓ Accept hunk 2 of 3 (+2 −1)",
        "✗ Leave hunk 2 of 3 (+2 −1) out",
        "✓ Accept hunk 3 of 3 (+2 −1)",
        "✗ Leave hunk 3 of 3 (+2 −1) out",
    ]
    (accept,) = [one for one in await client.actions(uri, line_of(RIGHT, "2.0 * x")) if one.title == "Coach: accept hunk 3 of 3 (line 11)"]
    assert accept.command is not None
    assert await client.command(accept.command.command, *accept.command.arguments) == {"task": 1, "applied": True}
    wanted = apply_hunks(RIGHT, CANDIDATE, {2})
    assert client.texts[uri] == wanted
    save(client, uri, path)
    assert path.read_text(encoding="utf-8") == wanted
    # Two hunks are undecided; the answer to a question in between is the queue's.
    await client.until_verdict(uri, "passed")
    assert desk.task(1).state is State.AWAITING_ACCEPTANCE
    await client.command("pixel-lsp.coach.rejectHunk", 1, candidate["attempt"], 0)
    assert await client.command("pixel-lsp.coach.reject", 1) == {"task": 1, "left_out": [1]}
    assert desk.task(1).state is State.COMPLETED
    assert path.read_text(encoding="utf-8") == wanted
    assert [one for one in await client.lenses(uri) if "Coach" in one] == []


def save(client: Editor, uri: str, path: Path) -> None:
    """Save a document, as an editor does."""
    path.write_text(client.texts[uri], encoding="utf-8")
    client.save(uri)


async def until_lens(client: Editor, uri: str, title: str) -> list[str]:
    """The titles of the lenses, once one of them is this."""
    titles: list[str] = []
    for _ in range(200):
        titles = await client.lenses(uri)
        if title in titles:
            return titles
        await client.news(0.1)
    raise AssertionError(f"the lenses stay {titles}")


async def test_cancelling_in_the_middle_leaves_nothing_behind(client: Editor, desk: CoachDesk) -> None:
    desk.write_script(generated(seconds=30.0))
    path = desk.write_kernel()
    desk.add()
    uri = client.open(path, RIGHT)
    assert await client.command("pixel-lsp.coach.run", 1) == {"task": 1, "state": "running"}
    token = "pixel-lsp/coach/1"
    await client.until(
        lambda: any("tokens" in (getattr(one, "message", "") or "") for one in client.client.progress_reports.get(token, ()))
    )
    (coach,) = [pid for pid in descendants(client.process_id) if "coach_child" in command_line(pid)]
    family = {coach} | descendants(coach)
    assert desk.task(1).state is State.IN_PROGRESS
    client.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))
    await gone(family)
    assert (desk.task(1).state, desk.task(1).reason) == (State.PENDING, "stopped")
    with desk.store() as store:
        assert store.lease_of(1) is None
    assert path.read_text(encoding="utf-8") == RIGHT
    assert sorted(one.name for one in desk.workspace.iterdir()) == ["k.wgsl"]
    await until_lens(client, uri, "▶ Coach: task 1 'Tidy the kernel': pending")
    # No question, no message: who cancels knows.
    assert client.client.messages == []
