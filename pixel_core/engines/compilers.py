"""What the compilers of the browsers say about a shader, as plain data, and the one door to them.

Knows neither wgpu nor Dawn: `naga` and `tint` put their compilers behind `Compiler`. Places are code-point offsets into the text that was
compiled, whatever the compiler itself counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Union

import msgspec

from pixel_core.findings import Severity


class MessageLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A place that a compiler points at, and its words there; `start` and `end` are code-point offsets."""

    start: int
    end: int
    text: str


class CompilerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a compiler says.

    Attributes:
        compiler: `naga` or `tint`.
        severity: ERROR when the compiler refuses the shader.
        message: The compiler's own sentence.
        start: Code-point offset of what it is about; -1 when the compiler names no place.
        end: End of it; equal to `start` where the compiler gives a point.
        labels: The other places it points at.
        context: What contains the error, outermost first (naga's `Function [0] 'f' is invalid` and the causes below it).
        detail: The compiler's whole text.
    """

    compiler: str
    severity: Severity
    message: str
    start: int = -1
    end: int = -1
    labels: tuple[MessageLabel, ...] = ()
    context: tuple[str, ...] = ()
    detail: str = ""


class AbsentCompiler(msgspec.Struct, frozen=True, kw_only=True):
    """A compiler that could not be asked.

    Attributes:
        compiler: `naga` or `tint`.
        reason: Why not.
        hint: What the user can do about it; empty for nothing.
    """

    compiler: str
    reason: str
    hint: str = ""


class CompilerVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """What all compilers say about one text.

    Attributes:
        messages: Of every compiler that was asked.
        absent: The compilers that could not be asked.
    """

    messages: tuple[CompilerMessage, ...] = ()
    absent: tuple[AbsentCompiler, ...] = ()

    @property
    def refused_by(self) -> frozenset[str]:
        """The compilers that refuse the text. One that is absent refuses nothing."""
        return frozenset(message.compiler for message in self.messages if message.severity is Severity.ERROR)


class Compiler(Protocol):
    """A compiler of WGSL."""

    def compile(self, source: str) -> tuple[CompilerMessage, ...]:
        """What it says about a text; nothing for one that it takes without a word."""
        ...


def compile_with(compilers: Sequence[Union[Compiler, AbsentCompiler]], source: str) -> CompilerVerdicts:
    """Ask every compiler that is there about a text.

    Args:
        compilers: Those that are there, and those that are known to be absent.
        source: The shader.
    """
    messages: list[CompilerMessage] = []
    absent: list[AbsentCompiler] = []
    for compiler in compilers:
        if isinstance(compiler, AbsentCompiler):
            absent.append(compiler)
        else:
            messages += compiler.compile(source)
    return CompilerVerdicts(messages=tuple(messages), absent=tuple(absent))
