"""Counter-measure for adapters that end long loops without a word: find out whether, and which.

llvmpipe ends every loop of an invocation after 65,535 iterations in total and goes on behind it. In the rewritten shader each
loop knows whether it was left by an exit of its own; behind a loop that was not, its number is written to an extra buffer.
"""

from __future__ import annotations

from itertools import chain
from typing import Union

import msgspec

from pixel_core.engines.text_edits import TextEdits, free_prefix
from pixel_core.findings import Severity
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.dependencies import reachable
from pixel_core.wgsl.entry_points import stage_of_entry
from pixel_core.wgsl.syntax import Break, For, FunctionDeclaration, Loop, Node, Switch, Token, While
from pixel_core.wgsl.walk import children

_AnyLoop = Union[Loop, For, While]


class WatchedShader(msgspec.Struct, frozen=True, kw_only=True):
    """A shader that says which of its loops was cut.

    Attributes:
        source: The rewritten text. It has one more binding, a `var<storage, read_write>` of 4 bytes, to be cleared before the
            run: afterwards it holds 0, or the number (from 1) of the first loop that an invocation found cut.
        loops: Line and column, from 1, of each loop's keyword in the original text; loop number n is `loops[n - 1]`.
        entries: Names of the compute entry points that reach a loop. They use the extra buffer, and the others must not be given it.
        binding: Where the extra buffer is bound, in the group that was asked for.
    """

    source: str
    loops: tuple[tuple[int, int], ...]
    entries: frozenset[str]
    binding: int


def watch_loops(module: Module, *, group: int, binding: int) -> WatchedShader:
    """Rewrite the loops of every function that a compute entry point reaches.

    The meaning of the shader does not change, and neither do its line numbers. To combine it with `zero_workgroup_memory`,
    watch first: the zeroing loops need no watching.

    Args:
        module: A module without syntax errors; one with errors is returned unchanged, with no loops.
        group: Where the extra buffer is bound: a group and binding that the shader does not use.
        binding: See `group`.
    """
    tree = module.tree
    if any(finding.severity is Severity.ERROR for finding in tree.findings):
        return WatchedShader(source=tree.source.text, loops=(), entries=frozenset(), binding=binding)
    rewriter = _Rewriter(TextEdits(tree), free_prefix(tree, "watched"))
    reached = _reached_functions(module)
    looping: set[FunctionDeclaration] = set()
    for function in sorted(set(chain.from_iterable(reached.values())), key=lambda one: one.start):
        before = len(rewriter.keywords)
        if function.body is not None:
            rewriter.rewrite(function.body)
        if len(rewriter.keywords) > before:
            looping.add(function)
    source = rewriter.edits.apply()
    if rewriter.keywords:
        source += f"\n@group({group}) @binding({binding}) var<storage, read_write> {rewriter.prefix}_cut: u32;\n"
    loops = tuple(tree.source.position(keyword.start) for keyword in rewriter.keywords)
    entries = frozenset(name for name, functions in reached.items() if not looping.isdisjoint(functions))
    return WatchedShader(source=source, loops=loops, entries=entries, binding=binding)


def _reached_functions(module: Module) -> dict[str, list[FunctionDeclaration]]:
    """Name of each compute entry point → itself and every function that it reaches."""
    return {
        entry.name.text: [entry, *(node for node in reachable(entry, module.names.references) if isinstance(node, FunctionDeclaration))]
        for entry in module.entries
        if stage_of_entry(entry) == "compute"
    }


class _Rewriter:
    def __init__(self, edits: TextEdits, prefix: str) -> None:
        self.edits = edits
        self.prefix = prefix
        self.keywords: list[Token] = []

    def rewrite(self, body: Node) -> None:
        # Each node with the flag of the loop that a `break` in it would leave; None inside a switch.
        pending: list[tuple[Node, str | None]] = [(body, None)]
        while pending:
            node, flag = pending.pop()
            if isinstance(node, Break):
                if flag is not None:
                    self.edits.insert(node.start, f"{flag} = true; ")
                continue
            inner = flag
            if isinstance(node, (Loop, For, While)):
                inner = self._rewrite_loop(node)
            elif isinstance(node, Switch):
                inner = None
            pending.extend((child, inner) for child in reversed(list(children(node))))

    def _rewrite_loop(self, loop: _AnyLoop) -> str:
        start = loop.attributes[-1].end if loop.attributes else loop.start
        keyword = self.edits.token_at(start)
        self.keywords.append(keyword)
        number = len(self.keywords)
        flag = f"{self.prefix}_{number}"
        declaration = f"var {flag} = false; "
        cut = f"{self.prefix}_cut"
        record = f" if (!{flag}) {{ if ({cut} == 0u) {{ {cut} = {number}u; }} }}"
        if isinstance(loop, Loop):
            self.edits.insert(loop.start, "{ " + declaration)
            self._rewrite_break_if(loop, flag)
            self.edits.insert(loop.end, record + " }")
        elif isinstance(loop, While):
            self.edits.insert(loop.start, "{ " + declaration)
            self.edits.replace(keyword, "loop { if (!(")
            self.edits.insert(loop.condition.end, f")) {{ {flag} = true; break; }}")
            self.edits.insert(loop.end, " }" + record + " }")
        else:
            self._rewrite_for(loop, keyword, flag, declaration, record)
        return flag

    def _rewrite_break_if(self, loop: Loop, flag: str) -> None:
        """`break if c;` becomes `flag = (c); break if (flag);`."""
        if loop.continuing is None or loop.continuing.break_if is None:
            return
        condition = loop.continuing.break_if
        statements = loop.continuing.body.statements
        after = statements[-1].end if statements else self.edits.find("{", loop.continuing.body.start).end
        self.edits.replace(self.edits.find("break", after), f"{flag} = (")
        self.edits.replace(self.edits.find("if", after), " ")
        self.edits.insert(condition.end, f"); break if ({flag})")

    def _rewrite_for(self, loop: For, keyword: Token, flag: str, declaration: str, record: str) -> None:
        """`for (i; c; u) b` becomes `{ i; loop { if (!(c)) { break; } b continuing { u; } } }`, each part where it stood."""
        edits = self.edits
        opening = edits.find("(", keyword.end)
        first = edits.find(";", opening.end)
        second = edits.find(";", first.end)
        closing = edits.find_closing(opening)
        if loop.attributes:
            edits.insert(loop.start, "{ ")
            edits.blank(loop.attributes[0].start, loop.attributes[-1].end)
        edits.replace(keyword, " " if loop.attributes else "{")
        edits.replace(opening, " ")
        if loop.condition is None:
            edits.insert(first.end, f" {declaration}loop {{ ")
            edits.replace(second, " ")
        else:
            edits.insert(first.end, f" {declaration}loop {{ if (!(")
            edits.replace(second, f")) {{ {flag} = true; break; }} ")
        update = ""
        if loop.update is not None:
            update = f" continuing {{ {edits.on_one_line(loop.update.start, loop.update.end).rstrip(' ;')}; }}"
            edits.blank(loop.update.start, loop.update.end)
        edits.replace(closing, " ")
        edits.insert(loop.end, f"{update} }}{record} }}")
