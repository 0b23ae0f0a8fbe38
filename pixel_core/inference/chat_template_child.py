"""Renders the chat template of a model in jinja2's sandbox, in a process of its own: JSON on standard input, JSON on standard output.

A template comes with a model's file and is a program of a stranger. The sandbox keeps it from Python; that it may run for ever, or
make more and more text, is bounded by the process around it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

MAX_CHARACTERS = 1 << 22


class _Refused(Exception):  # noqa: N818 -- the template's own word
    """The template called `raise_exception`."""


def render(request: Mapping[str, Any]) -> dict[str, Any]:
    """Render a chat template.

    Args:
        request: `template`; `values` by name (`messages`, `add_generation_prompt`, `bos_token` and so on).

    Returns:
        `text`; else `problem`; or `absent`, where jinja2 is not installed.
    """
    try:
        import jinja2
        import jinja2.ext
        import jinja2.sandbox
    except ImportError:
        return {"absent": True}
    # As the library that models are trained with sets it up: templates count on it.
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
    environment.filters["tojson"] = _to_json
    names: Any = environment.globals
    names["raise_exception"] = _refuse
    names["strftime_now"] = _now
    try:
        pieces: list[str] = []
        length = 0
        for piece in environment.from_string(request["template"]).generate(**request["values"]):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_CHARACTERS:
                return {"problem": f"it makes more than {MAX_CHARACTERS:,} characters"}
    except _Refused as problem:
        return {"problem": f"it refuses these messages: {_short(problem)}"}
    except jinja2.TemplateSyntaxError as problem:
        return {"problem": f"line {problem.lineno}: {_short(problem)}"}
    except MemoryError:
        return {"problem": "it needs too much memory"}
    except RecursionError:
        return {"problem": "it is nested too deeply"}
    except Exception as problem:  # noqa: BLE001 - it is a program of a stranger
        return {"problem": f"{type(problem).__name__}: {_short(problem)}"}
    return {"text": "".join(pieces)}


def _refuse(message: object) -> None:
    raise _Refused(str(message))


def _now(form: object) -> str:
    return datetime.now(timezone.utc).strftime(str(form)[:100])


def _to_json(value: object, indent: int | None = None, **_: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]


def main() -> None:
    """Answer the one request."""
    request = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(render(request)).encode("ascii"))


if __name__ == "__main__":
    main()
