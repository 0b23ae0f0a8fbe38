"""Yes and no to what the coach made: in editors of every kind, in texts that went on, and with candidates that must not be taken."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_testing.coach import CANDIDATE, CoachDesk
from lsp_testing.editor import Editor, editor
from lsp_testing.kernels import RIGHT
from pixel_coach.attempts import Attempt, CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.hunks import apply_hunks
from pixel_coach.tasks import State

pytestmark = [pytest.mark.asyncio]

WHOLE_FILE = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=99, character=0))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CoachDesk:
    made = CoachDesk(tmp_path)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest_asyncio.fixture
async def client(desk: CoachDesk, pushed: types.ClientCapabilities) -> AsyncIterator[Editor]:
    # Not trusted: nothing of this needs to run anything.
    async with editor(pushed, desk.workspace, desk.state, {"trusted": False}) as made:
        yield made


def coached(desk: CoachDesk, text: str = CANDIDATE, proof: Proof = Proof.PROVED) -> int:
    """A task that a coach has worked on, and that awaits a person; gives the number of the attempt."""
    desk.add()
    with desk.store() as store:
        lease = store.lease(workspace=desk.workspace, owner="test", number=1)
        assert lease is not None
        patch = Patch(path="k.wgsl", base_sha256=hashlib.sha256(RIGHT.encode()).hexdigest(), new_text=text)
        attempt = store.add_attempt(
            lease, Attempt(task=1, run=lease.run, round=1, candidate=0, agent="scripted", model="", patch=patch, reply=text)
        )
        status = CheckStatus.FAILED if proof is Proof.REFUTED else CheckStatus.PASSED
        check = EvidenceCheck(name="contract", status=status, summary="3 of 12 cases failed")
        store.set_evidence(lease, attempt.number, Evidence(proof=proof, checks=(check,), text_sha256=""))
        store.mark_best(lease, attempt.number)
        store.move(lease, State.NEEDS_HUMAN if proof is Proof.REFUTED else State.AWAITING_ACCEPTANCE, "because")
    return attempt.number


def save(client: Editor, uri: str, path: Path) -> None:
    """Save a document, as an editor does."""
    path.write_text(client.texts[uri], encoding="utf-8")
    client.save(uri)


async def titles(client: Editor, uri: str) -> list[str]:
    """The coach's actions for the whole of a document."""
    return [one.title for one in await client.actions(uri, WHOLE_FILE) if one.title.startswith("Coach:")]


async def told(client: Editor, message: str) -> None:
    """Wait until the user is told exactly this."""
    await client.until(lambda: [one.message for one in client.client.messages] == [message])


async def test_all_of_it_by_one_versioned_edit(desk: CoachDesk, clients: dict[str, types.ClientCapabilities]) -> None:
    path = desk.write_kernel()
    coached(desk)
    capabilities = clients.get("vscode1139") or clients["visual-studio-code"]
    async with editor(capabilities, desk.workspace, desk.state, {"trusted": False}) as client:
        uri = client.open(path, RIGHT)
        assert await client.command("pixel-lsp.coach.accept", 1) == {"task": 1, "applied": True}
        (edit,) = client.edits
        assert edit.document_changes is not None
        assert client.texts[uri] == CANDIDATE
        assert desk.task(1).state is State.AWAITING_ACCEPTANCE
        save(client, uri, path)
        await client.until(lambda: desk.task(1).state is State.COMPLETED)
        assert desk.task(1).reason == "accepted attempt 1"
        assert path.read_text(encoding="utf-8") == CANDIDATE


async def test_a_hunk_is_an_edit_that_names_its_version_and_its_task(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    path = desk.write_kernel()
    coached(desk)
    assert pushed.workspace is not None
    able = types.WorkspaceEditClientCapabilities(document_changes=True, change_annotation_support=types.ChangeAnnotationsSupportOptions())
    capabilities = attrs.evolve(
        pushed,
        workspace=attrs.evolve(pushed.workspace, workspace_edit=able),
        text_document=attrs.evolve(
            pushed.text_document, code_action=attrs.evolve(pushed.text_document.code_action, honors_change_annotations=True)
        ),
    )
    async with editor(capabilities, desk.workspace, desk.state, {"trusted": False}) as client:
        uri = client.open(path, RIGHT, version=7)
        (action,) = [one for one in await client.actions(uri, WHOLE_FILE) if one.title == "Coach: accept hunk 2 of 3 (line 9)"]
        assert isinstance(action, types.CodeAction)
        assert action.edit is not None
        (change,) = action.edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        assert change.text_document.version == 7
        assert action.edit.change_annotations == {
            "hunk-2": types.ChangeAnnotation(label="Task 1 'Tidy the kernel'", needs_confirmation=False, description="line 9")
        }
        client.apply(action.edit)
        assert client.texts[uri] == apply_hunks(RIGHT, CANDIDATE, {1})


async def test_undoing_a_hunk_offers_it_again(client: Editor, desk: CoachDesk) -> None:
    path = desk.write_kernel()
    attempt = coached(desk)
    uri = client.open(path, RIGHT)
    assert await client.command("pixel-lsp.coach.applyHunk", 1, attempt, 0) == {"task": 1, "applied": True}
    assert client.texts[uri] == apply_hunks(RIGHT, CANDIDATE, {0})
    assert "Coach: accept hunk 1 of 3 (after line 6)" not in await titles(client, uri)
    client.change(uri, 3, RIGHT)
    assert "Coach: accept hunk 1 of 3 (after line 6)" in await titles(client, uri)


async def test_a_text_that_went_on_takes_nothing(client: Editor, desk: CoachDesk) -> None:
    path = desk.write_kernel()
    coached(desk)
    uri = client.open(path, RIGHT)
    assert "Coach: accept all of task 1 'Tidy the kernel'" in await titles(client, uri)
    client.change(uri, 2, RIGHT + "// more\n")
    assert await titles(client, uri) == [
        "Coach: show the candidate of task 1 'Tidy the kernel': awaits your acceptance",
        "Coach: reject task 1 'Tidy the kernel'",
        "Coach: review this file",
    ]
    assert "the file changed since" in await client.lenses(uri)
    assert await client.command("pixel-lsp.coach.accept", 1) is None
    await told(
        client,
        "k.wgsl is not the text that the candidate of task 1 was made from (undo what was edited since, or run the task again)",
    )
    assert client.edits == []


async def test_what_is_refuted_is_shown_and_never_taken(client: Editor, desk: CoachDesk) -> None:
    path = desk.write_kernel()
    coached(desk, proof=Proof.REFUTED)
    uri = client.open(path, RIGHT)
    assert await titles(client, uri) == [
        "Coach: show the candidate of task 1 'Tidy the kernel': needs you",
        "Coach: reject task 1 'Tidy the kernel'",
        "Coach: run task 1 'Tidy the kernel' again",
        "Coach: review this file",
    ]
    assert await client.command("pixel-lsp.coach.accept", 1) is None
    await told(client, "attempt 1 is refuted: 3 of 12 cases failed (run the task again, or mend it by hand)")
    assert path.read_text(encoding="utf-8") == RIGHT


async def test_rejecting_writes_nothing_and_keeps_the_reason(client: Editor, desk: CoachDesk) -> None:
    path = desk.write_kernel()
    coached(desk)
    uri = client.open(path, RIGHT)
    assert await client.command("pixel-lsp.coach.reject", 1, "too clever") == {"task": 1, "state": "needs_human"}
    assert (client.texts[uri], client.edits) == (RIGHT, [])
    assert desk.task(1).metadata["rejections"] == [{"attempt": 1, "reason": "too clever"}]
    assert path.read_text(encoding="utf-8") == RIGHT


async def test_leaving_every_hunk_out_is_a_rejection(client: Editor, desk: CoachDesk) -> None:
    attempt = coached(desk)
    client.open(desk.write_kernel(), RIGHT)
    for hunk in (0, 2):
        assert await client.command("pixel-lsp.coach.rejectHunk", 1, attempt, hunk) == {"task": 1, "left_out": [hunk]}
    assert await client.command("pixel-lsp.coach.rejectHunk", 1, attempt, 1) == {"task": 1, "state": "needs_human"}
    assert desk.task(1).reason == "rejected: every hunk was left out"


async def test_edited_first_it_is_completed_by_what_is_saved(client: Editor, desk: CoachDesk) -> None:
    path = desk.write_kernel()
    coached(desk)
    uri = client.open(path, RIGHT)
    assert await client.command("pixel-lsp.coach.editFirst", 1) == {"task": 1, "applied": True}
    mended = client.texts[uri].replace("Twice", "Two times")
    client.change(uri, 3, mended)
    save(client, uri, path)
    await client.until(lambda: desk.task(1).state is State.COMPLETED)
    assert desk.task(1).reason == "accepted attempt 1 with edits"
    assert path.read_text(encoding="utf-8") == mended


async def test_a_file_that_is_not_open_is_written(client: Editor, desk: CoachDesk) -> None:
    path = desk.write_kernel()
    coached(desk)
    assert await client.command("pixel-lsp.coach.accept", 1) == {"task": 1, "state": "completed"}
    assert path.read_text(encoding="utf-8") == CANDIDATE
    assert await client.command("pixel-lsp.coach.accept", 1) is None
    await told(client, "task 1 is completed: there is nothing to accept")


async def test_an_editor_that_takes_no_edits_sees_the_file_change(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    path = desk.write_kernel()
    attempt = coached(desk)
    capabilities = attrs.evolve(pushed, workspace=attrs.evolve(pushed.workspace, apply_edit=False))
    async with editor(capabilities, desk.workspace, desk.state, {"trusted": False}) as client:
        uri = client.open(path, RIGHT)
        client.change(uri, 2, RIGHT.replace("fn twice", "fn  twice"))
        client.change(uri, 3, RIGHT)
        await client.command("pixel-lsp.coach.rejectHunk", 1, attempt, 0)
        assert await client.command("pixel-lsp.coach.accept", 1) == {"task": 1, "state": "completed"}
        assert path.read_text(encoding="utf-8") == apply_hunks(RIGHT, CANDIDATE, {1, 2})


async def test_the_candidate_is_shown_as_far_as_the_editor_can(client: Editor, desk: CoachDesk) -> None:
    coached(desk)
    client.open(desk.write_kernel(), RIGHT)
    shown = await client.command("pixel-lsp.coach.showCandidate", 1)
    assert (shown["task"], shown["attempt"], shown["path"], shown["isNew"], shown["text"]) == (1, 1, "k.wgsl", False, CANDIDATE)
    (diff,) = (desk.state / "pixel-lsp" / "coach" / "shown").iterdir()
    assert diff.name == "task-1-attempt-1.diff"
    assert "+    y[id.x] = x[id.x] + x[id.x];\n" in diff.read_text(encoding="utf-8")
    asked = await client.client.protocol.send_request_async("pixelLsp/candidate", {"task": 1, "attempt": 1})
    assert asked.text == CANDIDATE
    assert await client.command("pixel-lsp.coach.showCandidate", 2) is None
    await told(client, "there is no task 2 (`pixel-lsp list-tasks` shows those there are)")


@pytest.mark.parametrize("arguments", [(), ("1",), (1.5,), (True,), (None,)])
async def test_arguments_that_are_none(client: Editor, arguments: tuple[object, ...]) -> None:
    for name in ("run", "pause", "accept", "applyHunk", "dismissFinding"):
        with pytest.raises(Exception, match="argument 1 must be a"):
            await client.command(f"pixel-lsp.coach.{name}", *arguments)
