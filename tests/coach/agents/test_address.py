"""Addresses as users write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_coach.agents.address import read_address


@pytest.mark.parametrize(
    ("text", "url", "is_loopback"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("https://generativelanguage.googleapis.com/", "https://generativelanguage.googleapis.com", False),
        ("localhost", "http://localhost:11434", True),
        ("LOCALHOST:80", "http://localhost", True),
        ("127.8.9.1:5", "http://127.8.9.1:5", True),
        ("http://[::1]:8080/v1/", "http://[::1]:8080/v1", True),
        ("0.0.0.0", "http://127.0.0.1:11434", True),
        (":8000", "http://127.0.0.1:8000", True),
        ("192.168.1.5", "http://192.168.1.5:11434", False),
        ("http://localhost.example.org", "http://localhost.example.org", False),
        ("http://2130706433", "http://2130706433", False),
    ],
)
def test_addresses(text: str, url: str, is_loopback: bool) -> None:
    address = read_address(text, default_port=11434)
    assert (address.url, address.is_loopback) == (url, is_loopback)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ftp://host", "must begin with http:// or https://"),
        ("file:///etc/passwd", "must begin with http:// or https://"),
        ("http://user:word@host", "must not hold a name or password; name the variable that holds the key as `key_variable` instead"),
        ("http://host?key=1", "must end before `?` and `#`"),
        ("http://", "names no host"),
        ("http://host:99999", "has no valid host or port"),
        ("http://[::1", "has no valid host or port"),
        ("http://h\u00f6st", "holds a character that no address has"),
        ("http://host/a b", "holds a character that no address has"),
    ],
)
def test_what_is_none(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)) as refusal:
        read_address(text)
    assert str(refusal.value) == problem


@given(st.text())
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        address = read_address(text)
    except ValueError:
        return
    assert read_address(address.url) == address
