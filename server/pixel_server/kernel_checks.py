"""From an edit or a save to a verdict: analyses while typing, runs kernels on open and save, and shows what is true."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from lsprotocol import types
from msgspec.structs import replace

from pixel_core.errors import EngineUnavailable, PixelError
from pixel_core.findings import Finding, Location
from pixel_core.kernels.examine import examine, finding
from pixel_core.kernels.load_shader import understand
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Checker, Selection
from pixel_server.editor import Editor
from pixel_server.features.progress import Progress
from pixel_server.scheduler import Scheduler
from pixel_server.session import Analysis, Document, OpenShader, Session, Texts, Verdict

DEBOUNCE_S: Final = 0.1
"""After the last keystroke so much time passes before the text is analysed."""

_INLINE_CHARACTERS: Final = 16_000
"""A longer text is analysed in a thread, so that the editor's other requests are answered meanwhile."""

_YES, _NO = "Trust", "Not now"

_LOG: Final = logging.getLogger(__name__)


class KernelChecks:
    """Keeps every open shader's analysis and verdict up to date. Owns the worker processes.

    Args:
        session: The state.
        editor: Who is told.
        progress: How checks that take long are shown.
        watch: Watches the files that open shaders are known to rest on; returns whether some were not watched before.
    """

    def __init__(self, session: Session, editor: Editor, progress: Progress, watch: Callable[[], bool]) -> None:
        self._session = session
        self._editor = editor
        self._progress = progress
        self._watch = watch
        self._scheduler: Scheduler[CheckReport | None] = Scheduler()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="analysis")
        # What waits for a program of the workspace keeps no other document waiting.
        self._prepares = ThreadPoolExecutor(max_workers=2, thread_name_prefix="prepare")
        self._checkers: dict[bool, Checker] = {}

    def text_changed(self, shader: OpenShader, edited: str) -> None:
        """Analyse the shader's text once nothing was typed for a moment.

        Args:
            shader: The shader.
            edited: URI of the document that was edited: its own, its sidecar's, or that of a file which it includes.
        """
        self._forget_timer(shader)
        self._timers[shader.uri] = asyncio.get_running_loop().call_later(
            DEBOUNCE_S, lambda: self._editor.in_background(self._show_analysis(shader, edited))
        )

    def check(self, shader: OpenShader, selection: Selection | None = None) -> asyncio.Future[CheckReport | None]:
        """Run the shader's kernels, after what runs for it now was stopped.

        Args:
            shader: The shader.
            selection: What to run anew; None runs whatever is not known.

        Returns:
            The report; None when a newer check took over.
        """
        self._forget_timer(shader)
        return self._scheduler.submit(shader.uri, lambda cancel: self._check(shader, selection, cancel))

    def check_later(self, shader: OpenShader) -> None:
        """Run the shader's kernels; nobody waits for the report."""
        future = self.check(shader)
        self._editor.in_background(_outcome(future))

    def check_all(self) -> None:
        """Run the kernels of every open shader."""
        for shader in tuple(self._session.shaders.values()):
            self.check_later(shader)

    def stop(self, shader: OpenShader) -> None:
        """Stop what runs for a shader."""
        self._forget_timer(shader)
        self._scheduler.cancel(shader.uri)

    async def analysed(self, shader: OpenShader) -> Analysis | None:
        """The analysis of the shader's present text, made now where it is missing; None when the shader cannot be read."""
        while self._session.holds(shader):
            texts = self._session.texts_of(shader)
            if isinstance(texts, Finding):
                return None
            if shader.analysis is not None and shader.analysis.texts == texts:
                return shader.analysis
            # Programs that `prepare` starts take their time.
            if not _is_long(texts.shader.text, texts.sidecar.text if texts.sidecar is not None else "") and not texts.may_run:
                analysis = self._analyse(shader, texts)
            else:
                threads = self._prepares if texts.may_run else self._threads
                analysis = await asyncio.get_running_loop().run_in_executor(threads, self._analyse_if_wanted, shader, texts)
            # The text may have gone on meanwhile; then this analysis is of no use.
            if analysis is not None and self._session.texts_of(shader, analysis) == analysis.texts:
                shader.analysis = analysis
                return analysis
        return None

    def takes_long(self, document: Document) -> bool:
        """Whether the analysis of a document takes so long that it is made in a thread."""
        return _is_long(document.content.text)

    async def settings_changed(self) -> None:
        """Begin again with new workers and an empty cache, under the session's present settings."""
        old, self._checkers = self._checkers, {}
        for shader in self._session.shaders.values():
            shader.analysis = shader.verdict = None
        self.check_all()
        await _end(old)

    async def close(self) -> None:
        """Stop everything and end every child process."""
        for timer in self._timers.values():
            timer.cancel()
        await self._scheduler.close()
        await _end(self._checkers)
        for threads in (self._threads, self._prepares):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _show_analysis(self, shader: OpenShader, edited: str) -> None:
        await self.analysed(shader)
        # Who pulls asks by itself after an edit, but of the edited document alone: the lenses of another one would go on praising it.
        self._editor.show_findings(shader, refresh=edited != shader.uri)

    async def _check(self, shader: OpenShader, selection: Selection | None, cancel: asyncio.Event) -> CheckReport | None:
        analysis = await self.analysed(shader)
        if analysis is None:
            # It cannot be read: what was shown is no longer true, and a document that is too large says so.
            self._editor.show_findings(shader)
        if analysis is None or cancel.is_set():
            return None
        can_run = any(kernel.can_run for kernel in analysis.examination.kernels)
        workspace = self._session.workspace_of(shader.path) if shader.is_file else None
        # Compilers are asked about a shader without a contract too; the question is only put where something would run.
        is_trusted = workspace is not None and self._session.trust.allows(workspace)
        would_run = can_run or any(found.code == "PX708" for found in analysis.examination.findings)
        if workspace is not None and would_run and not is_trusted and self._session.trust.begin_question(workspace):
            self._editor.in_background(self._ask_for_trust(workspace))
        shader.is_checking = is_trusted and can_run
        try:
            # What reading finds is shown at once; running may take its time, in which what it reads may change.
            self._editor.show_findings(shader)
            self._watch()
            report = await self._run(analysis, selection, cancel, is_trusted=is_trusted, is_file=shader.is_file)
        finally:
            shader.is_checking = False
        if self._scheduler.is_overtaken(shader.uri) or not self._session.holds(shader):
            return None
        # A part says nothing of the rest, which may be known of an older text.
        earlier = {} if selection is None or shader.verdict is None else shader.verdict.earlier_than(analysis.texts)
        shader.verdict = Verdict(texts=analysis.texts, report=report, earlier=earlier)
        self._editor.show_findings(shader)
        if self._watch() and self._session.texts_of(shader) == analysis.texts:
            # Running it told which files a reference imports. What changed in them before they were watched shows now, or nothing runs.
            self.check_later(shader)
        return report

    async def _run(
        self, analysis: Analysis, selection: Selection | None, cancel: asyncio.Event, *, is_trusted: bool, is_file: bool
    ) -> CheckReport:
        path = analysis.texts.shader.path
        # Made at the first need: settings come after the server began, and nothing is started for a workspace without kernels.
        checker = self._checkers.setdefault(is_trusted, Checker(self._session.settings.options(trusted=is_trusted)))
        try:
            if not is_trusted:
                report = await checker.check_loaded([analysis.loaded], selection=selection)
                return report if is_file else _of_no_file(report)
            async with self._progress.of_check(path.name, cancel) as on_progress:
                return await checker.check_loaded([analysis.loaded], on_progress, selection=selection, cancel=cancel)
        except EngineUnavailable as problem:
            hint = problem.hint or "`pixel-lsp doctor` says what is missing"
            return _failure(analysis, "PX901", problem.message, hint)
        except Exception as problem:  # noqa: BLE001 - a bug of ours costs one verdict, not the server
            _LOG.exception("checking %s failed", path)
            return _failure(analysis, "PX790", f"pixel-lsp failed: {problem!r}", "the server's log holds the traceback")

    async def _ask_for_trust(self, workspace: Path) -> None:
        question = f"May pixel-lsp run the kernels and Python references in {workspace}? Trust only folders whose content you know."
        if await self._editor.ask(question, (_YES, _NO)) == _YES:
            self.trust(workspace)

    def trust(self, workspace: Path) -> None:
        """Let a workspace's kernels run, remember it, and check again what is open."""
        trust = self._session.trust
        try:
            trust.store.add(workspace)
        except PixelError as problem:
            # Only then: what is written down, the terminal can withdraw while the server runs.
            trust.granted.add(workspace)
            self._editor.show_message(types.MessageType.Warning, f"trusted until the server ends: {problem.message}")
        self.check_all()

    def _analyse_if_wanted(self, shader: OpenShader, texts: Texts) -> Analysis | None:
        """In the thread: a text that was typed over while it waited is not looked at."""
        document = self._session.documents.get(shader.uri)
        if document is not None and document.content.text != texts.shader.text:
            return None
        return self._analyse(shader, texts)

    def _analyse(self, shader: OpenShader, texts: Texts) -> Analysis:
        surroundings = self._session.surroundings_of(shader, may_run=texts.may_run)
        loaded = understand(texts.shader, texts.sidecar, surroundings)
        included = {path: text for one in loaded.all_variants for path, text in one.included.items()}
        texts = replace(texts, included=included)
        return Analysis(texts=texts, loaded=loaded, examination=examine(loaded, seed=self._session.settings.seed))

    def _forget_timer(self, shader: OpenShader) -> None:
        timer = self._timers.pop(shader.uri, None)
        if timer is not None:
            timer.cancel()


def _is_long(text: str, sidecar: str = "") -> bool:
    """Whether the analysis may take long; that of a contract with an oracle reads another shader, whose length is not known yet."""
    return len(text) > _INLINE_CHARACTERS or "oracle" in text or "oracle" in sidecar


def _of_no_file(report: CheckReport) -> CheckReport:
    """A report of a document that is no file, of which no trust could make kernels run."""

    def said(found: Finding) -> Finding:
        return found if found.code != "PX708" else replace(found, message="not executed: this document is not saved as a file")

    return replace(report, kernels=tuple(replace(one, findings=tuple(map(said, one.findings))) for one in report.kernels))


def _failure(analysis: Analysis, code: str, message: str, hint: str) -> CheckReport:
    """What is known without running, and why nothing ran."""
    texts = analysis.texts
    examination = analysis.examination
    failed = finding(code, message, Location(texts.shader.path), hint)
    return CheckReport(kernels=examination.static_reports(), findings=(*examination.findings, failed), sources=analysis.loaded.sources)


async def _end(checkers: Mapping[bool, Checker]) -> None:
    await asyncio.gather(*(checker.__aexit__(None, None, None) for checker in checkers.values()))


async def _outcome(future: asyncio.Future[CheckReport | None]) -> None:
    await asyncio.wait({future})
    if not future.cancelled():
        future.result()
