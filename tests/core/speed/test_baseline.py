from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pixel_core.errors import PixelError
from pixel_core.speed.baseline import MAX_BYTES, entries_by_key, entry_of, read_baseline, save_baseline
from speed_testing import ADAPTER, a_benchmark, a_measurement


def refused(path: Path, content: bytes | str) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PixelError) as problem:
        read_baseline(path)
    assert problem.value.hint == f"save one: pixel-lsp bench FILES --save-baseline {path}"
    return problem.value.message.replace(str(path), "FILE")


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    shader = tmp_path / "kernels" / "matmul.wgsl"
    benchmark = a_benchmark(a_measurement((1.0, 2.0, 3.0), share=(0.1, 0.2, 0.3), shader=shader))
    assert save_baseline(path, benchmark) == 1
    (entry,) = read_baseline(path).entries
    assert entry == entry_of(path, benchmark, benchmark.measurements[0])
    assert entry.key == ("kernels/matmul.wgsl", "matmul", "M=4 N=4", "llvmpipe", "Mesa 22", "cpu")
    assert (entry.seconds.low, entry.seconds.median, entry.seconds.high) == (1.5, 2.0, 2.5)
    assert (entry.share.median, entry.rounds, entry.flops, entry.bytes) == (0.2, 3, 2e8, 1_000_000)
    assert [file.name for file in tmp_path.iterdir()] == ["speed.json"]


def test_saving_keeps_what_was_not_measured_anew(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    save_baseline(path, a_benchmark(a_measurement(share=(0.1,)), a_measurement(contract="softmax")))
    other = replace(ADAPTER, name="a GPU")
    save_baseline(path, a_benchmark(a_measurement(), clock="timestamps", adapter=other))
    save_baseline(path, a_benchmark(a_measurement(share=(0.5,))))
    entries = entries_by_key(read_baseline(path))
    assert sorted((key[1], key[3]) for key in entries) == [("matmul", "a GPU"), ("matmul", "llvmpipe"), ("softmax", "llvmpipe")]
    assert entries[entry_of(path, a_benchmark(), a_measurement()).key].share.median == 0.5


def test_saving_over_something_else_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes", encoding="utf-8")
    with pytest.raises(PixelError, match="is no baseline"):
        save_baseline(path, a_benchmark(a_measurement()))
    assert path.read_text(encoding="utf-8") == "my notes"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PixelError, match="cannot be written: No such file or directory"):
        save_baseline(tmp_path / "none" / "speed.json", a_benchmark(a_measurement()))


def test_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(PixelError, match="there is no baseline") as problem:
        read_baseline(tmp_path / "speed.json")
    assert problem.value.hint == f"save one: pixel-lsp bench FILES --save-baseline {tmp_path / 'speed.json'}"
    with pytest.raises(PixelError, match="cannot be read: Is a directory"):
        read_baseline(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"version": 1, "entries": 3}', b'{"version": 1, "entries": [], "more": 1}', b"[" * 100_000],
)
def test_hostile_files_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    assert refused(tmp_path / "speed.json", content).startswith("`FILE` is no baseline: ")


def test_too_large(tmp_path: Path) -> None:
    assert refused(tmp_path / "speed.json", b" " * (MAX_BYTES + 1)) == "`FILE` is no baseline: it is larger than 16 MiB"


def test_another_version(tmp_path: Path) -> None:
    message = refused(tmp_path / "speed.json", '{"version": 2, "entries": []}')
    assert message == "`FILE` is a baseline of version 2; this pixel-lsp reads version 1"


@pytest.mark.parametrize("field", ["seconds", "share"])
@pytest.mark.parametrize(
    "numbers", ['{"low": 0, "median": 1, "high": 2}', '{"low": 3, "median": 1, "high": 2}', '{"low": 1, "median": 1, "high": 1e999}']
)
def test_numbers_that_cannot_be(tmp_path: Path, field: str, numbers: str) -> None:
    path = tmp_path / "speed.json"
    save_baseline(path, a_benchmark(a_measurement()))
    text = json.loads(path.read_text(encoding="utf-8"))
    text["entries"][0][field] = "HERE"
    message = refused(path, json.dumps(text).replace('"HERE"', numbers))
    assert message.startswith("`FILE` is no baseline: ")


@pytest.mark.parametrize(("field", "value"), [("shader", 3), ("bytes", "many"), ("flops", []), ("clock", None), ("rounds", 1.5)])
def test_fields_of_another_type(tmp_path: Path, field: str, value: Any) -> None:
    path = tmp_path / "speed.json"
    save_baseline(path, a_benchmark(a_measurement()))
    text = json.loads(path.read_text(encoding="utf-8"))
    text["entries"][0][field] = value
    assert f"$.entries[0].{field}" in refused(path, json.dumps(text))
