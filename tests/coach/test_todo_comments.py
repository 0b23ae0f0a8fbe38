from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.tasks import Action
from pixel_coach.todo_comments import MOST_TASKS, find_todo_comments


def check(path: str, text: str, expected: list[str]) -> None:
    assert [f"{task.metadata['line']}: {task.title}" for task in find_todo_comments(text, path)] == expected


def test_makes_a_task_that_edits_the_file() -> None:
    (task,) = find_todo_comments("fn f() {}\n// TODO(coach): tile this loop\n", "shaders/matmul.wgsl", Path("/workspace"))
    assert (task.title, task.action, task.target, task.workspace) == (
        "tile this loop",
        Action.EDIT_FILE,
        "shaders/matmul.wgsl",
        Path("/workspace"),
    )
    assert task.description == (
        "A comment in line 2 of shaders/matmul.wgsl asks for it:\n\nTODO(coach): tile this loop\n\nDo what it says, and remove the comment."
    )


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.wgsl", "//! TODO(coach): one\nlet x = 1; /// TODO(coach): two", ["1: one", "2: two"]),
        ("a.wgsl", "/* a /* TODO(coach): no */\n * TODO(coach): inside\n */ TODO(coach): no", ["2: inside"]),
        ("a.wgsl", "/* never closed\nTODO(coach): yes", ["2: yes"]),
        ("a.py", "x = '# TODO(coach): no'  # TODO(coach): yes", ["1: yes"]),
        ("a.py", '"""\n# TODO(coach): no\n"""\n# TODO(coach): yes\n', ["4: yes"]),
        ("a.py", "s = '\\'# TODO(coach): no'", []),
        ("a.py", "s = 'open\n# TODO(coach): yes", ["2: yes"]),
        ("a.toml", "a = '#'\n# TODO(coach): yes", ["2: yes"]),
        ("a.rs", "fn f<'a>(x: &'a str) { '\"'; } // TODO(coach): yes", ["1: yes"]),
        ("a.js", "`${a}\n// TODO(coach): no` // TODO(coach): yes", ["2: yes"]),
        ("a.c", '"// TODO(coach): no" /* TODO(coach): yes */', ["1: yes"]),
        ("a.PY", "# TODO(coach): yes", ["1: yes"]),
        ("a.bin", "# TODO(coach): no", []),
        ("a.py", "# TODO: no\n# see TODO(coach): no\n# TODO(coach):\n# todo(coach): no", []),
    ],
)
def test_reads_comments_alone(path: str, text: str, expected: list[str]) -> None:
    check(path, text, expected)


def test_goes_on_where_it_is_indented_further() -> None:
    text = """
        # TODO(coach): tile this loop
        #   through workgroup memory;
        #     any size
        # not this
        # TODO(coach): another
        #
        #   not this
    """
    check("a.py", text, ["2: tile this loop through workgroup memory; any size", "6: another"])


def test_a_comment_that_moves_is_the_same_task() -> None:
    (before,) = find_todo_comments("# TODO(coach): a", "a.py")
    (after,) = find_todo_comments("\n\n# TODO(coach): a\n# TODO(coach): a", "a.py")
    (elsewhere,) = find_todo_comments("# TODO(coach): a", "b.py")
    assert before.key == after.key != elsewhere.key


def test_a_long_comment_has_a_short_title() -> None:
    (task,) = find_todo_comments(f"# TODO(coach): {'word ' * 100}", "a.py")
    assert len(task.title) == 200
    assert task.metadata["comment"] == ("word " * 100).strip()


def test_has_bounds() -> None:
    assert len(find_todo_comments("".join(f"# TODO(coach): {number}\n" for number in range(2 * MOST_TASKS)), "a.py")) == MOST_TASKS
    for hostile in ('"\\', "'\\", "`\\", '"""\\', "/*", "'''"):
        for path in ("a.py", "a.js", "a.c", "a.wgsl"):
            # Ends soon, or not at all: each of these once read the rest of the text again at every step.
            find_todo_comments(hostile * 100_000 + "\\\n", path)
