"""How long an editor waits: initialize, keystroke → findings, save → verdict, hover during a slow check; and what the processes hold.

    python bench/lsp_latency.py [--saves 1000] [--keystrokes 40]

One run prints everything, with `pixel-lsp check` of the same file beside the saves.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), arguments.saves, arguments.keystrokes))


async def run(folder: Path, saves: int, keystrokes: int) -> None:
    """Measure everything in one session."""
    modules = subprocess.run((sys.executable, "-c", LOADED), capture_output=True, encoding="utf-8", check=True).stdout.split()
    begin = time.perf_counter()
    async with editor(CAPABILITIES, folder, folder / "state", {"trusted": True, "python": sys.executable}) as client:
        started = time.perf_counter() - begin
        print(f"initialize answered after {started:.2f} s; {modules[0]} modules imported by then, numpy and wgpu: {modules[1:] or 'no'}")
        for lines in (50, 800, 5000):
            await keystroke(client, folder, lines, keystrokes)
        await save(client, folder, saves)
        await hover(client, folder)


async def keystroke(client: Editor, folder: Path, lines: int, count: int) -> None:
    """From a change to the findings of its version."""
    text = SHADER
    while text.count("\n") < lines:
        text += FUNCTION.format(number=text.count("\n"))
    uri = client.open(folder / f"typing_{lines}.wgsl", text)
    await client.until(lambda: any(one.uri == uri for one in client.published))
    end = types.Position(text.count("\n") + 1, 0)
    took: list[float] = []
    for version in range(2, 2 + count):
        begin = time.perf_counter()
        client.change(uri, version, "x", types.Range(end, end)) if version == 2 else client.change(uri, version, text + f"\nx{version}")
        await published(client, uri, version)
        took.append(time.perf_counter() - begin)
    client.close(uri)
    print(f"keystroke → findings, {lines:5,} lines: {quantiles(took)} (100 ms of it wait for the next keystroke)")


async def save(client: Editor, folder: Path, count: int) -> None:
    """From a save of a new text to its verdict, and what the processes hold then."""
    path = folder / "saved.wgsl"
    path.write_text(SHADER, encoding="utf-8")
    begin = time.perf_counter()
    terminal = subprocess.run((sys.executable, "-m", "pixel_server.cli", "check", str(path)), capture_output=True, check=False)
    in_terminal = time.perf_counter() - begin
    assert terminal.returncode == 0, terminal.stdout
    begin = time.perf_counter()
    uri = client.open(path, SHADER)
    await client.until_verdict(uri, "passed")
    cold = time.perf_counter() - begin
    took: list[float] = []
    held = {0: memory(client)}
    for number in range(1, count + 1):
        text = f"{SHADER}// {number}\n"
        client.change(uri, number + 1, text)
        begin = time.perf_counter()
        client.save(uri)
        await client.command("pixel-lsp.check", uri, None, None)
        took.append(time.perf_counter() - begin)
        if number in (count // 10, count):
            held[number] = memory(client)
    client.close(uri)
    print(f"save → verdict: first {cold:.2f} s, then {quantiles(took)}; `pixel-lsp check` of the same file {in_terminal:.2f} s")
    for number, (server, workers) in held.items():
        print(f"memory after {number:5,} saves: server {server:.0f} MiB, workers {workers:.0f} MiB")


async def hover(client: Editor, folder: Path) -> None:
    """Hovers while a reference sleeps."""
    (folder / "ref.py").write_text("import time\ndef slow(N):\n    time.sleep(10)\n    return {'y': None}\n", encoding="utf-8")
    path = folder / "slow.wgsl"
    path.write_text(SLOW, encoding="utf-8")
    uri = client.open(path, SLOW)
    while not (await client.report(uri))["checking"]:
        await asyncio.sleep(0.05)
    took: list[float] = []
    for _ in range(100):
        begin = time.perf_counter()
        assert await client.hover(uri, 7, 32) is not None
        took.append(time.perf_counter() - begin)
        await asyncio.sleep(0.02)
    client.close(uri)
    print(f"hover while a 10 s check runs: {quantiles(took)}, slowest {max(took) * 1e3:.1f} ms")


async def published(client: Editor, uri: str, version: int) -> None:
    """Wait for the findings of a version."""
    while not any(one.uri == uri and one.version == version for one in reversed(client.published[-8:])):
        await asyncio.sleep(0.001)


def memory(client: Editor) -> tuple[float, float]:
    """Resident MiB of the server and of its children."""
    children = descendants(client.process_id)
    return resident(client.process_id), sum(resident(child) for child in children)


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
