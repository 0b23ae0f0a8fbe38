"""Arguments of commands and requests: they come from the client, and whatever is not understood is refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pygls.exceptions import JsonRpcInvalidParams

from pixel_server.session import Document, Session


def number_at(arguments: tuple[Any, ...], index: int) -> int:
    """The whole number at an index.

    Raises:
        JsonRpcInvalidParams: There is none.
    """
    value = number_if_given(arguments, index)
    if value is None:
        raise JsonRpcInvalidParams(message=f"argument {index + 1} must be a number")
    return value


def number_if_given(arguments: tuple[Any, ...], index: int) -> int | None:
    """The whole number at an index; None where there is nothing.

    Raises:
        JsonRpcInvalidParams: There is something else.
    """
    value = arguments[index] if index < len(arguments) else None
    if value is None:
        return None
    # Some clients have one kind of number.
    is_whole = (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    if not is_whole:
        raise JsonRpcInvalidParams(message=f"argument {index + 1} must be a whole number")
    return int(value)


def text_at(arguments: tuple[Any, ...], index: int) -> str:
    """The text at an index.

    Raises:
        JsonRpcInvalidParams: There is none.
    """
    value = arguments[index] if index < len(arguments) else None
    if not isinstance(value, str):
        raise JsonRpcInvalidParams(message=f"argument {index + 1} must be a text")
    return value


def fields_of(value: Any) -> Mapping[str, Any]:
    """The fields of an object, which pygls gives as either of two kinds; none of anything else."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    as_dict = getattr(value, "_asdict", None)
    return cast("dict[str, Any]", as_dict()) if callable(as_dict) else {}


def open_file(session: Session, uri: object) -> Document:
    """The open document of a URI.

    Raises:
        JsonRpcInvalidParams: It is not open, or no file.
    """
    document = session.documents.get(uri) if isinstance(uri, str) else None
    if document is None or not document.is_file:
        raise JsonRpcInvalidParams(message=f"{uri or 'nothing'} is not an open file")
    return document
