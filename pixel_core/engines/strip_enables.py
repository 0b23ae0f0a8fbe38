"""Takes out the `enable` directives that naga refuses although it has what they enable.

Browsers take subgroup functions only after `enable subgroups;`, naga only without it: no source suits
both. The directive becomes blanks, so that every place in the text stays where it is.
"""

from __future__ import annotations

from pixel_core.wgsl.syntax import EnableDirective, SyntaxTree

STRIPPED_EXTENSIONS = frozenset({"subgroups"})
"""What naga 29 knows without a directive and refuses with it (gfx-rs/wgpu#5555)."""

_LINE_BREAKS = "\n\r\v\f\u0085\u2028\u2029"
"""A comment inside of the directive may hold them."""


def strip_enables(tree: SyntaxTree) -> str:
    """The text of a tree with those directives blanked; the text itself when it has none.

    Args:
        tree: From `parse`. A directive that could not be read stays, and naga says so.
    """
    characters = list(tree.source.text)
    for directive in tree.directives:
        if not isinstance(directive, EnableDirective):
            continue
        stripped = [name for name in directive.names if name.text in STRIPPED_EXTENSIONS]
        if len(stripped) == len(directive.names):
            _blank(characters, directive.start, directive.end)
        for name in stripped:
            # The comma after the name goes with it; a comma may stay behind at the end, where WGSL allows one.
            following = next((other.start for other in directive.names if other.start > name.start), name.end)
            _blank(characters, name.start, following)
    return "".join(characters)


def _blank(characters: list[str], start: int, end: int) -> None:
    for position in range(start, end):
        if characters[position] not in _LINE_BREAKS:
            characters[position] = " "
