"""What a workspace of 10,000 files costs a server, beside an empty one; and what a folder check makes of it.

    python bench/large_workspace.py [--files 10000]

One run makes the workspace in a temporary folder and prints everything. The client does not watch files itself, which is the worse case:
then the server has to.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))

from lsprotocol import types  # noqa: E402

from lsp_testing.editor import Editor, descendants, editor  # noqa: E402
from lsp_testing.large_workspace import KERNEL, make_large_workspace  # noqa: E402

CAPABILITIES = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf16]),
    text_document=types.TextDocumentClientCapabilities(
        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(version_support=True)
    ),
)
FLOOD = 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty, large = Path(folder, "empty"), Path(folder, "large")
        empty.mkdir()
        begin = time.perf_counter()
        made = make_large_workspace(large, arguments.files)
        print(f"{made} made in {time.perf_counter() - begin:.1f} s")
        for round_number in (1, 2):
            for name, workspace in (("empty", empty), ("large", large)):
                asyncio.run(session(f"{name}, round {round_number}", workspace, Path(folder, f"state {name}")))
        asyncio.run(many_folders(large, Path(folder, "state")))
        terminal(large)


async def session(name: str, workspace: Path, state: Path) -> None:
    """One server from its start to a verdict, then a flood of events."""
    path = workspace / "opened.wgsl"
    path.write_text(KERNEL, encoding="utf-8")
    begin = time.perf_counter()
    async with editor(CAPABILITIES, workspace, state, {"trusted": True, "python": sys.executable}) as client:
        started = time.perf_counter() - begin
        idle = resident(client.process_id)
        begin = time.perf_counter()
        uri = client.open(path, KERNEL)
        await until_told(client, uri)
        told = time.perf_counter() - begin
        await client.until_verdict(uri, "passed")
        ran = time.perf_counter() - begin
        opened = resident(client.process_id)
        print(
            f"{name}: initialize {started * 1e3:.0f} ms, first diagnostics {told * 1e3:.0f} ms, verdict {ran:.2f} s; "
            f"server {idle:.1f} MiB, {opened:.1f} MiB after the verdict, {len(descendants(client.process_id))} child processes, "
            f"{watching(client.process_id)}"
        )
        await flood(client, workspace, uri)


async def flood(client: Editor, workspace: Path, uri: str) -> None:
    """Many files of the open shader's folder change at once."""
    files = [workspace / f"flood_{number}.{ending}" for number in range(FLOOD // 2) for ending in ("wgsl", "py")]
    before = processor_s(client.process_id)
    begin = time.perf_counter()
    for file in files:
        file.write_text("// x\n", encoding="utf-8")
    wrote = time.perf_counter() - begin
    slowest = 0.0
    quiet_since = time.perf_counter()
    used = processor_s(client.process_id)
    while time.perf_counter() - quiet_since < 0.5:
        asked = time.perf_counter()
        await client.hover(uri, 6, 50)
        slowest = max(slowest, time.perf_counter() - asked)
        await asyncio.sleep(0.05)
        if (now := processor_s(client.process_id)) - used > 0.03:
            quiet_since, used = time.perf_counter(), now
    busy = max(quiet_since - begin - wrote, 0)
    for file in files:
        file.unlink()
    cost = processor_s(client.process_id) - before
    print(
        f"    {FLOOD:,} files written in {wrote * 1e3:.0f} ms: busy for {busy:.2f} s after that, {cost:.2f} s CPU; "
        f"slowest hover {slowest * 1e3:.0f} ms"
    )


async def many_folders(workspace: Path, state: Path) -> None:
    """Shaders of many folders are open at once, and one that is too large."""
    async with editor(CAPABILITIES, workspace, state, {"trusted": False}) as client:
        folders = sorted(workspace.glob("source/part_*"))
        paths = [path for folder in folders for path in sorted(folder.iterdir())[:3]]
        before = resident(client.process_id)
        begin = time.perf_counter()
        for path in paths:
            client.open(path, path.read_text(encoding="utf-8"))
        for path in paths:
            await until_told(client, path.as_uri())
        took = time.perf_counter() - begin
        after = resident(client.process_id)
        print(
            f"{len(paths)} shaders of {len({path.parent for path in paths})} folders opened: told of all after {took:.2f} s; "
            f"server {before:.1f} → {after:.1f} MiB, {watching(client.process_id)}"
        )
        big = workspace / "big.wgsl"
        text = big.read_text(encoding="utf-8")
        begin = time.perf_counter()
        uri = client.open(big, text)
        await until_told(client, uri)
        took = time.perf_counter() - begin
        shown = [(one.code, one.message) for one in client.published[-1].diagnostics][:3]
        print(f"{len(text) >> 20} MiB opened: {shown} after {took:.2f} s; server {resident(client.process_id):.0f} MiB")


def terminal(workspace: Path) -> None:
    """`pixel-lsp check` of the folder, with and without running."""
    for flags in (["--untrusted"], []):
        begin = time.perf_counter()
        command = (sys.executable, "-m", "pixel_server.cli", "check", ".", "--format", "json", *flags)
        process = subprocess.Popen(
            ("/usr/bin/env", "time", "-v", *command) if has_time() else command,
            cwd=workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = process.communicate()
        took = time.perf_counter() - begin
        report = json.loads(output)
        most = re.search(rb"Maximum resident set size \(kbytes\): (\d+)", errors)
        held = f", at most {int(most[1]) / 1024:.0f} MiB" if most else ""
        asked = " ".join(("pixel-lsp check .", *flags))
        print(f"`{asked}`: {took:.1f} s{held}; {report['summary']}, {len(report['findings'])} findings of files")


def has_time() -> bool:
    """Whether GNU time is here."""
    return Path("/usr/bin/time").exists()


async def until_told(client: Editor, uri: str) -> None:
    """Wait for the first diagnostics of a document."""
    while not any(one.uri == uri for one in reversed(client.published)):
        await asyncio.sleep(0.002)


def watching(process: int) -> str:
    """How many inotify watches and threads a process has."""
    instances = watches = 0
    for line in lines_of(process):
        watches += line.startswith("inotify wd")
    for file in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            instances += "inotify" in str(file.readlink())
    threads = status(process, "Threads")
    return f"{watches} inotify watches in {instances} instances, {threads} threads"


def lines_of(process: int) -> Iterator[str]:
    """What the kernel says of a process's files."""
    for file in Path(f"/proc/{process}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            yield from file.read_text(encoding="utf-8").splitlines()


def status(process: int, key: str) -> int:
    """A number of `/proc/PID/status`."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{key}:"))


def resident(process: int) -> float:
    """Resident MiB of a process."""
    return status(process, "VmRSS") / 1024


def processor_s(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
