"""`pixel-lsp generate`: a prompt's continuation on standard output, as it comes."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final, TextIO

import msgspec

from pixel_core.errors import RequestRefused
from pixel_core.inference.find_model import find_model
from pixel_core.inference.messages import BackendName, ChatMessage, GenerateRequest, ModelSource, Outcome, SamplingOptions
from pixel_core.inference.model_process import ModelProcess
from pixel_server.exit_codes import INTERRUPTED_CODE, PASSED_CODE, TERMINATED_CODE
from pixel_server.terminal.medium import Medium

_LONGEST_PROMPT: Final = 1 << 24
"""Characters taken from standard input; far more than any context holds."""


class GenerateCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        path: A GGUF or PXI file; None where `model` names one.
        model: Of an installed package.
        prompt: None reads standard input.
        system: Instructions before the message; None for none.
        is_chat: The prompt is a message.
        max_tokens: Of the reply; 0 for as many as the context takes.
        sampling: How tokens are chosen.
        stop: Texts that end the reply.
        backend: What computes.
        context_tokens: Of prompt and reply; 0 for what the model was made for, 8,192 at most.
    """

    path: str | None
    model: str | None = None
    prompt: str | None = None
    system: str | None = None
    is_chat: bool = False
    max_tokens: int = 256
    sampling: SamplingOptions = msgspec.field(default_factory=SamplingOptions)
    stop: tuple[str, ...] = ()
    backend: BackendName = "auto"
    context_tokens: int = 0


def generate(command: GenerateCommand) -> int:
    """Write the reply to standard output and its speed to standard error. Returns the exit code.

    Raises:
        PixelError: The model or the prompt cannot be used, or the model's process ended.
    """
    path = find_model(command.model) if command.model is not None else Path(command.path or "").absolute()
    if command.system is not None and not command.is_chat:
        raise RequestRefused("--system is for conversations", hint="add --chat")
    prompt = sys.stdin.read(_LONGEST_PROMPT) if command.prompt is None else command.prompt
    source = ModelSource(path=str(path), backend=command.backend, context_tokens=command.context_tokens)
    system = () if command.system is None else (ChatMessage(role="system", content=command.system),)
    request = GenerateRequest(
        model=source,
        prompt=None if command.is_chat else prompt,
        messages=(*system, ChatMessage(role="user", content=prompt)) if command.is_chat else (),
        max_tokens=command.max_tokens,
        sampling=command.sampling,
        stop=command.stop,
    )
    return asyncio.run(_generate(source, request))


async def _generate(source: ModelSource, request: GenerateRequest) -> int:
    cancel = asyncio.Event()
    code = PASSED_CODE

    def stop(because: int) -> None:
        nonlocal code
        code = because
        cancel.set()

    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, stop, INTERRUPTED_CODE)
        loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED_CODE)
    shown = _Shown(sys.stdout)
    process = ModelProcess(source)
    try:
        outcome = await process.generate(request, shown.write, cancel)
    finally:
        await process.close()
    shown.finish()
    if outcome is not None:
        sys.stderr.write(f"{_speed(outcome)}\n")
    return code


class _Shown:
    """The reply on standard output. A terminal is shown no escape sequences: a model may write anything."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._medium = Medium(encoding=stream.encoding or "utf-8") if stream.isatty() else None
        self._last = "\n"

    def write(self, text: str) -> None:
        self._stream.write(text if self._medium is None else self._medium.printable(text))
        self._stream.flush()
        self._last = text[-1:] or self._last

    def finish(self) -> None:
        if self._last != "\n":
            self._stream.write("\n")
        self._stream.flush()


def _speed(outcome: Outcome) -> str:
    read = outcome.prompt_tokens - outcome.cached_tokens
    # The first token comes of the prompt's logits.
    steps = max(outcome.reply_tokens - 1, 0)
    return (
        f"{outcome.facts.name} on {outcome.facts.backend}: loaded in {outcome.facts.load_seconds:.2f} s, "
        f"{_rate(read, outcome.prompt_seconds)} of prompt, {_rate(steps, outcome.reply_seconds)} of reply"
        + ("" if outcome.reason == "stop" else f" ({_CUT[outcome.reason]})")
    )


_CUT: Final = {"length": "cut at its length", "cancelled": "withdrawn"}


def _rate(tokens: int, seconds: float) -> str:
    return f"{tokens:,} tokens at {tokens / seconds:.1f}/s" if tokens and seconds > 0 else f"{tokens:,} tokens"
