"""Writes the pages that are made from the program itself: docs/rules.md and the picture of a check, docs/images/check.svg."""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pixel_core.kernels.validate import check
from pixel_core.rules import RULES
from pixel_server.rule_pages import rules_document
from pixel_server.terminal.write_report import write_report

REPOSITORY = Path(__file__).parents[1]
RULES_PAGE = REPOSITORY / "docs" / "rules.md"
PICTURE = REPOSITORY / "docs" / "images" / "check.svg"
PICTURE_WIDTH = 90

RIGHT, WRONG = "if ((row < size.m) && (col < size.n))", "if ((row < size.m - 1u) && (col < size.n))"
"""The one change that scripts/demo makes too."""


def main() -> int:
    """Write the pages, or say which of them is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when docs/rules.md is stale (the picture shows a measurement)"
    )
    if parser.parse_args().check:
        is_current = RULES_PAGE.exists() and RULES_PAGE.read_text(encoding="utf-8") == rules_document(RULES)
        print("docs/rules.md is current" if is_current else "docs/rules.md is stale; run scripts/generate_docs")
        return 0 if is_current else 1
    RULES_PAGE.write_text(rules_document(RULES), encoding="utf-8", newline="\n")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8", newline="\n")
    print(f"wrote {RULES_PAGE.relative_to(REPOSITORY)} and {PICTURE.relative_to(REPOSITORY)}")
    return 0


def picture() -> str:
    """An SVG of the terminal after a check of a broken matmul."""
    shipped = (REPOSITORY / "shaders" / "matmul.wgsl").read_text(encoding="utf-8")
    if shipped.count(RIGHT) != 1:
        raise SystemExit("shaders/matmul.wgsl no longer holds the line that the picture breaks")
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            shader = Path("matmul.wgsl")
            shader.write_text(shipped.replace(RIGHT, WRONG), encoding="utf-8")
            report = check([shader])
        finally:
            os.chdir(here)
    console = Console(record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor", width=PICTURE_WIDTH, highlight=False)
    console.print(Text("$ pixel-lsp check matmul.wgsl", "bold"))
    write_report(report, console)
    return console.export_svg(title="pixel-lsp", unique_id="pixel-lsp")


if __name__ == "__main__":
    sys.exit(main())
