"""How long does parsing take, beside the bare regular-expression lexing that no Python parser can beat?

    python bench/parse_speed.py

Prints medians of CPU time for files of 50, 800 and 5,000 lines, joined from the shipped shaders and from dense arithmetic.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.syntax import TokenKind

SHADERS = Path(__file__).parent.parent / "shaders"
SIZES = (50, 800, 5_000)
AIMS = {50: 0.006, 800: 0.095, 5_000: 0.6}
"""CPU seconds that an editor may spend on a file of so many lines."""

_BARE = re.compile(r"\s+|//[^\n]*|/\*|[A-Za-z_]\w*|\.?\d[\w.]*|<<=|>>=|[-+*/%&|^=!<>]=|&&|\|\||->|\+\+|--|<<|>>|.", re.DOTALL)

_DENSE = """
@compute @workgroup_size(8, 8)
fn blend_{n}(@builtin(global_invocation_id) id: vec3<u32>) {{
    let i = id.y * size.n + id.x * 4u + ({n}u & 3u);
    var sum = vec4<f32>(0.0, 1.5e-3, f32(i), -1.0);
    for (var k = 0u; k < size.k; k += 4u) {{
        let a = left[(i + k) >> 2u];
        sum += a.xyzw * vec4<f32>(right[k * size.n + id.x], right[(k + 1u) * size.n + id.x], 0.25, sqrt(abs(a.x)));
        if (sum.x > 65504.0 || any(sum != sum)) {{ sum = clamp(sum, vec4<f32>(-1.0), vec4<f32>(1.0)); }} else {{ tiles[k & 63u] = sum; }}
    }}
    result[i] = select(sum.x, max(sum.y, dot(sum, sum)), i < arrayLength(&result));
}}
"""


def shipped(lines: int) -> str:
    """So many lines of the shipped shaders, repeated."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SHADERS.glob("*.wgsl")))
    return _cut(text, lines)


def dense(lines: int) -> str:
    """So many lines of arithmetic without comments."""
    return _cut("".join(_DENSE.format(n=n) for n in range(lines // 10 + 1)), lines)


def _cut(text: str, lines: int) -> str:
    whole = text.split("\n")
    return "\n".join((whole * (lines // len(whole) + 1))[:lines])


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> int:
    """Print the table."""
    print("text     lines  tokens  parse      aim      bare lexing  ratio")
    for name, make in (("shipped", shipped), ("dense", dense)):
        for lines in SIZES:
            text = make(lines)
            source = SourceText(Path("speed.wgsl"), text)
            trivia = (TokenKind.BLANKSPACE, TokenKind.COMMENT)
            tokens = sum(token.kind not in trivia for token in parse(source).tokens)
            repeats = max(5, 20_000 // lines)
            seconds = cpu_seconds(lambda source=source: parse(source), repeats)
            bare = cpu_seconds(lambda text=text: [match[0] for match in _BARE.finditer(text)], repeats)
            print(
                f"{name:8} {lines:5}  {tokens:6}  {seconds * 1000:6.1f} ms  {AIMS[lines] * 1000:4.0f} ms  "
                f"{bare * 1000:8.1f} ms  {seconds / bare:5.1f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
