"""The worker of a model: `python -I -m pixel_core.inference.worker`, a child process that holds weights, cache and device.

It loads a model with the first request that names it, and keeps it until another one is named.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from pixel_core.errors import ContextFull, ModelFileError, ModelUnusable, PixelError, RequestRefused
from pixel_core.inference.messages import LoadRequest, MeasureRequest, ModelSource, Refusal, SplitRequest, Text, WorkerReply, WorkerRequest
from pixel_core.processes.child import Request, start_child

if TYPE_CHECKING:
    from pixel_core.inference.language_model import LanguageModel

_MESSAGES: msgspec.json.Decoder[WorkerRequest] = msgspec.json.Decoder(WorkerRequest)


class ModelWorker:
    """Answers requests, keeping the model of the last one."""

    def __init__(self) -> None:
        self._model: LanguageModel | None = None

    def answer(self, request: Request) -> WorkerReply:
        """The reply to a request. What goes wrong is a `Refusal`."""
        try:
            message = _MESSAGES.decode(request.body)
            model = self._open(message.model)
            if isinstance(message, LoadRequest):
                return model.facts
            if isinstance(message, MeasureRequest):
                return model.measure(message)
            if isinstance(message, SplitRequest):
                return model.split(message)
            return model.answer(message, lambda text: request.send_event(Text(text=text)), request.is_cancelled)
        except PixelError as problem:
            return _refusal(problem)
        except MemoryError:
            return Refusal(kind="environment", message="the memory does not suffice for this model", hint="take a smaller model or context")
        except msgspec.MsgspecError as problem:
            return Refusal(kind="request", message=f"the request cannot be read: {problem}")

    def _open(self, source: ModelSource) -> LanguageModel:
        if self._model is not None and self._model.source == source:
            return self._model
        from pixel_core.inference.language_model import LanguageModel

        if self._model is not None:
            old, self._model = self._model, None
            old.close()
        self._model = LanguageModel(source)
        return self._model


def _refusal(problem: PixelError) -> Refusal:
    hint = problem.hint or ""
    if isinstance(problem, ContextFull):
        return Refusal(kind="context", message=problem.message, hint=hint)
    if isinstance(problem, RequestRefused):
        return Refusal(kind="request", message=problem.message, hint=hint)
    if isinstance(problem, ModelUnusable | ModelFileError):
        return Refusal(kind="model", message=problem.message, hint=hint)
    return Refusal(kind="environment", message=problem.message, hint=hint)


def main(arguments: list[str]) -> None:
    """Limit this process, then answer requests until the parent closes its end."""
    channel = start_child(arguments)
    worker = ModelWorker()
    channel.serve(worker.answer)


if __name__ == "__main__":
    main(sys.argv[1:])
