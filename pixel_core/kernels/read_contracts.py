"""From the text of a shader and its sidecar to contracts, and findings on the lines that are wrong."""

from __future__ import annotations

from typing import Any

import tomli

from pixel_core.dialects.steps import Preparation
from pixel_core.findings import Finding, Label, Span
from pixel_core.kernels.contract import ContractFile, KernelContract
from pixel_core.kernels.contract_fields import Reading, make_finding
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, MAX_CONTRACTS, MAX_FILE_CHARACTERS
from pixel_core.kernels.doc_block import DocBlock, EmbeddedText, embed_whole, find_doc_block
from pixel_core.kernels.read_contract import read_contract
from pixel_core.kernels.toml_keys import scan_keys
from pixel_core.source import SourceText
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.syntax import SyntaxTree


def read_contracts(shader: SourceText, tree: SyntaxTree | None, sidecar: SourceText | None) -> ContractFile:
    """Read every contract of a shader.

    Args:
        shader: The shader; its leading `//!` lines may hold contracts.
        tree: The parsed shader, whose tokens are reused; None cuts them again.
        sidecar: The text of `NAME.contract.toml`, or None.

    Returns:
        The contracts without an error, and what is wrong with the others.
    """
    block = find_doc_block(shader, tree.tokens if tree else lex(shader)[0])
    findings = _misplaced(shader, block)
    if block.contract and sidecar:
        header = block.contract.span(Span(0, len(block.contract.text.partition("\n")[0].rstrip())))
        label = Label(sidecar.location(Span(0, 0)), "the other one")
        message = f"there is a contract here and another one in {sidecar.path.name}"
        findings.append(make_finding("PX302", shader, header, message, "keep one of them", (label,)))
        return ContractFile(contracts=(), findings=tuple(findings))
    text = embed_whole(sidecar) if sidecar else block.contract
    if text is None:
        return ContractFile(contracts=(), findings=tuple(findings))
    contracts, mistakes, preparations = _read_text(text)
    return ContractFile(contracts=tuple(contracts), findings=(*findings, *mistakes), preparations=tuple(preparations))


def _misplaced(shader: SourceText, block: DocBlock) -> list[Finding]:
    message, hint = "this contract stands below the first code and is not read", "move it to the `//!` lines at the top of the file"
    return [make_finding("PX311", shader, span, message, hint) for span in block.misplaced]


def _read_text(text: EmbeddedText) -> tuple[list[KernelContract], list[Finding], list[Preparation]]:
    if len(text.text) > MAX_FILE_CHARACTERS:
        message = f"the contract has {len(text.text):,} characters; at most {MAX_FILE_CHARACTERS:,} are read"
        return [], [make_finding("PX309", text.source, text.span(Span(0, 0)), message)], []
    document = _parse(text)
    if isinstance(document, Finding):
        return [], [document], []
    reading = Reading(text=text, places=scan_keys(text.text))
    contracts: list[KernelContract] = []
    if len(document) > MAX_CONTRACTS:
        reading.tell("PX309", (), f"{len(document):,} contracts in one file; at most {MAX_CONTRACTS} are read")
        document = {}
    for name, value in document.items():
        if isinstance(value, dict):
            contract = read_contract(reading, name, value)
            if contract is not None:
                contracts.append(contract)
        elif name in CONTRACT_KEYS:
            hint = "start the contract with its name in brackets: `[matmul]`"
            reading.tell("PX303", reading.key_span((name,)), f"`{name}` stands above the first `[name]` header", hint)
        else:
            reading.check_keys((), {name: value}, ())
    if not document and not reading.findings:
        reading.tell("PX308", Span(0, 0), "there is no contract in this file", "a contract starts with its name in brackets: `[matmul]`")
    return contracts, reading.findings, reading.preparations


def _parse(text: EmbeddedText) -> dict[str, Any] | Finding:
    try:
        return tomli.loads(text.text)
    except tomli.TOMLDecodeError as error:
        position = min(error.pos, len(text.text))
        # At the end of a line, point at its last character.
        if position > 0 and text.text[position : position + 1] in {"", "\n"} and text.text[position - 1] != "\n":
            position -= 1
        message = error.msg[:1].lower() + error.msg[1:]
        hint = "prose goes above the contract's header, or behind `#`" if "key/value" in error.msg else None
        return make_finding("PX301", text.source, text.span(Span(position, position + 1)), message, hint)
    except (RecursionError, ValueError) as error:
        # Far too many parts in a key, brackets inside each other, or digits in a number.
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "a number in it is too long"
        return make_finding("PX301", text.source, text.span(Span(0, 0)), f"the contract cannot be read: {why}")
