"""Whether a text that is no shader can be read at all. Nothing of it is executed."""

from __future__ import annotations

import json
from typing import Final

import tomli

from pixel_coach.attempts import EvidenceCheck
from pixel_coach.prove_outcome import Outcome
from pixel_coach.prove_python import parse_python

MAX_CHARACTERS: Final = 1 << 20


def prove_parse(path: str, text: str) -> EvidenceCheck:
    """Parse Python, TOML or JSON; any other text only must not be empty."""
    outcome = Outcome("parse")
    if not text.strip():
        return outcome.failed("the file is empty")
    if len(text) > MAX_CHARACTERS:
        return outcome.failed(f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    try:
        if path.endswith(".py"):
            parse_python(text)
        elif path.endswith(".toml"):
            tomli.loads(text)
        elif path.endswith(".json"):
            json.loads(text)
    except SyntaxError as error:
        line = (error.text or "").rstrip()
        return outcome.failed(f"{path}:{error.lineno}: {error.msg}", feedback=f"  {error.lineno} | {line}")
    except (ValueError, RecursionError, MemoryError) as error:
        return outcome.failed(f"{path} cannot be read: {error or type(error).__name__}")
    return outcome.passed("it can be read")
