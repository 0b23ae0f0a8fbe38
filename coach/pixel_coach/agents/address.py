"""Where a service is reached: the base address that a user gave, taken apart, and whether it stays on this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import httpx
import msgspec

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ANY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what a server listens on, read as where it is


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A base address.

    Attributes:
        scheme: `http` or `https`.
        host: Name or number, without brackets.
        port: Of the service.
        path: Prefix of every path, without a final slash; often empty.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """As users write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if _DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_address(text: str, *, default_port: int | None = None) -> Address:
    """Take an address apart. `host`, `host:port`, `:port` and whole URLs are understood, as OLLAMA_HOST is by Ollama itself.

    Args:
        text: What the user gave.
        default_port: For an address that names neither a scheme nor a port; None is the scheme's own.

    Raises:
        ValueError: It is none; the message completes the sentence "the address … ".
    """
    text = text.strip()
    has_scheme = "://" in text
    try:
        parts = urlsplit(text if has_scheme else f"http://{text}")
        port = parts.port
    except ValueError:
        raise ValueError("has no valid host or port") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("must begin with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a name or password; name the variable that holds the key as `key_variable` instead")
    if parts.query or parts.fragment:
        raise ValueError("must end before `?` and `#`")
    host = (parts.hostname or "").lower()
    if not host.isascii() or any(not character.isprintable() or character.isspace() for character in host + parts.path):
        raise ValueError("holds a character that no address has")
    if not host and has_scheme:
        raise ValueError("names no host")
    if port is None:
        port = _DEFAULT_PORTS[parts.scheme] if has_scheme or default_port is None else default_port
    address = Address(scheme=parts.scheme, host=_ANY_INTERFACE.get(host, host), port=port, path=parts.path.rstrip("/"))
    try:
        httpx.URL(address.url)
    except httpx.InvalidURL:
        raise ValueError("has no valid host or port") from None
    return address
