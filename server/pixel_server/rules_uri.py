"""Where the page that explains every rule lies."""

from __future__ import annotations

from pathlib import Path

import pixel_core


def rules_uri() -> str | None:
    """URI of `rules.md`: inside the installed package, or in the checkout; None when it is in neither."""
    package = Path(pixel_core.__file__).parent
    for page in (package / "docs" / "rules.md", package.parent / "docs" / "rules.md"):
        if page.is_file():
            return page.as_uri()
    return None
