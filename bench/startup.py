"""Start-up of `pixel-lsp --version`, beside a Python that does nothing; and what other processes compute before they are of use.

CPU time (user + system of the child) repeats within a few percent on a busy machine; wall time does not. The two programs
take turns, so that whatever else the machine does falls on both.

    python bench/startup.py [--runs 20]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

PIXEL_LSP = Path(sys.executable).with_name("pixel-lsp")
VERSION = (str(PIXEL_LSP), "--version")
NOTHING = (sys.executable, "-c", "pass")
KERNEL = Path(__file__).parents[1] / "shaders" / "matmul.wgsl"
STARTS = {
    "check of one kernel, with its worker": (str(PIXEL_LSP), "check", str(KERNEL)),
    "modules of check": (sys.executable, "-c", "import pixel_server.commands.check"),
    "modules of the language server": (sys.executable, "-c", "import pixel_server.app"),
    "modules of the kernel worker": (sys.executable, "-c", "import pixel_core.kernels.answer_request"),
    "engine of the kernel worker": (
        sys.executable,
        "-c",
        "from pixel_core.kernels.open_engine import EngineOpening; EngineOpening().wait()",
    ),
}
OURS = {"pixel_core", "pixel_server", "pixel_coach"}
LIST_MODULES = """
import sys
before = set(sys.modules)
from pixel_server.cli import main
try:
    main(["--version"])
except SystemExit:
    print(*sorted(set(sys.modules) - before))
"""


def cpu_and_wall_s(command: tuple[str, ...]) -> tuple[float, float]:
    """Seconds that one run of a command takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, end - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    pairs = [(cpu_and_wall_s(NOTHING), cpu_and_wall_s(VERSION)) for _ in range(runs + 1)][1:]
    for index, unit in enumerate(("CPU", "wall")):
        nothing = statistics.median(pair[0][index] for pair in pairs) * 1e3
        version = statistics.median(pair[1][index] for pair in pairs) * 1e3
        print(f"{unit:4}  `python -c pass` {nothing:5.1f} ms  `pixel-lsp --version` {version:5.1f} ms  {version / nothing:.2f} times")
    for name, command in STARTS.items():
        times = [cpu_and_wall_s(command) for _ in range(max(runs // 4, 2) + 1)][1:]
        cpu, wall = (statistics.median(one[index] for one in times) for index in range(2))
        print(f"CPU {cpu:6.3f} s  wall {wall:6.3f} s  {name}")
    listed = subprocess.run((sys.executable, "-c", LIST_MODULES), check=True, capture_output=True, text=True)
    loaded = listed.stdout.splitlines()[1].split()
    ours = [name for name in loaded if name.partition(".")[0] in OURS]
    foreign = sorted({name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - OURS)
    print(f"loads {len(loaded)} modules; ours: {', '.join(ours)}; other people's: {', '.join(foreign) or 'none'}")
    print(f"on    {Path(sys.executable).name} {sys.version.split()[0]}, {os.cpu_count()} CPUs; medians of {runs}")


if __name__ == "__main__":
    main()
