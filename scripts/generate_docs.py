"""Writes what is made from the program itself: docs/rules.md, docs/coach.schema.json, and the pictures of a check and of the dashboard."""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path

from draw_dashboard import dashboard_picture
from rich.console import Console
from rich.text import Text

from pixel_coach.settings_file import coach_schema
from pixel_core.kernels.validate import check
from pixel_core.rules import RULES
from pixel_server.rule_pages import rules_document
from pixel_server.terminal.write_report import write_report

REPOSITORY = Path(__file__).parents[1]
RULES_PAGE = REPOSITORY / "docs" / "rules.md"
SCHEMA = REPOSITORY / "docs" / "coach.schema.json"
PICTURE = REPOSITORY / "docs" / "images" / "check.svg"
DASHBOARD = REPOSITORY / "docs" / "images" / "dashboard.svg"
PICTURE_WIDTH = 90

RIGHT, WRONG = "if ((row < size.m) && (col < size.n))", "if ((row < size.m - 1u) && (col < size.n))"
"""The one change that scripts/demo makes too."""


def main() -> int:
    """Write the pages, or say which of them is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale (the pictures show a measurement)")
    pages = {RULES_PAGE: rules_document(RULES), SCHEMA: coach_schema()}
    if parser.parse_args().check:
        stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in pages:
            said = "stale; run scripts/generate_docs" if path in stale else "current"
            print(f"{path.relative_to(REPOSITORY)} is {said}")
        return 1 if stale else 0
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    for path, text in {**pages, PICTURE: picture(), DASHBOARD: dashboard_picture()}.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote {path.relative_to(REPOSITORY)}")
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
