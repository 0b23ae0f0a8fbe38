"""Everything that can be said about a shader without running it."""

from __future__ import annotations

import msgspec

from pixel_core.findings import Finding
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module, analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import ShaderInterface, interface_of
from pixel_core.wgsl.syntax import SyntaxTree


class CheckedShader(msgspec.Struct, frozen=True, kw_only=True):
    """A shader, parsed and analysed.

    Attributes:
        tree: Its syntax tree.
        module: Its names, types and variables.
        interface: What it offers to its host, overrides at their defaults.
        findings: PX1xx, syntax included, by position.
    """

    tree: SyntaxTree
    module: Module
    interface: ShaderInterface
    findings: tuple[Finding, ...]


def check(source: SourceText) -> CheckedShader:
    """Parse, resolve and reflect a shader. Never raises, whatever the text is."""
    tree = parse(source)
    module = analyse(tree)
    interface = interface_of(module)
    findings = sorted((*tree.findings, *interface.findings), key=_position)
    return CheckedShader(tree=tree, module=module, interface=interface, findings=tuple(findings))


def _position(finding: Finding) -> tuple[int, str]:
    return finding.location.span.start if finding.location.span else 0, finding.code
