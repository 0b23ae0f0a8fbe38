"""What a check that has no past says of a text, as the editor would show it: the measure for a server that has a long one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lsprotocol import types
from msgspec.structs import replace

from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding, Location
from pixel_core.kernels.examine import examine, finding
from pixel_core.kernels.load_shader import sidecar_path, understand
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_core.source import SourceText
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.features.diagnostics import findings_of
from pixel_server.session import Analysis, ShaderView, Texts, Verdict
from pixel_server.to_lsp import Places, to_diagnostic

TOLD_ONCE: Final = "PX904"
"""The notice that a compiler is absent stands at whichever shader came first."""

Shown = tuple[tuple[str, int, int, int, int, str], ...]
"""Diagnostics to be compared: code, range, message; sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a verdict depends on.

    Attributes:
        path: Of the shader; need not exist.
        text: Of the shader.
        sidecar: Of its sidecar; None without one.
        reference: Text of the reference that it may name.
        is_file: Whether the editor says that it is one.
        is_trusted: Whether kernels may run.
        engine: As `--engine`.
        seed: As `--seed`.
    """

    path: Path
    text: str
    sidecar: str | None = None
    reference: str | None = None
    is_file: bool = True
    is_trusted: bool = True
    engine: str = "auto"
    seed: int = 0


NO_FILE = "not executed: this document is not saved as a file"


class FreshVerdicts:
    """Asks checkers that reuse no result. Use in one event loop, and close it."""

    def __init__(self) -> None:
        self._checkers: dict[tuple[bool, str, int], Checker] = {}
        self._known: dict[Situation, tuple[Finding, ...]] = {}

    async def checked(self, at: Situation) -> tuple[Finding, ...]:
        """What is to be shown once the kernels ran, or could not."""
        if at not in self._known:
            self._known[at] = await self._check(at)
        return self._known[at]

    def read(self, at: Situation) -> tuple[Finding, ...]:
        """What is to be shown while nothing has run."""
        return findings_of(_view(_analysis(at), None))

    async def close(self) -> None:
        """End the workers."""
        for checker in self._checkers.values():
            await checker.__aexit__(None, None, None)

    async def _check(self, at: Situation) -> tuple[Finding, ...]:
        analysis = _analysis(at)
        key = (at.is_trusted and at.is_file, at.engine, at.seed)
        options = CheckOptions(trusted=key[0], engine=at.engine, seed=at.seed, interpreter=Path(sys.executable), reuse_results=False)
        checker = self._checkers.setdefault(key, Checker(options))
        try:
            report = await checker.check_loaded([analysis.loaded])
        except EngineUnavailable as problem:
            failed = finding("PX901", problem.message, Location(at.path), problem.hint)
            return (*self.read(at), failed)
        found = findings_of(_view(analysis, Verdict(texts=analysis.texts, report=report)))
        return found if at.is_file else tuple(replace(one, message=NO_FILE) if one.code == "PX708" else one for one in found)


def as_shown(found: Sequence[Finding], at: Situation, client: Client, path: Path, rules: str | None) -> Shown:
    """The findings in one file as an editor shows them whose workspace is that file's folder."""
    texts = {at.path: ClientText(at.text, client.encoding)}
    if at.sidecar is not None:
        texts[sidecar_path(at.path)] = ClientText(at.sidecar, client.encoding)
    places = Places(client=client, uri_of=_uri_of, texts=texts, name_of=lambda path: path.name, rules=rules)
    return comparable([to_diagnostic(one, places) for one in found if one.location.path == path])


def comparable(diagnostics: Sequence[types.Diagnostic]) -> Shown:
    """Diagnostics without their order and without the notice that is told once."""
    return tuple(
        sorted(
            (str(one.code), one.range.start.line, one.range.start.character, one.range.end.line, one.range.end.character, one.message)
            for one in diagnostics
            if one.code != TOLD_ONCE
        )
    )


def _uri_of(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else f"untitled:{path}"


def _analysis(at: Situation) -> Analysis:
    source = SourceText(at.path, at.text)
    sidecar = SourceText(sidecar_path(at.path), at.sidecar) if at.sidecar is not None and at.is_file else None
    loaded = understand(source, sidecar)
    return Analysis(texts=Texts(shader=source, sidecar=sidecar), loaded=loaded, examination=examine(loaded, seed=at.seed))


def _view(analysis: Analysis, verdict: Verdict | None) -> ShaderView:
    return ShaderView(uri="", version=None, analysis=analysis, verdict=verdict, is_current=verdict is not None, is_checking=False)
