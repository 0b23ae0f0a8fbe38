"""Where a finding about a kernel belongs: the store that writes an output, an entry point, a line of the contract."""

from __future__ import annotations

import msgspec

from pixel_core.findings import Label, Location, Span
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.load_oracle import OracleKernel
from pixel_core.kernels.plan import Plan
from pixel_core.source import SourceText
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.reflect import ShaderInterface
from pixel_core.wgsl.stores import find_stores
from pixel_core.wgsl.syntax import SyntaxTree, TokenKind


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """A contract and everything that was read to understand it.

    Attributes:
        file: The shader as somebody wrote it.
        shader: The WGSL that it is or was prepared to; all places of the tree are in it.
    """

    file: SourceText
    shader: SourceText
    tree: SyntaxTree
    names: Names
    interface: ShaderInterface
    contract: KernelContract
    plan: Plan
    oracle: OracleKernel | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A location with the labels that belong to it."""

    location: Location
    labels: tuple[Label, ...] = ()


def place_output(kernel: Kernel, output: str) -> Place:
    """The statement that stores into an output (`buffer` or `buffer.field`).

    Of several stores it is the last one of the last pass that writes the output; the others become labels, after one on the
    store itself. An output that
    nothing stores into is placed on its declaration, and one that the shader does not declare on its line of the contract.
    """
    buffer, _, field = output.partition(".")
    spans: list[Span] = []
    declared: Span | None = None
    for step in reversed(kernel.contract.passes):
        entry = kernel.interface.entry_point(step.entry)
        if entry is None:
            continue
        variables = [variable for variable, buffers in step.bind.items() if buffer in buffers]
        if buffer not in step.bind:
            variables.append(buffer)
        for variable in variables:
            stores = find_stores(kernel.tree, kernel.names, variable, entry.function)
            written = sorted((store.span for store in stores if not field or store.field in (None, field)), key=lambda span: -span.start)
            spans.extend(span for span in written if span not in spans)
            binding = kernel.interface.binding(variable)
            declared = declared or (binding.span if binding else None)
    if spans:
        here, *others = (kernel.shader.location(span) for span in spans[:4])
        labels = (Label(here, f"this store writes `{output}`"), *(Label(other, f"`{output}` is written here too") for other in others))
        return Place(location=here, labels=labels)
    if declared:
        return Place(location=kernel.shader.location(declared))
    return place_key(kernel.contract, f"expect.{output}")


def place_entry(kernel: Kernel, name: str) -> Place:
    """The name of an entry point where it is declared; of an unknown one, the contract's header."""
    entry = kernel.interface.entry_point(name)
    if entry is None:
        return Place(location=kernel.contract.source.location(kernel.contract.span))
    return Place(location=kernel.shader.location(entry.span))


def place_key(contract: KernelContract, key: str) -> Place:
    """The value of a dotted key in the contract; of an absent one, the contract's header."""
    return Place(location=contract.source.location(contract.key_spans.get(key, contract.span)))


def place_expression(contract: KernelContract, key: str, start: int, end: int) -> Place:
    """A part of the expression behind a dotted key; `start` of -1 means all of it."""
    table, _, name = key.partition(".")
    tables: dict[str, dict[str, Expression]] = {
        "expect": dict(contract.expect),
        "define": dict(contract.define),
        "inputs": dict(contract.inputs),
        "let": dict(contract.let),
    }
    expression = tables.get(table, {}).get(name)
    if key.startswith("invariants["):
        expression = contract.invariants[int(key[len("invariants[") : -1])]
    if expression is None or expression.span is None:
        return place_key(contract, key)
    whole = expression.span
    # An escape sequence makes the text shorter than its source; then the whole value is the honest place.
    if start < 0 or whole.end - whole.start != len(expression.text):
        return Place(location=contract.source.location(whole))
    return Place(location=contract.source.location(Span(whole.start + start, whole.start + end)))


def place_position(kernel: Kernel, line: int, column: int, entry: str) -> Place:
    """The token at a line and column (from 1) of the shader; line 0 means unknown and gives the entry point."""
    if line <= 0:
        return place_entry(kernel, entry)
    offset = kernel.shader.offset(line, max(column, 1))
    for token in kernel.tree.tokens:
        if token.start <= offset < token.end and token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT):
            return Place(location=kernel.shader.location(Span(token.start, token.end)))
    return Place(location=kernel.shader.location(Span(offset, min(offset + 1, len(kernel.shader.text)))))
