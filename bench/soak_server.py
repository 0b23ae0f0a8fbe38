"""What do 50 clients at once do to `pixel-lsp serve`: slow readers, clients that hang up, impatient ones? Memory after every round.

.venv/bin/python bench/soak_server.py [--clients 50] [--rounds 20] [MODEL.gguf]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from model_testing.random_models import RandomModel, write_random_model

TOKEN = "a-token-of-the-soak-test"
KINDS = ("whole", "stream", "slow", "hangs up", "impatient")


def main() -> None:
    """Run the rounds and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shape = RandomModel(width=64, head_length=16, feed_forward=64, context=1024)
        model = options.model or write_random_model(Path(folder) / "tiny.gguf", shape)
        command = [sys.executable, "-m", "pixel_server.cli", "serve", str(model), "--backend", "reference", "--port", "8790"]
        server = subprocess.Popen(command, env={**os.environ, "PIXEL_LSP_TOKEN": TOKEN})
        try:
            asyncio.run(soak(server, options.clients, options.rounds))
        finally:
            server.terminate()
            server.wait()


async def soak(server: subprocess.Popen[bytes], clients: int, rounds: int) -> None:
    """Let clients come in rounds."""
    limits = httpx.Limits(max_connections=None)
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url="http://127.0.0.1:8790/v1", headers=headers, timeout=600, limits=limits) as client:
        while True:
            try:
                models = await client.get("/models")
                break
            except httpx.TransportError:
                assert server.poll() is None, "the server ended"
                await asyncio.sleep(0.2)
        models.raise_for_status()
        model = str(models.json()["data"][0]["id"])
        outcomes: Counter[str] = Counter()
        for number in range(rounds):
            chooser = random.Random(number)
            started = time.perf_counter()
            results = await asyncio.gather(
                *(ask(client, model, KINDS[one % len(KINDS)], chooser.randrange(1 << 30)) for one in range(clients))
            )
            outcomes.update(results)
            seconds = time.perf_counter() - started
            print(f"round {number + 1}: {seconds:5.1f} s, {resident(server.pid)}; {dict(outcomes)}", flush=True)
        assert server.poll() is None, "the server ended"


async def ask(client: httpx.AsyncClient, model: str, kind: str, seed: int) -> str:
    """One client, and what it saw."""
    chooser = random.Random(seed)
    body = {"model": model, "prompt": "the " * chooser.randrange(1, 40), "max_tokens": 24, "seed": seed % 1000, "stream": kind != "whole"}
    try:
        if kind == "whole":
            reply = await client.post("/completions", json=body)
            return f"{kind} {reply.status_code}"
        patience = chooser.uniform(0.01, 1.0) if kind == "impatient" else 600.0
        async with client.stream("POST", "/completions", json=body, timeout=patience) as reply:
            async for line in reply.aiter_lines():
                if kind == "slow":
                    await asyncio.sleep(0.05)
                if kind == "hangs up" and line and chooser.random() < 0.2:
                    return f"{kind} amid it"
            return f"{kind} {reply.status_code}"
    except httpx.TimeoutException:
        return f"{kind}, gave up"


def resident(server: int) -> str:
    """MiB of the server and of its children."""
    pids = [server]
    for pid in pids:  # grows while it is read
        pids += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    sizes = [
        next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")).split()[1] for pid in pids
    ]
    descriptors = len(list(Path(f"/proc/{server}/fd").iterdir()))
    return f"resident MiB {' '.join(str(int(size) >> 10) for size in sizes)}, {descriptors} descriptors"


if __name__ == "__main__":
    main()
