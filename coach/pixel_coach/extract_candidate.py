"""From what a model replied to the new text of the target, or to a sentence that says what was wrong with the reply."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

import msgspec

MAX_CHARACTERS: Final = 1 << 20
"""Longest text that is taken from a reply."""

_LANGUAGES: Final = {
    ".wgsl": ("wgsl",),
    ".py": ("python", "py"),
    ".toml": ("toml",),
    ".md": ("markdown", "md"),
    ".json": ("json",),
}

_FENCE: Final = re.compile(r"[ \t]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)")
_SEARCH, _DIVIDER, _REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"

# What models write instead of code that they did not want to repeat.
_ELISION: Final = re.compile(
    r"(?i)^[ \t]*(?://+|#+|/\*+|--|<!--)?[ \t]*(?:\.\.\.|…)?[ \t]*\(?(?:the )?"
    r"(?:rest of|remaining|existing|previous|other|same as)\b[^\n]{0,80}"
    r"(?:unchanged|stays?|remains?|as before|here|\.\.\.|…|above)[^\n]{0,20}$"
)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A whole new text for the target."""

    text: str


class NoCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that holds no usable text; `problem` is one sentence, for the model and for people."""

    problem: str


def extract_candidate(reply: str, target: str, current: str | None, *, is_complete: bool = True) -> Candidate | NoCandidate:
    """Find the target's new text in a reply.

    A reply holds either the whole text, in a fenced block or bare, or edits: blocks of `<<<<<<< SEARCH`, `=======`,
    `>>>>>>> REPLACE`, whose first part must stand exactly once in the current text.

    Args:
        reply: All that the model wrote.
        target: Path of the file; its ending says which block is meant where there are several.
        current: The target's text; None where it does not exist.
        is_complete: Whether the reply ended by itself.
    """
    reply = reply.replace("\r\n", "\n")
    if _SEARCH in reply:
        found = _apply_edits(reply, current)
    else:
        found = _whole_text(reply, PurePosixPath(target).suffix.lower(), is_complete=is_complete)
    if isinstance(found, NoCandidate):
        return found
    return _checked(found, current)


def _whole_text(reply: str, suffix: str, *, is_complete: bool) -> str | NoCandidate:
    blocks, is_open = _fenced_blocks(reply)
    if is_open and not is_complete:
        return NoCandidate(problem="the reply was cut off inside its code block: less around the code is wanted, or a shorter text")
    if not blocks:
        if is_complete and _looks_like_code(reply, suffix):
            return reply.strip("\n") + "\n"
        return NoCandidate(problem="the reply holds no code block: the whole file is wanted, between two lines of three backticks")
    languages = _LANGUAGES.get(suffix, ())
    fitting = [text for info, text in blocks if info in languages] or [text for info, text in blocks if not info] or [t for _, t in blocks]
    # Of several blocks the longest is the file, the others are examples and excerpts.
    return max(fitting, key=len)


def _fenced_blocks(reply: str) -> tuple[list[tuple[str, str]], bool]:
    """The fenced blocks of a reply, by CommonMark's rules, and whether the last is not closed."""
    blocks: list[tuple[str, str]] = []
    fence, info = "", ""
    lines: list[str] = []
    for line in reply.split("\n"):
        match = _FENCE.fullmatch(line.rstrip())
        if not fence:
            if match:
                fence, words, lines = match["fence"], match["info"].split(), []
                info = words[0].lower() if words else ""
        elif match and not match["info"] and match["fence"][0] == fence[0] and len(match["fence"]) >= len(fence):
            blocks.append((info, "\n".join(lines) + "\n"))
            fence = ""
        else:
            lines.append(line)
    if fence and lines:
        blocks.append((info, "\n".join(lines).rstrip("\n") + "\n"))
    return blocks, bool(fence)


def _looks_like_code(reply: str, suffix: str) -> bool:
    """Whether a reply without any fence is the file itself rather than words about it."""
    first = next((line for line in reply.split("\n") if line.strip()), "")
    starts = {
        ".wgsl": ("//", "@", "fn ", "struct ", "const ", "override ", "enable ", "var<", "alias ", "/*"),
        ".py": ('"""', "import ", "from ", "def ", "class ", "#", "@", "async def "),
        ".toml": ("[", "#"),
        ".md": ("#",),
        ".json": ("{", "["),
    }
    return first.startswith(starts.get(suffix, ("\0",)))


def _apply_edits(reply: str, current: str | None) -> str | NoCandidate:
    """The current text with every edit of a reply, in order."""
    if current is None:
        return NoCandidate(problem="the reply holds edits, but the file does not exist yet: the whole file is wanted, in one code block")
    text, is_crlf = current.replace("\r\n", "\n"), "\r\n" in current
    edits = _read_edits(reply)
    if isinstance(edits, NoCandidate):
        return edits
    for number, (old, new) in enumerate(edits, start=1):
        count = text.count(old) if old else 0
        if count != 1:
            times = "nowhere" if count == 0 else f"{count} times"
            excerpt = old.strip().split("\n")[0][:60]
            problem = (
                f"the SEARCH part of edit {number} (`{excerpt}`) stands {times} in the file:"
                " whole lines are wanted, exactly as they stand and enough to be unique"
            )
            return NoCandidate(problem=problem)
        text = text.replace(old, new)
    return text.replace("\n", "\r\n") if is_crlf else text


def _read_edits(reply: str) -> list[tuple[str, str]] | NoCandidate:
    edits: list[tuple[str, str]] = []
    part: list[str] | None = None
    old: str | None = None
    for line in reply.split("\n"):
        mark = line.strip()
        if mark == _SEARCH and part is None:
            part, old = [], None
        elif mark == _DIVIDER and part is not None and old is None:
            old, part = "".join(part), []
        elif mark == _REPLACE and part is not None and old is not None:
            edits.append((old, "".join(part)))
            part, old = None, None
        elif part is not None:
            part.append(line + "\n")
    if part is not None:
        return NoCandidate(problem=f"the last edit is not closed: end it with a line `{_REPLACE}`")
    return edits


def _checked(text: str, current: str | None) -> Candidate | NoCandidate:
    if not text.strip():
        return NoCandidate(problem="the code block of the reply is empty")
    if len(text) > MAX_CHARACTERS:
        return NoCandidate(problem=f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken")
    if "\0" in text:
        return NoCandidate(problem="the text holds a null character")
    known = frozenset(current.splitlines()) if current else frozenset[str]()
    for number, line in enumerate(text.split("\n"), start=1):
        if _ELISION.match(line) and line not in known:
            return NoCandidate(problem=f"line {number} (`{line.strip()[:60]}`) stands for code that was left out: the whole file is wanted")
    if text == current:
        return NoCandidate(problem="the text is the same as the file: nothing was changed")
    return Candidate(text=text)
