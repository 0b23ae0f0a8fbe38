"""From what naga and Tint say to findings on exact places. Pure."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from pixel_core.engines.compilers import CompilerMessage, CompilerVerdicts
from pixel_core.findings import Finding, Label, Location, Severity, Span
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.kernels.place_naga import place_naga
from pixel_core.kernels.place_tint import place_tint, token_span
from pixel_core.kernels.portability import PORTABILITY_REFUSALS, portability_findings
from pixel_core.kernels.readable_naga import readable_naga
from pixel_core.rules import RULES

_REFUSALS = {"naga": "PX201", "tint": "PX203"}
_NAMES = {"naga": "naga", "tint": "Tint"}
_WARNING = "PX204"
_ABSENT = "PX904"
_SUBGROUPS_NOT_ENABLED = "PX135"
_LAST_SYNTAX_CODE = "PX107"
_MAX_NOTES = 6

_MISSED_BY_AGE = (
    "feature '",
    "expected extension",
    "expected builtin value name",
    "unresolved texel format",
    "'uniform' storage requires",
    "cannot assign to value of type 'vec",
)
"""How Tint's words begin about what WGSL got after the version that `dawn-python` brings."""


def compiler_findings(loaded: LoadedShader, verdicts: CompilerVerdicts) -> list[Finding]:
    """What the compilers' verdicts and the known differences between them come to.

    An error on a line where our own front end has one is not repeated, nor is any while the text cannot be read at all. A compiler's
    refusal that is a known difference becomes one finding with it, which says why and brings the fix.

    Args:
        loaded: The shader.
        verdicts: Of exactly its text.

    Returns:
        PX201, PX203, PX204 and PX21x by position.
    """
    known = portability_findings(loaded)
    if any(one.severity is Severity.ERROR and one.code <= _LAST_SYNTAX_CODE for one in loaded.findings):
        return known
    taken = [
        _lines(loaded, one.location.span)
        for one in loaded.findings
        if one.location.span and (one.severity is Severity.ERROR or one.code == _SUBGROUPS_NOT_ENABLED)
    ]
    placed = [(message, place_message(message, loaded, verdicts)) for message in verdicts.messages]
    findings: list[Finding] = []
    for message, span in placed:
        lines = _lines(loaded, span)
        if message.severity is Severity.ERROR and any(_overlap(lines, other) for other in taken):
            continue
        same = next((number for number, one in enumerate(known) if _is_same(loaded, one, message, lines)), None)
        if same is None:
            findings.append(_finding(message, span, loaded))
        else:
            words = f"{_NAMES[message.compiler]}: {message.message}"
            severity = min(known[same].severity, _severity(message, loaded))
            known[same] = replace(known[same], severity=severity, notes=(*known[same].notes, words))
    return sorted([*findings, *known], key=lambda one: (one.location.span.start if one.location.span else 0, one.code))


def absence_findings(path: Path, verdicts: CompilerVerdicts) -> list[Finding]:
    """One PX904 notice for each compiler that could not be asked.

    Args:
        path: The file that the notice stands at; which one does not matter, once in a session is enough.
        verdicts: Of any text.
    """
    return [
        Finding(
            code=_ABSENT,
            severity=RULES[_ABSENT].severity,
            message=f"{_NAMES[one.compiler]} was not asked: {one.reason}",
            location=Location(path),
            hint=one.hint or None,
        )
        for one in verdicts.absent
    ]


def place_message(message: CompilerMessage, loaded: LoadedShader, verdicts: CompilerVerdicts) -> Span:
    """Where a message belongs: at least one token.

    Args:
        message: One of `verdicts`.
        loaded: The shader.
        verdicts: All that was said; where naga's words fit several places, Tint's error decides.
    """
    if message.compiler == "tint":
        found = place_tint(message, loaded)
    else:
        errors = [one for one in verdicts.messages if one.compiler == "tint" and one.severity is Severity.ERROR]
        places = [place_tint(one, loaded) for one in errors]
        found = place_naga(message, loaded, [place for place in places if place is not None])
    # Without a place at all it is about the whole shader, whose beginning is as good as any.
    return token_span(loaded, found or Span(0, 0))


def _finding(message: CompilerMessage, span: Span, loaded: LoadedShader) -> Finding:
    is_error = message.severity is Severity.ERROR
    name = _NAMES[message.compiler]
    text = readable_naga(message.message) if message.compiler == "naga" else message.message
    code = _REFUSALS[message.compiler] if is_error else _WARNING
    severity = _severity(message, loaded)
    hint = None
    if is_error and severity is not Severity.ERROR:
        hint = f"this {name} is the one of Chrome 133; a newer one may know it"
    labels = tuple(
        Label(loaded.wgsl.location(token_span(loaded, Span(label.start, label.end))), label.text)
        for label in message.labels
        if label.text and "naga::ir" not in label.text and not _same_place(label.start, label.end, span)
    )
    return Finding(
        code=code,
        severity=severity,
        message=f"{name} refuses the shader: {text}" if is_error else f"{name} warns: {text}",
        location=loaded.wgsl.location(span),
        labels=labels,
        notes=tuple(line for line in message.detail.splitlines() if line.strip())[:_MAX_NOTES] if message.compiler == "tint" else (),
        hint=hint,
    )


def _severity(message: CompilerMessage, loaded: LoadedShader) -> Severity:
    """An error, unless it is one of an old Tint about what our own front end knows to be WGSL."""
    if message.severity is Severity.ERROR and message.compiler == "tint" and loaded.compiles and message.message.startswith(_MISSED_BY_AGE):
        return Severity.WARNING
    return message.severity


def _is_same(loaded: LoadedShader, known: Finding, message: CompilerMessage, lines: tuple[int, int]) -> bool:
    is_refusal = message.severity is Severity.ERROR and PORTABILITY_REFUSALS.get(known.code) == message.compiler
    return is_refusal and known.location.span is not None and _overlap(_lines(loaded, known.location.span), lines)


def _same_place(start: int, end: int, span: Span) -> bool:
    return span.start <= start and end <= span.end


def _lines(loaded: LoadedShader, span: Span) -> tuple[int, int]:
    return loaded.wgsl.position(span.start)[0], loaded.wgsl.position(max(span.end - 1, span.start))[0]


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
