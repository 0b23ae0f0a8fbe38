"""Where do naga, Tint and our own front end agree with the conformance suite, and where do compilers' errors stand?

    python bench/compilers.py [--each 100] [--seed 1]

Two tables in one run. The first compiles a sample of ../shared/cts (so many sources per folder, drawn at random) and prints for naga, Tint
and our own checks the share of verdicts that equal the label; labels assume every optional feature. The second takes the invalid shaders of
tests/support and prints on how many each compiler's error stands on the line of the mistake: as the compiler says it, and after our
placement, there and in the second figure also behind `/* 😀é */` on every line. Median and greatest wall time per source stand beside the
first table. Exits 2 when the sample is not there.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "bench"), str(REPOSITORY / "tests" / "support")]

from cts import SAMPLE, Case, read_cases  # noqa: E402

from pixel_core.engines.compilers import AbsentCompiler, Compiler, CompilerMessage, compile_with  # noqa: E402
from pixel_core.engines.device import open_device_engine  # noqa: E402
from pixel_core.engines.naga import NagaCompiler  # noqa: E402
from pixel_core.engines.tint import open_tint  # noqa: E402
from pixel_core.findings import Severity  # noqa: E402
from pixel_core.kernels.compiler_findings import place_message  # noqa: E402
from pixel_core.kernels.load_shader import LoadedShader, understand  # noqa: E402
from pixel_core.source import SourceText  # noqa: E402
from pixel_testing.invalid_shaders import INVALID_SHADERS, InvalidShader  # noqa: E402

STRANGE = "/* 😀é */ "

Checker = Callable[[str], bool]
"""Whether a source is accepted."""


def main() -> int:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--each", type=int, default=100, help="sources per folder at most")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    if not SAMPLE.exists():
        print(f"the sample is not there: {SAMPLE}")
        return 2
    tint = open_tint()
    if isinstance(tint, AbsentCompiler):
        print(f"Tint: {tint.reason}; {tint.hint}")
        return 2
    engine = open_device_engine()
    compilers: dict[str, Compiler] = {"naga": NagaCompiler(engine.refusal), "tint": tint}
    print(f"adapter {engine.info.name}\n")
    print_agreement(compilers, draw(options.each, options.seed))
    print()
    print_places(compilers)
    return 0


def draw(each: int, seed: int) -> dict[str, list[Case]]:
    """At most so many sources of each folder."""
    folders: dict[str, list[Case]] = defaultdict(list)
    for case in read_cases():
        folders[case.folder].append(case)
    chooser = random.Random(seed)
    return {folder: chooser.sample(cases, min(each, len(cases))) for folder, cases in sorted(folders.items())}


def print_agreement(compilers: dict[str, Compiler], folders: dict[str, list[Case]]) -> None:
    """The share of verdicts that equal the label, per folder."""
    checkers: dict[str, Checker] = {name: _accepts(compiler) for name, compiler in compilers.items()}
    checkers["ours"] = lambda text: load(text).compiles
    seconds: dict[str, list[float]] = defaultdict(list)
    total: dict[str, int] = defaultdict(int)
    print(f"{'folder':32} {'sources':>8}" + "".join(f"{name:>10}" for name in checkers))
    for folder, cases in folders.items():
        row = ""
        for name, accepts in checkers.items():
            agreed = 0
            for case in cases:
                start = time.perf_counter()
                agreed += accepts(case.source) == case.valid
                seconds[name].append(time.perf_counter() - start)
            total[name] += agreed
            row += f"{agreed / len(cases):>10.1%}"
        print(f"{folder:32} {len(cases):>8}{row}")
    count = sum(len(cases) for cases in folders.values())
    print(f"{'all':32} {count:>8}" + "".join(f"{total[name] / count:>10.1%}" for name in checkers))
    print(f"{'median ms per source':41}" + "".join(f"{statistics.median(seconds[name]) * 1e3:>10.2f}" for name in checkers))
    print(f"{'greatest ms per source':41}" + "".join(f"{max(seconds[name]) * 1e3:>10.1f}" for name in checkers))


def print_places(compilers: dict[str, Compiler]) -> None:
    """How many errors stand on the line of the mistake."""
    print(f"{len(INVALID_SHADERS)} invalid shaders   refused   right line as said   right line placed   placed behind {STRANGE.strip()}")
    for name in compilers:
        refused = said = placed = strange = 0
        for shader in INVALID_SHADERS:
            first = _first_error(compilers, name, shader.text)
            if first is None:
                continue
            error, line = first
            refused += 1
            said += _said_line(error, shader) == shader.line
            placed += line == shader.line
            behind = _first_error(compilers, name, "\n".join(STRANGE + text for text in shader.text.split("\n")))
            strange += behind is not None and behind[1] == shader.line
        print(f"{name:19} {refused:>7} {said:>20} {placed:>19} {strange:>19}")


def load(text: str) -> LoadedShader:
    """A text as our own front end sees it."""
    return understand(SourceText(Path("case.wgsl"), text), None)


def _accepts(compiler: Compiler) -> Checker:
    return lambda text: all(message.severity is not Severity.ERROR for message in compiler.compile(text))


def _first_error(compilers: dict[str, Compiler], name: str, text: str) -> tuple[CompilerMessage, int] | None:
    verdicts = compile_with(tuple(compilers.values()), text)
    loaded = load(text)
    for message in verdicts.messages:
        if message.compiler == name and message.severity is Severity.ERROR:
            return message, loaded.source.position(place_message(message, loaded, verdicts).start)[0]
    return None


def _said_line(message: CompilerMessage, shader: InvalidShader) -> int:
    return SourceText(Path("case.wgsl"), shader.text).position(message.start)[0] if message.start >= 0 else 0


if __name__ == "__main__":
    sys.exit(main())
