"""What a review says of an open file: on its lines as long as they are as reviewed, and what can be done about it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from coach_testing.reviews import finding
from lsp_testing.coach import CANDIDATE, CoachDesk, generated, reviewed
from lsp_testing.editor import Editor, editor
from lsp_testing.kernels import RIGHT
from pixel_coach.tasks import Action, State

pytestmark = [pytest.mark.device, pytest.mark.asyncio]

STORE = "if (id.x < arrayLength(&y)) { y[id.x] = 2.0 * x[id.x]; }"
BETTER = "if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] + x[id.x]; }"
FINDINGS = (
    finding(rule="PX803", line=11, quote=STORE, message="a product where a sum would do", suggestion=BETTER),
    finding(rule="PX809", line=9, quote="@compute @workgroup_size(64)", message="why 64?", severity="info"),
)


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


async def remarks(client: Editor, uri: str, *expected: str) -> Sequence[types.Diagnostic]:
    """The remarks on a document, once their codes are exactly these."""
    shown = await client.diagnostics(
        uri, lambda shown: [str(one.code) for one in shown if str(one.code).startswith("PX8")] == list(expected)
    )
    return [one for one in shown if str(one.code).startswith("PX8")]


async def test_a_file_is_reviewed_on_demand_and_its_remarks_can_be_dealt_with(client: Editor, desk: CoachDesk) -> None:
    # By the task's title: what the finding asks for is another task.
    desk.write_script(
        reviewed(7, FINDINGS, task="Review k.wgsl"),
        generated(RIGHT.replace(STORE, BETTER), contains="a product where a sum would do"),
        reviewed(9),
    )
    path = desk.write_kernel()
    uri = client.open(path, RIGHT)
    (action,) = [one for one in await client.actions(uri, at(1)) if one.title == "Coach: review this file"]
    assert action.command is not None
    assert await client.command(action.command.command, *action.command.arguments) == {"task": 1, "state": "running"}
    size, store = await remarks(client, uri, "PX809", "PX803")
    assert (size.range.start.line, store.range.start.line) == (8, 10)
    assert (size.severity, store.severity) == (types.DiagnosticSeverity.Information, types.DiagnosticSeverity.Warning)
    assert store.message == ("a product where a sum would do\nreview of task 1 'Review k.wgsl' (scripted script script.json, 7/10)")
    assert (desk.task(1).action, desk.task(1).state) == (Action.REVIEW, State.NEEDS_HUMAN)
    await client.until(lambda: len(client.client.messages) == 1)
    assert client.client.messages[0].message.startswith("k.wgsl is reviewed: ")

    assert [one for one in await client.lenses(uri) if "Coach" in one] == ["✓ Coach: task 1 'Review k.wgsl': reviewed, 7/10; close it"]
    # A line that moves takes its remark along; one that is edited loses it.
    client.change(uri, 2, "// on top\n" + RIGHT.replace("@workgroup_size(64)", "@workgroup_size(32)"))
    (moved,) = await remarks(client, uri, "PX803")
    assert moved.range.start.line == 11
    client.change(uri, 3, RIGHT)
    size, store = await remarks(client, uri, "PX809", "PX803")

    dismiss = await client.action(uri, size, "Dismiss for good")
    assert dismiss.command is not None
    assert await client.command(dismiss.command.command, *dismiss.command.arguments) is True
    (store,) = await remarks(client, uri, "PX803")

    fix = await client.action(uri, store, "Apply the reviewer's suggestion")
    assert fix.edit is not None
    client.apply(fix.edit)
    assert client.texts[uri] == RIGHT.replace(STORE, BETTER)
    await remarks(client, uri)
    client.change(uri, 5, RIGHT)
    (store,) = await remarks(client, uri, "PX803")

    back = await client.action(uri, store, "Send back to the coach")
    assert back.command is not None
    assert await client.command(back.command.command, *back.command.arguments) == {"task": 2, "state": "running"}
    await client.until(lambda: len(client.client.messages) == 2)
    assert desk.task(2).state is State.AWAITING_ACCEPTANCE
    assert desk.task(2).title == "PX803: a product where a sum would do"
    assert path.read_text(encoding="utf-8") == RIGHT

    # A review is read, whatever became of its file; asked for again, it is the same task.
    path.write_text(f"// on top\n{RIGHT}", encoding="utf-8")
    desk.write_script(reviewed(9))
    assert await client.command("pixel-lsp.coach.reviewFile", uri) == {"task": 1, "state": "running"}
    await client.until(lambda: desk.task(1).state is State.AWAITING_ACCEPTANCE)
    path.write_text(RIGHT, encoding="utf-8")
    assert await client.command("pixel-lsp.coach.accept", 1) == {"task": 1, "state": "completed"}
    assert (desk.task(1).reason, path.read_text(encoding="utf-8")) == ("read", RIGHT)


async def test_what_is_remarked_on_a_candidate_shows_where_it_is_taken(client: Editor, desk: CoachDesk) -> None:
    said = finding(rule="PX803", line=15, quote="    y[id.x] = x[id.x] + x[id.x];", message="a sum where a product would do")
    desk.write_script(generated(), reviewed(8, [said]))
    path = desk.write_kernel()
    desk.add(contract="twice")
    uri = client.open(path, RIGHT)
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: desk.task(1).state is State.AWAITING_ACCEPTANCE)
    await client.until(lambda: len(client.client.messages) == 1)
    await remarks(client, uri)
    await client.command("pixel-lsp.coach.applyHunk", 1, 1, 2)
    (shown,) = await remarks(client, uri, "PX803")
    lines = client.texts[uri].splitlines()
    assert lines[shown.range.start.line] == "    y[id.x] = x[id.x] + x[id.x];"
    # Back to work with the remark as feedback.
    desk.write_script(generated(RIGHT.replace("2.0 * x", "2 * x"), contains="a sum where a product would do"), reviewed(9))
    back = await client.action(uri, shown, "Send back to the coach")
    assert back.command is not None
    assert await client.command(back.command.command, *back.command.arguments) == {"task": 1, "state": "running"}
    await client.until(lambda: len(client.client.messages) == 3)
    assert [one.message for one in client.client.messages[1:]] == [
        "k.wgsl has unsaved changes; the coach works on the file as it is saved",
        "task 1 'Tidy the kernel' awaits your acceptance: proved; scored 9/10",
    ]
    assert CANDIDATE != path.read_text(encoding="utf-8") == RIGHT


def at(line: int) -> types.Range:
    """A line, from 1."""
    return types.Range(start=types.Position(line=line - 1, character=0), end=types.Position(line=line - 1, character=0))
