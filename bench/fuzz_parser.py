"""Does the parser survive anything, and what does it save of a file with one break?

    python bench/fuzz_parser.py --count 20000

Sources are the conformance sample (../shared/cts, where present) and the shipped shaders. Prints the counts; exits 1 when the
parser raised or lost text. Test runs import the parts and use a hundredth of the count.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixel_core.findings import Severity
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.syntax import FunctionDeclaration, SyntaxTree, TokenKind
from pixel_core.wgsl.walk import children, walk

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT.parent / "shared" / "cts" / "wgsl_validation_sample.jsonl.gz"
DELETED = (";", ")", "}", ">")

_FRAGMENTS = (
    *[
        ";",
        ",",
        ":",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        "=",
        "@",
        "&",
        "*",
        "-",
        "!",
        "~",
        ".",
        "_",
        "#",
        "$",
        "`",
        "\x00",
        "\n",
        "�",
        "é",
        "0",
        "1",
    ],
    *[
        "fn",
        "var",
        "let",
        "const",
        "override",
        "struct",
        "alias",
        "if",
        "else",
        "for",
        "while",
        "loop",
        "continuing",
        "switch",
        "case",
        "default",
        "break",
        "return",
    ],
    *[
        "/*",
        "*/",
        "//",
        ">>",
        ">>=",
        "<<",
        "<<=",
        "&&",
        "||",
        "->",
        "++",
        "--",
        "==",
        "array<f32,4>",
        "vec4f",
        "0x1p",
        "1.5f",
        "@compute",
        "enable",
        "f16;",
        "/*",
    ],
)


def read_sources(*, valid_only: bool = True) -> list[str]:
    """Valid sources of the conformance sample, where it is present, and the shipped shaders."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "shaders").glob("**/*.wgsl"))]
    if SAMPLE.exists():
        with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
            cases = [json.loads(line) for line in file]
        sources += [case["source"] for case in cases if case["valid"] or not valid_only]
    return sources


def check_tree(text: str) -> SyntaxTree:
    """Parse a text and check what must hold of every tree.

    Raises:
        AssertionError: Text was lost, a span lies outside of the text or of its parent, or findings are out of order.
    """
    tree = parse(SourceText(Path("fuzz.wgsl"), text))
    if "".join(token.text for token in tree.tokens) != text:
        raise AssertionError("the tokens do not concatenate to the source")
    for node in walk(tree):
        if not 0 <= node.start <= node.end <= len(text):
            raise AssertionError(f"{type(node).__name__} has the span {node.start}..{node.end} in a text of {len(text)}")
        for child in children(node):
            if not node.start <= child.start <= child.end <= node.end:
                parent, inner = type(node).__name__, type(child).__name__
                raise AssertionError(f"{inner} {child.start}..{child.end} leaves its {parent} {node.start}..{node.end}")
    starts = [finding.location.span.start for finding in tree.findings if finding.location.span]
    if starts != sorted(starts):
        raise AssertionError("findings are not in source order")
    return tree


def prefixes(text: str) -> Iterator[str]:
    """Every prefix of a text that ends between two tokens."""
    for token in check_tree(text).tokens:
        yield text[: token.start]


def mutate(text: str, chance: random.Random) -> str:
    """Delete, double, swap or insert up to five times."""
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, len(text))
        to = min(len(text), at + chance.randint(0, 12))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:at] + text[to:]
        elif kind == 1:
            text = text[:to] + text[at:]
        elif kind == 2:
            text = text[:at] + chance.choice(_FRAGMENTS) + text[at:]
        else:
            text = text[:at] + text[at:to][::-1] + text[to:]
    return text


@dataclass
class Recovery:
    """What was left of files after one deletion, by deleted text."""

    breaks: Counter[str] = field(default_factory=Counter)
    unnoticed: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    near: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    worst: list[tuple[int, str, str]] = field(default_factory=list)


def functions(tree: SyntaxTree) -> list[FunctionDeclaration]:
    """The functions of a tree that have a name and a body."""
    return [node for node in tree.declarations if isinstance(node, FunctionDeclaration) and node.name.text and node.body]


def measure_recovery(sources: Sequence[str], count: int, chance: random.Random) -> Recovery:
    """Delete one random token of `DELETED` from files of three or more functions, `count` times."""
    files = [(text, tree) for text in sources if len(functions(tree := check_tree(text))) >= 3 and not tree.findings]
    recovery = Recovery()
    while files and sum(recovery.breaks.values()) < count:
        text, tree = chance.choice(files)
        wanted = chance.choice(DELETED)
        candidates = [
            token for token in tree.tokens if token.text == wanted and token.kind in (TokenKind.PUNCTUATION, TokenKind.TEMPLATE_END)
        ]
        if not candidates:
            continue
        token = chance.choice(candidates)
        broken_text = text[: token.start] + text[token.end :]
        broken = check_tree(broken_text)
        errors = [finding for finding in broken.findings if finding.severity is Severity.ERROR]
        others = {node.name.text for node in functions(tree) if not node.start <= token.start <= node.end}
        found = others & {node.name.text for node in functions(broken)}
        recovery.breaks[wanted] += 1
        recovery.unnoticed[wanted] += not errors
        recovery.findings[wanted] += len(errors)
        recovery.others[wanted] += len(others)
        recovery.found[wanted] += len(found)
        if errors and errors[0].location.span:
            line = broken.source.position(errors[0].location.span.start)[0]
            recovery.near[wanted] += abs(line - broken.source.position(token.start)[0]) <= 1
        if len(errors) > 2 or found != others:
            recovery.worst.append((len(errors) + 100 * (len(others) - len(found)), wanted, broken_text))
    return recovery


def main() -> int:
    """Run everything and print the counts."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--count", type=int, default=20_000, help="mutations, and a twentieth as many deletions")
    arguments.add_argument("--prefix-sources", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--show", type=int, default=0, help="print that many of the worst recoveries")
    options = arguments.parse_args()
    chance = random.Random(options.seed)
    sources = read_sources()
    if not sources:
        print("no sources: neither ../shared/cts nor shaders/ is there")
        return 2
    failures = 0
    done = Counter[str]()

    def attempt(kind: str, text: str) -> None:
        nonlocal failures
        done[kind] += 1
        try:
            check_tree(text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parser must not raise it
            failures += 1
            print(f"{kind}: {type(error).__name__}: {error}\n{text!r}")

    for text in chance.sample(sources, min(options.prefix_sources, len(sources))):
        for prefix in prefixes(text):
            attempt("prefixes", prefix)
    for _ in range(options.count):
        attempt("mutations", mutate(chance.choice(sources), chance))
    print(f"{done['prefixes']:,} prefixes and {done['mutations']:,} mutations parsed, {failures} failures")

    recovery = measure_recovery(sources, max(options.count // 20, 1), chance)
    print("deleted  breaks  other functions found     findings per break  unnoticed  first within a line")
    for text in DELETED:
        breaks, others = recovery.breaks[text], recovery.others[text]
        if breaks:
            share = 100 * recovery.found[text] / max(others, 1)
            near = 100 * recovery.near[text] / max(breaks - recovery.unnoticed[text], 1)
            print(
                f"  {text}    {breaks:6}   {recovery.found[text]:6} / {others:6} {share:6.2f} %   "
                f"{recovery.findings[text] / breaks:16.2f}  {recovery.unnoticed[text]:9}  {near:8.1f} %"
            )
    total = sum(recovery.others.values())
    share = 100 * sum(recovery.found.values()) / max(total, 1)
    per_break = sum(recovery.findings.values()) / max(sum(recovery.breaks.values()), 1)
    print(f"  all  {sum(recovery.breaks.values()):6}   {sum(recovery.found.values()):6} / {total:6} {share:6.2f} %   {per_break:16.2f}")
    for _, wanted, text in sorted(recovery.worst, reverse=True)[: options.show]:
        print(f"---- deleted {wanted}\n{text}")
        tree = check_tree(text)
        for finding in tree.findings:
            print("   ", finding.code, tree.source.position(finding.location.span.start) if finding.location.span else "", finding.message)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
