"""Whole checks of kernels with textures: every storage format, what an adapter cannot hold, and truths in Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pixel_core.wgsl.texel_formats import STORAGE_FORMATS, TEXEL_FORMATS
from pixel_testing.check_command import CheckOutcome, run_check

pytestmark = pytest.mark.device

KERNEL = """\
//! [turn]
//! dims     = "H W"
//! textures = { image = { size = "H W", format = "FORMAT" }, less = { size = "H W" }, turned = { size = "H W" } }
//! dispatch = "ceil(W / 8), ceil(H / 8)"
//! expect   = { less = "LESS", turned = "flip(image, axis=1)" }
//! compare  = { turned = "exact" }
//! derive   = false
//! cases    = ["H=8 W=8", "H=5 W=70", "H=2 W=3"]

@group(0) @binding(0) var image: texture_2d<SCALAR>;
@group(0) @binding(1) var less: texture_storage_2d<FORMAT, write>;
@group(0) @binding(2) var turned: texture_storage_2d<FORMAT, write>;

@compute @workgroup_size(8, 8)
fn turn(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = textureDimensions(image);
    if (all(id.xy < size)) {
        let texel = textureLoad(image, id.xy, 0);
        textureStore(less, id.xy, FEWER);
        textureStore(turned, vec2<u32>(size.x - 1u - id.x, id.y), texel);
    }
}
"""

REFERENCE = """\
import numpy as np

def turn(image, H, W):
    assert image.shape == (H, W, 4) and image.dtype == np.float32
    return {"less": (image * 0.25, np.abs(image)), "turned": image[:, ::-1]}
"""


def kernel(name: str) -> str:
    is_float = TEXEL_FORMATS[name].scalar == "f32"
    less, fewer = ("image * 0.3", "texel * 0.3") if is_float else ("image >> 1", "texel >> vec4<u32>(1u)")
    text = KERNEL.replace("FORMAT", name).replace("SCALAR", TEXEL_FORMATS[name].scalar)
    return text.replace("LESS", less).replace("FEWER", fewer)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> CheckOutcome:
    folder: Path = tmp_path_factory.mktemp("textures")
    for name in STORAGE_FORMATS:
        (folder / f"{name}.wgsl").write_text(kernel(name), encoding="utf-8")
    half = kernel("rgba16float")
    (folder / "wide.wgsl").write_text(re.sub("cases    = .*", 'cases    = ["H=1 W=20000"]', half), encoding="utf-8")
    (folder / "outside.wgsl").write_text(half.replace("expect", 'inputs   = { image = "1e6" }\n//! expect'), encoding="utf-8")
    in_python = re.sub(r"expect   = .*", 'reference = "truth.py:turn"', half).replace("texel * 0.3", "texel * 0.25")
    (folder / "in_python.wgsl").write_text(in_python, encoding="utf-8")
    (folder / "truth.py").write_text(REFERENCE, encoding="utf-8")
    return run_check(folder)


@pytest.mark.parametrize("name", sorted(STORAGE_FORMATS))
def test_every_storage_format(outcome: CheckOutcome, name: str) -> None:
    found = outcome.kernel(f"{name}.wgsl")
    assert ([finding["message"] for finding in found["findings"]], found["status"]) == ([], "passed")


def test_a_texture_that_the_adapter_cannot_hold(outcome: CheckOutcome) -> None:
    (finding,) = outcome.kernel("wide.wgsl")["findings"]
    assert (finding["code"], finding["line"]) == ("PX705", 3)
    assert "`image` is 20,000 texels long; this adapter has 2d textures of at most" in finding["message"]


def test_an_input_that_no_texel_holds(outcome: CheckOutcome) -> None:
    (finding,) = outcome.kernel("outside.wgsl")["findings"]
    assert finding["code"] == "PX392"
    assert finding["message"].startswith("a value too large for rgba16float (up to 65504)")


def test_the_truth_in_python(outcome: CheckOutcome) -> None:
    found = outcome.kernel("in_python.wgsl")
    assert ([finding["message"] for finding in found["findings"]], found["status"]) == ([], "passed")
