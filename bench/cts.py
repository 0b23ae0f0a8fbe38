"""How do our verdicts agree with the WebGPU conformance suite?

    python bench/cts.py [--checker parse|reflect] [--misses N] [--folder NAME]

Reads the labelled sample in ../shared/cts and prints, per folder, how many valid sources are accepted and how many invalid ones
rejected. Labels say only valid or invalid; most folders are about types, which a parser does not see. Exits 1 when a valid source
is rejected, 2 when the sample is not there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pixel_core.findings import Finding, Severity
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse

SAMPLE = Path(__file__).parent.parent.parent / "shared" / "cts" / "wgsl_validation_sample.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled source; `query` is the suite's name of it."""

    folder: str
    valid: bool
    source: str
    query: str


def read_cases() -> Iterator[Case]:
    """The cases of the sample, in its order."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        for line in file:
            yield Case(**json.loads(line))


def check_parse(source: SourceText) -> Iterable[Finding]:
    """What the parser alone finds."""
    return parse(source).findings


def check_reflect(source: SourceText) -> Iterable[Finding]:
    """What the parser and reflection find."""
    from pixel_core.wgsl.reflect import reflect

    tree = parse(source)
    return [*tree.findings, *reflect(tree).findings]


CHECKERS: dict[str, Callable[[SourceText], Iterable[Finding]]] = {"parse": check_parse, "reflect": check_reflect}
"""Ways to a verdict; a case is rejected when one of the findings is an error."""


def errors_of(case: Case, checker: str) -> list[Finding]:
    """The errors that a checker finds in a case."""
    source = SourceText(Path("case.wgsl"), case.source)
    return [finding for finding in CHECKERS[checker](source) if finding.severity is Severity.ERROR]


def main() -> int:
    """Print the table, and the misses where they are asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checker", choices=sorted(CHECKERS), default="parse")
    arguments.add_argument("--folder", help="only this folder")
    arguments.add_argument("--misses", type=int, default=0, help="print that many rejected valid, then accepted invalid sources")
    options = arguments.parse_args()
    if not SAMPLE.exists():
        print(f"the sample is not there: {SAMPLE}")
        return 2
    agreed = Counter[tuple[str, bool]]()
    total = Counter[tuple[str, bool]]()
    misses: list[tuple[Case, list[Finding]]] = []
    start = time.process_time()
    for case in read_cases():
        if options.folder in (None, case.folder):
            errors = errors_of(case, options.checker)
            total[case.folder, case.valid] += 1
            agreed[case.folder, case.valid] += case.valid == (not errors)
            if case.valid == bool(errors):
                misses.append((case, errors))
    seconds = time.process_time() - start
    print(f"{'folder':32} {'valid accepted':>16} {'invalid rejected':>18}")
    for folder in sorted({folder for folder, _ in total}):
        print(f"{folder:32} {_share(agreed, total, folder, valid=True):>16} {_share(agreed, total, folder, valid=False):>18}")
    rejected_valid = sum(case.valid for case, _ in misses)
    print(f"{sum(total.values()):,} cases, {rejected_valid} valid ones rejected, {seconds:.1f} s of CPU, checker {options.checker}")
    for case, errors in sorted(misses, key=lambda miss: not miss[0].valid)[: options.misses]:
        print(f"---- {'valid' if case.valid else 'invalid'}: {case.query}\n{case.source}")
        for finding in errors:
            print(f"    {finding.code} {finding.message}")
    return 1 if rejected_valid else 0


def _share(agreed: Counter[tuple[str, bool]], total: Counter[tuple[str, bool]], folder: str, *, valid: bool) -> str:
    return f"{agreed[folder, valid]:,} / {total[folder, valid]:,}"


if __name__ == "__main__":
    sys.exit(main())
