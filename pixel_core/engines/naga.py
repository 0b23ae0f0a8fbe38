"""naga, the WGSL compiler of wgpu and Firefox, as one of the compilers: the text of its refusal, read into places."""

from __future__ import annotations

from collections.abc import Callable

from pixel_core.engines.base import CompileFailure
from pixel_core.engines.compilers import CompilerMessage
from pixel_core.engines.naga_drawing import naga_offset, read_naga_drawing
from pixel_core.engines.naga_message import read_naga_context
from pixel_core.findings import Severity

NAGA = "naga"

_MANY_LINES = "╭"
"""Drawn where a mark begins that spans several lines; such a mark is in the header and not among the labels."""


class NagaCompiler:
    """naga behind an engine.

    Args:
        refusal: Compiles a text and says why it was refused, or None.
    """

    def __init__(self, refusal: Callable[[str], CompileFailure | None]) -> None:
        self._refusal = refusal

    def compile(self, source: str) -> tuple[CompilerMessage, ...]:
        """The one error that naga stops at, or nothing."""
        failure = self._refusal(source)
        return () if failure is None else (naga_compiler_message(failure, source),)


def naga_compiler_message(failure: CompileFailure, source: str) -> CompilerMessage:
    """A refusal with its places, as naga draws them: the header's place first, every mark of the drawing as a label."""
    labels = read_naga_drawing(failure.detail, source)
    start = naga_offset(source, failure.line, failure.column)
    if all(label.start != start for label in labels) and _MANY_LINES not in failure.detail:
        # The header counts code points and is right; characters of an odd width have shifted the drawing.
        labels = ()
    end = next((label.end for label in labels if label.start == start), start)
    return CompilerMessage(
        compiler=NAGA,
        severity=Severity.ERROR,
        message=failure.message,
        start=start,
        end=end,
        labels=labels,
        context=read_naga_context(failure.detail),
        detail=failure.detail,
    )
