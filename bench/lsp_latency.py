"""How long an editor waits, and what the server's processes hold.

    python bench/lsp_latency.py [--saves 1000] [--keystrokes 40] [--cold 10]

One run prints everything: `initialize`, keystroke → findings and hovers while typing, save → verdict cold and warm beside
`pixel-lsp check` of the same file, memory over the saves, hovers during a slow check. Times are wall time, seen from the editor's end;
beside them stand the server's CPU time, and the same round trip to a process that only echoes, which tells how busy the machine is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from lsprotocol import types  # noqa: E402

from lsp_testing.editor import Editor, descendants, editor  # noqa: E402

SHADER = (REPOSITORY / "shaders" / "dot_product.wgsl").read_text(encoding="utf-8")
FUNCTION = """
fn more_{number}(x: f32, y: u32) -> f32 {{
    var total = x;
    for (var i = 0u; i < y; i++) {{
        total = total * 1.5 + f32(i);
    }}
    return total;
}}
"""
SLOW = """//! [slow]
//! dims = "N"
//! shapes = { y = "N" }
//! dispatch = "N"
//! reference = "ref.py:slow"
//! cases = ["N=4"]
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn slow(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = 1.0; }
"""
LOADED = """
import io, os, sys, threading
import pixel_server.serve as serve
from pixel_server.app import PixelServer
PixelServer()
print(len(sys.modules), *sorted({"numpy", "wgpu"} & {name.partition(".")[0] for name in sys.modules}))
"""
ECHO = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.buffer.flush()"
CAPABILITIES = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16]),
    text_document=types.TextDocumentClientCapabilities(
        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(version_support=True)
    ),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=1000)
    parser.add_argument("--keystrokes", type=int, default=40)
    parser.add_argument("--cold", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder).resolve(), arguments.saves, arguments.keystrokes, arguments.cold))


async def run(folder: Path, saves: int, keystrokes: int, cold: int) -> None:
    """Measure everything; all but the cold starts in one session."""
    modules = subprocess.run((sys.executable, "-c", LOADED), capture_output=True, encoding="utf-8", check=True).stdout.split()
    begin = time.perf_counter()
    async with server(folder) as client:
        started = time.perf_counter() - begin
        heavy = ", ".join(modules[1:]) or "neither numpy nor wgpu"
        print(f"initialize answered {started * 1e3:.0f} ms after the start of the process; {modules[0]} modules by then, {heavy}")
        for lines in (50, 800, 5000):
            await keystroke(client, folder, lines, keystrokes)
        echo = await Echo.start()
        await hover_while_typing(client, folder, 5000, echo)
        await hover_while_checking(client, folder, echo)
        await echo.close()
    await cold_save(folder, cold)
    async with server(folder) as client:
        await warm_saves(client, folder, saves)


def server(folder: Path) -> AbstractAsyncContextManager[Editor]:
    """A server for a trusted workspace."""
    return editor(CAPABILITIES, folder, folder / "state", {"trusted": True, "python": sys.executable})


def long_text(lines: int) -> str:
    """A shader of at least so many lines; with a contract, unless it is short."""
    text = SHADER if lines > 100 else FUNCTION.format(number=0)
    while text.count("\n") < lines:
        text += FUNCTION.format(number=text.count("\n"))
    return text


def place_in_the_middle(text: str) -> types.Range:
    """Behind a number in the function in the middle of a text."""
    lines = text.split("\n")
    found = [number for number, line in enumerate(lines) if "1.5" in line]
    line = found[len(found) // 2]
    character = lines[line].index("1.5") + 3
    return types.Range(types.Position(line, character), types.Position(line, character))


async def keystroke(client: Editor, folder: Path, lines: int, count: int) -> None:
    """From a change to the findings of its version."""
    text = long_text(lines)
    uri = client.open(folder / f"typing_{lines}.wgsl", text)
    await published(client, uri, 1)
    await settled(client, uri)
    place = place_in_the_middle(text)
    took: list[float] = []
    spent = cpu_seconds(client.process_id)
    for version in range(2, 2 + count):
        begin = time.perf_counter()
        client.change(uri, version, "5", place)
        await published(client, uri, version)
        took.append(time.perf_counter() - begin)
    client.close(uri)
    cpu = (cpu_seconds(client.process_id) - spent) / count
    title = f"keystroke → findings, {text.count(chr(10)):5,} lines"
    print(f"{title}: {quantiles(took)} (100 ms of it wait for the next keystroke); {cpu * 1e3:.0f} ms CPU")


async def hover_while_typing(client: Editor, folder: Path, lines: int, echo: Echo) -> None:
    """Hovers over an entry point while somebody types further down: as fast as the analysis allows, and at the pace of a hand."""
    text = long_text(lines)
    uri = client.open(folder / "typing.wgsl", text)
    await published(client, uri, 1)
    await settled(client, uri)
    place = place_in_the_middle(text)
    entry = next(number for number, line in enumerate(text.split("\n")) if line.startswith("fn sum_products"))
    version = 1
    for pause_s in (0.08, 0.2):
        took: list[float] = []
        echoed: list[float] = []
        until = time.perf_counter()
        while len(took) < 100:
            if time.perf_counter() >= until:
                version += 1
                client.change(uri, version, "5", place)
                until = time.perf_counter() + pause_s
            begin = time.perf_counter()
            assert await client.hover(uri, entry, 5) is not None
            took.append(time.perf_counter() - begin)
            echoed.append(await echo.round_trip())
            await asyncio.sleep(0.03)
        title = f"hover in {lines:,} lines, a key each {pause_s * 1e3:.0f} ms"
        print(f"{title}: {quantiles(took)}, slowest {max(took) * 1e3:.0f} ms; echo {quantiles(echoed)}")
    client.close(uri)


async def cold_save(folder: Path, count: int) -> None:
    """The first save in a server that has just started, beside the terminal command on the same file; one after the other."""
    path = folder / "cold.wgsl"
    path.write_text(SHADER, encoding="utf-8")
    from_start: list[float] = []
    from_save: list[float] = []
    in_terminal: list[float] = []
    for _ in range(count):
        begin = time.perf_counter()
        terminal = subprocess.run((sys.executable, "-m", "pixel_server.cli", "check", str(path)), capture_output=True, check=False)
        in_terminal.append(time.perf_counter() - begin)
        assert terminal.returncode == 0, terminal.stdout
        begin = time.perf_counter()
        async with server(folder) as client:
            saved = time.perf_counter()
            uri = client.open(path, SHADER)
            client.save(uri)
            await verdict(client, uri, 1)
            from_start.append(time.perf_counter() - begin)
            from_save.append(time.perf_counter() - saved)
    print(f"first save → verdict, {count} fresh servers: {quantiles(from_save)}; from the start of the server {quantiles(from_start)}")
    print(f"`pixel-lsp check` of the same file, from start to exit: {quantiles(in_terminal)}")


async def warm_saves(client: Editor, folder: Path, count: int) -> None:
    """From a save of a new text to its verdict, and what the processes hold."""
    path = folder / "saved.wgsl"
    path.write_text(SHADER, encoding="utf-8")
    uri = client.open(path, SHADER)
    await verdict(client, uri, 1)
    took: list[float] = []
    print("resident MiB after so many saves (server, each worker):")
    held: list[str] = []
    for number in range(1, count + 1):
        client.change(uri, number + 1, f"{SHADER}// {number}\n")
        begin = time.perf_counter()
        client.save(uri)
        await verdict(client, uri, number + 1)
        took.append(time.perf_counter() - begin)
        if number % max(count // 20, 1) == 0:
            client.published.clear()
            held.append(f"{number:,}: {', '.join(f'{size:.0f}' for size in memory(client))}")
            print(f"  {held[-1]}", flush=True)
    client.close(uri)
    print(f"save → verdict, warm, {count:,} saves: {quantiles(took)}, slowest {max(took) * 1e3:.0f} ms")


async def hover_while_checking(client: Editor, folder: Path, echo: Echo) -> None:
    """Hovers while a reference sleeps."""
    (folder / "ref.py").write_text("import time\ndef slow(N):\n    time.sleep(10)\n    return {'y': None}\n", encoding="utf-8")
    path = folder / "slow.wgsl"
    path.write_text(SLOW, encoding="utf-8")
    uri = client.open(path, SLOW)
    while not (await client.report(uri))["checking"]:
        await asyncio.sleep(0.05)
    took: list[float] = []
    echoed: list[float] = []
    for _ in range(100):
        begin = time.perf_counter()
        assert await client.hover(uri, 7, 32) is not None
        took.append(time.perf_counter() - begin)
        echoed.append(await echo.round_trip())
        await asyncio.sleep(0.02)
    client.close(uri)
    print(f"hover while a 10 s check runs: {quantiles(took)}, slowest {max(took) * 1e3:.0f} ms; echo {quantiles(echoed)}")


async def published(client: Editor, uri: str, version: int) -> None:
    """Wait for the findings of a version."""
    while not any(one.uri == uri and one.version == version for one in reversed(client.published[-8:])):
        await asyncio.sleep(0.001)


async def settled(client: Editor, uri: str) -> None:
    """Wait for the end of the check that opening a shader starts."""
    while (await client.report(uri))["checking"]:
        await asyncio.sleep(0.05)


async def verdict(client: Editor, uri: str, version: int) -> None:
    """Wait until the findings of a version are shown with a verdict: they are shown once before its kernels run, and once after."""
    while True:
        await published(client, uri, version)
        news = len(client.published)
        report = await client.report(uri)
        if report["current"] and not report["checking"]:
            assert [kernel["status"] for kernel in report["kernels"]] == ["passed"], report
            return
        while len(client.published) == news:
            await asyncio.sleep(0.001)


class Echo:
    """A process that sends back every line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> Echo:
        """Start one, and wait until it answers."""
        pipe = asyncio.subprocess.PIPE
        made = cls(await asyncio.create_subprocess_exec(sys.executable, "-c", ECHO, stdin=pipe, stdout=pipe))
        await made.round_trip()
        return made

    async def round_trip(self) -> float:
        """Seconds from a line to its echo."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        begin = time.perf_counter()
        self._process.stdin.write(b"hover\n")
        await self._process.stdout.readline()
        return time.perf_counter() - begin

    async def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


def cpu_seconds(process: int) -> float:
    """CPU time of a process, in user and system mode (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(client: Editor) -> list[float]:
    """Resident MiB of the server and of each of its children, oldest first."""
    return [resident(process) for process in (client.process_id, *sorted(descendants(client.process_id)))]


def resident(process: int) -> float:
    """Resident MiB of a process."""
    listing = subprocess.run(("ps", "-o", "rss=", "-p", str(process)), capture_output=True, encoding="utf-8", check=False).stdout
    return int(listing.strip() or 0) / 1024


def quantiles(seconds: list[float]) -> str:
    """Median and 95th percentile in milliseconds."""
    ordered = sorted(seconds)
    p50, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return f"p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms"


if __name__ == "__main__":
    main()
