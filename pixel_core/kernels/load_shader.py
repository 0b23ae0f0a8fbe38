"""From a path to an understood shader: text, tree, names, interface, contracts. Never raises for what a file may hold."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from pixel_core.dialects.expanded_text import ExpandedText, Origin
from pixel_core.dialects.prepare import prepare
from pixel_core.dialects.steps import Preparation
from pixel_core.findings import Finding, Label, Location, Severity, Span
from pixel_core.kernels.contract import ContractFile, KernelContract
from pixel_core.kernels.contract_text import head_comments, without_contract
from pixel_core.kernels.find_dialect import find_dialect
from pixel_core.kernels.plan_symbols import OverrideValues, workgroup_symbols
from pixel_core.kernels.prepare_by_size import prepare_by_size
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.read_text import read_text
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.rules import RULES
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.check import CheckedShader, check
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.reflect import EntryPoint, ShaderInterface, interface_of
from pixel_core.wgsl.syntax import SyntaxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedShader:
    """A shader that could be read, whatever is wrong with it.

    Attributes:
        source: Its text, as somebody wrote it.
        wgsl: What is parsed and run: the same, or what the steps of `prepare` made of it. Its path is no file's then, and findings in it
            become findings in what was written by `told`.
        expanded: Where the characters of `wgsl` come from; None for plain WGSL.
        included: Other files that `prepare` looked for, with their texts where they have one.
        is_prepared: Whether `wgsl` is WGSL; else findings say why not, and nothing can be said about the shader itself.
        variants: The same file under the other `prepare`s of its contracts, each with the contracts that have it; where a `prepare`
            depends on sizes, each with the part of the contract, its cases, that makes the same text.
        surroundings: What its `prepare` could use, and that of its text under other contracts can.
        sidecar: The text of `NAME.contract.toml`, or None.
        sha256: Of the shader's bytes.
        sidecar_sha256: Of the sidecar's bytes; the shader's where the contract stands in it.
        module: Its tree, names, types and variables.
        interface: What it offers to its host, overrides at their defaults.
        findings: PX1xx about the shader, by position.
        contracts: Its contracts, with PX3xx findings.
    """

    source: SourceText
    wgsl: SourceText
    expanded: ExpandedText | None = None
    included: Mapping[Path, SourceText | None] = field(default_factory=dict[Path, "SourceText | None"])
    is_prepared: bool = True
    variants: tuple[LoadedShader, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings, compare=False)
    sidecar: SourceText | None
    sha256: str
    sidecar_sha256: str
    module: Module
    interface: ShaderInterface
    findings: tuple[Finding, ...]
    contracts: ContractFile

    @property
    def tree(self) -> SyntaxTree:
        """Its syntax tree."""
        return self.module.tree

    @property
    def names(self) -> Names:
        """What its identifiers mean."""
        return self.module.names

    @property
    def files(self) -> tuple[Path, ...]:
        """The shader, its sidecar whether it exists or not, what it includes, and what its contracts name: inputs, references, oracles."""
        named = [self.source.path, sidecar_path(self.source.path)]
        named += [path for one in self.all_variants for path in one.included]
        for contract in self.all_contracts:
            folder = contract.source.path.parent
            named += [Path(os.path.normpath(folder / file)) for file in contract.data_files]
            if contract.oracle is not None:
                # Without `..`, as those who watch files name them; links are not followed.
                shader = Path(os.path.normpath(folder / contract.oracle.file))
                named += (shader, sidecar_path(shader))
        return tuple(dict.fromkeys(named))

    @property
    def all_variants(self) -> tuple[LoadedShader, ...]:
        """The shader under every `prepare` of its contracts, this one first."""
        return (self, *self.variants)

    @property
    def all_contracts(self) -> tuple[KernelContract, ...]:
        """The contracts of all variants."""
        return tuple(contract for one in self.all_variants for contract in one.contracts.contracts)

    @property
    def sources(self) -> Mapping[Path, SourceText]:
        """Every text that findings may point into, by path."""
        texts = {self.source.path: self.source}
        if self.sidecar is not None:
            texts[self.sidecar.path] = self.sidecar
        for one in self.all_variants:
            texts.update({path: text for path, text in one.included.items() if text is not None})
        return texts

    @property
    def entry_points(self) -> tuple[EntryPoint, ...]:
        """The entry points of all variants that stand in the file itself, at their places there; each name once."""
        found: dict[str, EntryPoint] = {}
        for one in self.all_variants:
            for entry in one.interface.entry_points:
                location = one.written(one.wgsl.location(entry.span)).location
                if location.path == self.source.path and location.span is not None:
                    found.setdefault(entry.name, replace(entry, span=location.span))
        return tuple(found.values())

    def written(self, location: Location) -> Origin:
        """Where somebody wrote what stands at a place of `wgsl`; any other place is that place itself."""
        if self.expanded is None or location.path != self.wgsl.path:
            return Origin(location=location)
        if location.span is None:
            return Origin(location=Location(self.source.path))
        return self.expanded.origin(location.span)

    def told(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Findings as the user is told them: at the places that somebody wrote, with a fix only where it changes just that."""
        return tuple(findings) if self.expanded is None else tuple(self._told(one) for one in findings)

    @property
    def compiles(self) -> bool:
        """Whether our own front end has no error against it."""
        return self.is_prepared and all(finding.severity is not Severity.ERROR for finding in self.findings)

    def _told(self, found: Finding) -> Finding:
        origin = self.written(found.location)
        labels = (*origin.labels, *(Label(self.written(label.location).location, label.message) for label in found.labels))
        fix = found.fix
        if fix is not None and self.expanded is not None and found.location.path == self.wgsl.path:
            place = self.expanded.editable(fix.span)
            is_possible = place is not None and place.span is not None and place.path == origin.location.path
            fix = replace(fix, span=place.span) if is_possible and place is not None and place.span is not None else None
        return replace(found, location=origin.location, labels=labels, fix=fix)


def load_shader(path: Path, surroundings: Surroundings | None = None) -> LoadedShader | Finding:
    """Read a shader, and the sidecar beside it.

    Args:
        path: Of the shader.
        surroundings: What its `prepare` may use; by default files of its project, and no programs.

    Returns:
        The loaded shader, or a PX903 finding when the file cannot be read as text.
    """
    text = read_text(path)
    if isinstance(text, Finding):
        return text
    beside = sidecar_path(path)
    sidecar = read_text(beside) if beside.is_file() else None
    if isinstance(sidecar, Finding):
        return sidecar
    return understand(text, sidecar, surroundings)


def sidecar_path(shader: Path) -> Path:
    """Where the contract of a shader stands that does not hold it itself."""
    return shader.with_name(f"{shader.stem}.contract.toml")


def understand(source: SourceText, sidecar: SourceText | None, surroundings: Surroundings | None = None) -> LoadedShader:
    """Parse, resolve, reflect and read the contracts of a text, such as an editor's unsaved one.

    Args:
        source: The text.
        sidecar: The text of its sidecar, or None.
        surroundings: What its `prepare` may use; by default files of its project, and no programs.
    """
    source = _well_formed(source)
    surroundings = surroundings or Surroundings()
    if may_be_prepared(source, sidecar):
        contracts = read_contracts(source, None, sidecar)
        if contracts.preparations:
            return dataclasses.replace(_prepared(source, sidecar, contracts, surroundings), surroundings=surroundings)
    checked = check(source)
    contracts = read_contracts(source, checked.tree, sidecar)
    dialect = find_dialect(source, checked.findings)
    findings = checked.findings if dialect is None else (_dialect(source, contracts, *dialect),)
    loaded = _loaded(source, sidecar, checked=checked, contracts=contracts, findings=findings, is_prepared=dialect is None)
    return dataclasses.replace(loaded, surroundings=surroundings)


def may_be_prepared(source: SourceText, sidecar: SourceText | None) -> bool:
    """Whether a contract could have `prepare`; cheap, and never wrongly false."""
    return "prepare" in source.text if sidecar is None else "prepare" in sidecar.text or "prepare" in source.text


def _prepared(source: SourceText, sidecar: SourceText | None, contracts: ContractFile, surroundings: Surroundings) -> LoadedShader:
    """The shader under each of its `prepare`s; the first holds what is wrong with the contracts."""
    contracts, by_size = _split_by_size(source, sidecar, contracts, surroundings)
    distinct: list[Preparation | None] = []
    for one in (*contracts.preparations, *(contract.prepare for contract in contracts.contracts)):
        if not any(_is_same(one, other) for other in distinct):
            distinct.append(one)
    loaded: list[LoadedShader] = []
    for part in by_size:
        findings = () if loaded else contracts.findings
        loaded.append(_variant(source, sidecar, part.prepare, ContractFile(contracts=(part,), findings=findings), surroundings))
    for preparation in distinct:
        mine = tuple(contract for contract in contracts.contracts if _is_same(contract.prepare, preparation))
        # A `prepare` that only a broken contract has is needed where there is no other to look at the shader with.
        if mine or not loaded:
            findings = () if loaded else contracts.findings
            loaded.append(_variant(source, sidecar, preparation, ContractFile(contracts=mine, findings=findings), surroundings))
    return dataclasses.replace(loaded[0], variants=tuple(loaded[1:]))


def _split_by_size(
    source: SourceText, sidecar: SourceText | None, contracts: ContractFile, surroundings: Surroundings
) -> tuple[ContractFile, list[KernelContract]]:
    """The contracts whose shader is one text, with all findings; and the parts of the others, one for each text."""
    parts: list[KernelContract] = []
    findings = list(contracts.findings)
    whole: list[KernelContract] = []
    in_parts: list[Preparation | None] = []

    def sizes(entry: str, preparation: Preparation, overrides: OverrideValues) -> Mapping[str, int] | None:
        made = _variant(source, sidecar, preparation, ContractFile(contracts=(), findings=()), surroundings)
        interface = interface_of(made.module, overrides)
        return workgroup_symbols(interface, entry) if made.compiles and interface.entry_point(entry) is not None else None

    for contract in contracts.contracts:
        split = prepare_by_size(contract, partial(sizes, contract.passes[0].entry)) if contract.macros else None
        if split is None:
            whole.append(contract)
        elif isinstance(split, Finding):
            findings.append(split)
        else:
            parts += split
            in_parts.append(contract.prepare)
    preparations = tuple(one for one in contracts.preparations if not any(one is other for other in in_parts))
    return ContractFile(contracts=tuple(whole), findings=tuple(findings), preparations=preparations), parts


def _is_same(one: Preparation | None, other: Preparation | None) -> bool:
    return one is other or (one is not None and other is not None and one.is_same(other))


def _variant(
    source: SourceText, sidecar: SourceText | None, preparation: Preparation | None, contracts: ContractFile, surroundings: Surroundings
) -> LoadedShader:
    if preparation is None:
        checked = check(source)
        return _loaded(source, sidecar, checked=checked, contracts=contracts, findings=checked.findings)
    # A step is not to take the contract for the shader: its marks, macros and placeholders stand in it too.
    head = [] if sidecar is not None else head_comments(source)
    made = prepare(source, preparation, surroundings.reader(source.path), may_run=surroundings.may_run, left_out=head)
    nowhere = source.path.with_name(f"{source.path.name} as prepared")
    # The contract has been read; nobody is to find another one in what was included.
    wgsl = without_contract(SourceText(nowhere, made.text.text)) if made.is_complete else SourceText(nowhere, "")
    checked = check(wgsl)
    return _loaded(
        source,
        sidecar,
        checked=checked,
        contracts=contracts,
        findings=(*made.findings, *checked.findings),
        is_prepared=made.is_complete,
        expanded=made.text.with_text(wgsl.text) if made.is_complete else made.text,
        included=made.inputs,
    )


def _loaded(
    source: SourceText,
    sidecar: SourceText | None,
    *,
    checked: CheckedShader,
    contracts: ContractFile,
    findings: tuple[Finding, ...],
    is_prepared: bool = True,
    expanded: ExpandedText | None = None,
    included: Mapping[Path, SourceText | None] | None = None,
) -> LoadedShader:
    sha256 = hashlib.sha256(source.text.encode()).hexdigest()
    return LoadedShader(
        source=source,
        wgsl=checked.tree.source,
        expanded=expanded,
        included=included or {},
        is_prepared=is_prepared,
        sidecar=sidecar,
        sha256=sha256,
        sidecar_sha256=hashlib.sha256(sidecar.text.encode()).hexdigest() if sidecar else sha256,
        module=checked.module,
        interface=checked.interface,
        findings=findings,
        contracts=contracts,
    )


def _dialect(source: SourceText, contracts: ContractFile, span: Span, first_step: str) -> Finding:
    """One finding in place of all that a file in a dialect is as plain WGSL."""
    sign = " ".join(source.text[span.start : span.end].split())[:60]
    severity = Severity.ERROR if contracts.contracts or contracts.findings else RULES["PX346"].severity
    return Finding(
        code="PX346",
        severity=severity,
        message=f"this is not plain WGSL but a dialect of it: `{sign}`",
        location=source.location(span),
        hint=f"a contract says how WGSL is made of it: `prepare = [{first_step}]`",
    )


def _well_formed(source: SourceText) -> SourceText:
    """The text with U+FFFD for each half of a surrogate pair, which an editor can send and no compiler can read."""
    try:
        source.text.encode()
    except UnicodeEncodeError:
        return SourceText(source.path, source.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return source
