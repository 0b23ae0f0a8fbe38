"""What the log of a run holds: every event, text by whole lines, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pixel_coach.events import Event, Notice, TextArrived
from pixel_coach.run_log import RunLog


def check(events: list[Event], expected: list[dict[str, Any]], tmp_path: Path, *, secrets: tuple[str, ...] = ()) -> None:
    path = tmp_path / "runs" / "a.jsonl"
    with RunLog(path, secrets=secrets, clock=lambda: 7.0) as log:
        for event in events:
            log.event(event)
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == [{"at": 7.0, **entry} for entry in expected]
    assert path.stat().st_mode & 0o077 == 0


def text(said: str, *, task: int = 1, source: str = "generator") -> TextArrived:
    return TextArrived(task=task, source=source, text=said)


def entry(said: str, *, task: int = 1, source: str = "generator") -> dict[str, Any]:
    return {"event": "TextArrived", "task": task, "source": source, "text": said}


NOTICE = Notice(level="info", message="so")
NOTICE_ENTRY = {"event": "Notice", "level": "info", "message": "so", "hint": "", "task": None}


def test_text_is_logged_by_whole_lines(tmp_path: Path) -> None:
    pieces: list[Event] = [text("fn "), text("k() {\n"), text("}\n\nfn"), text(" l")]
    check(pieces, [entry("fn k() {\n"), entry("}\n\n"), entry("fn l")], tmp_path)


@pytest.mark.parametrize("other", [text("b", task=2), text("b", source="reviewer")])
def test_what_was_held_back_comes_before_what_follows(other: TextArrived, tmp_path: Path) -> None:
    check(
        [text("a"), NOTICE, text("c"), other],
        [entry("a"), NOTICE_ENTRY, entry("c"), entry("b", task=other.task, source=other.source)],
        tmp_path,
    )


def test_a_secret_that_arrives_in_pieces_is_taken_out(tmp_path: Path) -> None:
    check([text("key = hunter2"), text("-hunter2\n")], [entry("key = …\n")], tmp_path, secrets=("hunter2-hunter2",))
