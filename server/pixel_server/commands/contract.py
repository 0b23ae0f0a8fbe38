"""`pixel-lsp contract`: a first contract, inferred from what the shader says about itself."""

from __future__ import annotations

import sys
from pathlib import Path

from pixel_core.errors import PixelError
from pixel_core.findings import Finding
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.stub import contract_stub
from pixel_core.replace_file import replace_file
from pixel_server.discover import sidecar_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.insert_contract import insert_contract


def contract(shader: Path, *, write: bool = False, sidecar: bool = False) -> int:
    """Print a contract, put it into the shader, or write it beside the shader. Returns the exit code.

    Args:
        shader: The WGSL file.
        write: Put it into the head of the file.
        sidecar: Write it to `NAME.contract.toml`.

    Raises:
        PixelError: The file cannot be read or written, has no compute entry point, or has a contract already.
    """
    loaded = load_shader(shader)
    if isinstance(loaded, Finding):
        raise PixelError(loaded.message, hint=loaded.hint)
    if not any(entry.stage == "compute" for entry in loaded.interface.entry_points):
        raise PixelError(f"{shader} has no compute entry point, so there is nothing to promise", hint=f"pixel-lsp check {shader}")
    text = contract_stub(loaded.interface)
    if not (write or sidecar):
        sys.stdout.write(text)
        return PASSED_CODE
    _refuse_to_overwrite(loaded)
    target = sidecar_of(shader) if sidecar else shader
    content = text if sidecar else insert_contract(_exact_text(shader), text)
    try:
        replace_file(target, content.encode())
    except OSError as problem:
        raise PixelError(f"{target} cannot be written: {problem.strerror}") from problem
    sys.stdout.write(f"wrote the contract to {target}; the `?` in it are yours to fill in\n")
    return PASSED_CODE


def _refuse_to_overwrite(loaded: LoadedShader) -> None:
    existing = loaded.sidecar.path if loaded.sidecar is not None else loaded.source.path
    if loaded.sidecar is not None or loaded.contracts.contracts or loaded.contracts.findings:
        raise PixelError(f"{existing} holds a contract already", hint="`pixel-lsp contract FILE` prints a new one to compare")


def _exact_text(shader: Path) -> str:
    """The text with its line endings and byte order mark, unlike what is parsed."""
    return shader.read_bytes().decode()
