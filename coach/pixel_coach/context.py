"""What a prompt tells of the workspace: the target, what it must fulfil, and the declarations that the task speaks of.

The budget is counted in tokens as estimated from bytes. What does not fit is left out whole and named, never cut in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.errors import PromptTooLong
from pixel_coach.outline import Symbol, outline
from pixel_coach.tasks import NewTask
from pixel_coach.workspace_sources import list_sources, read_source
from pixel_core.kernels.load_shader import sidecar_path, understand
from pixel_core.source import SourceText

GIVEN_CONTRACT: Final = "contract_text"
"""Under this key of a task's metadata: TOML of the contract for a kernel that is yet to be written."""

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,63}")
_MAX_SYMBOLS: Final = 24


class ContextPart(msgspec.Struct, frozen=True, kw_only=True):
    """One quoted text: what it is, where it comes from, and the text."""

    title: str
    path: str
    text: str


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What is quoted.

    Attributes:
        parts: In the order of the prompt.
        tokens: What they take, as estimated.
        left_out: Titles of what did not fit.
    """

    parts: tuple[ContextPart, ...]
    tokens: int
    left_out: tuple[str, ...]


def select_context(task: NewTask, current: str | None, budget_tokens: int) -> Context:
    """Choose what to quote: the target and its sidecar always, then references, then symbols, as far as the budget goes.

    Args:
        task: Whose target and words are looked at.
        current: The target's text; None where it does not exist.
        budget_tokens: For all parts together.

    Raises:
        PromptTooLong: The target and its contract alone do not fit.
    """
    parts = list(_indispensable(task, current))
    tokens = sum(_cost(part) for part in parts)
    if tokens > budget_tokens:
        left = max(budget_tokens, 0)
        raise PromptTooLong(
            f"{task.target} and its contract take about {tokens:,} tokens; the model's context leaves {left:,} for them",
            hint="use a model with a larger context, set `context_tokens`, or split the file",
        )
    left_out: list[str] = []
    for part in _helpful(task, current):
        cost = _cost(part)
        if tokens + cost <= budget_tokens:
            parts.append(part)
            tokens += cost
        else:
            left_out.append(part.title)
    return Context(parts=tuple(parts), tokens=tokens, left_out=tuple(left_out))


def _cost(part: ContextPart) -> int:
    return estimate_tokens(part.text) + estimate_tokens(part.title) + 16  # fences


def _indispensable(task: NewTask, current: str | None) -> Iterator[ContextPart]:
    if current is not None:
        yield ContextPart(title=f"The current text of {task.target}", path=task.target, text=current)
    sidecar = _sidecar(task)
    if sidecar is not None:
        yield sidecar
    elif current is None and isinstance(given := task.metadata.get(GIVEN_CONTRACT), str):
        yield ContextPart(title="The contract that it must fulfil", path="", text=given)


def _helpful(task: NewTask, current: str | None) -> Iterator[ContextPart]:
    """References of the contract, then symbols, most relevant first."""
    yield from _references(task, current)
    symbols = _relevant_symbols(task, current)
    for path, chosen in symbols:
        title = f"Declarations in {path}"
        yield ContextPart(title=title, path=path.as_posix(), text="\n\n".join(symbol.text for symbol in chosen))


def _sidecar(task: NewTask) -> ContextPart | None:
    target = PurePosixPath(task.target)
    if target.suffix.lower() != ".wgsl":
        return None
    path = target.with_name(sidecar_path(task.workspace / target).name)
    text = read_source(task.workspace, path)
    return None if text is None else ContextPart(title=f"The contract, {path}", path=path.as_posix(), text=text)


def _references(task: NewTask, current: str | None) -> Iterator[ContextPart]:
    """The Python functions that the target's contracts compare with."""
    target = PurePosixPath(task.target)
    if target.suffix.lower() != ".wgsl" or current is None:
        return
    path = task.workspace / target
    sidecar = _sidecar(task)
    beside = SourceText(sidecar_path(path), sidecar.text) if sidecar else None
    contracts = understand(SourceText(path, current), beside).contracts.contracts
    for file in dict.fromkeys(contract.reference.file for contract in contracts if contract.reference is not None):
        reference = target.parent / PurePosixPath(file)
        text = read_source(task.workspace, reference)
        if text is not None:
            yield ContextPart(title=f"The reference, {reference}", path=reference.as_posix(), text=text)


def _relevant_symbols(task: NewTask, current: str | None) -> Sequence[tuple[PurePosixPath, tuple[Symbol, ...]]]:
    """Declarations elsewhere in the workspace whose names the task or the target use, by how rare those names are."""
    words = Counter(_WORD.findall(f"{task.title} {task.description} {PurePosixPath(task.target).stem}"))
    used = words.keys() | set(_WORD.findall(current or ""))
    declared: dict[PurePosixPath, tuple[Symbol, ...]] = {}
    for path in list_sources(task.workspace):
        if path.as_posix() == task.target:
            continue
        text = read_source(task.workspace, path)
        # Parsing is what costs: only files that share a word with the task are parsed.
        if text is not None and not used.isdisjoint(_WORD.findall(text)):
            found = tuple(symbol for symbol in outline(path, text) if symbol.name in used)
            if found:
                declared[path] = found
    frequency = Counter(symbol.name for symbols in declared.values() for symbol in symbols)

    def relevance(entry: tuple[PurePosixPath, tuple[Symbol, ...]]) -> float:
        return -sum((1.0 + 4.0 * words[symbol.name]) / frequency[symbol.name] for symbol in entry[1])

    chosen: list[tuple[PurePosixPath, tuple[Symbol, ...]]] = []
    left = _MAX_SYMBOLS
    for path, symbols in sorted(declared.items(), key=relevance):
        if left > 0:
            chosen.append((path, symbols[:left]))
            left -= len(symbols)
    return chosen
