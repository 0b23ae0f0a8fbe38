"""What was measured of a model."""

from __future__ import annotations

import msgspec

from pixel_core.inference.messages import KernelTime, Measured, ModelFacts


class ModelBenchmark(msgspec.Struct, frozen=True, kw_only=True):
    """Rounds of prompt and reply, and llama.cpp's in turns with them.

    Attributes:
        facts: Of the model.
        file_bytes: Of its file.
        prompt_tokens: Of each prompt.
        reply_tokens: Of each reply.
        processors: That both may use; llama.cpp has a thread on each.
        rounds: Ours.
        kernels: Of one token after a prompt, the longest first; none where no kernels compute.
        llama_cpp: Its rounds; none where it cannot be asked.
        llama_cpp_absence: Why; empty where it was.
    """

    facts: ModelFacts
    file_bytes: int
    prompt_tokens: int
    reply_tokens: int
    processors: int
    rounds: tuple[Measured, ...]
    kernels: tuple[KernelTime, ...]
    llama_cpp: tuple[Measured, ...]
    llama_cpp_absence: str
