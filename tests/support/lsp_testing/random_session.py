"""What may happen in a session, and what must be true of it: the model that random sequences are played on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp_testing.editor import descendants, recorded_clients
from lsp_testing.fresh_verdicts import FreshVerdicts, Shown, Situation, as_shown, comparable
from lsp_testing.logged_editor import LoggedEditor
from pixel_core.kernels.load_shader import sidecar_path
from pixel_server.client import client_of
from pixel_server.client_text import ClientText
from pixel_server.rules_uri import rules_uri
from pixel_server.trust import TrustStore

CONTRACT: Final = """[k]
dims = "N"
shapes = { y = "N" }
dispatch = "N"
expect = { y = "ones((N,))" }
cases = ["N=4"]
"""
HEAD: Final = "".join(f"//! {line}\n" for line in CONTRACT.splitlines())
CODE: Final = """@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn k(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = VALUE; }
"""
RIGHT: Final = CODE.replace("VALUE", "1.0")
REFERRING: Final = HEAD.replace('expect = { y = "ones((N,))" }', 'reference = "ref.py:k"')
TEXTS: Final = {
    "right": HEAD + RIGHT,
    "wrong": HEAD + CODE.replace("VALUE", "2.0 /* 😀 */"),
    "unknown name": HEAD + CODE.replace("y[", "/* é😀 */ y[").replace("VALUE", "nothing"),
    "uncontracted": RIGHT,
    "refused": CODE.replace("y[id.x] = VALUE", "let i = 5; y[id.x] = f32(array<i32, 2>(1, 2)[i])"),
    "refers": REFERRING + RIGHT,
    "contract": CONTRACT,
    "wrong contract": CONTRACT.replace("ones", "zeros"),
    "misspelt contract": CONTRACT.replace("dispatch", "dispach # é"),
    "carriage returns": (HEAD + CODE.replace("VALUE", "3.0")).replace("\n", "\r\n"),
    "empty": "",
}
PIECES: Final = ("", " ", "1.0", "é", "😀", "\n", "\r\n", "}", "{", "//", "/*", "*/", "y", "= nothing;", "\u2028", '"')
SIDECAR: Final = "s.contract.toml"
NAMES: Final = ("a.wgsl", "b é😀.wgsl", "s.wgsl", SIDECAR, "untitled:c")
SETTINGS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"seed": 1},
    {"jobs": 2},
    {"engine": "device"},
    {"engine": "interpreter"},
    {"jobs": 0, "colour": "red"},
)
_CLIENTS: Final = recorded_clients()
KINDS: Final = {
    f"{client}, {trust}": (client, trust)
    for client, trust in zip(
        sorted(_CLIENTS) * 2, ("trusted", "silent", "refused", "trusted", "silent", "refused", "trusted"), strict=False
    )
}
"""Every client in two of the ways to decide about trust: the editor says yes, says no until it is granted, or says nothing."""

_REFERENCE: Final = "import numpy\ndef k(N):\n    return {'y': FACTOR * numpy.ones(N)}\n"
_ENDED: Final = frozenset({"PX702", "PX709"})
"""Of runs whose worker was killed or that were cancelled: true of the moment, whatever the text is."""

_QUIET_S: Final = 30.0
_MOST_PROCESSES: Final = 6
"""Two workers by the settings, a spare, a reference's process, and the same once more while old settings are wound up."""


class RandomSession:
    """One server, and what the editor at its other end knows.

    Args:
        kind: One of `KINDS`.
        folder: Empty; for the workspace and the server's state.
        judge: Says what is right.
        counts: What happened is counted here.
    """

    def __init__(self, kind: str, folder: Path, judge: FreshVerdicts, counts: dict[str, int]) -> None:
        self.kind = kind
        self.sequences = 0
        self.trace: list[str] = []
        self.folder = folder / "workspace"
        self.folder.mkdir(parents=True)
        self.editor = LoggedEditor(self.folder, folder / "state")
        self._client_name, self._trust = KINDS[kind]
        self._capabilities = _CLIENTS[self._client_name]
        self._store = TrustStore(folder / "state" / "pixel-lsp")
        self._judge = judge
        self._counts = counts
        self._rules = rules_uri()
        self._versions: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._sent: dict[tuple[str, int], str] = {}
        self._settings: dict[str, Any] = {}
        self._seen = 0
        self._requests: set[asyncio.Future[Any]] = set()
        self._was_killed = False

    async def start(self) -> None:
        options: dict[str, Any] = {"python": sys.executable}
        if self._trust != "silent":
            options["trusted"] = self._trust == "trusted"
        self._base = options
        await self.editor.start(self._capabilities, options)
        encoding = self.editor.encoding
        self._client = client_of(self._capabilities, encoding)
        self._count("servers")

    async def begin(self) -> None:
        """Nothing is open and nothing is in the workspace; settings and trust stay as they are."""
        assert not self._versions
        for file in self.folder.iterdir():
            file.unlink()
        await self.write_reference(1)

    async def open(self, name: str, text: str) -> None:
        if name in self._versions:
            return
        # Numbers go on over closing and opening again: so every number means one text.
        known = [version for other, version in self._sent if other == name]
        self._set(name, max(known, default=0) + 1, text)
        self.editor.open(self._uri(name), text, version=self._versions[name], language="toml" if name == SIDECAR else "wgsl")
        await asyncio.sleep(0)

    async def replace(self, name: str, text: str) -> None:
        """The whole text at once; a document that is not open is opened."""
        if name not in self._versions:
            await self.open(name, text)
            return
        self._set(name, self._versions[name] + 1, text)
        self.editor.change(self._uri(name), self._versions[name], text)
        await asyncio.sleep(0)

    async def edit(self, name: str, changes: Sequence[tuple[float, int, str]]) -> None:
        """Several ranges in one notification, each in the text that the one before has left."""
        if name not in self._versions:
            return
        text = self._texts[name]
        parts: list[types.TextDocumentContentChangeEvent] = []
        for place, length, piece in changes:
            start, end = _whole_breaks(text, int(place * (len(text) + 1)), length)
            content = ClientText(text, self.editor.encoding)
            where = types.Range(content.position(start), content.position(end))
            parts.append(types.TextDocumentContentChangePartial(range=where, text=piece))
            text = text[:start] + piece + text[end:]
        self._set(name, self._versions[name] + 1, text)
        document = types.VersionedTextDocumentIdentifier(uri=self._uri(name), version=self._versions[name])
        self.editor.client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=parts))
        await asyncio.sleep(0)

    async def edit_late(self, name: str) -> None:
        if name in self._versions:
            self.editor.change(self._uri(name), self._versions[name] - 1, "late")
            await asyncio.sleep(0)

    async def save(self, name: str) -> None:
        if name in self._versions:
            if (path := self._path(name)) is not None:
                path.write_bytes(self._texts[name].encode())
                self._tell((path, types.FileChangeType.Changed))
            self.editor.save(self._uri(name))
            await asyncio.sleep(0)
            self._count("saves")

    async def close(self, name: str) -> None:
        if name in self._versions:
            self.editor.close(self._uri(name))
            del self._versions[name], self._texts[name]
            await asyncio.sleep(0)

    async def close_all(self) -> None:
        for name in tuple(self._versions):
            await self.close(name)

    async def rename(self, name: str, to: str) -> None:
        """As editors do it: the file moves, the document is closed and opened under the other name."""
        old, new = self._path(name), self._path(to)
        if name not in self._versions or to in self._versions or old is None or new is None:
            return
        text = self._texts[name]
        if old.exists():
            old.replace(new)
        await self.close(name)
        await self.open(to, text)
        self._tell((old, types.FileChangeType.Deleted), (new, types.FileChangeType.Created))
        self._count("renames")

    async def write(self, name: str, text: str | None) -> None:
        """Another program writes or removes a file, whether it is open or not."""
        path = self._path(name)
        if path is None:
            return
        existed = path.exists()
        if text is not None:
            path.write_bytes(text.encode())
            self._tell((path, types.FileChangeType.Changed if existed else types.FileChangeType.Created))
        elif existed:
            path.unlink()
            self._tell((path, types.FileChangeType.Deleted))
        await asyncio.sleep(0)

    async def write_reference(self, factor: int | None) -> None:
        path = self.folder / "ref.py"
        if factor is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(_REFERENCE.replace("FACTOR", str(factor)), encoding="utf-8")
        self._tell((path, types.FileChangeType.Changed if factor is not None else types.FileChangeType.Deleted))
        await asyncio.sleep(0)

    async def configure(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        given = {**self._base, **settings}
        self.editor.client.set_configuration({"pixelLsp": given})
        self.editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings={"pixelLsp": given}))
        await asyncio.sleep(0)
        self._count("settings")

    async def trust(self, way: str) -> None:
        if way in ("question", "refuse"):
            self.editor.answer = "Trust" if way == "question" else "Not now"
        elif way == "command":
            await self.editor.command("pixel-lsp.trust")
        elif way == "editor" and self._trust == "refused":
            self.editor.client.protocol.notify("pixelLsp/didGrantTrust", None)
            self._trust = "trusted"
        elif way == "terminal":
            self._store.add(self.folder)
        elif way == "withdraw":
            self._store.remove(self.folder)
        await asyncio.sleep(0)

    async def ask(self, kind: str, name: str, place: float) -> None:
        uri = self._uri(name)
        text = self._texts.get(name, "")
        position = ClientText(text, self.editor.encoding).position(int(place * len(text)))
        if kind == "hover":
            await self.editor.hover(uri, position.line, position.character)
        elif kind == "lenses" and self.editor.server.code_lens_provider is not None:
            await self.editor.lenses(uri)
        elif kind == "actions":
            await self.editor.actions(uri, types.Range(types.Position(0, 0), position))
        elif kind == "pull" and self.editor.pulls:
            await self.editor._shown(uri)
        elif kind == "report" and name in self._versions and name != SIDECAR:
            await self.editor.report(uri)
        self._count("requests")

    async def check(self, name: str, wait_s: float, *, cancel: bool) -> None:
        """The command; its answer is waited for so long, then it is cancelled or left to itself."""
        if name not in self._versions or name == SIDECAR:
            return
        params = types.ExecuteCommandParams(command="pixel-lsp.check", arguments=[self._uri(name), None, None])
        number = f"check {self._count('checks')}"
        request = asyncio.ensure_future(self.editor.client.protocol.send_request_async("workspace/executeCommand", params, msg_id=number))
        self._requests.add(request)
        request.add_done_callback(self._answered)
        await asyncio.wait({request}, timeout=wait_s)
        if cancel and not request.done():
            self.editor.client.protocol.notify("$/cancelRequest", types.CancelParams(id=number))
            self._count("cancelled")
            await asyncio.sleep(0)

    async def kill(self, which: int) -> None:
        children = sorted(descendants(self.editor.process_id))
        if children:
            try:
                os.kill(children[which % len(children)], signal.SIGKILL)
            except ProcessLookupError:
                return
            self._was_killed = True
            self._count("kills")

    async def end(self, way: str) -> None:
        """End the server in the midst of whatever it does."""
        await self.editor.end(way)
        await asyncio.gather(*self._requests, return_exceptions=True)
        self._count(f"ended by {way}")

    async def settle(self) -> None:
        """Save everything and wait until the editor shows what a fresh check says of it, no more and no less."""
        for name in self._versions:
            await self.save(name)
        await self._until_right(saves=3 if self._was_killed else 1)
        self._was_killed = False
        await self._versions_are_true()
        processes = descendants(self.editor.process_id)
        assert len(processes) <= _MOST_PROCESSES, f"{len(processes)} child processes"
        assert self.editor.client.error is None, self.editor.client.error
        assert not self.editor.complaints(), "\n".join(self.editor.complaints())
        self._count("settled")

    async def _until_right(self, saves: int) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while True:
            wanted = {name: await self._wanted(name) for name in self._compared()}
            shown = {name: comparable(await self.editor._shown(self._uri(name))) for name in wanted}
            left, versions = self._left_behind(), self._last_versions(wanted)
            if not left and wanted == shown and versions == {name: self._versions[name] for name in versions}:
                self._count("compared", len(wanted))
                return
            # A worker that was killed an instant before it was asked is told of as what it is; the next save mends that.
            if (
                saves > 1
                and any(_is_of_the_moment(code, message) for one in shown.values() for code, *_, message in one)
                and loop.time() - begin > 0.5
            ):
                saves -= 1
                begin = loop.time()
                for name in self._versions:
                    await self.save(name)
            if loop.time() - begin > _QUIET_S:
                different = [f"{name}\nshown {shown[name]}\nright {wanted[name]}" for name in wanted if shown[name] != wanted[name]]
                raise AssertionError("\n".join([*left, *different, f"versions shown {versions}, of the documents {self._versions}"]))
            await asyncio.sleep(0.03)

    def _left_behind(self) -> list[str]:
        """What is still shown in documents that were closed."""
        shown: list[str] = []
        for name in sorted({*NAMES} - self._versions.keys() - {SIDECAR, "s.wgsl"}):
            last = next((one for one in reversed(self.editor.published) if one.uri == self._uri(name)), None)
            if last is not None and last.diagnostics:
                shown.append(f"{name} is closed and has {last.diagnostics}")
        return shown

    def _compared(self) -> tuple[str, ...]:
        """The documents whose diagnostics are known: those of shaders that are open, and a sidecar with its shader."""
        return tuple(name for name in self._versions if name != SIDECAR or "s.wgsl" in self._versions)

    async def _wanted(self, name: str) -> Shown:
        at = self._situation("s.wgsl" if name == SIDECAR else name)
        path = self._path(name) or at.path
        return as_shown(await self._judge.checked(at), at, self._client, path, self._rules)

    def _situation(self, name: str) -> Situation:
        """All that the verdict of an open shader rests on, now."""
        path = self._path(name)
        sidecar: str | None = None
        if path is not None and (beside := sidecar_path(path)).name == SIDECAR:
            sidecar = self._texts.get(SIDECAR)
            if sidecar is None and beside.exists():
                sidecar = beside.read_bytes().decode()
        reference = self.folder / "ref.py"
        return Situation(
            path=path or Path(name.partition(":")[2]),
            text=self._texts[name],
            sidecar=sidecar,
            reference=reference.read_text(encoding="utf-8") if reference.exists() else None,
            is_file=path is not None,
            is_trusted=self._trust == "trusted" or (self._trust == "silent" and self._store.trusts(self.folder)),
            engine=self._settings.get("engine", "auto"),
            seed=self._settings.get("seed", 0),
        )

    def _last_versions(self, names: Sequence[str] | dict[str, Shown]) -> dict[str, int | None]:
        """The versions that the last pushed diagnostics name, where they must."""
        if self.editor.pulls or not self._client.version:
            return {}
        last = {one.uri: one.version for one in self.editor.published}
        # A sidecar is told of when there is something to tell.
        return {name: last.get(self._uri(name)) for name in names if name != SIDECAR}

    async def _versions_are_true(self) -> None:
        """Whatever was pushed since the last time with a version: the version exists, and its text has these diagnostics."""
        newest: dict[str, int] = {}
        by_uri = {self._uri(name): name for name in NAMES}
        pushed, self._seen = self.editor.published[self._seen :], len(self.editor.published)
        for one in pushed:
            name = by_uri.get(one.uri)
            if name is None or one.version is None:
                continue
            assert (name, one.version) in self._sent, f"{name} never had version {one.version}"
            assert one.version >= newest.get(name, 0), f"{name}: {one.version} was told after {newest[name]}"
            newest[name] = one.version
            if name in ("s.wgsl", SIDECAR):
                continue  # these rest on each other's texts as well
            text = self._sent[name, one.version]
            if "reference" in text or any(_is_of_the_moment(str(told.code), told.message) for told in one.diagnostics):
                continue
            assert comparable(one.diagnostics) in await self._possible(name, text), (
                f"{name} version {one.version}: {text!r} {one.diagnostics}"
            )
            self._count("versions")
        assert not self._left_behind()

    async def _possible(self, name: str, text: str) -> list[Shown]:
        """What may be told of a text, whatever the settings and the trust were."""
        path = self._path(name)
        found: list[Shown] = []
        for trusted, engine, seed in ((True, "auto", 0), (False, "auto", 0), (True, "interpreter", 0), (True, "auto", 1)):
            at = Situation(
                path=path or Path(name.partition(":")[2]), text=text, is_file=path is not None, is_trusted=trusted, engine=engine, seed=seed
            )
            known = (self._judge.read(at), await self._judge.checked(at))
            found.extend(as_shown(findings, at, self._client, at.path, self._rules) for findings in known)
        return found

    def _set(self, name: str, version: int, text: str) -> None:
        self._versions[name] = version
        self._texts[name] = text
        self._sent[name, version] = text

    def _path(self, name: str) -> Path | None:
        return None if name.startswith("untitled:") else self.folder / name

    def _uri(self, name: str) -> str:
        path = self._path(name)
        return name if path is None else path.as_uri()

    def _tell(self, *changes: tuple[Path, types.FileChangeType]) -> None:
        """What the editor tells of files, if it was asked to watch them."""
        if any(one.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES for one in self.editor.registrations):
            events = [types.FileEvent(uri=path.as_uri(), type=kind) for path, kind in changes]
            self.editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=events))

    def _answered(self, request: asyncio.Future[Any]) -> None:
        self._requests.discard(request)
        if not request.cancelled() and isinstance(problem := request.exception(), JsonRpcException):
            self._count(f"refused {problem.code}")

    def _count(self, what: str, number: int = 1) -> int:
        self._counts[what] = self._counts.get(what, 0) + number
        return self._counts[what]


def _is_of_the_moment(code: str, message: str) -> bool:
    return code in _ENDED or "SIGKILL" in message


def _whole_breaks(text: str, start: int, length: int) -> tuple[int, int]:
    """A range that does not part carriage return from line feed: positions cannot name the place between them."""
    end = min(start + length, len(text))
    start, end = (place - 1 if text[place - 1 : place + 1] == "\r\n" else place for place in (start, end))
    return start, end
