"""Runs that an editor asks for: what is queued from a file, one run after the other, and every way in which they end or never begin."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import attrs
import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_testing.coach import CoachDesk, generated, reviewed
from lsp_testing.editor import Editor, command_line, descendants, editor, gone
from lsp_testing.kernels import RIGHT, WRONG
from pixel_coach.tasks import Action, State

pytestmark = [pytest.mark.device, pytest.mark.asyncio]

TRUSTED = {"trusted": True, "python": sys.executable}
ASKING = RIGHT.replace("@compute", "// TODO(coach): use four elements a thread\n//   where N allows it\n@compute")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CoachDesk:
    made = CoachDesk(tmp_path)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest_asyncio.fixture
async def client(desk: CoachDesk, pushed: types.ClientCapabilities) -> AsyncIterator[Editor]:
    async with editor(pushed, desk.workspace, desk.state, TRUSTED) as made:
        yield made


def on_line(text: str, words: str) -> types.Range:
    """The line of a text that holds some words."""
    (number,) = [number for number, line in enumerate(text.splitlines()) if words in line]
    return types.Range(start=types.Position(line=number, character=0), end=types.Position(line=number, character=0))


async def take(client: Editor, uri: str, where: types.Range, title: str) -> object:
    """Take the code action of a title."""
    (found,) = [one for one in await client.actions(uri, where) if one.title == title]
    assert isinstance(found, types.CodeAction)
    assert found.command is not None
    return await client.command(found.command.command, *found.command.arguments)


async def told(client: Editor, *messages: str) -> None:
    """Wait until the user was told exactly this."""
    await client.until(lambda: [one.message for one in client.client.messages] == list(messages))


def coaches(client: Editor) -> Sequence[int]:
    """The coach's processes below the server."""
    return [process for process in descendants(client.process_id) if "coach_child" in command_line(process)]


async def test_a_comment_becomes_a_task_once(client: Editor, desk: CoachDesk) -> None:
    uri = client.open(desk.write_kernel(ASKING), ASKING)
    where = on_line(ASKING, "TODO")
    title = "Coach: queue 'use four elements a thread where N allows it'"
    assert await take(client, uri, where, title) == {"task": 1, "state": "pending"}
    assert (desk.task(1).action, desk.task(1).target, desk.task(1).workspace) == (Action.EDIT_FILE, "k.wgsl", desk.workspace)
    assert [one.title for one in await client.actions(uri, where) if one.title.startswith("Coach")] == [
        "Coach: run task 1 'use four elements a thread where N allows it'",
        "Coach: pause task 1 'use four elements a thread where N allows it'",
        "Coach: review this file",
    ]
    # The lens stays with the comment, wherever that goes.
    client.change(uri, 2, f"// on top\n{ASKING}")
    lenses = await client.client.text_document_code_lens_async(types.CodeLensParams(text_document=types.TextDocumentIdentifier(uri=uri)))
    (lens,) = [one for one in lenses or () if one.command is not None and "Coach" in one.command.title]
    assert lens.range.start.line == where.start.line + 1
    assert await client.command("pixel-lsp.coach.pause", 1) == {"task": 1, "state": "pending"}
    assert "▶ Coach: task 1 'use four elements a thread where N allows it': paused" in await client.lenses(uri)


async def test_a_failing_kernel_becomes_a_repair(client: Editor, desk: CoachDesk) -> None:
    desk.write_script(generated(RIGHT), reviewed(8))
    path = desk.write_kernel(WRONG)
    uri = client.open(path, WRONG)
    (finding,) = await client.codes(uri, "PX401")
    assert await take(client, uri, finding.range, "Coach: repair this kernel (twice)") == {"task": 1, "state": "pending"}
    task = desk.task(1)
    assert (task.title, task.action, task.contract) == ("Repair twice", Action.REPAIR_KERNEL, "twice")
    assert "Coach: repair this kernel (twice)" not in [one.title for one in await client.actions(uri, finding.range)]
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: desk.task(1).state is State.AWAITING_ACCEPTANCE)
    await client.until(lambda: len(client.client.messages) == 1)
    await client.command("pixel-lsp.coach.accept", 1)
    path.write_text(client.texts[uri], encoding="utf-8")
    client.save(uri)
    await client.until_verdict(uri, "passed")
    await client.until(lambda: desk.task(1).state is State.COMPLETED)


async def test_requests_wait_for_each_other_and_a_waiting_one_is_dropped(client: Editor, desk: CoachDesk) -> None:
    desk.write_script(generated(seconds=30.0))
    client.open(desk.write_kernel(), RIGHT)
    for title in ("first", "second"):
        desk.add(title)
    assert await client.command("pixel-lsp.coach.run", 1) == {"task": 1, "state": "running"}
    assert await client.command("pixel-lsp.coach.run", 2) == {"task": 2, "state": "waiting"}
    assert await client.command("pixel-lsp.coach.run", 1) == {"task": 1, "state": "running"}
    await client.until(lambda: desk.task(1).state is State.IN_PROGRESS)
    assert len(coaches(client)) == 1
    assert await client.command("pixel-lsp.coach.cancel", 2) is True
    assert await client.command("pixel-lsp.coach.cancel") is True
    await client.until(lambda: desk.task(1).state is State.PENDING and not coaches(client))
    await asyncio.sleep(0.3)
    assert (coaches(client), desk.task(2).state) == ([], State.PENDING)
    assert await client.command("pixel-lsp.coach.cancel", 2) is None
    await told(client, "task 2 is not run from this editor (`pixel-lsp cancel 2` gives a task up, wherever it runs)")


async def test_the_end_of_the_server_ends_the_run(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    desk.write_script(generated(seconds=30.0))
    desk.add()
    async with editor(pushed, desk.workspace, desk.state, TRUSTED) as client:
        client.open(desk.write_kernel(), RIGHT)
        await client.command("pixel-lsp.coach.run", 1)
        await client.until(lambda: desk.task(1).state is State.IN_PROGRESS)
        assert len(coaches(client)) == 1
    # `editor` has seen every process go.
    assert (desk.task(1).state, desk.task(1).reason) == (State.PENDING, "stopped")


async def test_a_server_that_is_killed_leaves_no_coach_behind(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    desk.write_script(generated(seconds=30.0))
    desk.add()
    session = editor(pushed, desk.workspace, desk.state, TRUSTED)
    client = await session.__aenter__()
    client.open(desk.write_kernel(), RIGHT)
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: desk.task(1).state is State.IN_PROGRESS)
    family = {client.process_id} | descendants(client.process_id)
    os.kill(client.process_id, signal.SIGKILL)
    await gone(family)
    with pytest.raises(RuntimeError, match="stopped"):
        # There is nobody left to say goodbye to.
        await session.__aexit__(None, None, None)
    assert (desk.task(1).state, desk.task(1).reason) == (State.PENDING, "stopped")


async def test_only_where_trusted(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    desk.write_script(generated())
    desk.add()
    async with editor(pushed, desk.workspace, desk.state, {"trusted": False}) as client:
        uri = client.open(desk.write_kernel(), RIGHT)
        for name, argument in (("run", 1), ("reviewFile", uri)):
            assert await client.command(f"pixel-lsp.coach.{name}", argument) is None
            await told(client, "the coach runs only in trusted workspaces: trust this one in the editor")
            client.client.messages.clear()
    assert desk.task(1).state is State.PENDING


async def test_a_silent_editor_is_asked(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    desk.write_script(generated(), reviewed())
    desk.add()
    async with editor(pushed, desk.workspace, desk.state) as client:
        client.open(desk.write_kernel(), RIGHT)
        assert await client.command("pixel-lsp.coach.run", 1) is None
        client.answer = "Trust"
        assert await client.command("pixel-lsp.coach.run", 1) == {"task": 1, "state": "running"}
        assert client.questions[-1].message == (
            f"May the coach work in {desk.workspace}? It runs the kernels, references and tests there."
            " Trust only folders whose content you know."
        )
        await client.until(lambda: desk.task(1).state is State.AWAITING_ACCEPTANCE)


async def test_a_task_of_another_workspace_is_not_run(client: Editor, desk: CoachDesk, tmp_path: Path) -> None:
    client.open(desk.write_kernel(), RIGHT)
    other = tmp_path / "other"
    other.mkdir()
    desk.workspace = other
    desk.add()
    assert await client.command("pixel-lsp.coach.run", 1) is None
    await told(client, f"task 1 belongs to the workspace {other} (open that folder)")


async def test_a_run_that_cannot_work_says_why(client: Editor, desk: CoachDesk) -> None:
    desk.write_script()
    settings = desk.state.parent / "config" / "pixel-lsp" / "coach.toml"
    settings.write_text('[generator]\nservice = "oracle"\n', encoding="utf-8")
    client.open(desk.write_kernel(), RIGHT)
    desk.add()
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: len(client.client.messages) == 1)
    said = client.client.messages[0].message
    assert said.startswith("the coach did not work on task 1: the settings of the coach cannot be used as they are")
    assert "coach.toml:2: `generator.service` must be one of" in said
    client.client.messages.clear()
    script = settings.with_name("gone.json")
    settings.write_text(f'[generator]\nservice = "scripted"\nmodel = "{script}"\n', encoding="utf-8")
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: len(client.client.messages) == 1)
    assert client.client.messages[0].message.startswith(f"the coach did not work on task 1: no agent: {script} cannot be read")
    assert desk.task(1).state is State.PENDING


async def test_a_model_that_is_gone_gives_the_task_back_and_says_so(client: Editor, desk: CoachDesk) -> None:
    desk.write_script({"role": "generator", "fault": "quota"})
    client.open(desk.write_kernel(), RIGHT)
    desk.add()
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: len(client.client.messages) == 1)
    assert "the script says that the quota is used up" in client.client.messages[0].message
    with desk.store() as store:
        assert store.lease_of(1) is None


async def test_a_coach_that_crashes_leaves_no_lease(client: Editor, desk: CoachDesk) -> None:
    desk.write_script(generated(seconds=30.0))
    client.open(desk.write_kernel(), RIGHT)
    desk.add()
    await client.command("pixel-lsp.coach.run", 1)
    await client.until(lambda: desk.task(1).state is State.IN_PROGRESS)
    (coach,) = coaches(client)
    os.kill(coach, signal.SIGKILL)
    await told(client, "the coach did not work on task 1: it ended with code -9")
    assert (desk.task(1).state, desk.task(1).reason) == (State.PENDING, "stopped")
    with desk.store() as store:
        assert store.lease_of(1) is None


async def test_without_progress_the_log_tells_without_lenses_the_actions_do(desk: CoachDesk, pushed: types.ClientCapabilities) -> None:
    desk.write_script(generated(), reviewed(8))
    capabilities = attrs.evolve(
        pushed,
        window=attrs.evolve(pushed.window, work_done_progress=False),
        text_document=attrs.evolve(pushed.text_document, code_lens=None),
    )
    desk.add()
    async with editor(capabilities, desk.workspace, desk.state, TRUSTED) as client:
        uri = client.open(desk.write_kernel(), RIGHT)
        assert client.server.code_lens_provider is None
        await take(client, uri, on_line(RIGHT, "//! [twice]"), "Coach: run task 1 'Tidy the kernel'")
        await client.until(lambda: desk.task(1).state is State.AWAITING_ACCEPTANCE)
        await client.until(lambda: len(client.client.messages) == 1)
        logged = [one.message for one in client.client.log_messages if one.message.startswith("Coach")]
        assert logged[0] == "Coach: task 1: mode: full"
        assert logged[-1] == "Coach: task 1: awaiting acceptance: proved; scored 8/10"
        assert not any("tokens/s" in one for one in logged)


async def test_looking_makes_no_queue(client: Editor, desk: CoachDesk) -> None:
    uri = client.open(desk.write_kernel(), RIGHT)
    await client.lenses(uri)
    await client.until_verdict(uri, "passed")
    assert not (desk.state / "pixel-lsp" / "coach").exists()
    # What another process adds is seen without being asked for.
    desk.add()
    for _ in range(100):
        if "▶ Coach: task 1 'Tidy the kernel': pending" in await client.lenses(uri):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the task is not shown")
