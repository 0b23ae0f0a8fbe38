"""A model on pixel-lsp's own runtime: its weights are pixels, its kernels are the ones that pixel-lsp proves. Nothing else to install."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply, Usage
from pixel_coach.agents.finish_within import finish_within
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, ReplyCut
from pixel_coach.settings import AgentSettings
from pixel_core.errors import ContextFull, ModelFileError, ModelProcessEnded, ModelUnusable, PixelError
from pixel_core.inference.find_model import find_model
from pixel_core.inference.messages import ChatMessage, GenerateRequest, ModelSource, Outcome, SamplingOptions
from pixel_core.inference.model_process import ModelProcess

INSTALL: Final = "pip install 'pixel-lsp[inference]'"
_PACKAGES: Final = ("jinja2", "llguidance", "tokenizers")
_SUFFIXES: Final = (".gguf", ".pxi")


class PixelAgent:
    """The model of a GGUF or PXI file, in a child process that starts with the first prompt and ends with `close`, or with this process."""

    def __init__(self, settings: AgentSettings, log: Log) -> None:
        """Prepare; nothing is started yet.

        Args:
            settings: `model` is the path of a file, or the name of a model that a package carries.
            log: Told of each request and reply.
        """
        self._settings = settings
        self._log = log
        self._process: ModelProcess | None = None
        self._context_tokens = settings.context_tokens or 0

    @property
    def name(self) -> str:
        """`pixel`."""
        return "pixel"

    @property
    def takes_grammar(self) -> bool:
        """Replies can be held to one."""
        return True

    @property
    def process_id(self) -> int | None:
        """Of the model's process, while it runs."""
        return None if self._process is None else self._process.process_id

    async def is_available(self) -> Availability:
        """Look whether the packages and the file are there; starts nothing. Never raises."""
        model = self._settings.model or ""
        try:
            path = self._find_model()
        except AgentError as problem:
            return Availability(
                agent=self.name, is_available=False, reason=problem.message, hint=problem.hint or "", model=Path(model).name
            )
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"pixel-lsp itself can run {path}",
            model=path.name,
            context_tokens=self._context_tokens,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt, after loading the model where it is not loaded.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await finish_within(self._settings.timeout_s, self._ask(prompt, on_text), "pixel-lsp's own model")

    async def close(self) -> None:
        """End the model's process."""
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def _ask(self, prompt: Prompt, on_text: OnText | None) -> Reply:
        path = self._find_model()
        source = ModelSource(path=str(path), context_tokens=self._settings.context_tokens or 0)
        if self._process is None:
            self._process = ModelProcess(source)
        request = GenerateRequest(
            model=source,
            messages=(ChatMessage(role="system", content=prompt.system), ChatMessage(role="user", content=prompt.user)),
            max_tokens=prompt.max_tokens,
            sampling=SamplingOptions(temperature=prompt.temperature, seed=prompt.seed),
            stop=prompt.stop,
            json_schema=None if prompt.json_schema is None else dict(prompt.json_schema),
            grammar=prompt.grammar,
        )
        self._log({"event": "request", "agent": self.name, "model": path.name, "system": prompt.system, "user": prompt.user})
        try:
            outcome = await self._process.generate(request, on_text)
        except PixelError as problem:
            raise _explain(problem) from problem
        assert outcome is not None, "only cancelling withdraws the request, and that raises"
        self._log({"event": "reply", "agent": self.name, "text": outcome.text, "reason": outcome.reason})
        self._context_tokens = outcome.facts.context_tokens
        return _reply(outcome, path.name)

    def _find_model(self) -> Path:
        absent = [package for package in _PACKAGES if importlib.util.find_spec(package) is None]
        if absent:
            raise AgentUnavailable(f"not installed, and needed to run models: {', '.join(absent)}", hint=INSTALL)
        wanted = self._settings.model
        if not wanted:
            raise AgentUnavailable(
                "the service `pixel` needs a model",
                hint="set `model` under [generator] in coach.toml to the path of a .gguf or .pxi file, or to smollm2",
            )
        path = Path(wanted).expanduser()
        try:
            path = path if path.suffix in _SUFFIXES or path.exists() else find_model(wanted)
            with path.open("rb") as file:
                magic = file.read(4)
        except ModelFileError as problem:
            raise AgentUnavailable(problem.message, hint=problem.hint) from problem
        except OSError as problem:
            raise AgentUnavailable(
                f"the model {path} cannot be read: {problem.strerror or problem}", hint="check `model` under [generator] in coach.toml"
            ) from problem
        if not magic.startswith((b"GGUF", b"PXI")):
            raise AgentUnavailable(f"{path} is neither a GGUF nor a PXI file", hint="check `model` under [generator] in coach.toml")
        return path.resolve()


def _reply(outcome: Outcome, model: str) -> Reply:
    usage = Usage(
        prompt_tokens=outcome.prompt_tokens,
        reply_tokens=outcome.reply_tokens,
        cached_tokens=outcome.cached_tokens,
        seconds=outcome.prompt_seconds + outcome.reply_seconds,
    )
    detail = {"finish_reason": outcome.reason, "backend": outcome.facts.backend}
    return Reply(text=outcome.text, is_complete=outcome.reason == "stop", model=model, usage=usage, detail=detail)


def _explain(problem: PixelError) -> AgentError:
    if isinstance(problem, ContextFull):
        return PromptTooLong(problem.message, hint="raise `context_tokens` in coach.toml, or take files out of the task")
    if isinstance(problem, ModelProcessEnded):
        return ReplyCut(problem.message, hint=problem.hint)
    if isinstance(problem, ModelUnusable):
        return AgentUnavailable(problem.message, hint=problem.hint)
    return AgentError(problem.message, hint=problem.hint)
