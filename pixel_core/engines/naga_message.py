"""What naga says about a shader it refuses: one text, read by code into a sentence and a place."""

from __future__ import annotations

from pixel_core.engines.base import CompileFailure

_PLACE = "┌─ "
_NOTE = "= "
_HEADS = ("parsing error: ", "Shader validation error: ")
_COMMENT = "note: "


def read_naga_message(text: str, *, stage: str, entry_point: str = "") -> CompileFailure:
    """Read naga's text.

    The forms seen with wgpu-native 29: a parse error (`Shader '' parsing error: TITLE`, then `┌─ wgsl:LINE:COLUMN` and a drawing), a
    validation error (`Shader validation error: WHERE`, perhaps `┌─ :LINE:COLUMN`, then `= CAUSE` lines, the last the most exact), and
    indented sentences without a place, each the cause of the one above.

    Args:
        text: `str` of the exception.
        stage: `module` or `pipeline`.
        entry_point: Whose pipeline was refused.
    """
    lines = text.splitlines()
    title, title_line = _title(lines)
    line, column = _place(lines)
    causes = [] if title is None else _causes(lines[title_line + 1 :])
    if causes:
        message = causes[-1]
    elif title is not None:
        message = title
    else:
        message = next((line.strip() for line in reversed(lines) if line.strip()), "the shader was refused without a word")
    return CompileFailure(stage=stage, message=message.rstrip("."), line=line, column=column, detail=text.strip(), entry_point=entry_point)


def read_naga_context(text: str) -> tuple[str, ...]:
    """The title of a refusal and the causes below it, outermost first (`Function [0] 'f' is invalid`, `Expression [2] is invalid`)."""
    lines = text.splitlines()
    title, title_line = _title(lines)
    return () if title is None else (title, *_causes(lines[title_line + 1 :]))


def _title(lines: list[str]) -> tuple[str | None, int]:
    for number, line in enumerate(lines):
        for head in _HEADS:
            start = line.find(head)
            if line.startswith("Shader ") and start >= 0:
                return line[start + len(head) :].strip(), number
    return None, 0


def _causes(lines: list[str]) -> list[str]:
    texts = [line.strip() for line in lines]
    return [text[len(_NOTE) :] for text in texts if text.startswith(_NOTE) and not text.startswith(_NOTE + _COMMENT)]


def _place(lines: list[str]) -> tuple[int, int]:
    for line in lines:
        text = line.strip()
        if not text.startswith(_PLACE):
            continue
        numbers = text.rsplit(":", 2)[1:]
        # naga counts columns in code points, from 1.
        if len(numbers) == 2 and all(number.isascii() and number.isdigit() for number in numbers):
            return int(numbers[0]), int(numbers[1])
    return 0, 0
