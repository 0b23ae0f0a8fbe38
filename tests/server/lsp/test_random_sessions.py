"""Random legal sessions, with workers killed at random: the server lives, speaks of no version that it does not know, and ends cleanly.

`scripts/soak` tries thousands; here it is a handful.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lsprotocol import types

from lsp_testing.editor import Editor, descendants, editor, recorded_clients

pytestmark = pytest.mark.device

CLIENTS = recorded_clients()
EXAMPLES = max(3, settings.default.max_examples // 100 if settings.default else 3)

HEAD = """//! [k]
//! dims = "N"
//! shapes = { y = "N" }
//! dispatch = "N"
//! expect = { y = "ones((N,))" }
//! cases = ["N=4"]
"""
CODE = """@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn k(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = VALUE; }
"""
TEXTS = (
    HEAD + CODE.replace("VALUE", "1.0"),
    HEAD + CODE.replace("VALUE", "2.0 /* 😀 */"),
    CODE.replace("VALUE", "1.0"),
    HEAD + CODE.replace("VALUE", "nothing"),
    "",
)
NAMES = ("a.wgsl", "b é.wgsl", "untitled:c")

names = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(
        st.sampled_from(("open", "change", "stale", "save", "close", "cancel", "touch", "hover", "lens", "rename", "check")),
        names,
        st.integers(0, len(TEXTS) - 1),
    ),
    st.tuples(st.sampled_from(("settings", "kill", "wait")), st.just(""), st.integers(0, 2)),
)


@given(st.sampled_from(sorted(CLIENTS)), st.lists(steps, min_size=5, max_size=40))
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_a_random_session(client: str, script: Sequence[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(CLIENTS[client], Path(folder), script))


async def play(capabilities: types.ClientCapabilities, folder: Path, script: Sequence[tuple[str, str, int]]) -> None:
    async with editor(capabilities, folder, folder / "state", {"trusted": True}) as client:
        session = Play(client, folder)
        for step, name, number in script:
            await session.step(step, name, number)
        await session.finish()


class Play:
    """One session, and what the editor knows of its own documents."""

    def __init__(self, client: Editor, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.versions: dict[str, int] = {}
        self.sent: dict[str, set[int]] = {}
        self.texts: dict[str, str] = {}

    async def step(self, step: str, name: str, number: int) -> None:
        uri = name if name.startswith("untitled:") or not name else (self.folder / name).as_uri()
        is_open = uri in self.versions
        if step == "open" and not is_open:
            self.open(uri, number)
        elif step == "change" and is_open:
            self.versions[uri] += 1
            self.sent[uri].add(self.versions[uri])
            self.texts[uri] = TEXTS[number]
            self.client.change(uri, self.versions[uri], TEXTS[number])
        elif step == "stale" and is_open:
            self.client.change(uri, self.versions[uri] - 1, "stale")
        elif step == "save" and is_open:
            if not uri.startswith("untitled:"):
                (self.folder / name).write_text(self.texts[uri], encoding="utf-8")
            self.client.save(uri)
        elif step == "close" and is_open:
            self.client.close(uri)
            del self.versions[uri]
        elif step == "rename" and is_open:
            self.client.close(uri)
            del self.versions[uri]
            if "new.wgsl" not in uri:
                self.open((self.folder / "new.wgsl").as_uri(), number)
        elif step == "touch":
            change = types.FileEvent(uri=uri, type=types.FileChangeType(1 + number % 3))
            self.client.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=[change]))
        elif step == "hover":
            await self.client.hover(uri, number, 3 * number)
        elif step == "lens" and self.client.server.code_lens_provider is not None:
            await self.client.lenses(uri)
        elif step in ("check", "cancel") and is_open:
            params = types.ExecuteCommandParams(command="pixel-lsp.check", arguments=[uri, None, None])
            number = len(self.client.published) + id(params)
            request = asyncio.ensure_future(
                self.client.client.protocol.send_request_async("workspace/executeCommand", params, msg_id=number)
            )
            await asyncio.sleep(0)
            if step == "cancel":
                self.client.client.protocol.notify("$/cancelRequest", types.CancelParams(id=number))
            await asyncio.gather(request, return_exceptions=True)
        elif step == "settings":
            self.client.client.workspace_did_change_configuration(
                types.DidChangeConfigurationParams(settings={"pixelLsp": {"seed": number}})
            )
        elif step == "kill":
            for child in descendants(self.client.process_id):
                os.kill(child, signal.SIGKILL)
        elif step == "wait":
            await asyncio.sleep(0.2 * number)

    def open(self, uri: str, number: int) -> None:
        if uri in self.versions:
            return
        # Numbers start anew only where the editor says so; an old number must not be taken for a new one.
        self.versions[uri] = 100 * (1 + len(self.sent.get(uri, ())))
        self.sent.setdefault(uri, set()).add(self.versions[uri])
        self.texts[uri] = TEXTS[number]
        self.client.open(uri, TEXTS[number], version=self.versions[uri])

    async def finish(self) -> None:
        """Whatever happened, a right kernel is found right and a wrong one wrong; and no version was made up."""
        uri = (self.folder / "last.wgsl").as_uri()
        (self.folder / "last.wgsl").write_text(TEXTS[1], encoding="utf-8")
        self.client.open(uri, TEXTS[1], version=1)
        await self.client.diagnostics(uri, lambda shown: [one.code for one in shown] == ["PX401"])
        for one in self.client.published:
            if one.version is not None and one.uri != uri:
                assert one.version in self.sent[one.uri]
