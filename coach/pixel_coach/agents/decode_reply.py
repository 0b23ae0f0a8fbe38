"""Reads JSON of a service as the type that its documentation promises."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pixel_coach.errors import ReplyMalformed

T = TypeVar("T")


def decode_reply(data: bytes, promised: type[T], service: str) -> T:
    """Decode a message of a service. Members that the type does not name are passed over.

    Args:
        data: One JSON value.
        promised: What it must be.
        service: For the sentence.

    Raises:
        ReplyMalformed: It is not JSON, or not of that type.
    """
    problem = ""
    try:
        return msgspec.json.decode(data, type=promised)
    except msgspec.ValidationError as mismatch:
        problem = f"not of the documented form ({mismatch})"
    except (msgspec.DecodeError, UnicodeDecodeError) as garbled:
        problem = f"not JSON ({garbled})"
    except RecursionError:
        problem = "nested too deeply to be read"
    raise ReplyMalformed(f"{service} sent something that is {problem}", hint="what it sent is in the log of this run")
