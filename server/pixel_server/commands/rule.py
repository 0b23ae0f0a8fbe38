"""`pixel-lsp rule`: what a finding's code means, from the one table that the docs and the editor use too."""

from __future__ import annotations

from difflib import get_close_matches

from rich.markdown import Markdown
from rich.text import Text

from pixel_core.rules import RULES, Rule
from pixel_server.exit_codes import NOTHING_CODE, PASSED_CODE
from pixel_server.rule_pages import rule_page
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_findings import SEVERITY_STYLES


def rule(code: str | None, *, color: bool = True) -> int:
    """Explain one rule on standard output, or list all of them.

    Args:
        code: A code in any case, or a rule's name; None lists every rule.
        color: False for none; True leaves it to the terminal.

    Returns:
        The exit code: 2 for a code that no rule has.
    """
    console = open_console(color=color)
    if code is None:
        for each in RULES.values():
            console.print(_line(each), soft_wrap=True)
        return PASSED_CODE
    found = RULES.get(code.upper()) or next((each for each in RULES.values() if each.name == code.lower()), None)
    if found is None:
        errors = open_console(color=color, stderr=True)
        errors.print(Text(f"pixel-lsp: no rule is called `{code}`"), soft_wrap=True)
        for each in _near(code):
            errors.print(Text("  did you mean ").append(_line(each)), soft_wrap=True)
        return NOTHING_CODE
    console.print(Markdown(rule_page(found)) if console.is_terminal else Text(rule_page(found)), soft_wrap=not console.is_terminal)
    return PASSED_CODE


def _line(each: Rule) -> Text:
    return Text.assemble((each.code, SEVERITY_STYLES[each.severity]), " ", (each.name, "bold"), f": {each.summary}")


def _near(code: str) -> list[Rule]:
    names = {name: each for each in RULES.values() for name in (each.code.lower(), each.name)}
    matches = [names[name] for name in get_close_matches(code.lower(), names, n=3, cutoff=0.6)]
    return list(dict.fromkeys(matches))
