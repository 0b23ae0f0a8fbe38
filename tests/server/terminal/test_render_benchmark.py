from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from msgspec.structs import replace

from pixel_core.errors import PixelError
from pixel_core.findings import Finding, Severity
from pixel_core.speed.benchmark import TIMESTAMPS, WALL, Refusal, Work
from pixel_core.speed.compare_with_baseline import CHANGED, FASTER, SAME, SLOWER, UNKNOWN, Comparison
from pixel_server.benchmark_report import benchmark_report
from pixel_server.draw_roofline import draw_roofline
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_benchmark import render_benchmark
from speed_testing import ENTRY, SHADER, a_benchmark, a_measurement

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "docs" / "bench.schema.json").read_text(encoding="utf-8"))

MEASUREMENTS = (
    a_measurement(
        (0.412, 0.405, 0.42), contract="matmul", case="M=512 N=512", share=(0.016, 0.017, 0.018), numpy_s=(0.002, 0.0021, 0.0022)
    ),
    a_measurement((0.061, 0.06, 0.063), contract="matmul_registers", case="M=512 N=512", share=(0.11, 0.114, 0.12)),
    a_measurement((1.5e-5, 1.4e-5, 1.6e-5), contract="copy", case="n=64", share=(1.2, 1.3, 1.4), work=Work(flops=None, size_bytes=65536)),
)
REFUSALS = (
    Refusal(shader=SHADER, contract="wrong", case="n=64", reason="it fails its contract, and is not timed"),
    Refusal(shader=Path("bare.wgsl"), contract=None, case=None, reason="it has no contract", is_failure=False),
)
BENCHMARK = a_benchmark(*MEASUREMENTS, refusals=REFUSALS)
COMPARISONS = (Comparison(verdict=SLOWER, ratio=1.38), Comparison(verdict=FASTER, ratio=0.5), Comparison(verdict=UNKNOWN))


def test_the_table(golden: Callable[[str, str], None]) -> None:
    golden("terminal/benchmark.txt", render_benchmark(BENCHMARK, (), Medium()).plain + "\n")


def test_the_table_beside_a_baseline(golden: Callable[[str, str], None]) -> None:
    golden("terminal/benchmark_baseline.txt", render_benchmark(BENCHMARK, COMPARISONS, Medium()).plain + "\n")


def test_words_of_verdicts() -> None:
    words = {SAME: "as fast", CHANGED: "other work", UNKNOWN: "no entry"}
    for verdict, said in words.items():
        comparison = Comparison(verdict=verdict, ratio=1.0 if verdict == SAME else None)
        assert f"  {said}\n" in render_benchmark(a_benchmark(a_measurement()), (comparison,), Medium()).plain


def test_hostile_names_do_not_drive_the_terminal() -> None:
    benchmark = a_benchmark(a_measurement(contract="a\x1b[31m", case="n\x07=1"), refusals=(replace(REFUSALS[0], reason="b\x1b]0;"),))
    assert "\x1b" not in render_benchmark(benchmark, (), Medium()).plain
    assert "\x07" not in render_benchmark(benchmark, (), Medium()).plain


def test_ascii() -> None:
    render_benchmark(BENCHMARK, COMPARISONS, Medium(encoding="ascii")).plain.encode("ascii")


@pytest.mark.parametrize(("clock", "said"), [(TIMESTAMPS, "by the device's timestamps"), (WALL, "wall time from submission")])
def test_the_clock_is_named(clock: str, said: str) -> None:
    assert said in render_benchmark(a_benchmark(a_measurement(), clock=clock), (), Medium()).plain


def test_json_follows_its_schema() -> None:
    finding = Finding(code="PX601", severity=Severity.ERROR, message="slow", location=ENTRY)
    report = json.loads(benchmark_report(replace(BENCHMARK, findings=(finding,)), COMPARISONS))
    jsonschema.validate(report, SCHEMA)
    assert report["measurements"][0]["seconds"] == {"low": 0.4085, "median": 0.412, "high": 0.416}
    assert report["measurements"][0]["baseline"] == {"verdict": "slower", "ratio": 1.38}
    assert (report["measurements"][2]["flops"], report["measurements"][2]["intensity"]) == (None, None)
    assert (report["findings"][0]["line"], report["findings"][0]["column"]) == (3, 4)
    jsonschema.validate(json.loads(benchmark_report(a_benchmark(), ())), SCHEMA)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_picture(tmp_path: Path) -> None:
    """Names are text in it and nothing else, whatever they hold."""
    hostile = a_measurement(contract="<script>$\\frac", case="& $x^2$", work=Work(flops=2e8, size_bytes=100))
    draw_roofline(a_benchmark(*MEASUREMENTS, hostile), tmp_path / "a.svg")
    draw_roofline(a_benchmark(*MEASUREMENTS, hostile), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    texts = [" ".join("".join(element.itertext()).split()) for element in root.iter(f"{svg}text")]
    assert "matmul_registers, M=512 N=512: 3.28 GFLOP/s, 11.4 %" in texts
    assert "<script>$\\frac, & $x^2$: 10 GFLOP/s, 10 %" in texts
    assert not any(text.startswith("copy") for text in texts), "it has no operations to count"
    assert [element.get("id") for element in root.iter(f"{svg}g") if element.get("id") == "roofline"] == ["roofline"]
    assert list(root.iter(f"{svg}script")) == []


def test_a_png(tmp_path: Path) -> None:
    draw_roofline(BENCHMARK, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(PixelError, match="there is nothing to draw: no kernel that was timed has `flops` in its contract"):
        draw_roofline(a_benchmark(MEASUREMENTS[2]), tmp_path / "a.svg")
    with pytest.raises(PixelError, match="cannot be written: No such file or directory"):
        draw_roofline(BENCHMARK, tmp_path / "none" / "a.svg")
