"""What every test may use: golden files, and how many examples hypothesis tries."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN_FOLDER = Path(__file__).parent / "golden"

# A busy machine must not fail a test, so nothing has a deadline. What sets a number of examples itself takes it from the profile's.
settings.register_profile("steady", deadline=None, max_examples=100)
settings.register_profile("soak", deadline=None, max_examples=10_000 * int(os.environ.get("SOAK_FACTOR", "1")))
settings.load_profile("steady")

Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew; look at the diff before you commit it")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(name, text)`: the text must equal tests/golden/<name>."""

    def check(name: str, text: str) -> None:
        path = GOLDEN_FOLDER / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing; make it with --update-golden"
        assert text == path.read_bytes().decode("utf-8")

    return check
