"""From the text of a file and the steps of its contract to WGSL with its origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from pixel_core.dialects.build_text import TextBuilder
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.files import Files, ReadFile
from pixel_core.dialects.lex_macros import Kind, Token, lex_macros
from pixel_core.dialects.macros import Macro
from pixel_core.dialects.preprocess import preprocess
from pixel_core.dialects.problems import Problems
from pixel_core.dialects.render_template import render_template
from pixel_core.dialects.run_command import run_command
from pixel_core.dialects.steps import Command, Concat, Preparation, Preprocess, StripAround, StripBetween, StripLines, Template
from pixel_core.dialects.strip_text import strip_text
from pixel_core.findings import Finding, Span
from pixel_core.source import SourceText

HERE = "."
"""What `concat` calls the file itself."""


class PreparedText(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps made.

    Attributes:
        text: WGSL, as far as the steps came.
        findings: What went wrong, on the original texts.
        inputs: Other files that were tried, with their texts where they have one.
        is_complete: Whether every step did its work.
    """

    text: ExpandedText
    findings: tuple[Finding, ...]
    inputs: Mapping[Path, SourceText | None]
    is_complete: bool


def prepare(source: SourceText, preparation: Preparation, read: ReadFile, *, may_run: bool, left_out: Sequence[Span] = ()) -> PreparedText:
    """Take every step, up to the first that fails.

    Args:
        source: The file.
        preparation: The steps.
        read: Reads other files, and refuses those outside of the workspace.
        left_out: Parts of the file that no step is to see, in order.
        may_run: Whether programs may be started; steps that need one are not taken otherwise, and that is a PX708 finding.
    """
    problems = Problems()
    files = Files(read=read)
    text = _without(ExpandedText.of(source), left_out)
    for step in preparation.steps:
        if isinstance(step, Preprocess):
            folder = preparation.source.path.parent
            files.folders = [folder / one.text for one in step.folders]
            for one, path in zip(step.folders, files.folders, strict=True):
                if (why := files.why_no_folder(path)) is not None:
                    hint = "`include` names folders; `concat` joins files"
                    problems.tell("PX341", preparation.source.location(one.span), f"`{one.text}` {why}", hint=hint)
            text = preprocess(text, source.path, _macros(step, preparation), files, problems)
        elif isinstance(step, (StripLines, StripAround, StripBetween)):
            text = strip_text(text, step, preparation, problems)
        elif isinstance(step, Concat):
            text = _concat(text, step, preparation, files, problems)
        elif not may_run:
            what = "a command" if isinstance(step, Command) else "a template"
            message = f"not prepared: `prepare` has {what}, and this workspace is not trusted"
            problems.tell("PX708", preparation.source.location(step.span), message)
            return PreparedText(text=text, findings=tuple(problems.findings), inputs=files.texts, is_complete=False)
        elif isinstance(step, Template):
            text = render_template(text, step, preparation, source.path.parent, problems)
        else:
            text = run_command(text, step, preparation, source.path, files, problems)
        if problems.has_errors:
            break
    return PreparedText(text=text, findings=tuple(problems.findings), inputs=files.texts, is_complete=not problems.has_errors)


def _without(text: ExpandedText, left_out: Sequence[Span]) -> ExpandedText:
    builder = TextBuilder()
    position = 0
    for span in left_out:
        builder.copy(text, position, span.start)
        position = span.end
    builder.copy(text, position, len(text.text))
    return builder.finish(text.sources, text.included_from, text)


def _macros(step: Preprocess, preparation: Preparation) -> dict[str, Macro]:
    """The contract's definitions; every token of one has the whole value as its origin."""
    contract = ExpandedText.of(preparation.source)
    macros: dict[str, Macro] = {}
    for name, value in step.macros.items():
        start, end = value.span.start, value.span.end
        body = tuple(
            Token(token.kind, token.text, contract, start, end, is_exact=False)
            for token in lex_macros(ExpandedText.of(SourceText(preparation.source.path, value.text)))
        )
        named = Token(Kind.WORD, name, contract, start, end, is_exact=False)
        macros[name] = Macro(name=named, parameters=None, is_variadic=False, body=body)
    return macros


def _concat(text: ExpandedText, step: Concat, preparation: Preparation, files: Files, problems: Problems) -> ExpandedText:
    """The files one after the other, each on lines of its own."""
    builder = TextBuilder()
    sources = dict(text.sources)
    included = dict(text.included_from)
    parts: list[ExpandedText] = []
    for one in step.files:
        if one.text == HERE:
            parts.append(text)
            continue
        found = files.find(one.text, preparation.source.path)
        where = preparation.source.location(one.span)
        if isinstance(found, str):
            problems.tell("PX341", where, f"`{one.text}` {found}", hint="names are relative to the contract")
            continue
        sources[found.path] = found
        included[found.path] = where
        parts.append(ExpandedText.of(found))
    if all(part is not text for part in parts):
        parts.append(text)
    for part in parts:
        builder.copy(part, 0, len(part.text))
        if part.text and not part.text.endswith("\n") and part is not parts[-1]:
            builder.put("\n", part, len(part.text) - 1, len(part.text))
    return builder.finish(sources, included, text)
