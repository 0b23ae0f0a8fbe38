"""From a reply to the target's text, or to a sentence for the model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_coach.extract_candidate import MAX_CHARACTERS, Candidate, extract_candidate

CURRENT = "one\ntwo\nthree\n"


def check(reply: str, expected: str, *, target: str = "k.wgsl", current: str | None = None, is_complete: bool = True) -> None:
    """The reply holds that text, or has that problem."""
    found = extract_candidate(reply, target, current, is_complete=is_complete)
    assert (found.text if isinstance(found, Candidate) else f"problem: {found.problem}") == expected


def edit(old: str, new: str) -> str:
    return f"<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"


def test_a_fenced_block_is_the_file() -> None:
    check("Sure!\n```wgsl\nfn f() {}\n```\nDone.", "fn f() {}\n")
    check("```\nfn f() {}\n```", "fn f() {}\n")
    check("~~~wgsl\nfn f() {}\n~~~", "fn f() {}\n")
    check("   ```wgsl title=k\nfn f() {}\n   ```", "fn f() {}\n")
    check("```wgsl\r\nfn f() {}\r\n```\r\n", "fn f() {}\n")


def test_of_several_blocks_the_longest_of_the_files_language_counts() -> None:
    check("```python\nprint('a much longer example')\n```\n```wgsl\nfn f() {}\n```\n```wgsl\nf\n```", "fn f() {}\n")
    check("```\na\n```\n```\nlonger\n```", "longer\n")


def test_blocks_nest_by_the_length_of_their_fences() -> None:
    check("````markdown\n# A\n```wgsl\nf\n```\n````", "# A\n```wgsl\nf\n```\n", target="a.md")


def test_a_block_that_is_not_closed_counts_when_the_reply_ended_by_itself() -> None:
    check("```wgsl\nfn f() {}\n", "fn f() {}\n")
    cut = "problem: the reply was cut off inside its code block: less around the code is wanted, or a shorter text"
    check("```wgsl\nfn f() {", cut, is_complete=False)


def test_a_bare_reply_counts_when_it_looks_like_the_file() -> None:
    check("@compute @workgroup_size(1)\nfn f() {}", "@compute @workgroup_size(1)\nfn f() {}\n")
    check("import os\n", "import os\n", target="a.py")
    none = "problem: the reply holds no code block: the whole file is wanted, between two lines of three backticks"
    check("The kernel is fine as it is.", none)
    check("", none)
    check("fn f() {", none, is_complete=False)


def test_edits_change_the_current_text() -> None:
    check(edit("two\n", "2\n"), "one\n2\nthree\n", current=CURRENT)
    check("First:\n" + edit("one\n", "1\n") + "then\n" + edit("three\n", ""), "1\ntwo\n", current=CURRENT)
    check(edit("two\n", "2\n"), "one\r\n2\r\nthree\r\n", current=CURRENT.replace("\n", "\r\n"))
    check("```\n" + edit("two\n", "2\n") + "```", "one\n2\nthree\n", current=CURRENT)


def test_edits_that_do_not_fit_are_refused_with_a_reason() -> None:
    ask = "whole lines are wanted, exactly as they stand and enough to be unique"
    check(edit("four\n", "4\n"), f"problem: the SEARCH part of edit 1 (`four`) stands nowhere in the file: {ask}", current=CURRENT)
    twice = f"problem: the SEARCH part of edit 1 (`a`) stands 2 times in the file: {ask}"
    check(edit("a\n", "b\n"), twice, current="a\na\n")
    check(edit("", "b\n"), f"problem: the SEARCH part of edit 1 (``) stands nowhere in the file: {ask}", current=CURRENT)
    open_end = "problem: the last edit is not closed: end it with a line `>>>>>>> REPLACE`"
    check("<<<<<<< SEARCH\none\n=======\n1\n", open_end, current=CURRENT)
    new = "problem: the reply holds edits, but the file does not exist yet: the whole file is wanted, in one code block"
    check(edit("one\n", "1\n"), new)


@pytest.mark.parametrize(
    "line",
    [
        "// ... rest of the code unchanged ...",
        "# ... existing code ...",
        "    // (the rest of the file stays the same as before)",
        "// remaining functions unchanged",
        "... other methods as before",
    ],
)
def test_text_that_stands_for_code_is_refused(line: str) -> None:
    reply = f"```wgsl\nfn f() {{}}\n{line}\n```"
    check(reply, f"problem: line 2 (`{line.strip()[:60]}`) stands for code that was left out: the whole file is wanted")


@pytest.mark.parametrize("line", ["// the rest of the row is zero", "// existing tiles are kept in registers", "let remaining = n - i;"])
def test_honest_comments_are_kept(line: str) -> None:
    check(f"```wgsl\n{line}\n```", line + "\n")


def test_a_line_that_was_there_before_stands_for_nothing() -> None:
    line = "// ... existing code ..."
    check(f"```wgsl\n{line}\nfn g() {{}}\n```", f"{line}\nfn g() {{}}\n", current=f"{line}\n")


def test_what_cannot_be_a_file_is_refused() -> None:
    check("```wgsl\n\n```", "problem: the code block of the reply is empty")
    check("```wgsl\na\0b\n```", "problem: the text holds a null character")
    same = "problem: the text is the same as the file: nothing was changed"
    check(f"```\n{CURRENT}```", same, current=CURRENT)
    size = f"{MAX_CHARACTERS + 2:,}"
    check(f"```\n{'a' * (MAX_CHARACTERS + 1)}\n```", f"problem: the text has {size} characters; at most {MAX_CHARACTERS:,} are taken")


@given(st.text(alphabet="`~<>=/.# \nabSEARCHPL", max_size=300), st.booleans())
def test_any_reply_is_read(reply: str, is_complete: bool) -> None:
    found = extract_candidate(reply, "k.wgsl", CURRENT, is_complete=is_complete)
    assert isinstance(found, Candidate) == bool(getattr(found, "text", ""))
