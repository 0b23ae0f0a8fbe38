"""What a conversion tells while it runs, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pixel_core.weights.read_rows import ReadBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far it is.

    Attributes:
        stage: `converting`, `verifying`, or `looking at what is there`.
        what: The tensor concerned, or an empty text.
        done: Bytes done in this stage.
        total: Bytes of this stage.
    """

    stage: str
    what: str
    done: int
    total: int


OnProgress = Callable[[Step], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What came of it.

    Attributes:
        source: The file that was read.
        target: The file that was written.
        source_bytes: Its length.
        target_bytes: Its length.
        gguf_sha256: Hash of the GGUF, which the other file gives back bit for bit; as hexadecimal digits.
        tensors: How many there are.
        resumed_bytes: Bytes of the target that an earlier run had written.
        was_there: Whether the target was there already, and nothing had to be done.
    """

    source: Path
    target: Path
    source_bytes: int
    target_bytes: int
    gguf_sha256: str
    tensors: int
    resumed_bytes: int = 0
    was_there: bool = False


def read_from(file: BinaryIO) -> ReadBytes:
    """Reads from an open file: no mapping, so memory stays small and a file that is cut short is no fault of memory."""

    def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    return read


def keep_silent(_: Step) -> None:
    """Nobody is looking."""
