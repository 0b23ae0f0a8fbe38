"""The types of ggml: how many values a block holds, and in how many bytes.

Source: `enum ggml_type` of `ggml.h` and the blocks of `ggml-common.h`; a test compares every row with the `gguf` Python package.
"""

from __future__ import annotations

from enum import IntEnum

from pixel_core.errors import ModelFileError


class GgmlType(IntEnum):
    """A tensor's type, by the number that files hold."""

    F32 = 0
    F16 = 1
    Q4_0 = 2
    Q4_1 = 3
    Q5_0 = 6
    Q5_1 = 7
    Q8_0 = 8
    Q8_1 = 9
    Q2_K = 10
    Q3_K = 11
    Q4_K = 12
    Q5_K = 13
    Q6_K = 14
    Q8_K = 15
    IQ2_XXS = 16
    IQ2_XS = 17
    IQ3_XXS = 18
    IQ1_S = 19
    IQ4_NL = 20
    IQ3_S = 21
    IQ2_S = 22
    IQ4_XS = 23
    I8 = 24
    I16 = 25
    I32 = 26
    I64 = 27
    F64 = 28
    IQ1_M = 29
    BF16 = 30
    TQ1_0 = 34
    TQ2_0 = 35
    MXFP4 = 39
    NVFP4 = 40
    Q1_0 = 41

    @property
    def block_length(self) -> int:
        """Values in a block; a row holds whole blocks."""
        return _BLOCKS[self][0]

    @property
    def block_bytes(self) -> int:
        """Bytes of a block."""
        return _BLOCKS[self][1]

    @classmethod
    def from_number(cls, number: int, name: str) -> GgmlType:
        """The type that a file means.

        Args:
            number: As it stands in the file.
            name: The tensor's name, for the message.

        Raises:
            ModelFileError: There is no such type, or there is none any more.
        """
        if number in _REMOVED:
            raise ModelFileError(
                f"tensor `{name}` has the type {number} ({_REMOVED[number]}), which ggml has removed",
                hint="quantise the model anew with a llama.cpp of today",
            )
        try:
            return cls(number)
        except ValueError:
            raise ModelFileError(f"tensor `{name}` has the unknown type number {number}") from None


_BLOCKS = {
    GgmlType.F32: (1, 4),
    GgmlType.F16: (1, 2),
    GgmlType.Q4_0: (32, 2 + 16),
    GgmlType.Q4_1: (32, 2 + 2 + 16),
    GgmlType.Q5_0: (32, 2 + 4 + 16),
    GgmlType.Q5_1: (32, 2 + 2 + 4 + 16),
    GgmlType.Q8_0: (32, 2 + 32),
    GgmlType.Q8_1: (32, 4 + 4 + 32),
    GgmlType.Q2_K: (256, 16 + 64 + 2 + 2),
    GgmlType.Q3_K: (256, 32 + 64 + 12 + 2),
    GgmlType.Q4_K: (256, 2 + 2 + 12 + 128),
    GgmlType.Q5_K: (256, 2 + 2 + 12 + 32 + 128),
    GgmlType.Q6_K: (256, 128 + 64 + 16 + 2),
    GgmlType.Q8_K: (256, 4 + 256 + 32),
    GgmlType.IQ2_XXS: (256, 2 + 64),
    GgmlType.IQ2_XS: (256, 2 + 64 + 8),
    GgmlType.IQ3_XXS: (256, 2 + 64 + 32),
    GgmlType.IQ1_S: (256, 2 + 32 + 16),
    GgmlType.IQ4_NL: (32, 2 + 16),
    GgmlType.IQ3_S: (256, 2 + 64 + 32 + 8 + 4),
    GgmlType.IQ2_S: (256, 2 + 64 + 16),
    GgmlType.IQ4_XS: (256, 2 + 2 + 4 + 128),
    GgmlType.I8: (1, 1),
    GgmlType.I16: (1, 2),
    GgmlType.I32: (1, 4),
    GgmlType.I64: (1, 8),
    GgmlType.F64: (1, 8),
    GgmlType.IQ1_M: (256, 32 + 16 + 8),
    GgmlType.BF16: (1, 2),
    GgmlType.TQ1_0: (256, 48 + 4 + 2),
    GgmlType.TQ2_0: (256, 64 + 2),
    GgmlType.MXFP4: (32, 1 + 16),
    GgmlType.NVFP4: (64, 4 + 32),
    GgmlType.Q1_0: (128, 2 + 16),
}

_REMOVED = {4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8"}
