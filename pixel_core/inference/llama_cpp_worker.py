"""llama.cpp on the processor, for comparison: `python -I -m pixel_core.inference.llama_cpp_worker`, a child process.

xllamacpp carries it (the extra `embedded`). It is asked for the same tokens as our own worker and says what they took by its own clock.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import msgspec

from pixel_core.inference.measure_model import resident_bytes
from pixel_core.inference.messages import Measured, PeerRequest, Refusal, Taken
from pixel_core.inference.stopwatch import Stopwatch
from pixel_core.processes.child import Request, start_child

_request = msgspec.json.Decoder(PeerRequest)


class LlamaCppWorker:
    """Answers requests, keeping the model of the first one."""

    def __init__(self) -> None:
        self._server: Any = None

    def answer(self, request: Request) -> Measured | Refusal:
        """The reply to a request."""
        asked = _request.decode(request.body)
        try:
            if self._server is None:
                self._server = _serve(asked)
            return _measure(self._server, asked)
        except ImportError:
            return Refusal(kind="environment", message="llama.cpp is not installed", hint="pip install 'pixel-lsp[embedded]'")
        except Exception as problem:  # noqa: BLE001 - native code may raise anything, and the parent has to be told
            return Refusal(kind="model", message=f"llama.cpp: {problem}")


def _serve(asked: PeerRequest) -> object:
    # An extra, which need not be installed where this is type-checked.
    xllamacpp: Any = importlib.import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = asked.path
    parameters.n_ctx = asked.context_tokens
    parameters.n_parallel = 1
    parameters.port = 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = asked.threads
    parameters.ui = False
    parameters.verbosity = 1
    return xllamacpp.Server(parameters)


def _measure(server: Any, asked: PeerRequest) -> Measured:
    watch = Stopwatch()
    reply: dict[str, Any] = server.handle_completions(
        {
            "prompt": list(asked.prompt),
            # Its first token comes of the prompt, as with ours, and is not timed.
            "n_predict": asked.reply_tokens + 1,
            "temperature": 0,
            "ignore_eos": True,
            "cache_prompt": False,
        }
    )
    cpu = watch.read().cpu
    if "timings" not in reply:
        raise RuntimeError(str(reply.get("message") or reply.get("error") or "an answer without timings")[:300])
    prompt, written = (reply["timings"][f"{one}_ms"] / 1000 for one in ("prompt", "predicted"))
    # Processor seconds are known of both together only.
    share = cpu / (prompt + written)
    resident = resident_bytes()
    return Measured(prompt=Taken(wall=prompt, cpu=prompt * share), reply=Taken(wall=written, cpu=written * share), resident_bytes=resident)


def main(arguments: list[str]) -> None:
    """Limit this process, then answer requests until the parent closes its end."""
    start_child(arguments).serve(LlamaCppWorker().answer)


if __name__ == "__main__":
    main(sys.argv[1:])
