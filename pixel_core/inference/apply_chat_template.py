"""Messages to the text that a model was trained on, by the chat template of its file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pixel_core.errors import ModelUnusable, PixelError
from pixel_core.inference.build_merger import INSTALL
from pixel_core.inference.vocabulary import Vocabulary
from pixel_core.processes.launcher import module_command
from pixel_core.processes.run_program import run_program

TIMEOUT_S: Final = 10.0
MEMORY_BYTES: Final = 1 << 30
_OUTPUT_BYTES: Final = 1 << 26


def apply_chat_template(vocabulary: Vocabulary, messages: Sequence[Mapping[str, Any]], *, adds_prompt: bool = True) -> str:
    """The text of a conversation.

    Args:
        vocabulary: Of the model; holds the template and the texts of its special tokens.
        messages: `role` and `content` of each.
        adds_prompt: End with what begins the model's reply.

    Raises:
        ModelUnusable: The model has no template, or the template fails, refuses the messages, or exceeds its time, memory or size.
        PixelError: jinja2 is not installed.
    """
    if not vocabulary.chat_template:
        raise ModelUnusable("the model has no chat template", hint="give it plain text: generate without --chat, /v1/completions")
    values = {
        "messages": [dict(message) for message in messages],
        "add_generation_prompt": adds_prompt,
        "bos_token": vocabulary.text_of(vocabulary.bos),
        "eos_token": vocabulary.text_of(vocabulary.eos),
    }
    end = run_program(
        module_command("pixel_core.inference.chat_template_child"),
        json.dumps({"template": vocabulary.chat_template, "values": values}).encode("ascii"),
        folder=Path(tempfile.gettempdir()),
        timeout_s=TIMEOUT_S,
        output_bytes=_OUTPUT_BYTES,
        memory_bytes=MEMORY_BYTES,
    )
    if end.reason == "timeout":
        raise ModelUnusable(f"the chat template of the model did not end within {TIMEOUT_S:g} s")
    try:
        reply: dict[str, Any] = json.loads(end.output)
    except ValueError:
        words = end.errors.strip().splitlines()
        raise ModelUnusable(f"the chat template of the model cannot be rendered: {words[-1] if words else 'the process ended'}") from None
    if reply.get("absent"):
        raise PixelError("chat templates need the package jinja2, which is not installed", hint=INSTALL)
    if "problem" in reply:
        raise ModelUnusable(f"the chat template of the model cannot be rendered: {reply['problem']}")
    return str(reply["text"])
