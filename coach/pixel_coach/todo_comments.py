"""Tasks from comments: `TODO(coach): …` in a file that somebody has open.

A comment that goes on does so on the lines below, indented further than its first word:

    // TODO(coach): tile this loop
    //   through workgroup memory; sizes need not be multiples of 16
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from pixel_coach.tasks import Action, NewTask

MARKER: Final = "TODO(coach):"
MOST_TASKS: Final = 1_000
"""Of one file; further comments are passed over."""
_LONGEST_TITLE: Final = 200

# Comments, and strings, which may hold what looks like one. A string that nothing ends goes to the end of its line, one of several lines
# to the end of the text: so no part is read twice, and the scan is linear.
_COMMENT: Final = r"//(?P<line>[^\n]*)|(?P<block>/\*)"
_QUOTED: Final = r"\"(?:\\.|[^\"\\\n])*(?:\"|\\?$)"
_WGSL: Final = re.compile(_COMMENT)
_C: Final = re.compile(rf"{_COMMENT}|{_QUOTED}|'(?:\\[^'\n]{{1,10}}|\\'|[^'\\\n])'", re.MULTILINE)
_JAVASCRIPT: Final = re.compile(rf"{_COMMENT}|{_QUOTED}|'(?:\\.|[^'\\\n])*(?:'|\\?$)|`(?:\\[\s\S]|[^`\\])*(?:`|\\?\Z)", re.MULTILINE)
_HASH: Final = re.compile(
    r"#(?P<line>[^\n]*)|(?P<block>(?!))"
    r"|\"\"\"(?:\\[\s\S]|(?!\"\"\")[^\\])*(?:\"\"\"|\\?\Z)|'''(?:\\[\s\S]|(?!''')[^\\])*(?:'''|\\?\Z)"
    rf"|{_QUOTED}|'(?:\\.|[^'\\\n])*(?:'|\\?$)",
    re.MULTILINE,
)
_BLOCK_EDGE: Final = re.compile(r"/\*|\*/")

_STYLES: Final[Mapping[str, re.Pattern[str]]] = {
    ".wgsl": _WGSL,
    **dict.fromkeys((".c", ".h", ".cc", ".cpp", ".hpp", ".rs", ".go", ".java", ".glsl"), _C),
    **dict.fromkeys((".js", ".mjs", ".ts", ".tsx", ".jsx"), _JAVASCRIPT),
    **dict.fromkeys((".py", ".pyi", ".toml", ".yaml", ".yml", ".sh", ".bash", ".zsh", ".cfg", ".ini", ".cmake"), _HASH),
}
_NESTED: Final = frozenset({".wgsl", ".rs"})
"""Languages whose block comments nest."""


class _CommentLine(msgspec.Struct, frozen=True):
    number: int
    text: str


def find_todo_comments(text: str, path: str, workspace: Path = Path()) -> tuple[NewTask, ...]:
    """The tasks that a file's comments ask for.

    Args:
        text: The file.
        path: Of the file, POSIX, relative to the workspace; its ending says what a comment looks like. Of others nothing is found.
        workspace: Root of the workspace; a task cannot be stored without.

    Returns:
        One task a comment, to edit this file. The key holds path and words, so that a comment that moves is still the same task.
    """
    suffix = PurePosixPath(path).suffix.lower()
    style = _STYLES.get(suffix)
    if style is None:
        return ()
    lines = list(_comment_lines(text, style, is_nested=suffix in _NESTED))
    tasks: dict[str | None, NewTask] = {}
    for index, line in enumerate(lines):
        if len(tasks) >= MOST_TASKS:
            break
        words = line.text.lstrip("/!*# \t")
        if not words.startswith(MARKER) or not words[len(MARKER) :].strip():
            continue
        asked = [words[len(MARKER) :].strip(), *_continuation(lines, index)]
        task = _task(asked, line.number, path, workspace)
        tasks.setdefault(task.key, task)
    return tuple(tasks.values())


def _task(asked: list[str], line: int, path: str, workspace: Path) -> NewTask:
    whole = " ".join(asked)
    title = whole if len(whole) <= _LONGEST_TITLE else f"{whole[: _LONGEST_TITLE - 1]}…"
    fingerprint = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return NewTask(
        workspace=workspace,
        title=title,
        action=Action.EDIT_FILE,
        target=path,
        description=f"A comment in line {line} of {path} asks for it:\n\n{MARKER} {whole}\n\nDo what it says, and remove the comment.",
        key=f"todo:{path}:{fingerprint}",
        metadata={"line": line, "comment": whole},
    )


def _continuation(lines: list[_CommentLine], index: int) -> Iterator[str]:
    """What follows a comment's first line: the lines directly below it that are indented further."""
    indent = _indent(lines[index].text)
    for step, line in enumerate(lines[index + 1 :], start=1):
        if line.number != lines[index].number + step or not line.text.strip() or _indent(line.text) <= indent or MARKER in line.text:
            return
        yield line.text.strip().lstrip("* ")


def _indent(text: str) -> int:
    """Columns before the first word, signs of documentation comments and frames of `*` left out."""
    return len(text) - len(text.lstrip("/!*# \t"))


def _comment_lines(text: str, style: re.Pattern[str], *, is_nested: bool) -> Iterator[_CommentLine]:
    """Every line of every comment, without what opens it. Runs once over the text."""
    position, number, counted = 0, 1, 0
    while match := style.search(text, position):
        number += text.count("\n", counted, match.start())
        counted = match.start()
        position = match.end()
        if match["block"] is not None:
            end = _end_of_block(text, position, is_nested=is_nested)
            for offset, line in enumerate(text[position:end].removesuffix("*/").split("\n")):
                yield _CommentLine(number + offset, line.rstrip())
            position = end
        elif match["line"] is not None:
            yield _CommentLine(number, match["line"].rstrip())


def _end_of_block(text: str, position: int, *, is_nested: bool) -> int:
    depth = 1
    while edge := _BLOCK_EDGE.search(text, position):
        position = edge.end()
        if edge.group() == "*/":
            depth -= 1
        elif is_nested:
            depth += 1
        if depth == 0:
            return position
    return len(text)
