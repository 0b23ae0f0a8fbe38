"""What a user sets for the coach. Plain data; `read_settings` makes it of files, flags and variables.

Addresses, executables and the names of key variables are the user's alone: no workspace file can set them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.tasks import Limits

LOCAL_SERVICES: Final = ("ollama", "llama.cpp", "openai", "embedded", "pixel", "scripted")
REVIEW_SERVICES: Final = ("gemini", "gemini-cli", "scripted")


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which service answers, and how it is reached.

    Attributes:
        service: One of `LOCAL_SERVICES` for the generator, of `REVIEW_SERVICES` for the reviewer.
        url: Base address; None is the service's own default (`OLLAMA_HOST` or http://127.0.0.1:11434, http://127.0.0.1:8080, …).
        model: Name of the model, or the path of a model's file for `embedded` and `pixel` and of a script for `scripted`; None takes the
            first there is.
        context_tokens: Context to ask for; None is the service's own, at most 16,384.
        key_variable: Environment variable that holds the key; None is the service's own (`GEMINI_API_KEY`, then `GOOGLE_API_KEY`).
        program: Executable, for `gemini-cli`; None looks on PATH.
        timeout_s: For one whole reply.
        threads: Of the processor, for `embedded`; None is half of what the machine has.
    """

    service: str
    url: str | None = None
    model: str | None = None
    context_tokens: int | None = None
    key_variable: str | None = None
    program: Path | None = None
    timeout_s: float = 600.0
    threads: int | None = None


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a review judges.

    Attributes:
        id: Snake-case word.
        question: What the reviewer is asked.
        weight: Its share of the score, relative to the others.
    """

    id: str
    question: str
    weight: float = 1.0


CRITERIA: Final = (
    Criterion(id="pixel_concepts", question="Does it handle pixels, textures and spatial layout correctly, as far as the task needs them?"),
    Criterion(id="gpu_integration", question="Is it sound WGSL and host code: bindings, bounds, barriers, numeric range, portability?"),
    Criterion(id="production_quality", question="Are errors, edge cases, names and documentation fit for others to rely on?"),
    Criterion(id="vision_alignment", question="Does it serve the goal of the task rather than only its letter?"),
    Criterion(id="completeness", question="Is everything that the task asks for really there, with no stub, placeholder or special case?"),
)
"""The five criteria of a review, unless the settings name others."""


class CoachSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force.

    Attributes:
        generator: What writes; None looks for a running Ollama, then llama.cpp.
        reviewer: What reviews; None looks for a Gemini key, then for gemini-cli.
        is_review_wanted: False is the mode `local only`.
        candidates: Texts per round, selected by evidence.
        temperature: Of the first candidate; further ones are drawn warmer.
        limits: Upper bounds for every task; a task's own limits can only be smaller.
        dollars_per_day: Of all tasks together, per user.
        requests_per_day: To the reviewer, per user.
        protected: Globs that the coach never writes, besides those it never may.
        criteria: What a review judges.
        engine: As `pixel-lsp check --engine`.
        python: Interpreter for references and tests, as `--python`.
        prices: A price table besides the one that is shipped.
        playbooks: TOML files with phases, besides those that are shipped.
    """

    generator: AgentSettings | None = None
    reviewer: AgentSettings | None = None
    is_review_wanted: bool = True
    candidates: int = 1
    temperature: float = 0.2
    limits: Limits = msgspec.field(default_factory=Limits)
    dollars_per_day: float = 1.0
    requests_per_day: int = 200
    protected: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = CRITERIA
    engine: str = "auto"
    python: Path | None = None
    prices: Path | None = None
    playbooks: tuple[Path, ...] = ()
