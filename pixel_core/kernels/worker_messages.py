"""What the kernel worker is asked and what it replies. Requests are small: the worker derives everything from the same texts itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Union

import msgspec

from pixel_core.engines.base import AdapterInfo, TimedRuns
from pixel_core.engines.compilers import CompilerVerdicts
from pixel_core.kernels.provided_file import ProvidedFile
from pixel_core.kernels.reference_files import ReferenceFiles
from pixel_core.kernels.results import CaseResult, Fault


class OracleText(msgspec.Struct, frozen=True, kw_only=True):
    """The shader of an oracle; empty texts where it stands in the same file.

    Attributes:
        path: Of the shader; not read.
        text: The shader.
        sidecar: Text of its `NAME.contract.toml`, or None.
    """

    path: str
    text: str
    sidecar: str | None


class PackedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """An output as a kernel left it, for the user's Python.

    Attributes:
        memory: Path of its bytes.
        truth: Name of the `.npy` file in the folder with what they should mean; empty where only invariants speak of it.
    """

    memory: str
    truth: str = ""


class UnpackedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What the user's Python made of such an output.

    Attributes:
        files: In the folder.
        key: Dotted key of the contract's line: `codecs.w`.
        name: As the contract calls the codec.
        sha256: Of the bytes that were unpacked.
    """

    files: ReferenceFiles
    key: str
    name: str
    sha256: str


class ShaderText(msgspec.Struct, frozen=True, kw_only=True):
    """One case of one contract.

    Attributes:
        path: Of the shader; not read, the text is what counts.
        text: The shader.
        sidecar_path: Of `NAME.contract.toml`; empty for none.
        sidecar: Its text, or None.
        contract: Name of the contract.
        case: Name of the case.
        seed: Base seed.
        oracle: What the contract names as its oracle, or None.
        files: Buffer (or `buffer.field`) → content that is not drawn.
        cases: Names of the cases that have this text, where it depends on sizes; else empty.
    """

    path: str
    text: str
    sidecar_path: str
    sidecar: str | None
    contract: str
    case: str
    seed: int
    oracle: OracleText | None = None
    files: Mapping[str, ProvidedFile] = msgspec.field(default_factory=dict)
    cases: tuple[str, ...] = ()


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Wait until the engine is open and tell about it."""


class HelloReply(msgspec.Struct, frozen=True, kw_only=True):
    """The worker and its engine.

    Attributes:
        versions: Of pixel-lsp, Python, numpy, wgpu and wgpu-native.
        adapter: None when there is no engine; `problem` and `hint` say why.
        limits: Of the adapter, in WebGPU's words.
        features: Optional features that are switched on.
        problem: Why there is no engine; empty when there is one.
        hint: What to do about it; empty for nothing.
    """

    versions: Mapping[str, str]
    adapter: AdapterInfo | None = None
    limits: Mapping[str, int] = msgspec.field(default_factory=dict)
    features: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""


class DrawInputs(msgspec.Struct, frozen=True, kw_only=True, tag="draw_inputs"):
    """Draw inputs of a case and write them as `.npy` files into a folder, for a function in Python.

    Attributes:
        shader: The case.
        folder: Where to.
        only: Buffers that are wanted; None for all.
    """

    shader: ShaderText
    folder: str
    only: tuple[str, ...] | None = None


class DrawReply(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs that were drawn.

    Attributes:
        arrays: Buffer → part (`""` for a plain array) → name of its file in the folder.
        outputs: Output → shape that the reference must return.
        fault: Why nothing was drawn, or None.
    """

    arrays: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    outputs: Mapping[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    fault: Fault | None = None


class CheckCase(msgspec.Struct, frozen=True, kw_only=True, tag="check_case"):
    """Run a case and judge it.

    Attributes:
        shader: The case.
        folder: Where the reference's results are; empty without a reference.
        references: Output → its files in the folder.
        watch_loops: Look for a loop that the adapter ended even if every output is right; else only if one is wrong.
        unpacked: Output → its values in the folder, for those that only the user's Python can unpack.
    """

    shader: ShaderText
    folder: str = ""
    watch_loops: bool = False
    references: Mapping[str, ReferenceFiles] = msgspec.field(default_factory=dict)
    unpacked: Mapping[str, UnpackedFiles] = msgspec.field(default_factory=dict)


class CaseReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the case came to; or what is to be unpacked in Python before it can be asked again.

    Attributes:
        result: Not final where `packed` has something.
        packed: Output → what the kernel wrote and what it should hold, in the folder.
    """

    result: CaseResult
    packed: Mapping[str, PackedFiles] = msgspec.field(default_factory=dict)


class Compile(msgspec.Struct, frozen=True, kw_only=True, tag="compile"):
    """Compile a shader with naga and Tint, and run nothing.

    Attributes:
        path: Of the shader; not read, the text is what counts.
        text: The shader.
    """

    path: str
    text: str


class CompileReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the compilers said, and which of them could not be asked."""

    verdicts: CompilerVerdicts


class TimeCase(msgspec.Struct, frozen=True, kw_only=True, tag="time_case"):
    """Run a case many times and say how long it took. Nothing is judged: ask `CheckCase` first.

    Attributes:
        shader: The case.
        runs: How many times.
        with_numpy: Time numpy too, where the contract expects the product of two of its matrices.
    """

    shader: ShaderText
    runs: int
    with_numpy: bool = False


class TimeReply(msgspec.Struct, frozen=True, kw_only=True):
    """How long one run took.

    Attributes:
        timed: None when it did not run to its end; `fault` says why.
        numpy_s: CPU seconds of all threads for the same product by numpy, in the type of the buffers; None where it was not asked for,
            or the contract expects something else.
        fault: Why there are no times, or None.
    """

    timed: TimedRuns | None = None
    numpy_s: float | None = None
    fault: Fault | None = None


WorkerRequest = Union[Hello, DrawInputs, CheckCase, Compile, TimeCase]
