"""The contract: what a kernel promises. Data only; `read_contracts` fills it, `plan` turns it into numbers.

Every mapping keeps the order of the file. Names are the shader's own. Knows no numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Union

import msgspec

from pixel_core.dialects.steps import Preparation
from pixel_core.findings import Finding, Span
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.input_sources import InputFile, InputFunction, InputSource, PythonCodec
from pixel_core.source import SourceText

ROLES = ("in", "out", "inout", "scratch", "accumulate", "table")
COMPARE_MODES = ("scaled", "exact", "ulp", "multiset", "argsort", "histogram", "quantised")
CODECS = ("f16x2", "f32", "q4_0", "q8_0", "u8x4", "unorm8x4")
FILTERS = ("nearest", "linear")
ADDRESS_MODES = ("clamp-to-edge", "repeat", "mirror-repeat")

Parameter = Union[Expression, tuple["Parameter", ...], Mapping[str, "Parameter"]]
"""The value of a uniform: a scalar, a list (vector or array), or a table by field name."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """`file.py:function`, resolved against the contract's folder by the runner, never here."""

    file: str
    function: str
    span: Span


class Oracle(msgspec.Struct, frozen=True, kw_only=True):
    """`naive.wgsl:main`: another kernel, whose outputs are the truth; its file is resolved against the contract's folder.

    Attributes:
        file: A shader, relative to the contract's folder.
        kernel: Name of a contract in it, or of an entry point.
        dispatch: Workgroups in x, y, z; empty where the oracle's own contract, or this one, says it.
        params: Uniforms of the oracle that are not called as in this contract, or hold something else.
        overrides: Values for the oracle's overrides.
    """

    file: str
    kernel: str
    dispatch: tuple[Expression, ...]
    params: Mapping[str, Parameter]
    overrides: Mapping[str, Expression]
    span: Span

    @property
    def name(self) -> str:
        """As contracts write it: `naive.wgsl:main`."""
        return f"{self.file}:{self.kernel}"


class Compare(msgspec.Struct, frozen=True, kw_only=True):
    """How one output is judged.

    Attributes:
        mode: One of `COMPARE_MODES`.
        rtol: Extra relative tolerance, added to the derived bound (scaled).
        atol: Extra absolute tolerance, added to the derived bound (scaled).
        ulp: Greatest distance in units in the last place (ulp).
        nmse: Greatest normalised mean squared error; None means derived from the error analysis.
        nan: `refuse` (a NaN is wrong unless expected there) or `equal`.
        reason: Why a looser bound than the derived one is right; required with rtol, atol, nmse, moved or levels.
        of: What the indices sort (argsort).
        moved: How many elements may be counted in another bin than the right one (histogram).
        levels: By how many more levels an element may differ than rounding explains (quantised).
    """

    mode: str
    rtol: float = 0.0
    atol: float = 0.0
    ulp: int = 0
    nmse: float | None = None
    nan: str = "refuse"
    reason: str | None = None
    of: Expression | None = None
    moved: int = 0
    levels: int = 0
    span: Span


class Indirect(msgspec.Struct, frozen=True, kw_only=True):
    """`indirect = "arguments 4"`: the buffer that holds the workgroups in x, y and z, and the place of the first, counted in u32."""

    buffer: str
    first: Expression
    span: Span


class PassContract(msgspec.Struct, frozen=True, kw_only=True):
    """One dispatch (or `repeat` of them).

    A list in `bind` cycles with the nearest repeat: the pass's own, else that of the group right around it.

    Attributes:
        entry: Entry point.
        dispatch: One to three expressions: workgroups in x, y, z; empty where `indirect` says it.
        indirect: Where the number of workgroups stands when the pass runs, or None.
        bind: Shader variable → contract buffers that take turns; only where they differ.
        params: Overrides the contract's `params` for this pass.
        overrides: Likewise.
        repeat: Number of times, or None for once.
        index: Name that holds 0, 1, … inside this pass's expressions.
        is_repeated: Whether it, or a group around it, has a `repeat`.
        key: Dotted key of its table (`passes[1].passes[0]`); empty where the contract itself is the one pass.
    """

    entry: str
    dispatch: tuple[Expression, ...]
    indirect: Indirect | None
    bind: Mapping[str, tuple[str, ...]]
    params: Mapping[str, Parameter]
    overrides: Mapping[str, Expression]
    repeat: Expression | None
    index: str | None
    is_repeated: bool
    key: str
    span: Span

    def key_of(self, name: str) -> str:
        """Dotted key of one of its settings: `passes[0].bind`, or `bind`."""
        return f"{self.key}.{name}" if self.key else name


class PassGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Passes that run one after the other, and all of that `repeat` times.

    Attributes:
        passes: At least one.
        repeat: Number of times.
        index: Name that holds 0, 1, … inside the expressions of its passes.
        key: Dotted key of its table.
    """

    passes: tuple[Step, ...]
    repeat: Expression
    index: str | None
    key: str
    span: Span


Step = Union[PassContract, PassGroup]


def walk_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Every pass and group, a group before its members. Depth is bounded by the reader."""
    for step in steps:
        yield step
        if isinstance(step, PassGroup):
            yield from walk_steps(step.passes)


class CaseContract(msgspec.Struct, frozen=True, kw_only=True):
    """One case as written: `"M=64 N=64 K=64"` or a table."""

    name: str
    dims: Mapping[str, int]
    overrides: Mapping[str, Expression]
    inputs: Mapping[str, Expression]
    params: Mapping[str, Parameter]
    seed: int | None
    span: Span
    sources: Mapping[str, InputSource] = msgspec.field(default_factory=dict[str, InputSource])


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What one case may cost.

    Attributes:
        seconds: Wall time of one case.
        bytes: Total size of its buffers.
        invocations: Shader invocations over all passes.
    """

    seconds: float = 20.0
    bytes: int = 1 << 27
    invocations: int = 1 << 27


class ScratchBuffer(msgspec.Struct, frozen=True, kw_only=True):
    """A buffer of `buffers = { tmp = "u32 n" }`: storage that shader variables share between passes."""

    scalar: str
    shape: tuple[Expression, ...]
    span: Span


class TextureContract(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `textures`.

    Attributes:
        format: Texel format; None where the shader declares it, or the default of its type is meant.
        size: Axes of the largest level, outermost first (`H W`, as in its array, without the channels); empty where not given.
        mips: Number of levels, or None for one.
    """

    format: str | None
    size: tuple[Expression, ...]
    mips: Expression | None
    span: Span


class SamplerContract(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `samplers`: a filter (see `FILTERS`) and the address modes along u, v and w (see `ADDRESS_MODES`)."""

    filter: str
    address: tuple[str, ...]
    span: Span


class KernelContract(msgspec.Struct, frozen=True, kw_only=True):
    """One contract.

    Attributes:
        name: The table's name.
        dims: Names of the size symbols.
        where: Constraints that every case meets.
        let: Derived symbols, in order.
        shapes: Buffer or `buffer.field` → axes, outermost first, counted in scalars.
        params: Uniform variable → value.
        overrides: Pipeline override → value.
        inputs: Buffer → how its initial content is drawn.
        sources: Buffer → file or function that its initial content comes from instead.
        roles: Buffer → role, where inference is not enough (see `ROLES`).
        codecs: Buffer → packed format: one of `CODECS`, or the text of a Python codec; shapes stay logical.
        python_codecs: Buffer → its codec in Python.
        buffers: Extra storage that passes share.
        textures: Texture → format, size and levels; a name that no variable has is a texture that passes share.
        samplers: Sampler → filter and address modes.
        slack: Buffer → words of 4 bytes behind its content that the kernel may read.
        valid: Output → how much of its first axis is compared; names of outputs mean what they must be.
        schedule: Passes and groups of passes, in order; at least one pass.
        define: Named subexpressions of `expect`, in order.
        expect: Output → the expression that it must equal.
        reference: A Python function instead of, or beside, `expect`.
        oracle: Another kernel instead of, or beside, `expect`.
        invariants: Conditions on the values after the last pass (`keys`) and before the first (`old.keys`).
        compare: Output → how it is judged; outputs that are absent use the default of their type.
        cases: As written; derived ones come from `plan_cases`.
        derive: Whether cases are derived from dims, tile and workgroup sizes.
        budget: What one case may cost.
        flops: Floating-point operations of one case, or None.
        prepare: The steps that make WGSL of its file; None for plain WGSL.
        macros: Step and name of a macro → its value, where that depends on the sizes or overrides of a case; `prepare` has 1 in its place.
        span: Of the table's header.
        key_spans: Dotted key (`expect.c`, `dispatch`, `cases[2]`, counting from 0) → span of its value; `key@expect.c` → of the key.
        source: The file the contract stands in.
    """

    name: str
    dims: tuple[str, ...]
    where: tuple[Expression, ...]
    let: Mapping[str, Expression]
    shapes: Mapping[str, tuple[Expression, ...]]
    params: Mapping[str, Parameter]
    overrides: Mapping[str, Expression]
    inputs: Mapping[str, Expression]
    roles: Mapping[str, str]
    codecs: Mapping[str, str]
    buffers: Mapping[str, ScratchBuffer]
    textures: Mapping[str, TextureContract]
    samplers: Mapping[str, SamplerContract]
    slack: Mapping[str, Expression]
    valid: Mapping[str, Expression]
    schedule: tuple[Step, ...]
    define: Mapping[str, Expression]
    expect: Mapping[str, Expression]
    reference: Reference | None
    oracle: Oracle | None = None
    invariants: tuple[Expression, ...] = ()
    compare: Mapping[str, Compare]
    cases: tuple[CaseContract, ...]
    derive: bool
    budget: Budget
    flops: Expression | None
    prepare: Preparation | None
    macros: Mapping[tuple[int, str], Expression] = msgspec.field(default_factory=dict[tuple[int, str], Expression])
    sources: Mapping[str, InputSource] = msgspec.field(default_factory=dict[str, InputSource])
    python_codecs: Mapping[str, PythonCodec] = msgspec.field(default_factory=dict[str, PythonCodec])
    span: Span
    key_spans: Mapping[str, Span]
    source: SourceText

    @property
    def answers_whole(self) -> bool:
        """Whether a function or a kernel answers for every output that `expect` leaves out."""
        return self.reference is not None or self.oracle is not None

    @property
    def all_sources(self) -> tuple[InputSource, ...]:
        """Files and functions that inputs come from, those of single cases too."""
        return tuple(source for table in (self.sources, *(case.sources for case in self.cases)) for source in table.values())

    @property
    def python_code(self) -> tuple[str, ...]:
        """What the user's Python is asked for, as contracts write it: `reference.py:matmul`."""
        named = [] if self.reference is None else [f"{self.reference.file}:{self.reference.function}"]
        named += [source.text for source in self.all_sources if isinstance(source, InputFunction)]
        return tuple(dict.fromkeys((*named, *(codec.text for codec in self.python_codecs.values()))))

    @property
    def data_files(self) -> tuple[str, ...]:
        """Files that are read or run for inputs and truths, shaders apart; relative to the contract's folder."""
        named = [text.rpartition(":")[0] for text in self.python_code]
        return tuple(dict.fromkeys((*named, *(source.file for source in self.all_sources if isinstance(source, InputFile)))))

    @property
    def passes(self) -> tuple[PassContract, ...]:
        """Every pass in the order of the text, groups opened up."""
        return tuple(step for step in walk_steps(self.schedule) if isinstance(step, PassContract))

    def texture_expressions(self) -> list[Expression]:
        """Every expression for the size and the levels of a texture."""
        return [one for texture in self.textures.values() for one in (*texture.size, *([texture.mips] if texture.mips else []))]

    def parameter_expressions(self) -> list[Expression]:
        """Every expression of passes, cases and parameters that is evaluated to a number."""
        tables = [self.params, *(step.params for step in self.passes), *(case.params for case in self.cases)]
        pending: list[Parameter] = [value for table in tables for value in table.values()]
        found: list[Expression] = []
        for step in walk_steps(self.schedule):
            found += [step.repeat] if step.repeat else []
            if isinstance(step, PassContract):
                found += [*step.dispatch, *step.overrides.values(), *([step.indirect.first] if step.indirect else [])]
        for case in self.cases:
            found += case.overrides.values()
        while pending:
            value = pending.pop()
            if isinstance(value, Expression):
                found.append(value)
            else:
                pending.extend(value.values() if isinstance(value, Mapping) else value)
        return found


class ContractFile(msgspec.Struct, frozen=True, kw_only=True):
    """All contracts of one shader, and what is wrong with the ones that could not be read.

    Attributes:
        contracts: Those without an error.
        findings: Of all.
        preparations: `prepare` of every contract, those with an error too: without it nothing could be said about their shader.
    """

    contracts: tuple[KernelContract, ...]
    findings: tuple[Finding, ...]
    preparations: tuple[Preparation, ...] = ()
