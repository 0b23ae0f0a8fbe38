"""The child process of `embedded`: llama.cpp's own HTTP server, which xllamacpp carries, on a free port of the loopback interface.

Standard input brings one line of JSON, `ServerRequest`; standard output gives one back, `ServerReady`. When standard input ends, so
does this process, whatever happened to the one that started it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from pixel_core.processes.limits import die_with_parent, limit_process


class ServerRequest(msgspec.Struct):
    """What is to be served.

    Attributes:
        parent: Process id of the parent.
        model: Path of a GGUF file.
        context_tokens: Size of the context.
        threads: Of the processor.
        key: That every request must bring; other users of this machine can reach the port, too.
    """

    parent: int
    model: str
    context_tokens: int
    threads: int
    key: str


class ServerReady(msgspec.Struct):
    """Where it listens, or why it does not: one of the two is empty."""

    address: str = ""
    problem: str = ""


def main() -> None:
    """Serve until standard input ends."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    # llama.cpp prints to both streams.
    os.dup2(2, 1)
    request = msgspec.json.decode(incoming.readline(), type=ServerRequest)
    die_with_parent(request.parent)
    limit_process(None)
    ready = ServerReady()
    server: object = None
    try:
        server, ready.address = _serve(request)
    except Exception as problem:  # noqa: BLE001 - native code may raise anything, and the parent has to be told
        ready.problem = str(problem) or type(problem).__name__
    outgoing.write(msgspec.json.encode(ready) + b"\n")
    outgoing.flush()
    if server is not None:
        incoming.read()
    # Its threads would go on for a while, and nobody is left to ask them.
    os._exit(0)


def _serve(request: ServerRequest) -> tuple[object, str]:
    # An extra, which need not be installed where this is type-checked.
    xllamacpp: Any = importlib.import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(Path(request.model))
    parameters.n_ctx = request.context_tokens
    parameters.n_parallel = 1
    parameters.port = 0
    parameters.api_keys = [request.key]
    parameters.cpuparams.n_threads = request.threads
    parameters.cpuparams_batch.n_threads = request.threads
    # A request that is withdrawn while its prompt is read ends with the batch that is under way.
    parameters.n_batch = parameters.n_ubatch = 256
    parameters.ui = False
    parameters.verbosity = 1
    server = xllamacpp.Server(parameters)
    return server, str(server.listening_address)


if __name__ == "__main__":
    sys.exit(main())
