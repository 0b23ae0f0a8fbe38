"""`pixel-lsp map`: the map of a model in the browser."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
from pathlib import Path

import msgspec

from pixel_core.errors import PixelError
from pixel_core.inference.find_model import find_model
from pixel_core.weights.gguf import Gguf
from pixel_core.weights.model_file import open_model
from pixel_core.weights.pxi import Pxi
from pixel_server.exit_codes import INTERRUPTED_CODE, PASSED_CODE, TERMINATED_CODE


class MapCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        path: A GGUF or PXI file; None where `model` names one.
        model: Of an installed package.
        port: Of 127.0.0.1; 0 for a free one.
    """

    path: Path | None
    model: str | None = None
    port: int = 8789


def show_map(command: MapCommand) -> int:
    """Show the map until Ctrl-C or SIGTERM. Returns the exit code.

    Raises:
        PixelError: The model or the port cannot be used, or a package is missing.
    """
    path = find_model(command.model) if command.model is not None else command.path or Path()
    try:
        with open_model(path) as model:
            assert isinstance(model, (Gguf, Pxi))
            return asyncio.run(_show(model, command.port))
    except OSError as problem:
        raise PixelError(f"{path}: {problem.strerror or problem}") from None


async def _show(model: Gguf | Pxi, wanted: int) -> int:
    try:
        from pixel_core.model_map.atlas import Atlas
        from pixel_core.weights.pillow import images
        from pixel_server.http.map_app import map_app
        from pixel_server.http.map_pictures import MapPictures
        from pixel_server.http.run_server import LocalServer, open_port
    except ImportError as problem:
        raise PixelError(
            f"showing a map needs the package {problem.name}, which is not installed", hint="pip install 'pixel-lsp[serve]'"
        ) from problem
    images()  # which tells if it is missing; tiles need it
    code = PASSED_CODE
    atlas = Atlas(model)
    pictures = MapPictures(atlas)
    with open_port(wanted) as listening:
        port = int(listening.getsockname()[1])
        entry = secrets.token_urlsafe(24)
        server = LocalServer(map_app(atlas, pictures, token=secrets.token_urlsafe(24), code=entry, port=port))

        def stop(because: int) -> None:
            nonlocal code
            code = because
            pictures.close()
            server.stop()

        if sys.platform != "win32":
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGINT, stop, INTERRUPTED_CODE)
            loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED_CODE)
        sys.stderr.write(
            f"{len(atlas.places):,} tensors of {model.path.name}\n"
            f"open http://127.0.0.1:{port}/#{entry}\n"
            "the address works once, for one browser; Ctrl-C ends\n"
        )
        sys.stderr.flush()
        try:
            await server.serve(sockets=[listening])
        finally:
            pictures.close()
    return code
