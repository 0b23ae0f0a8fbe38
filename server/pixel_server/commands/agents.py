"""`pixel-lsp agents`: which models can be asked, which mode that makes, and whether this workspace may be sent to a reviewer."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from pixel_coach.agents.base import Availability
from pixel_coach.agents.choose import choose
from pixel_coach.read_settings import USER_FILE, Overrides, config_folder
from pixel_coach.settings import CoachSettings
from pixel_server.coach_queue import find_workspace, open_queue, settings_of
from pixel_server.exit_codes import NOTHING_CODE, PASSED_CODE
from pixel_server.task_json import json_text
from pixel_server.terminal.medium import Medium, medium_of
from pixel_server.terminal.open_console import open_console

MODES: Final = {
    "full": "a local model writes, the machine proves, the reviewer reviews",
    "gemini only": "nothing here can write; what a person wrote can be reviewed",
    "local only": "nothing is reviewed, so nothing is accepted by itself",
    "none": "nothing can be asked",
}
SENT: Final = (
    "of each reviewed task: title, description, contract, the candidate, how it differs from the file, what its execution came to",
    "never: other files, `.env`-like files, test inputs; texts that look like keys are blanked out",
)


def agents(overrides: Overrides, *, workspace: str | None, allow_review: bool | None, as_json: bool, color: bool) -> int:
    """Say on standard output who can be asked, after keeping the user's answer about reviews.

    Args:
        overrides: What flags say of the settings.
        workspace: Root of the workspace; None is the current folder's project.
        allow_review: The answer to keep; None keeps what there is.
        as_json: JSON instead of text.
        color: False for none; True leaves it to the terminal.

    Returns:
        The exit code: 2 when nothing can be asked.

    Raises:
        PixelError: The settings are mistaken, or the queue cannot be opened.
    """
    root = find_workspace(workspace)
    settings = settings_of(root, overrides)
    with open_queue() as store:
        if allow_review is not None:
            store.allow_review(root, allow_review)
        is_allowed = store.allows_review(root)
    mode, availabilities = asyncio.run(_look(settings))
    if as_json:
        value = {"workspace": root, "mode": mode, "review_is_allowed": is_allowed, "sent_to_reviewer": SENT, "agents": availabilities}
        sys.stdout.write(json_text(value))
    else:
        console = open_console(color=color)
        medium = medium_of(console)
        for each in availabilities:
            console.print(render_availability(each, medium), soft_wrap=True)
        console.print(Text.assemble((f"mode: {mode}", "bold"), f" ({MODES.get(mode, '')})"), soft_wrap=True)
        console.print(render_consent(root, medium, is_allowed=is_allowed), soft_wrap=True)
        if any(not each.is_available for each in availabilities):
            console.print(render_settings_file(config_folder(os.environ) / USER_FILE, medium), soft_wrap=True)
    return NOTHING_CODE if mode == "none" else PASSED_CODE


def render_availability(agent: Availability, medium: Medium) -> Text:
    """One agent: whether it can be asked, what was found, and how to mend it."""
    glyphs = medium.glyphs
    sign = (f"{glyphs.passed} ", "bold green") if agent.is_available else (f"{glyphs.failed} ", "bold red")
    text = Text.assemble(sign, (medium.printable(agent.agent), "bold"), f" {medium.printable(agent.model)}" if agent.model else "")
    if agent.context_tokens:
        text.append(f", {agent.context_tokens:,} tokens of context", "dim")
    if not agent.is_local:
        text.append(", remote", "dim")
    text.append(f"\n    {medium.printable(agent.reason)}")
    if agent.hint and not agent.is_available:
        text.append("\n    to do: ", "bold").append(medium.printable(agent.hint))
    return text


def render_consent(workspace: Path, medium: Medium, *, is_allowed: bool) -> Text:
    """What a remote reviewer is sent, whether it may be, and how to change that."""
    name = medium.path(workspace)
    said = f"tasks of {name} may be sent to a remote reviewer" if is_allowed else f"nothing of {name} is sent to a remote reviewer"
    lines: Sequence[str] = (*SENT, f"pixel-lsp agents {'--forbid-review' if is_allowed else '--allow-review'} changes that")
    return Text(said, "bold").append("".join(f"\n    {line}" for line in lines))


def render_settings_file(path: Path, medium: Medium) -> Text:
    """Where what is to be done about an agent can be written down."""
    said = "" if path.is_file() else " (there is none yet; docs/coach.example.toml shows every key)"
    return Text(f"coach.toml: {medium.path(path)}{said}")


async def _look(settings: CoachSettings) -> tuple[str, tuple[Availability, ...]]:
    team = await choose(settings, os.environ)
    try:
        return team.mode, tuple(team.availabilities)
    finally:
        await team.close()
