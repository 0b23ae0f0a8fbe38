"""`pixel-lsp serve`: a model behind OpenAI's interface, for programs of this machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from pixel_core.errors import PixelError
from pixel_core.inference.find_model import find_model
from pixel_core.inference.messages import BackendName, ModelSource
from pixel_core.inference.model_process import ModelProcess
from pixel_server.exit_codes import INTERRUPTED_CODE, PASSED_CODE, TERMINATED_CODE

TOKEN_VARIABLE: Final = "PIXEL_LSP_TOKEN"  # noqa: S105 -- its name
_SHORTEST_TOKEN: Final = 16
_LONGEST_TOKEN: Final = 512


class ServeCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        path: A GGUF or PXI file; None where `model` names one.
        model: Of an installed package.
        backend: What computes.
        context_tokens: Of prompt and reply; 0 for what the model was made for, 8,192 at most.
        port: Of 127.0.0.1; 0 for a free one.
        token_file: Its first line is the token; None looks at the environment, then makes one.
        queue: Requests that may wait.
    """

    path: str | None
    model: str | None = None
    backend: BackendName = "auto"
    context_tokens: int = 0
    port: int = 8788
    token_file: str | None = None
    queue: int = 64


def serve(command: ServeCommand) -> int:
    """Answer until Ctrl-C or SIGTERM. Returns the exit code.

    Raises:
        PixelError: The model, the token or the port cannot be used, or a package is missing.
    """
    path = find_model(command.model) if command.model is not None else Path(command.path or "").absolute()
    token, is_new = find_token(command.token_file, os.environ)
    return asyncio.run(_serve(command, path, token, is_new=is_new))


def find_token(file: str | None, environment: Mapping[str, str]) -> tuple[str, bool]:
    """The token that requests must bring, and whether it was made just now.

    Args:
        file: Its first line is the token; None looks elsewhere.
        environment: May hold `PIXEL_LSP_TOKEN`.

    Raises:
        PixelError: The file cannot be read, or holds what cannot be a token.
    """
    if file is not None:
        try:
            with Path(file).open(encoding="utf-8") as stream:
                token, where = stream.readline(_LONGEST_TOKEN + 2).strip(), f"the first line of {file}"
        except (OSError, UnicodeDecodeError) as problem:
            raise PixelError(f"the token file {file} cannot be read: {problem}") from problem
    elif environment.get(TOKEN_VARIABLE):
        token, where = environment[TOKEN_VARIABLE], TOKEN_VARIABLE
    else:
        return secrets.token_urlsafe(24), True
    if not (_SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable() and " " not in token):
        raise PixelError(
            f"{where} is no token: it needs {_SHORTEST_TOKEN} to {_LONGEST_TOKEN} ASCII characters without spaces",
            hint='make one: python -c "import secrets; print(secrets.token_urlsafe(24))"',
        )
    return token, False


async def _serve(command: ServeCommand, path: Path, token: str, *, is_new: bool) -> int:
    try:
        from pixel_server.http.openai_app import openai_app
        from pixel_server.http.run_server import LocalServer, open_port
        from pixel_server.http.turns import Turns
    except ImportError as problem:
        raise PixelError(
            f"serving needs the package {problem.name}, which is not installed", hint="pip install 'pixel-lsp[serve]'"
        ) from problem
    code = PASSED_CODE
    source = ModelSource(path=str(path), backend=command.backend, context_tokens=command.context_tokens)
    process = ModelProcess(source)
    with open_port(command.port) as listening:
        try:
            facts = await process.load()
            port = int(listening.getsockname()[1])
            app = openai_app(
                process, name=path.stem, context_tokens=facts.context_tokens, token=token, port=port, turns=Turns(command.queue)
            )
            server = LocalServer(app)

            def stop(because: int) -> None:
                nonlocal code
                code = because
                server.stop()

            if sys.platform != "win32":
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGINT, stop, INTERRUPTED_CODE)
                loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED_CODE)
            shown = f"token: {token}" if is_new else "the token is the one you gave"
            sys.stderr.write(
                f"{facts.name} on {facts.backend}, context of {facts.context_tokens:,} tokens\n"
                f"model: {path.stem}\naddress: http://127.0.0.1:{port}/v1\n{shown}\n"
            )
            sys.stderr.flush()
            await server.serve(sockets=[listening])
        finally:
            await process.close()
    return code
