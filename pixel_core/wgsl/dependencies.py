"""Which module-scope declaration needs which: their order, their cycles, and what a function reaches."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Union

from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.syntax import AliasDeclaration, Declaration, FunctionDeclaration, Identifier, StructDeclaration, VariableDeclaration

Named = Union[VariableDeclaration, FunctionDeclaration, StructDeclaration, AliasDeclaration]

Reference = tuple[Identifier, Named]
"""A use of a module-scope declaration: the identifier, and what it refers to."""

References = Mapping[Declaration, Sequence[Reference]]
"""The references in the text of each module-scope declaration."""

_MAX_SHOWN = 8


def sort_by_dependency(references: References) -> tuple[tuple[Declaration, ...], list[list[Declaration]]]:
    """Sort declarations so that each stands after those it refers to.

    Tarjan's algorithm for strongly connected components, with an explicit stack.

    Returns:
        The order, and the groups of declarations that depend on each other in a cycle.
    """
    order: list[Declaration] = []
    groups: list[list[Declaration]] = []
    number: dict[Declaration, int] = {}
    lowest: dict[Declaration, int] = {}
    open_path: list[Declaration] = []
    is_open: set[Declaration] = set()
    for root in references:
        if root in number:
            continue
        work: list[tuple[Declaration, int]] = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                number[node] = lowest[node] = len(number)
                open_path.append(node)
                is_open.add(node)
            targets = references.get(node, ())
            descended = False
            while position < len(targets):
                target = targets[position][1]
                position += 1
                if target not in number:
                    work.append((node, position))
                    work.append((target, 0))
                    descended = True
                    break
                if target in is_open:
                    lowest[node] = min(lowest[node], number[target])
            if descended:
                continue
            if lowest[node] == number[node]:
                group = _close(node, open_path, is_open)
                order.extend(group)
                if len(group) > 1 or any(target is node for _, target in targets):
                    groups.append(group)
            if work:
                parent = work[-1][0]
                lowest[parent] = min(lowest[parent], lowest[node])
    return tuple(order), groups


def _close(node: Declaration, open_path: list[Declaration], is_open: set[Declaration]) -> list[Declaration]:
    group: list[Declaration] = []
    while True:
        member = open_path.pop()
        is_open.discard(member)
        group.append(member)
        if member is node:
            return group


def report_cycles(groups: Sequence[Sequence[Declaration]], references: References, collector: Collector) -> None:
    """Report PX133 for each group of declarations that need each other, along one shortest cycle."""
    for group in sorted(groups, key=lambda members: min(member.start for member in members)):
        members = frozenset(group)
        first = min(members, key=lambda member: member.start)
        steps = _shortest_cycle(first, members, references)
        names = [target.name.text for _, target in steps]
        path = " → ".join(f"`{name}`" for name in (names[-1], *names[:_MAX_SHOWN]))
        if len(names) > _MAX_SHOWN:
            path += " → …"
        labels = tuple(
            collector.label(use, f"{'calls' if isinstance(target, FunctionDeclaration) else 'needs'} `{target.name.text}`")
            for use, target in steps[1:_MAX_SHOWN]
        )
        if isinstance(first, FunctionDeclaration):
            hint = "WGSL has no recursion: use a loop with an array as its stack"
            collector.error("PX133", steps[0][0], f"the function `{names[-1]}` calls itself: {path}", labels=labels, hint=hint)
        else:
            collector.error("PX133", steps[0][0], f"`{names[-1]}` is declared by means of itself: {path}", labels=labels)


def _shortest_cycle(first: Declaration, members: frozenset[Declaration], references: References) -> list[Reference]:
    """References that lead from a declaration back to itself inside its group."""
    arrived: dict[Declaration, tuple[Declaration, Reference]] = {}
    queue = deque([first])
    while queue:
        node = queue.popleft()
        for reference in references.get(node, ()):
            target = reference[1]
            if target not in members or target in arrived:
                continue
            arrived[target] = (node, reference)
            if target is first:
                queue.clear()
                break
            queue.append(target)
    steps: list[Reference] = []
    node = first
    while node in arrived:
        node, reference = arrived[node]
        steps.append(reference)
        if node is first:
            break
    return steps[::-1]


def reachable(start: Declaration, references: References) -> tuple[Named, ...]:
    """Every module-scope declaration that a declaration needs, itself or through others, in order of discovery."""
    seen: dict[Named, None] = {}
    queue = deque([start])
    while queue:
        for _, target in references.get(queue.popleft(), ()):
            if target not in seen:
                seen[target] = None
                queue.append(target)
    return tuple(seen)


def reach_masks(
    order: Sequence[Declaration], cycles: Sequence[Sequence[Declaration]], references: References, counted: Sequence[Declaration]
) -> dict[Declaration, int]:
    """What each declaration needs, itself or through others, as a set of bits: bit i is `counted[i]`.

    Bits make the union of two sets one operation, so that a thousand entry points over a thousand variables stay cheap.

    Args:
        order: From `sort_by_dependency`.
        cycles: Likewise.
        references: Of the same module.
        counted: The declarations that are of interest.
    """
    bits = {declaration: 1 << index for index, declaration in enumerate(counted)}
    masks: dict[Declaration, int] = {}
    group_of = {member: group for group in cycles for member in group}
    for declaration in order:
        if declaration in masks:
            continue
        group = group_of.get(declaration, (declaration,))
        mask = 0
        for member in group:
            for _, target in references.get(member, ()):
                mask |= masks.get(target, 0) | bits.get(target, 0)
        for member in group:
            masks[member] = mask
    return masks
