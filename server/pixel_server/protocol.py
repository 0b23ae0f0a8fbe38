"""pygls's protocol, mended: every request is answered, and waiting for an editor's answer can be given up, and so can a handler."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Union

import msgspec
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcServerNotInitialized
from pygls.protocol import LanguageServerProtocol, default_converter

if TYPE_CHECKING:
    from cattrs import Converter

_LOG: Final = logging.getLogger(__name__)


class _Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is JSON, and not what its method takes.

    Attributes:
        id: Of the message; None for a notification.
        method: Its method; None for a response.
        problem: What is told to who sent it.
        jsonrpc: As in any message.
    """

    id: str | int | None
    method: str | None
    problem: JsonRpcException
    jsonrpc: str = "2.0"


class PixelProtocol(LanguageServerProtocol):
    """The protocol of the server.

    In pygls, whoever stops waiting cancels the request's future, and an answer that comes after all is then an error in the log. So is the
    cancellation of a handler that pygls has a part of its own in (`initialized`, `shutdown`), when the server ends meanwhile.

    Nor does pygls answer a request that it cannot read, or that comes after `shutdown`: whoever sent it would wait for good.
    """

    def send_request_async(self, method: str, params: Any | None = None, msg_id: str | int | None = None) -> asyncio.Future[Any]:
        """Ask the editor something; the wait may be cancelled."""
        return asyncio.shield(super().send_request_async(method, params=params, msg_id=msg_id))

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message from its JSON; one that cannot be read is kept, to be answered."""
        try:
            return super().structure_message(data)
        except JsonRpcException as problem:
            return _Unreadable(id=data.get("id"), method=data.get("method"), problem=problem)

    def handle_message(self, message: Any) -> None:
        """Pass a message on to its handler, or answer why that is not done.

        Source: LSP 3.17, "Initialize Request" and "Shutdown Request".
        """
        method, number = getattr(message, "method", None), getattr(message, "id", None)
        problem = self._refusal(method)
        if isinstance(message, _Unreadable):
            problem = problem or message.problem
        elif problem is None:
            super().handle_message(message)
            return
        if method is None and number is not None:
            self._handle_response(number, None, problem.to_response_error())
            return
        _LOG.warning("%s refused: %s", method, problem.message)
        if number is not None:
            self._send_response(number, error=problem.to_response_error())

    def _refusal(self, method: str | None) -> JsonRpcException | None:
        """Why a method is out of turn; None when it is not, and for a response."""
        if method is None or method == types.EXIT:
            return None
        if self._workspace is None:
            return None if method == types.INITIALIZE else JsonRpcServerNotInitialized()
        return JsonRpcInvalidRequest() if self._shutdown or method == types.INITIALIZE else None

    def _run_generator(
        self, future: Union[Future[Any], asyncio.Future[Any], None], *, gen: Generator[Any, Any, Any], result_future: Future[Any]
    ) -> None:
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)  # pyright: ignore[reportArgumentType] -- pygls passes tasks


def tolerant_converter() -> Converter:
    """The converter of pygls, for which a value that an enumeration does not have is that value.

    Editors declare what newer versions of the protocol have, and `initialize` is not to fail of it.
    """
    converter = default_converter()

    def structure(value: Any, kind: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            return value

    # One by one, for most of them are texts or numbers too, and are taken for that first.
    for kind in vars(types).values():
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            converter.register_structure_hook(kind, structure)
    return converter
