"""`textures` and `samplers` as data, and which finding each mistake gives, at which place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.kernels.contract import ContractFile
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.source import SourceText

HEAD = "[main]\ndims = 'H W'\ndispatch = 1\nexpect = { y = '1' }\n"


def read(toml: str) -> ContractFile:
    return read_contracts(SourceText(Path("main.wgsl"), ""), None, SourceText(Path("main.contract.toml"), HEAD + toml))


def test_as_data() -> None:
    found = read(
        'textures = { image = { size = "H (W + 1)", format = "rg8snorm", mips = 2 }, line = { size = 7 } }\n'
        'samplers = { s = { filter = "linear", address = "repeat mirror-repeat" }, t = {} }\n'
    )
    assert [finding.message for finding in found.findings] == []
    (contract,) = found.contracts
    image, line = contract.textures["image"], contract.textures["line"]
    assert image.mips is not None
    assert ([axis.text for axis in image.size], image.format, image.mips.text) == (["H", "(W + 1)"], "rg8snorm", "2")
    assert ([axis.text for axis in line.size], line.format, line.mips) == (["7"], None, None)
    samplers = {name: (one.filter, one.address) for name, one in contract.samplers.items()}
    assert samplers == {"s": ("linear", ("repeat", "mirror-repeat", "mirror-repeat")), "t": ("nearest", ("clamp-to-edge",) * 3)}


@pytest.mark.parametrize(
    ("marked", "code", "message", "hint"),
    [
        (
            'textures = { y = { format = "⟦rgba8unrom⟧" } }',
            "PX334",
            "`rgba8unrom` is not a texel format that can be checked",
            "did you mean `rgba8unorm`?",
        ),
        ("textures = { y = { ⟦dims⟧ = 3 } }", "PX303", "unknown key `dims`", "known here: format, size, mips"),
        ("textures = { y = ⟦'4 4'⟧ }", "PX305", "`textures.y` is a string", None),
        (
            "textures = { y = { size = ⟦'1 2 3 4'⟧ } }",
            "PX305",
            "a size of 4 axes; textures have 1 to 3",
            'write axes, outermost first: size = "H W"',
        ),
        ("textures = { y = { size = 'H ⟦q(W)⟧' } }", "PX307", "unknown function `q`", "docs/contracts.md lists the functions"),
        ("samplers = { s = { filter = '⟦liner⟧' } }", "PX305", "`liner` is none of nearest, linear", "did you mean `linear`?"),
        ("samplers = { s = { address = '⟦clamp⟧' } }", "PX305", "`clamp` is none of clamp-to-edge, repeat, mirror-repeat", None),
        ("samplers = { s = { address = ⟦''⟧ } }", "PX305", "0 address modes; one for all axes, or one each for u, v and w", None),
    ],
)
def test_mistakes(marked: str, code: str, message: str, hint: str | None) -> None:
    start = len(HEAD) + marked.index("⟦")
    (finding,) = read(marked.replace("⟦", "").replace("⟧", "")).findings
    assert finding.location.span is not None
    assert (finding.code, finding.message, finding.location.span.start) == (code, message, start)
    assert hint is None or finding.hint == hint
