"""The benchmark of a model as tables: rates beside llama.cpp's, then the kernels of one token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pixel_core.inference.messages import Measured
from pixel_core.inference.model_benchmark import ModelBenchmark
from pixel_core.speed.spread import spread_of
from pixel_server.terminal.medium import Medium

_MIB: Final = 1 << 20


def render_model_benchmark(benchmark: ModelBenchmark, medium: Medium) -> Group:
    """Both tables and what they mean."""
    facts = benchmark.facts
    parts: list[Text | Table] = [
        Text(medium.printable(f"{facts.name} on {facts.backend}, loaded in {facts.load_seconds:.2f} s"), "bold"),
        Text(),
        _rates(benchmark),
    ]
    if benchmark.kernels:
        parts += [Text(), _kernels(benchmark)]
    parts += [Text(), Text(medium.printable(_legend(benchmark)), "dim")]
    return Group(*parts)


def _rates(benchmark: ModelBenchmark) -> Table:
    table = _table("tokens a second")
    for head in ("prompt", "reply", "GB/s", "of CPU", "memory"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, rounds in (("pixel_core", benchmark.rounds), ("llama.cpp", benchmark.llama_cpp)):
        if rounds:
            table.add_row(name, *_cells(benchmark, rounds))
    if benchmark.llama_cpp:
        clocks: tuple[Callable[[Measured], float], ...] = (lambda one: one.prompt.wall, lambda one: one.reply.wall)
        ratios = [f"{_median(benchmark.llama_cpp, clock) / _median(benchmark.rounds, clock):.2f} x" for clock in clocks]
        table.add_row("beside it", *ratios, "", "", "")
    return table


def _kernels(benchmark: ModelBenchmark) -> Table:
    whole = sum(one.taken.wall for one in benchmark.kernels)
    table = _table("kernels of one token")
    for head in ("dispatches", "ms", "of all", "ms of CPU"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in benchmark.kernels:
        share = one.taken.wall / whole if whole else 0
        table.add_row(one.kernel, f"{one.dispatches}", f"{one.taken.wall * 1e3:.2f}", f"{share:.0%}", f"{one.taken.cpu * 1e3:.2f}")
    return table


def _table(title: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(title, no_wrap=True)
    return table


def _cells(benchmark: ModelBenchmark, rounds: Sequence[Measured]) -> tuple[str, ...]:
    step = _median(rounds, lambda one: one.reply.wall) / benchmark.reply_tokens
    resident = max(one.resident_bytes for one in rounds)
    return (
        _rate(benchmark.prompt_tokens, [one.prompt.wall for one in rounds]),
        _rate(benchmark.reply_tokens, [one.reply.wall for one in rounds]),
        f"{benchmark.facts.step_bytes / step / 1e9:.2f}",
        f"{benchmark.reply_tokens / _median(rounds, lambda one: one.reply.cpu):.1f}",
        f"{resident / _MIB:,.0f} MiB" if resident else "",
    )


def _rate(tokens: int, seconds: Sequence[float]) -> str:
    taken = spread_of(seconds)
    return f"{tokens / taken.median:.1f} ({tokens / taken.high:.1f} to {tokens / taken.low:.1f})"


def _median(rounds: Sequence[Measured], clock: Callable[[Measured], float]) -> float:
    return spread_of([clock(one) for one in rounds]).median


def _legend(benchmark: ModelBenchmark) -> str:
    lines = [
        f"by the wall: {benchmark.prompt_tokens:,} of prompt, {benchmark.reply_tokens:,} of reply, on {benchmark.processors} processors",
        f"medians and quartiles of {len(benchmark.rounds)} rounds, in turns",
        f"of CPU: tokens of the reply for each second of all threads; the file has {benchmark.file_bytes / _MIB:,.0f} MiB",
        f"GB/s: the weights of one token, {benchmark.facts.step_bytes / 1e6:,.0f} MB, by the time of one",
    ]
    if benchmark.kernels:
        lines.append(f"kernels: at position {benchmark.prompt_tokens:,}, each alone, so that their sum is more than a token takes")
    if benchmark.llama_cpp_absence:
        lines.append(f"not compared with llama.cpp: {benchmark.llama_cpp_absence}")
    return "\n".join(lines)
