"""The roofline as a picture: what the adapter can do at most, and where each kernel stands below it.

matplotlib comes with the extra `plot`, and is loaded when a picture is drawn.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pixel_core.errors import PixelError
from pixel_core.speed.benchmark import Benchmark
from pixel_core.speed.spread import spread_of

SUFFIXES: Final = (".svg", ".png")
_MARKERS: Final = "osD^vP*Xhp"


def draw_roofline(benchmark: Benchmark, path: Path) -> None:
    """Write a picture of every kernel whose contract has `flops`: operations a second over operations a byte, both logarithmic.

    Args:
        benchmark: Something was timed in it.
        path: `.svg` or `.png`; what is there is replaced.

    Raises:
        PixelError: matplotlib is not installed, there is nothing to draw, or the file cannot be written.
    """
    require_plotting(path)
    roofline = benchmark.roofline
    shown = [one for one in benchmark.measurements if one.work.intensity is not None]
    if roofline is None or not shown:
        raise PixelError("there is nothing to draw: no kernel that was timed has `flops` in its contract", hint='flops = "2 * M * N * K"')
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The legend stands below the axes and needs room for each line of its two columns.
    figure = Figure(figsize=(9, 5.5 + 0.12 * len(shown)), layout="constrained")
    axes = figure.subplots()
    intensities = [one.work.intensity or 1.0 for one in shown]
    ridge = roofline.peak.median / roofline.bandwidth.median
    left, right = min(*intensities, ridge) / 4, max(*intensities, ridge) * 4
    corners = [left, ridge, right]
    axes.plot(corners, [roofline.attainable(one) / 1e9 for one in corners], color="black", label="_roofline", gid="roofline")
    axes.annotate(
        f"{roofline.peak.median / 1e9:.3g} GFLOP/s multiply-add, f32", (right, roofline.peak.median / 1e9), ha="right", va="bottom"
    )
    slope = roofline.bandwidth.median
    axes.annotate(f"{slope / 1e9:.3g} GB/s copy", (left * 1.1, roofline.attainable(left) / 1e9), ha="left", va="top")
    contracts = list(dict.fromkeys(one.contract for one in shown))
    cases = list(dict.fromkeys(one.case for one in shown))
    for one, intensity in zip(shown, intensities, strict=True):
        rate = (one.flops_per_s or 0.0) / 1e9
        spread = one.time
        errors = [[max(rate - rate * spread.median / spread.high, 0.0)], [max(rate * spread.median / spread.low - rate, 0.0)]]
        label = f"{one.contract}, {one.case}: {rate:.3g} GFLOP/s, {spread_of(one.share).median * 100:.3g} %"
        marker = _MARKERS[cases.index(one.case) % len(_MARKERS)]
        color = f"C{contracts.index(one.contract) % 10}"
        # A dollar sign would begin a formula.
        axes.errorbar([intensity], [rate], yerr=errors, fmt=marker, color=color, capsize=3, label=label.replace("$", r"\$"))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations for each byte of the bound buffers (FLOP/B)")
    axes.set_ylabel("GFLOP/s")
    axes.set_title(f"{benchmark.adapter.name}, {benchmark.adapter.driver}".replace("$", r"\$"))
    axes.grid(visible=True, which="both", alpha=0.2)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    try:
        # Texts stay texts, and the same numbers give the same file.
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pixel-lsp"}):
            figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    except OSError as problem:
        raise PixelError(f"the picture `{path}` cannot be written: {problem.strerror or problem}") from None


def require_plotting(path: Path) -> None:
    """Say early that a picture cannot be drawn.

    Raises:
        PixelError: Neither `.svg` nor `.png`, or matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise PixelError(f"`{path}` is neither .svg nor .png")
    if find_spec("matplotlib") is None:
        raise PixelError("pictures are drawn by matplotlib, which is not installed", hint="pip install 'pixel-lsp[plot]'")
