"""GGUF files: what the `gguf` package writes is read, and what lies is refused in one sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from pixel_core.errors import ModelFileError
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf
from pixel_core.weights.metadata import ValueType
from pixel_core.weights.model_file import open_model
from tiny_models import tiny_llama, write_tiny_model


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def entry(name: str = "a", shape: tuple[int, ...] = (32, 2), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def file_of(tmp_path: Path, *, keys: tuple[bytes, ...] = (), entries: tuple[bytes, ...] = (), data: int = 256, **numbers: int) -> Path:
    """A GGUF of these parts; `version`, `tensors` and `keys` may lie."""
    head = struct.pack("<IQQ", numbers.get("version", 3), numbers.get("tensor_count", len(entries)), numbers.get("key_count", len(keys)))
    header = b"GGUF" + head + b"".join(keys) + b"".join(entries)
    path = tmp_path / "model.gguf"
    path.write_bytes(header + bytes(-len(header) % 32 + data))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        open_gguf(path)
    return caught.value.message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("kind", GgmlType, ids=lambda kind: kind.name)
def test_reads_what_the_peer_writes(tmp_path: Path, kind: GgmlType) -> None:
    path = write_tiny_model(tmp_path / "a.gguf", tiny_llama(kind))
    peer = gguf.GGUFReader(path)
    with open_model(path) as model:
        assert list(model.tensors) == [tensor.name for tensor in peer.tensors]
        for expected in peer.tensors:
            found = model.tensors[expected.name]
            assert (found.shape, found.type) == (tuple(expected.shape.tolist()), expected.tensor_type)
            assert bytes(model.blocks(expected.name)) == expected.data.tobytes()


def test_values_have_their_types(tmp_path: Path) -> None:
    with open_gguf(write_tiny_model(tmp_path / "a.gguf", {})) as model:
        found = {key: (value.type.name, value.element_type, value.value) for key, value in model.metadata.items()}
        scores = found.pop("tokenizer.ggml.scores")[2]
        types = found.pop("tokenizer.ggml.token_type")[2]
    assert found == {
        "general.architecture": ("STRING", None, "llama"),
        "general.name": ("STRING", None, "tiny"),
        "llama.block_count": ("UINT32", None, 2),
        "llama.attention.head_count": ("UINT32", None, 4),
        "llama.attention.head_count_kv": ("UINT32", None, 2),
        "llama.attention.layer_norm_rms_epsilon": ("FLOAT32", None, float(np.float32(1e-5))),
        "tokenizer.ggml.add_bos_token": ("BOOL", None, False),
        "tokenizer.ggml.tokens": ("ARRAY", ValueType.STRING, ("<s>", "ĠWürfel", "🦙", "")),
    }
    assert scores.dtype == np.float32
    assert scores.tolist() == [0.0, -1.5, -2.0, 3.25]
    assert types.tolist() == [3, 1, 1, 1]


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    path = file_of(tmp_path, keys=(text("k") + struct.pack("<I", 8) + text(b"\xff\xfea"),))
    with open_gguf(path) as model:
        value = model.metadata["k"].value
    assert isinstance(value, str)
    assert value.encode("utf-8", "surrogateescape") == b"\xff\xfea"


def test_blocks_outlive_the_file(tmp_path: Path) -> None:
    model = open_gguf(write_tiny_model(tmp_path / "a.gguf", {"a": (GgmlType.F32, (8,))}))
    blocks = model.blocks("a")
    expected = bytes(blocks)
    model.close()
    assert bytes(blocks) == expected


def test_an_alignment_is_kept_to(tmp_path: Path) -> None:
    tensors = {"a": (GgmlType.F32, (3,)), "b": (GgmlType.F32, (3,))}
    with open_gguf(write_tiny_model(tmp_path / "a.gguf", tensors, alignment=256)) as model:
        assert [(offset - model.header.data_offset) for offset in model.header.offsets.values()] == [0, 256]


REFUSALS = {
    "version 1": ({"version": 1}, "this is GGUF version 1, of August 2023"),
    "version 9": ({"version": 9}, "this is GGUF version 9; versions 2 and 3 are known"),
    "big-endian": ({"version": 3 << 24}, "this GGUF is big-endian"),
    "many tensors": ({"tensor_count": 1 << 63}, "the file claims 9,223,372,036,854,775,808 tensors, which is more than it can hold"),
    "many keys": ({"key_count": 60_000}, "the file claims 60,000 keys of metadata, which is more than it can hold"),
    "long key": ({"keys": (struct.pack("<Q", 1 << 40),)}, "a key of the metadata is 1,099,511,627,776 bytes long; at most 65,535"),
    "value type": ({"keys": (text("k") + struct.pack("<I", 13),)}, "the key `k` has a value of the unknown type 13"),
    "nested array": (
        {"keys": (text("k") + struct.pack("<IIQ", 9, 9, 1),)},
        "the value of `k` is an array of arrays, which ggml does not read",
    ),
    "huge array": ({"keys": (text("k") + struct.pack("<IIQ", 9, 4, 1 << 62),)}, "the array `k` claims 4,611,686,018,427,387,904 elements"),
    "long text": ({"keys": (text("k") + struct.pack("<IQ", 8, 1 << 62),)}, "the file ends in the middle of the value of `k`"),
    "key twice": ({"keys": (text("k") + bytes([0, 0, 0, 0, 7]),) * 2}, "the key `k` stands in the metadata twice"),
    "tensor twice": ({"entries": (entry(), entry(offset=256)), "data": 512}, "the tensor `a` stands in the file twice"),
    "no axes": ({"entries": (entry(shape=()),), "data": 300}, "tensor `a` has 0 axes; 1 to 4 are possible"),
    "five axes": ({"entries": (entry(shape=(1, 1, 1, 1, 1)),)}, "tensor `a` has 5 axes; 1 to 4 are possible"),
    "no values": ({"entries": (entry(shape=(32, 0)),)}, "tensor `a` has the shape [32, 0] and so no values"),
    "odd row": ({"entries": (entry(shape=(33,), kind=2),)}, "tensor `a` has rows of 33 values; Q4_0 needs a multiple of 32"),
    "unknown type": ({"entries": (entry(kind=77),)}, "tensor `a` has the unknown type number 77"),
    "overflowing shape": ({"entries": (entry(shape=(1 << 62, 1 << 62)),)}, "tensor `a` reaches to byte"),
    "past the end": ({"entries": (entry(shape=(65,)),)}, "tensor `a` reaches to byte 324 of a file of 320 bytes"),
    "not aligned": ({"entries": (entry(shape=(4,), offset=16),)}, "tensor `a` begins at offset 16, which is no multiple of 32"),
    "overlap": ({"entries": (entry(), entry("b", offset=128)), "data": 512}, "the tensors `a` and `b` overlap"),
    "alignment": ({"keys": (text("general.alignment") + struct.pack("<II", 4, 24),)}, "`general.alignment` is 24, not a power of two"),
    "long name": ({"entries": (entry("n" * 300),)}, "a tensor's name is 300 bytes long; at most 255 are allowed"),
}


@pytest.mark.parametrize(("parts", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_is_refused(tmp_path: Path, parts: dict, message: str) -> None:
    assert refusal(file_of(tmp_path, **{"data": 256, **parts})).startswith(message)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(ModelFileError, match="is not a file"):
        open_model(path)
    path.write_bytes(b"")
    with pytest.raises(ModelFileError, match="is not a model: it begins with b''"):
        open_model(path)
    assert refusal(path) == f"{path} is empty"
    path.write_bytes(b"GGUF\x03\x00")
    assert refusal(path).startswith("the file ends in the middle of the version")


def test_a_name_cannot_drive_the_terminal(tmp_path: Path) -> None:
    message = refusal(file_of(tmp_path, entries=(entry("a\n\x1b[31m\u202e", kind=77),)))
    assert message == r"tensor `a\n\x1b[31m\u202e` has the unknown type number 77"
