"""The one mutable state of the server: open documents, what is known about their shaders, and what the editor was told.

Features get a `ShaderView`, which is frozen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from lsprotocol.types import Position
from msgspec.structs import replace
from pygls.uris import from_fs_path, to_fs_path

from pixel_core.findings import Finding, Location
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.examine import Examination, finding
from pixel_core.kernels.execute import project_root
from pixel_core.kernels.load_shader import LoadedShader, may_be_prepared, sidecar_path
from pixel_core.kernels.read_text import MAX_BYTES, read_text
from pixel_core.kernels.report import SKIPPED, CheckReport, ValidationReport
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.source import SourceText
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.discover import SHADER_SUFFIX, SIDECAR_SUFFIX
from pixel_server.settings import Settings
from pixel_server.trust import Trust

WGSL: Final = "wgsl"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an open document.

    Attributes:
        uri: As the editor spells it.
        path: Its file; for a document without one, a name to show.
        is_file: Whether the path is one.
        version: The editor's count.
        language: The editor's name for its language.
        content: The text.
    """

    uri: str
    path: Path
    is_file: bool
    version: int
    language: str
    content: ClientText


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """What a shader's findings rest on.

    Attributes:
        shader: Its text.
        sidecar: The text of its sidecar, or None.
        problem: Why that cannot be read.
        included: Other files that its `prepare` looked for, with their texts where they have one.
        may_run: Whether its `prepare` may start programs; always false where it has none.
    """

    shader: SourceText
    sidecar: SourceText | None
    problem: Finding | None = None
    included: Mapping[Path, SourceText | None] = msgspec.field(default_factory=dict[Path, "SourceText | None"])
    may_run: bool = False


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said about a shader without running it."""

    texts: Texts
    loaded: LoadedShader
    examination: Examination


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a check.

    Attributes:
        texts: What was checked.
        report: What came of it.
        earlier: Contract → its report of an older text, where only a part was asked for of this one.
    """

    texts: Texts
    report: CheckReport
    earlier: Mapping[str, ValidationReport] = msgspec.field(default_factory=dict[str, ValidationReport])

    def earlier_than(self, texts: Texts) -> Mapping[str, ValidationReport]:
        """The latest reports of other texts, by contract."""
        if self.texts == texts:
            return self.earlier
        ran = [kernel for kernel in self.report.kernels if any(case.status != SKIPPED for case in kernel.cases)]
        return {**self.earlier, **{kernel.contract: kernel for kernel in ran if kernel.contract is not None}}


class OpenShader(msgspec.Struct, kw_only=True):
    """A shader of which the text or the sidecar is open.

    Attributes:
        uri: Of the shader's document, open or not.
        path: Of its file.
        is_file: Whether there is one; without, nothing is executed.
        analysis: The latest.
        verdict: The latest, current or not.
        is_checking: Whether a check runs.
        told: URIs that the editor shows findings of this shader in.
    """

    uri: str
    path: Path
    is_file: bool
    analysis: Analysis | None = None
    verdict: Verdict | None = None
    is_checking: bool = False
    told: frozenset[str] = frozenset()


class ShaderView(msgspec.Struct, frozen=True, kw_only=True):
    """What the features may know of a shader at one moment.

    Attributes:
        uri: Of the shader.
        version: Of its open document; None when only its sidecar is open.
        analysis: Of the text as it is now.
        verdict: The latest verdict, whatever text it speaks of.
        is_current: Whether the verdict speaks of the text as it is now.
        is_checking: Whether a check runs.
    """

    uri: str
    version: int | None
    analysis: Analysis
    verdict: Verdict | None
    is_current: bool
    is_checking: bool

    def content(self, client: Client) -> ClientText:
        """The shader's text in the editor's units."""
        return ClientText(self.analysis.texts.shader.text, client.encoding)

    def source_of(self, path: Path) -> SourceText | None:
        """The text that findings in a file point into, if it is one of the shader's."""
        return self.analysis.loaded.sources.get(path)

    def report_of(self, contract: str) -> ValidationReport | None:
        """The latest report of a contract, current or not."""
        if self.verdict is None:
            return None
        return next((kernel for kernel in self.verdict.report.kernels if kernel.contract == contract), None)

    def contracts_of(self, entry: str) -> tuple[KernelContract, ...]:
        """The contracts that have an entry point among their passes."""
        contracts = self.analysis.loaded.all_contracts
        return tuple(contract for contract in contracts if any(step.entry == entry for step in contract.passes))


class Session(msgspec.Struct, kw_only=True):
    """Everything that changes while the server runs.

    Attributes:
        client: What the editor can do.
        trust: What may run.
        settings: In force.
        defaults: Settings from the start of the session, which later ones fall back to.
        folders: Of the workspace.
        documents: Open ones, by URI.
        shaders: By URI of the shader.
    """

    client: Client
    trust: Trust
    settings: Settings = msgspec.field(default_factory=Settings)
    defaults: Settings = msgspec.field(default_factory=Settings)
    folders: tuple[Path, ...] = ()
    documents: dict[str, Document] = msgspec.field(default_factory=dict)
    shaders: dict[str, OpenShader] = msgspec.field(default_factory=dict)

    def shader_of(self, uri: str) -> OpenShader | None:
        """The shader that a document is the text or the sidecar of."""
        known = self.shaders.get(uri)
        if known is not None:
            return known
        path = path_of(uri)
        if path is None or not path.name.endswith(SIDECAR_SUFFIX):
            return None
        return next((shader for shader in self.shaders.values() if shader.is_file and sidecar_path(shader.path) == path), None)

    def adopt(self, document: Document) -> OpenShader | None:
        """The shader of a document that was opened; made when it is new, None when the document has nothing to do with shaders."""
        known = self.shader_of(document.uri)
        if known is not None:
            return known
        path = document.path
        if document.is_file and path.name.endswith(SIDECAR_SUFFIX):
            path = path.with_name(path.name[: -len(SIDECAR_SUFFIX)] + SHADER_SUFFIX)
            if not path.is_file():
                return None
            shader = OpenShader(uri=self.uri_of(path), path=path, is_file=True)
        elif document.language == WGSL or path.suffix.lower() == SHADER_SUFFIX:
            shader = OpenShader(uri=document.uri, path=path, is_file=document.is_file)
        else:
            return None
        self.shaders[shader.uri] = shader
        return shader

    def adopt_late(self) -> tuple[OpenShader, ...]:
        """The shaders of open sidecars that had none when they were opened, and have one now."""
        sidecars = [one for one in self.documents.values() if one.path.name.endswith(SIDECAR_SUFFIX) and self.shader_of(one.uri) is None]
        return tuple(shader for one in sidecars if (shader := self.adopt(one)) is not None)

    def holds(self, shader: OpenShader) -> bool:
        """Whether this is the shader of its URI now: it may have been closed, and opened again as another one."""
        return self.shaders.get(shader.uri) is shader

    def is_open(self, shader: OpenShader) -> bool:
        """Whether the shader's text or its sidecar is still open."""
        return shader.uri in self.documents or self._document_at(sidecar_path(shader.path)) is not None

    def uri_of(self, path: Path) -> str:
        """The URI of a path, as the editor spells it where it named the file itself."""
        for document in self.documents.values():
            if document.path == path:
                return document.uri
        for shader in self.shaders.values():
            if shader.path == path:
                return shader.uri
        return from_fs_path(str(path)) or path.as_uri()

    def texts_of(self, shader: OpenShader, analysis: Analysis | None = None) -> Texts | Finding:
        """The texts as the user sees them: of open documents, else of files; or why the shader cannot be read.

        Args:
            shader: The shader.
            analysis: That says which files it includes; None is its latest one.
        """
        texts = self._own_texts(shader)
        if isinstance(texts, Finding) or not may_be_prepared(texts.shader, texts.sidecar):
            return texts
        analysis = analysis or shader.analysis
        paths = () if analysis is None else analysis.texts.included
        included = {path: text if isinstance(text := self.read(path), SourceText) else None for path in paths}
        may_run = shader.is_file and self.trust.allows(self.workspace_of(shader.path))
        return replace(texts, included=included, may_run=may_run)

    def read(self, path: Path) -> SourceText | Finding:
        """The text of a file: of its open document, else the file's."""
        document = self._document_at(path)
        return read_text(path) if document is None else _text_of(document)

    def surroundings_of(self, shader: OpenShader, *, may_run: bool) -> Surroundings:
        """What the shader's `prepare` may use; a document that is no file has no files beside it."""
        if not shader.is_file:
            return Surroundings(read=lambda path: finding("PX903", "is no file", Location(path)))
        return Surroundings(read=self.read, may_run=may_run)

    def including(self, path: Path) -> tuple[OpenShader, ...]:
        """The other open shaders whose `prepare` looked for a file."""
        return tuple(
            shader
            for shader in self.shaders.values()
            if shader.path != path and shader.analysis is not None and path in shader.analysis.texts.included
        )

    def is_part(self, shader: OpenShader) -> bool:
        """Whether a shader is only a part of others: they include it, and no contract speaks of it alone."""
        has_contract = shader.analysis is not None and bool(shader.analysis.loaded.all_contracts)
        return not has_contract and shader.is_file and bool(self.including(shader.path))

    def _own_texts(self, shader: OpenShader) -> Texts | Finding:
        document = self.documents.get(shader.uri)
        source = _text_of(document) if document is not None else read_text(shader.path)
        if isinstance(source, Finding):
            return source
        if not shader.is_file:
            return Texts(shader=source, sidecar=None)
        beside = sidecar_path(shader.path)
        open_sidecar = self._document_at(beside)
        if open_sidecar is None and not beside.is_file():
            return Texts(shader=source, sidecar=None)
        text = _text_of(open_sidecar) if open_sidecar is not None else read_text(beside)
        if isinstance(text, Finding):
            return Texts(shader=source, sidecar=None, problem=text)
        return Texts(shader=source, sidecar=text)

    def view(self, shader: OpenShader) -> ShaderView | None:
        """The shader as the features may see it; None before its present text was analysed."""
        texts = self.texts_of(shader)
        analysis = shader.analysis
        if analysis is None or analysis.texts != texts:
            return None
        document = self.documents.get(shader.uri)
        return ShaderView(
            uri=shader.uri,
            version=document.version if document is not None else None,
            analysis=analysis,
            verdict=shader.verdict,
            is_current=shader.verdict is not None and shader.verdict.texts == texts,
            is_checking=shader.is_checking,
        )

    def earlier_place(self, shader: OpenShader, document: Document, position: Position) -> tuple[ShaderView, ClientText, Position] | None:
        """Where a position of a shader's text was in the text that was analysed last.

        Returns:
            The shader as it was, its text then and the position in it; None when the analysis is of the present text, when there is none,
            and when the line, or text both above and below it, was edited since.
        """
        analysis = shader.analysis
        if analysis is None or document.uri != shader.uri or analysis.texts.shader.text == document.content.text:
            return None
        before = ClientText(analysis.texts.shader.text, self.client.encoding)
        moved = document.content.position_in(before, position)
        if moved is None:
            return None
        view = ShaderView(
            uri=shader.uri,
            version=None,
            analysis=analysis,
            verdict=shader.verdict,
            is_current=False,
            is_checking=shader.is_checking,
        )
        return view, before, moved

    def workspace_of(self, path: Path) -> Path:
        """The folder that trust is asked for: the workspace folder that holds the file's project, else the project itself."""
        root = project_root(path.parent)
        holding = [folder for folder in self.folders if root == folder or folder in root.parents]
        return max(holding, key=lambda folder: len(folder.parts), default=root)

    def shaders_resting_on(self, paths: Iterable[Path]) -> tuple[OpenShader, ...]:
        """The open shaders whose verdict a change of these files may change."""
        changed = frozenset(paths)
        python_changed = any(path.suffix == ".py" for path in changed)
        return tuple(
            shader
            for shader in self.shaders.values()
            if shader.is_file and (changed & self.files_of(shader) or (python_changed and _has_reference(shader)))
        )

    def forget_oracle(self, shader: OpenShader) -> None:
        """Forget the analysis of a shader whose oracle was read for it: its file may say something else now."""
        if shader.analysis is not None and any(contract.oracle for contract in shader.analysis.loaded.contracts.contracts):
            shader.analysis = None

    def files_of(self, shader: OpenShader) -> frozenset[Path]:
        """Every file that what is known about a shader rests on, existing or not."""
        files = {shader.path, sidecar_path(shader.path)}
        if shader.analysis is not None:
            files.update(shader.analysis.loaded.files)
        if shader.verdict is not None:
            files.update(path for kernel in shader.verdict.report.kernels for path in kernel.files)
        return frozenset(files)

    def _document_at(self, path: Path) -> Document | None:
        return next((document for document in self.documents.values() if document.is_file and document.path == path), None)


def path_of(uri: str) -> Path | None:
    """The file of a URI; None when it names none."""
    try:
        name = to_fs_path(uri)
    except ValueError:  # a bracket, which begins the address of a host
        return None
    return Path(name) if name and "\0" not in name else None


def _text_of(document: Document) -> SourceText | Finding:
    """An open document's text, up to the size that is read of files too: reading takes seconds and a hundred times the memory."""
    if len(document.content.text) > MAX_BYTES:
        message = f"{document.path.name} is larger than {MAX_BYTES >> 20} MiB"
        return finding("PX903", message, Location(document.path), "it is not read, not even while it is open")
    return SourceText(document.path, document.content.text)


def _has_reference(shader: OpenShader) -> bool:
    return shader.analysis is not None and any(contract.python_code for contract in shader.analysis.loaded.all_contracts)
