"""From a path to an understood shader: text, tree, names, interface, contracts. Never raises for what a file may hold."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pixel_core.findings import Finding, Location, Severity
from pixel_core.kernels.contract import ContractFile
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.rules import RULES
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.check import check
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.reflect import ShaderInterface
from pixel_core.wgsl.syntax import SyntaxTree

MAX_BYTES = 4 << 20
"""Largest shader or sidecar that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedShader:
    """A shader that could be read, whatever is wrong with it.

    Attributes:
        source: Its text.
        sidecar: The text of `NAME.contract.toml`, or None.
        sha256: Of the shader's bytes.
        sidecar_sha256: Of the sidecar's bytes; the shader's where the contract stands in it.
        module: Its tree, names, types and variables.
        interface: What it offers to its host, overrides at their defaults.
        findings: PX1xx about the shader, by position.
        contracts: Its contracts, with PX3xx findings.
    """

    source: SourceText
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
        """The shader, its sidecar whether it exists or not, and the references and oracles that its contracts name."""
        named: list[Path] = []
        for contract in self.contracts.contracts:
            folder = contract.source.path.parent
            if contract.reference is not None:
                named.append(folder / contract.reference.file)
            if contract.oracle is not None:
                # Without `..`, as those who watch files name them; links are not followed.
                shader = Path(os.path.normpath(folder / contract.oracle.file))
                named += (shader, sidecar_path(shader))
        return tuple(dict.fromkeys((self.source.path, sidecar_path(self.source.path), *named)))

    @property
    def compiles(self) -> bool:
        """Whether our own front end has no error against it."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def load_shader(path: Path) -> LoadedShader | Finding:
    """Read a shader, and the sidecar beside it.

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
    return understand(text, sidecar)


def sidecar_path(shader: Path) -> Path:
    """Where the contract of a shader stands that does not hold it itself."""
    return shader.with_name(f"{shader.stem}.contract.toml")


def understand(source: SourceText, sidecar: SourceText | None) -> LoadedShader:
    """Parse, resolve, reflect and read the contracts of a text, such as an editor's unsaved one."""
    source = _well_formed(source)
    checked = check(source)
    sha256 = hashlib.sha256(source.text.encode()).hexdigest()
    return LoadedShader(
        source=source,
        sidecar=sidecar,
        sha256=sha256,
        sidecar_sha256=hashlib.sha256(sidecar.text.encode()).hexdigest() if sidecar else sha256,
        module=checked.module,
        interface=checked.interface,
        findings=checked.findings,
        contracts=read_contracts(source, checked.tree, sidecar),
    )


def read_text(path: Path) -> SourceText | Finding:
    """Read a UTF-8 file of at most `MAX_BYTES`, or say in a finding why not."""
    try:
        if not path.is_file():
            return _unreadable(path, "is not a file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _unreadable(path, f"cannot be read: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        return _unreadable(path, f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        return SourceText(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _unreadable(path, f"is not UTF-8 text (byte {data[error.start]:#04x} at offset {error.start:,})")


def _well_formed(source: SourceText) -> SourceText:
    """The text with U+FFFD for each half of a surrogate pair, which an editor can send and no compiler can read."""
    try:
        source.text.encode()
    except UnicodeEncodeError:
        return SourceText(source.path, source.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return source


def _unreadable(path: Path, why: str) -> Finding:
    return Finding(code="PX903", severity=RULES["PX903"].severity, message=f"{path.name} {why}", location=Location(path))
