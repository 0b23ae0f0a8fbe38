"""`pixel-lsp bench MODEL`: how fast a model reads and writes, which kernels that takes, and how fast llama.cpp is."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pixel_core.errors import PixelError
from pixel_core.inference.llama_cpp_process import LlamaCppProcess
from pixel_core.inference.messages import BackendName, ModelSource
from pixel_core.inference.model_benchmark import ModelBenchmark
from pixel_core.inference.model_process import ModelProcess
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_model_benchmark import render_model_benchmark


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchModelCommand:
    """What the command line asks for.

    Attributes:
        path: A GGUF or PXI file.
        backend: What computes.
        prompt_tokens: Of each prompt, which are any tokens.
        reply_tokens: Of each reply.
        rounds: How often.
        form: `text` or `json`.
        color: False for none; True leaves it to the terminal and `NO_COLOR`.
    """

    path: Path
    backend: BackendName = "auto"
    prompt_tokens: int = 128
    reply_tokens: int = 32
    rounds: int = 5
    form: str = "text"
    color: bool = True


def bench_model(command: BenchModelCommand) -> int:
    """Time the model and say what came of it on standard output. Returns the exit code.

    Raises:
        PixelError: The model cannot be used, or its process ended.
    """
    benchmark = asyncio.run(_measured(command))
    if command.form == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(benchmark), indent=2).decode() + "\n")
    else:
        console = open_console(color=command.color)
        console.print(render_model_benchmark(benchmark, medium_of(console, Path.cwd())), soft_wrap=True)
    return PASSED_CODE


async def _measured(command: BenchModelCommand) -> ModelBenchmark:
    path = command.path.absolute()
    # What the caches take is the same for both; twice the prompt leaves room for batches that are filled up.
    context = 2 * command.prompt_tokens + command.reply_tokens + 1
    async with AsyncExitStack() as stack:
        ours = ModelProcess(ModelSource(path=str(path), backend=command.backend, context_tokens=context))
        stack.push_async_callback(ours.close)
        facts = await ours.load()
        prompt = [(100 + 7919 * index) % facts.vocabulary_size for index in range(command.prompt_tokens)]
        gguf = path
        if path.suffix == ".pxi":
            # Loads numpy.
            from pixel_core.weights.convert_model import convert_model

            gguf = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pixel-lsp-"))) / f"{path.stem}.gguf"
            await asyncio.to_thread(convert_model, path, gguf)
        peer = LlamaCppProcess(gguf, context_tokens=context, threads=_processors())
        stack.push_async_callback(peer.close)
        measured, compared, absence = [], [], ""
        for turn in range(command.rounds + 1):  # the first one compiles
            own = await ours.measure(prompt, command.reply_tokens)
            other = None
            if not absence:
                try:
                    other = await peer.measure(prompt, command.reply_tokens)
                except PixelError as problem:
                    absence = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            if turn:
                measured.append(own)
                compared += [other] if other is not None else []
        split = await ours.split(command.prompt_tokens)
    return ModelBenchmark(
        facts=facts,
        file_bytes=path.stat().st_size,
        prompt_tokens=command.prompt_tokens,
        reply_tokens=command.reply_tokens,
        processors=_processors(),
        rounds=tuple(measured),
        kernels=split.kernels,
        llama_cpp=tuple(compared),
        llama_cpp_absence=absence,
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
