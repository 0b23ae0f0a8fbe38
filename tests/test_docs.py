"""The documents say what the program does: every rule, command, option and setting has its place, links lead somewhere, examples run."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixel_core.rules import RULES
from pixel_server.cli import build_parser
from pixel_server.rule_pages import GROUPS, rules_document

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced code of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(path), flags=re.MULTILINE | re.DOTALL)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (verbs,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return verbs.choices


def arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
            yield from action.option_strings or [str(action.metavar)]


def all_arguments(command: argparse.ArgumentParser) -> Iterator[str]:
    """The arguments of a command and of the verbs below it."""
    yield from arguments(command)
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from all_arguments(verb)


def test_the_rules_page_is_what_the_rule_table_says() -> None:
    assert read(DOCS / "rules.md") == rules_document(RULES), "stale; run scripts/generate_docs"


def test_every_rule_belongs_to_a_group_and_is_complete() -> None:
    for code, rule in RULES.items():
        assert code == rule.code
        assert re.fullmatch(r"PX\d{3}", code)
        assert code[:3] in GROUPS
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
        assert rule.summary.endswith(".")
        assert rule.explanation.strip()
        assert rule.remedy.strip()
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def test_every_code_that_the_program_uses_has_a_rule() -> None:
    used = {
        code
        for folder in ("pixel_core", "server", "coach")
        for file in (REPOSITORY / folder).rglob("*.py")
        for code in re.findall(r"[\"`](PX\d{3})\b", read(file))
    }
    assert used <= set(RULES)


def test_every_command_and_option_is_described() -> None:
    parser = build_parser()
    sections = dict(re.findall(r"^## ([\w-]+)$(.*?)(?=^## |\Z)", read(DOCS / "cli.md"), flags=re.MULTILINE | re.DOTALL))
    assert set(sections) == set(commands(parser))
    for name, command in commands(parser).items():
        described = set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\|(.*?)\|", sections[name], flags=re.MULTILINE))))
        assert described == set(all_arguments(command)), f"docs/cli.md, section {name}"
    for option in arguments(parser):
        assert f"`{option}`" in read(DOCS / "cli.md") or f"`pixel-lsp {option}`" in read(DOCS / "cli.md")


def test_every_command_that_a_page_names_is_there() -> None:
    known = commands(build_parser())
    for page in PAGES:
        for line in re.findall(r"^\$ pixel-lsp (.*)$", read(page), flags=re.MULTILINE):
            verb, *rest = line.replace("--coach", "coach").split("  #")[0].split()
            assert verb in known, f"{page}: pixel-lsp {line}"
            options = {word for word in rest if word.startswith("-")}
            assert options <= set(all_arguments(known[verb])), f"{page}: pixel-lsp {line}"


def test_every_script_that_a_page_names_is_there() -> None:
    for page in PAGES:
        for script in re.findall(r"\bscripts/(\w+)", read(page)):
            assert (REPOSITORY / "scripts" / script).exists(), f"{page} names scripts/{script}"


def test_every_module_of_the_code_map_is_there() -> None:
    files = [
        file for folder in ("pixel_core", "server", "coach") for file in (REPOSITORY / folder).rglob("*") if "__pycache__" not in file.parts
    ]
    known = {file.stem for file in files} | {"pixel_core"}
    code_map = read(REPOSITORY / "ARCHITECTURE.md").partition("## Code map")[2].partition("## Cross-cutting")[0]
    named = re.findall(r"`([a-z_0-9]+)`", code_map)
    assert len(named) > 50
    assert [name for name in named if name not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", read(page)):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_picture_shows_a_real_finding() -> None:
    text = read(DOCS / "images" / "check.svg")
    assert "PX401" in text
    assert "matmul.wgsl:" in text


def test_the_contract_in_the_readme_is_the_shipped_one_in_short() -> None:
    (contract,) = blocks(REPOSITORY / "README.md", "wgsl")
    shipped = read(REPOSITORY / "shaders" / "matmul.wgsl")
    keys = dict(re.findall(r"^//! (\w+) += (.*)$", shipped, flags=re.MULTILINE))
    for key, value in re.findall(r"^//! (\w+) += (.*)$", contract, flags=re.MULTILINE):
        if key != "cases":
            assert keys[key] == value


@pytest.mark.device
def test_the_kernel_of_getting_started_passes(tmp_path: Path) -> None:
    kernel, contract = blocks(DOCS / "getting-started.md", "wgsl")
    (tmp_path / "scale.wgsl").write_text(contract + kernel, encoding="utf-8")
    command = (sys.executable, "-m", "pixel_server.cli", "check", "--strict", "scale.wgsl")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 kernel passed" in done.stdout


@pytest.mark.device
def test_the_contract_in_the_readme_passes(tmp_path: Path) -> None:
    (contract,) = blocks(REPOSITORY / "README.md", "wgsl")
    code = read(REPOSITORY / "shaders" / "matmul.wgsl").partition("\nconst TILE")
    (tmp_path / "matmul.wgsl").write_text(contract + "".join(code[1:]), encoding="utf-8")
    command = (sys.executable, "-m", "pixel_server.cli", "check", "--strict", "matmul.wgsl")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stdout
