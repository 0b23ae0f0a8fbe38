"""Kernels whose inputs come from files, functions and codecs in Python: each fulfils its contract, every mistake is found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from pixel_testing.check_command import CheckOutcome, run_check
from pixel_testing.kernels_with_parts import Variant, assert_found, read_variants, reports_of, write_kernels

pytestmark = pytest.mark.device

DATA = Path(__file__).parent / "provided"
KERNELS = sorted(path.stem for path in DATA.glob("*.wgsl"))
VARIANTS = read_variants(DATA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("provided")
    data = made / "data"
    shutil.copytree(DATA, data)
    np.save(data / "curve.npy", np.linspace(0.1, 1, 16, dtype=np.float32)[:, None])
    # One that is narrower than f32, and fits it.
    np.save(data / "scale.npy", np.float16(1.5))
    (data / "gain.bin").write_bytes(np.array([0.75, -2], "<f2").tobytes())
    (data / "other.bin").write_bytes(np.array([3, 0.5], "<f2").tobytes())
    (made / "kernels" / ".git").mkdir(parents=True)
    write_kernels(data, made / "kernels")
    return made / "kernels"


@pytest.fixture(scope="module")
def outcome(folder: Path) -> CheckOutcome:
    return run_check(folder)


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_fulfils_its_contract(outcome: CheckOutcome, name: str) -> None:
    (found,) = reports_of(outcome, name)
    assert (found["status"], [finding["message"] for finding in found["findings"]]) == ("passed", [])
    assert len(found["cases"]) >= 3


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.kernel}: {variant.name}")
def test_mistake_is_found_where_it_was_written(outcome: CheckOutcome, folder: Path, variant: Variant) -> None:
    assert_found(outcome, folder, variant)


def test_no_case_is_derived_from_a_file(outcome: CheckOutcome) -> None:
    assert len(reports_of(outcome, "tone")[0]["cases"]) == 3
    assert len(reports_of(outcome, "segments")[0]["cases"]) > 3


CONTRACT = """//! [main]
//! shapes = { x = "4", y = "4" }
//! inputs = { x = "INPUT" }
//! dispatch = 1
//! expect = { y = "2 * x" }
//! cases = [{ seed = 1 }]
@group(0) @binding(0) var<storage, read> x: array<f32, 4>;
@group(0) @binding(1) var<storage, read_write> y: array<f32, 4>;
@compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { y[i] = 2.0 * x[i]; }
"""


def test_a_file_that_is_no_array_of_numbers_is_told_in_our_words(tmp_path: Path) -> None:
    objects = np.array([{}, 1, 2, 3], dtype=object)
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    np.save(tmp_path / "wide.npy", np.zeros(4))
    np.save(tmp_path / "texts.npy", np.array(["a", "b", "c", "d"]))
    np.save(tmp_path / "large.npy", np.zeros(1 << 16, np.float32))
    with (tmp_path / "archive.npy").open("wb") as file:
        np.savez(file, x=np.zeros(4, np.float32))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "wide.npy").read_bytes()[:-1])
    (tmp_path / "right.raw").write_bytes(np.arange(4, dtype="<f4").tobytes())
    (tmp_path / "short.raw").write_bytes(bytes(15))
    (tmp_path / "inside").mkdir()
    (tmp_path / "link.npy").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe.npy")
    said = {
        "objects.npy": "is damaged, or holds Python objects instead of numbers",
        "wide.npy": "holds float64, and `x` holds float32",
        "texts.npy": "holds <U1; numbers are needed",
        "large.npy": "has 262,272 bytes; no array of 4 numbers has more than 65,600",
        "archive.npy": "is no .npy file",
        "cut.npy": "is damaged, or holds Python objects instead of numbers",
        "short.raw": "has 15 bytes, and `x` has 16",
        "inside": "is not a file",
        "pipe.npy": "is not a file",
        "absent.npy": "does not exist",
        "link.npy": f"lies outside of {tmp_path}",
    }
    for name in (*said, "right.raw"):
        (tmp_path / f"{name}.wgsl").write_text(CONTRACT.replace("INPUT", f"file {name}"), encoding="utf-8")
    outcome = run_check(tmp_path, options=["--workspace", str(tmp_path)])
    for name, message in said.items():
        kernel = outcome.kernel(f"{name}.wgsl")
        (finding,) = (one for one in kernel["findings"] if one["severity"] == "error")
        assert finding["message"].split(" (case")[0] == f"`{name}` {message}"
        assert (finding["line"], finding["column"]) == (3, CONTRACT.split("\n")[2].index('"INPUT"') + 1)
    assert outcome.kernel("right.raw.wgsl")["cases"][0]["status"] == "passed"


def test_untrusted_files_are_not_asked(tmp_path: Path) -> None:
    (tmp_path / "gen.py").write_text("open('ran', 'w')\n", encoding="utf-8")
    (tmp_path / "k.wgsl").write_text(CONTRACT.replace("INPUT", "gen.py:f"), encoding="utf-8")
    assert run_check(tmp_path, options=["--untrusted"]).kernel("k.wgsl")["status"] == "skipped"
    assert not (tmp_path / "ran").exists()


CHAIN = """//! [main]
//! shapes = { a = "32", b = "32", c = "32", w = "32", y = "32" }
//! codecs = { w = { python = "gen.py:halves", values = 2, bytes = 4 } }
//! dispatch = 1
//! expect = { y = "a + b + c + w" }
//! cases = [{ seed = 1 }, { seed = 2 }, { seed = 3 }]
//!
//! [main.inputs]
//! a = "normal(0, 1)"
//! w = "gen.py:weights"
//! b = "gen.py:beside"
//! c = "2 * b"
@group(0) @binding(0) var<storage, read> a: array<f32, 32>;
@group(0) @binding(1) var<storage, read> b: array<f32, 32>;
@group(0) @binding(2) var<storage, read> c: array<f32, 32>;
@group(0) @binding(3) var<storage, read> w: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32, 32>;
@compute @workgroup_size(32) fn main(@builtin(local_invocation_index) i: u32) {
    y[i] = a[i] + b[i] + c[i] + unpack2x16float(w[i / 2u])[i % 2u];
}
"""
GENERATORS = """import numpy as np


def weights(a):
    return a / 3


def beside(a, w, seed):
    # What was packed is what the kernel will see: every value is one that f16 has.
    assert (w == w.astype(np.float16)).all(), w
    return a + w + seed % 7


class halves:
    encode = staticmethod(lambda values: values.astype("<f2").tobytes())
    decode = staticmethod(lambda data, shape: data.view("<f2").reshape(shape))
"""


def test_functions_have_what_stands_above_them_and_expressions_what_functions_made(tmp_path: Path) -> None:
    (tmp_path / "gen.py").write_text(GENERATORS, encoding="utf-8")
    (tmp_path / "k.wgsl").write_text(CHAIN, encoding="utf-8")
    reordered = CHAIN.replace('//! a = "normal(0, 1)"\n', '//! a = "b - 1"\n')
    (tmp_path / "circle.wgsl").write_text(reordered, encoding="utf-8")
    outcome = run_check(tmp_path)
    assert [finding["message"] for finding in outcome.kernel("k.wgsl")["findings"]] == []
    assert outcome.kernel("k.wgsl")["status"] == "passed"
    (finding, *_) = outcome.kernel("circle.wgsl")["findings"]
    assert finding["message"].startswith("`b` comes from a file or a function that stands further down")
    assert (finding["code"], finding["line"]) == ("PX392", 9)


IN_PLACE = """//! [main]
//! shapes = { w = "32", u = "32", y = "32" }
//! codecs = { w = { python = "gen.py:halves", values = 2, bytes = 4 }, u = { python = "gen.py:halves", values = 2, bytes = 4 } }
//! dispatch = 1
//! expect = { w = "2 * w", y = "w" }
//! invariants = ["all(u == old.w + 1)"]
//! roles = { u = "out" }
//! compare = { w = "exact" }
//! cases = [{ seed = 1 }, { seed = 2 }, { seed = 3 }]
//!
//! [main.inputs]
//! w = "integers(0, 1000)"
@group(0) @binding(0) var<storage, read_write> w: array<u32>;
@group(0) @binding(1) var<storage, read_write> u: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32) {
    let pair = unpack2x16float(w[i]);
    w[i] = pack2x16float(2.0 * pair);
    u[i] = pack2x16float(pair + 1.0);
    y[2u * i] = pair.x;
    y[2u * i + 1u] = pair.y;
}
"""


def test_what_python_packs_may_change_in_place_and_be_spoken_of_by_invariants(tmp_path: Path) -> None:
    (tmp_path / "gen.py").write_text(GENERATORS, encoding="utf-8")
    (tmp_path / "k.wgsl").write_text(IN_PLACE, encoding="utf-8")
    (tmp_path / "wrong_value.wgsl").write_text(IN_PLACE.replace("2.0 * pair", "2.0 * pair + vec2(0.0, 1.0)"), encoding="utf-8")
    (tmp_path / "wrong_invariant.wgsl").write_text(IN_PLACE.replace("pair + 1.0", "pair + vec2(1.0, 2.0)"), encoding="utf-8")
    without_steps = IN_PLACE.replace('w = "exact"', 'w = "quantised"')
    (tmp_path / "without_steps.wgsl").write_text(without_steps, encoding="utf-8")
    outcome = run_check(tmp_path)
    found = {
        name: [(one["code"], one["message"].split(" (case")[0]) for one in outcome.kernel(f"{name}.wgsl")["findings"]]
        for name in ("k", "wrong_value", "wrong_invariant", "without_steps")
    }
    partly = ("PX394", "partly proved: only invariants speak of `u`")
    assert found["k"] == [partly]
    assert found["wrong_value"] == [("PX401", "w is wrong in 16 of 32 elements")]
    assert [code for code, _ in found["wrong_invariant"]] == ["PX406"]
    assert found["without_steps"][0] == ("PX395", "`w` is compared as `quantised`, and `gen.py:halves` says no steps")


UNWRITTEN = """//! [main]
//! shapes = { x = "64", y = "64" }
//! codecs = { y = { python = "gen.py:halves", values = 2, bytes = 4 } }
//! dispatch = 1
//! expect = { y = "x" }
//! cases = [{ seed = 1 }]
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(32) fn main(@builtin(local_invocation_index) i: u32) {
    if (i < 31u) { y[i] = pack2x16float(vec2(x[2u * i], x[2u * i + 1u])); }
}
"""


def test_python_is_not_asked_about_words_that_were_never_written(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    decoder = GENERATORS.replace("lambda data, shape: ", f"lambda data, shape: open({str(asked)!r}, 'w') and ")
    (tmp_path / "gen.py").write_text(decoder, encoding="utf-8")
    (tmp_path / "k.wgsl").write_text(UNWRITTEN, encoding="utf-8")
    (finding,) = run_check(tmp_path).kernel("k.wgsl")["findings"]
    said = "`y` depends on what an output or scratch buffer held before: word 31 of y is "
    assert (finding["code"], finding["message"][: len(said)]) == ("PX405", said)
    assert not asked.exists()
