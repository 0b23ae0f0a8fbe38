"""Which lines of a candidate its author wrote: a remark about any other line is not about the candidate."""

from __future__ import annotations

from difflib import SequenceMatcher

_MAX_LINES = 20_000


def changed_lines(old: str | None, new: str) -> frozenset[int]:
    """Lines of the new text, from 1, that are not lines of the old one in the same order; all of them where there is no old text."""
    after = new.splitlines()
    before = [] if old is None else old.splitlines()
    if not before or len(before) + len(after) > _MAX_LINES:
        return frozenset(range(1, len(after) + 1))
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return frozenset(
        line for tag, _, _, start, end in matcher.get_opcodes() if tag in ("replace", "insert") for line in range(start + 1, end + 1)
    )
