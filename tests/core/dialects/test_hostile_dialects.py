"""Texts that ask for more than any machine has: each is bounded, and said in one finding."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dialect_testing import Expansion
from pixel_core.findings import Finding
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.surroundings import Surroundings

DOUBLING = "\n".join(f"#define M{number} M{number + 1} M{number + 1}" for number in range(40))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{DOUBLING}\nM0", "macros make more than 100,000 tokens of this file"),
        (
            f"#define A {'x' * 100_000}\n#define B A A A A A A\n#define C B B B B B B\nC C",
            "macros make more than 2,097,152 characters of this file",
        ),
        (f"#define F(x) x\n{'F(' * 200}1{')' * 200}", "calls of macros stand inside each other more than 100 deep"),
        (f"#define F(x) x x\n{'F(' * 60}1{')' * 60}", "macros make more than 100,000 tokens of this file"),
        ("#define F(x) x\n#define G F(\n" + "G " * 5000, "more than 2,000,000 tokens were looked at for the ends of calls of macros"),
        (f"#if {'(' * 5000}1\n#endif", "this condition cannot be evaluated: the condition is nested more than 64 deep"),
        (f"#if {'!' * 5000}1\n#endif", "this condition cannot be evaluated: the condition is nested more than 64 deep"),
        ("#if 1 << 99999999999999999999\n#endif", "this condition cannot be evaluated: `99999999999999999999` needs more than 64 bits"),
        (f"#if {'9' * 10_000}\n#endif", f"this condition cannot be evaluated: `{'9' * 40}` is no whole number"),
    ],
    ids=["doubling", "long bodies", "deep calls", "deep doubling", "open calls", "parentheses", "signs", "shift", "digits"],
)
def test_a_bomb_is_one_finding(text: str, message: str) -> None:
    messages = Expansion(text).messages
    assert messages[-1] == message
    assert len(messages) <= 100


def test_files_inside_each_other_are_bounded() -> None:
    others = {f"f{number}": f'#include "f{number + 1}.wgsl"' for number in range(60)}
    assert Expansion('#include "f0.wgsl"', **others).messages == ["files include each other more than 32 deep"]


def test_many_files_are_bounded() -> None:
    text = "".join(f'#include "f{number}.wgsl"\n' for number in range(300))
    expansion = Expansion(text, **{f"f{number}": "x" for number in range(300)})
    assert expansion.messages[0] == "`f256.wgsl` is not read: more than 256 files are named"


def test_a_line_of_a_megabyte_and_endless_comments_take_no_square_of_time() -> None:
    assert Expansion("#define A b\n" + "A+ " * 10_000).messages == []
    assert Expansion("x" * 1_000_000).messages == []
    assert Expansion("/*" * 100_000).messages == []
    assert Expansion("#import a::{" + "\nx," * 20_000).messages == ["this `#import` cannot be read"]


# ---------------------------------------------------------------- programs


def loaded(folder: Path, prepare: str, text: str = "", *, may_run: bool = True) -> LoadedShader:
    (folder / "pyproject.toml").touch()
    path = folder / "k.wgsl"
    path.write_text(f'//! [k]\n//! dims = "n"\n//! prepare = {prepare}\n//! expect = {{ y = "x" }}\n{text}', encoding="utf-8")
    found = load_shader(path, Surroundings(may_run=may_run))
    assert not isinstance(found, Finding)
    return found


def message(folder: Path, prepare: str, text: str = "") -> str:
    shader = loaded(folder, prepare, text)
    assert not shader.is_prepared
    assert not shader.compiles
    (found,) = shader.findings
    return found.message


def python(program: str) -> str:
    return f"[{{ command = ['{sys.executable}', '-c', '{program}'] }}]"


def test_a_program_that_hangs_or_babbles_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pixel_core.dialects import render_template, run_command

    monkeypatch.setattr(run_command, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(render_template, "TIMEOUT_S", 1.0)
    assert message(tmp_path, python("import time; time.sleep(60)")) == f"`{sys.executable}` did not end within 0.5 s"
    monkeypatch.setattr(run_command, "TIMEOUT_S", 10.0)
    assert message(tmp_path, python("while True: print(1 << 9999)")) == f"`{sys.executable}` wrote more than 2,097,152 bytes"
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    assert message(tmp_path, "[{ template = {} }]", endless) == "the template was not rendered within 1 s"
    monkeypatch.setattr(render_template, "TIMEOUT_S", 10.0)
    babbling = "{% for a in range(99999) %}" + "x" * 100 + "{% endfor %}"
    assert message(tmp_path, "[{ template = {} }]", babbling) == "the template cannot be rendered: it makes more than 2,097,152 characters"


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (python("raise SystemExit(3)"), f"`{sys.executable}` ended with exit code 3"),
        ("[{ command = ['no-such-program'] }]", "`no-such-program` cannot be run: No such file or directory"),
        (python("import sys; sys.stdout.buffer.write(bytes([255]))"), f"`{sys.executable}` wrote what is not UTF-8 text"),
    ],
)
def test_a_program_that_fails_is_one_finding(tmp_path: Path, prepare: str, expected: str) -> None:
    assert message(tmp_path, prepare) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ ''.__class__.__mro__ }}", "the template cannot be rendered: access to attribute '__class__' of 'str' object is unsafe."),
        ("\n{{ missing }}", "the template cannot be rendered: 'missing' is undefined"),
        ("{% if %}", "the template cannot be rendered: Expected an expression, got 'end of statement block'"),
    ],
)
def test_a_template_that_fails_is_one_finding(tmp_path: Path, text: str, expected: str) -> None:
    assert message(tmp_path, "[{ template = {} }]", text) == expected


def test_nothing_runs_where_nothing_is_trusted(tmp_path: Path) -> None:
    for prepare in ("[{ command = ['touch', 'was-here'] }]", "[{ template = {} }]"):
        shader = loaded(tmp_path, prepare, may_run=False)
        assert [one.code for one in shader.findings] == ["PX708"]
        assert shader.wgsl.text == ""
    assert not (tmp_path / "was-here").exists()


def test_no_name_leads_out_of_the_workspace(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.wgsl").write_text("fn secret() {}", encoding="utf-8")
    (project / "link.wgsl").symlink_to(tmp_path / "secret.wgsl")
    for name in ("../secret.wgsl", "link.wgsl", str(tmp_path / "secret.wgsl")):
        shader = loaded(project, "[{ define = {} }]", f'#include "{name}"\n')
        (found,) = shader.findings
        assert (found.code, found.message) == ("PX341", f"`{name}` lies outside of the workspace {project}")
        assert "secret()" not in str(shader.sources)
