"""The broken variants of the shipped kernels: `tests/data/broken/*.toml`, each a small replacement in a kernel's text."""

from __future__ import annotations

from dataclasses import dataclass

import tomli

from pixel_testing.check_command import DATA, SHADERS


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenVariant:
    """One mistake.

    Attributes:
        kernel: Stem of the shader's file.
        number: From 1, within the kernel.
        name: What is wrong, one clause.
        kind: `boundary`, `index`, `stride`, `synchronisation`, `precision` or another word.
        text: The whole broken shader.
        bug_lines: Lines from 1 that differ from the right shader; where lines were only taken out, the two around the gap.
        store_lines: Lines from 1 of the statement that stores the output.
        output: The output that must be reported.
        case: The case on which it must fail.
        says: What a note of the finding must match: the pattern that helps to find the cause.
    """

    kernel: str
    number: int
    name: str
    kind: str
    text: str
    bug_lines: range
    store_lines: range
    output: str
    case: str
    says: str

    @property
    def file_name(self) -> str:
        """Of the broken shader."""
        return f"{self.kernel}_{self.number}_{self.kind}.wgsl"


def read_broken_variants() -> list[BrokenVariant]:
    """All variants, by kernel and number."""
    variants: list[BrokenVariant] = []
    for path in sorted((DATA / "broken").glob("*.toml")):
        data = tomli.loads(path.read_text(encoding="utf-8"))
        right = (SHADERS / data["kernel"]).read_text(encoding="utf-8")
        for number, variant in enumerate(data["variant"], start=1):
            assert right.count(variant["find"]) == 1, (
                f"{path.name}: {variant['name']}: the text to replace occurs {right.count(variant['find'])} times"
            )
            broken = right.replace(variant["find"], variant["replace"])
            store = variant["replace"] if data["store"] not in broken else data["store"]
            variants.append(
                BrokenVariant(
                    kernel=path.stem,
                    number=number,
                    name=variant["name"],
                    kind=variant["kind"],
                    text=broken,
                    bug_lines=_changed_lines(right, broken),
                    store_lines=_lines_of(broken, store),
                    output=data["output"],
                    case=variant["case"],
                    says=variant["says"],
                )
            )
    return variants


def _changed_lines(right: str, broken: str) -> range:
    old, new = right.splitlines(), broken.splitlines()
    head = 0
    while old[head] == new[head]:
        head += 1
    tail = 0
    while old[-1 - tail] == new[-1 - tail] and tail < min(len(old), len(new)) - head:
        tail += 1
    first, last = head + 1, len(new) - tail
    return range(first, last + 1) if last >= first else range(last, first + 1)


def _lines_of(text: str, part: str) -> range:
    start = text.index(part)
    first = text.count("\n", 0, start) + 1
    return range(first, first + part.count("\n") + 1)
