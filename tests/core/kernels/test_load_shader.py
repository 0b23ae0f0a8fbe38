from pathlib import Path

import pytest

from pixel_core.findings import Finding
from pixel_core.kernels.load_shader import LoadedShader, load_shader, understand
from pixel_core.kernels.read_text import MAX_BYTES
from pixel_core.source import SourceText

KERNEL = b"""\
//! [double]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "n"
//! expect   = { y = "x + x" }
@group(0) @binding(0) var<storage> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn double(@builtin(workgroup_id) id: vec3<u32>) { y[id.x] = x[id.x] * 2; }
"""


def load(folder: Path, content: bytes) -> LoadedShader | Finding:
    path = folder / "kernel.wgsl"
    path.write_bytes(content)
    return load_shader(path)


def message_of(loaded: LoadedShader | Finding) -> str:
    assert isinstance(loaded, Finding)
    assert loaded.code == "PX903"
    return loaded.message


def test_a_shader_is_read_with_its_contract(tmp_path: Path) -> None:
    loaded = load(tmp_path, b"\xef\xbb\xbf" + KERNEL)  # a byte order mark is no part of the text
    assert isinstance(loaded, LoadedShader)
    assert loaded.compiles
    assert [contract.name for contract in loaded.contracts.contracts] == ["double"]
    assert loaded.files == (tmp_path / "kernel.wgsl", tmp_path / "kernel.contract.toml")


def test_the_file_beside_it_holds_the_contract_of_a_shader_that_has_none(tmp_path: Path) -> None:
    contract, shader = KERNEL[: KERNEL.index(b"@group")], KERNEL[KERNEL.index(b"@group") :]
    (tmp_path / "kernel.contract.toml").write_bytes(contract.replace(b"//! ", b""))
    loaded = load(tmp_path, shader)
    assert isinstance(loaded, LoadedShader)
    assert loaded.sidecar is not None
    assert loaded.sha256 != loaded.sidecar_sha256
    assert [one.source.path.name for one in loaded.contracts.contracts] == ["kernel.contract.toml"]


def test_files_of_a_reference_belong_to_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, KERNEL.replace(b'expect   = { y = "x + x" }', b'reference = "truth.py:double"'))
    assert isinstance(loaded, LoadedShader)
    assert loaded.files[-1] == tmp_path / "truth.py"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    assert message_of(load(tmp_path, b"fn\xff")) == "kernel.wgsl is not UTF-8 text (byte 0xff at offset 2)"
    assert message_of(load(tmp_path, b" " * (MAX_BYTES + 1))) == "kernel.wgsl is larger than 4 MiB"
    assert message_of(load_shader(tmp_path)) == f"{tmp_path.name} is not a file"
    assert message_of(load_shader(tmp_path / "absent.wgsl")) == "absent.wgsl does not exist"


@pytest.mark.parametrize("half", [chr(0xD83D), chr(0xDC00)])
def test_half_of_a_surrogate_pair_becomes_a_replacement_character(half: str) -> None:
    loaded = understand(SourceText(Path("kernel.wgsl"), f"// {half}é😀\nfn f() {{}}"), None)
    assert loaded.source.text == "// \ufffdé😀\nfn f() {}"
    loaded.source.text.encode()
