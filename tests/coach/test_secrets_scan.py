"""Secrets in texts: found, replaced, put back."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pixel_coach.secrets_scan import find_secrets, is_secret_file, remove_secrets

# Put together at run time: scanners of repositories need not find these.
GOOGLE = "AIza" + "Sy0123456789abcdefghijklmnopqrstuvw"
GITHUB = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
AWS = "AKIA" + "ABCDEFGHIJKLMNOP"
PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\nabc\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f'key = "{GOOGLE}"', GOOGLE),
        (f"token {GITHUB}.", GITHUB),
        (f"aws={AWS}", AWS),
        (f"a\n{PRIVATE}\nb", PRIVATE),
        ('password = "correct-Horse7-battery"', "correct-Horse7-battery"),
        ('"api_key": "f00dCafe12345678"', "f00dCafe12345678"),
        ("CLIENT_SECRET=9a8b7c6d5e4f3a2b", "9a8b7c6d5e4f3a2b"),
        ("Authorization: Bearer: abcDEF123456ghi", "abcDEF123456ghi"),
    ],
)
def test_a_secret_is_found(text: str, secret: str) -> None:
    assert [text[start:end] for start, end in find_secrets(text)] == [secret]


@pytest.mark.parametrize(
    "text",
    [
        'api_key = os.environ["GEMINI_API_KEY"]',
        "password = read_password_from_user",
        "let secret_count = 12345678901234;",
        'secret = "aaaaaaaaaaaaaaaa"',
        "var<storage, read> access_token: array<u32>;",
        "sum += tile_a[local.y][i] * tile_b[i][local.x];",
        "bearer of bad news",
    ],
)
def test_code_is_no_secret(text: str) -> None:
    assert find_secrets(text) == ()


def test_secrets_are_replaced_and_put_back() -> None:
    text = f"a = '{GOOGLE}'\nb = '{GITHUB}'\nc = '{GOOGLE}'\n"
    redaction = remove_secrets(text)
    assert redaction.text == "a = 'REMOVED_SECRET_1'\nb = 'REMOVED_SECRET_2'\nc = 'REMOVED_SECRET_1'\n"
    assert redaction.restore(redaction.text) == text
    assert redaction.restore("only REMOVED_SECRET_2") == f"only {GITHUB}"


def test_the_tenth_placeholder_is_not_the_first_with_a_zero() -> None:
    keys = [f"ghp_{number:036d}" for number in range(12)]
    redaction = remove_secrets(" ".join(keys))
    assert redaction.restore("REMOVED_SECRET_12 REMOVED_SECRET_1") == f"{keys[11]} {keys[0]}"


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "prod.env", "id_rsa", "server.pem", "a/b/.npmrc", "secrets.toml", "CREDENTIALS.JSON"]
)
def test_files_of_secrets_are_known_by_name(name: str) -> None:
    assert is_secret_file(PurePosixPath(name))


@pytest.mark.parametrize("name", ["matmul.wgsl", "environment.py", "keys.wgsl", "tests/test_secret.py"])
def test_other_files_are_not(name: str) -> None:
    assert not is_secret_file(PurePosixPath(name))
