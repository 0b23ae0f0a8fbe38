"""The whole front end at once: never raises, and says nothing about what is right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pixel_core.engines.instrument import watch_loops, zero_workgroup_memory
from pixel_core.wgsl.stores import find_stores
from pixel_testing.marked_wgsl import assert_clean, check_text

SHADERS = sorted((Path(__file__).parents[3] / "shaders").glob("*.wgsl"))


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_the_shipped_kernels_are_clean(path: Path) -> None:
    assert_clean(path.read_text(encoding="utf-8"))


def use_everything(text: str) -> None:
    """Everything that is done with a shader before it runs; findings must lie in the text."""
    checked = check_text(text)
    for finding in checked.findings:
        span = finding.location.span
        assert span is not None
        assert 0 <= span.start <= span.end <= len(text)
    for entry in checked.interface.entry_points:
        for name in entry.bindings:
            find_stores(checked.tree, checked.module.names, name, entry.function)
    watch_loops(checked.module, group=0, binding=99)
    zero_workgroup_memory(checked.module)


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_no_prefix_of_a_kernel_makes_it_raise(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for end in range(0, len(text), max(1, len(text) // 60)):
        use_everything(text[:end])


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_no_mutation_of_a_kernel_makes_it_raise(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    source = random.Random(path.stem)
    pieces = ["<", ">", "(", ")", "{", "}", "&", "@", "0", "-1", "array", "const", "fn", "loop", "break if", "1/0", "u32(", ";", "é", "\0"]
    for _ in range(40):
        mutant = text
        for _ in range(3):
            at = source.randrange(len(mutant) + 1)
            mutant = mutant[:at] + source.choice(pieces) + mutant[at + source.randrange(8) :]
        use_everything(mutant)


@pytest.mark.parametrize(
    "text", ["", "\0", "\ufeff", "// only a comment", "@", "fn", "struct S {", "𝒳", "<" * 5000, "(" * 5000, "fn f() {" * 500]
)
def test_texts_that_are_no_shaders(text: str) -> None:
    use_everything(text)
