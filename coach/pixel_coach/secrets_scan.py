"""Keys, tokens and passwords in texts: found by the forms their issuers publish, and by names that say what a value is.

What is found is replaced by a placeholder before a text goes into a prompt, and put back into what a model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

import msgspec

_SECRET_FILES: Final = (
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    ".htpasswd",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "credentials",
    "credentials.json",
    "client_secret*.json",
    "service[-_]account*.json",
    "secrets.*",
)

_KNOWN_FORMS: Final = (
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[A-Za-z0-9+/=\s:,-]{0,16384}?-----END [A-Z ]{0,32}PRIVATE KEY-----",
    r"\bAIza[0-9A-Za-z_-]{35}",  # Google
    r"\bya29\.[0-9A-Za-z_-]{20,}",  # Google OAuth
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS
    r"\bgh[pousr]_[0-9A-Za-z]{36,}",  # GitHub
    r"\bgithub_pat_[0-9A-Za-z_]{22,}",
    r"\bglpat-[0-9A-Za-z_-]{20,}",  # GitLab
    r"\bsk-[0-9A-Za-z_-]{20,}",  # OpenAI and others
    r"\bxox[abeprs]-[0-9A-Za-z-]{10,}",  # Slack
    r"\bhf_[0-9A-Za-z]{30,}",  # Hugging Face
    r"\bnpm_[0-9A-Za-z]{36}",
    r"\bpypi-[0-9A-Za-z_-]{50,}",
    r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",  # JSON Web Token
)
_KNOWN: Final = re.compile("|".join(_KNOWN_FORMS))

# `api_key = "…"`, `"password": "…"`, `TOKEN=…`: the name tells, and the value must be long and mixed enough to be no word.
_NAMED: Final = re.compile(
    r"(?i)(?:api[_-]?key|secret|passw(?:or)?d|access[_-]?token|auth[_-]?token|private[_-]?key|client[_-]?secret|bearer)"
    r"""["']?[ \t]{0,8}[:=][ \t]{0,8}(?P<quote>["']?)(?P<value>[^\s"'`,;(){}<>\[\]]{12,512})(?P=quote)"""
)
_PLACEHOLDER: Final = "REMOVED_SECRET_{}"


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """A text whose secrets are replaced.

    Attributes:
        text: With `REMOVED_SECRET_1` and so on in their places.
        secrets: What each placeholder stands for; never logged.
    """

    text: str
    secrets: Mapping[str, str]

    def restore(self, text: str) -> str:
        """A text that a model made of this one, with the secrets where the placeholders are."""
        # Longest first: the name of the first is the beginning of that of the tenth.
        for placeholder in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(placeholder, self.secrets[placeholder])
        return text


def is_secret_file(path: PurePosixPath) -> bool:
    """Whether a file's name says that it holds secrets; such a file is never read."""
    name = path.name.lower()
    return any(fnmatchcase(name, pattern) for pattern in _SECRET_FILES)


def find_secrets(text: str) -> tuple[tuple[int, int], ...]:
    """Start and end, in code points, of everything that looks like a secret; in order, not overlapping."""
    spans = [match.span() for match in _KNOWN.finditer(text)]
    spans += [match.span("value") for match in _NAMED.finditer(text) if _is_random(match["value"], quoted=bool(match["quote"]))]
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return tuple(found)


def remove_secrets(text: str) -> Redaction:
    """Replace every secret of a text by a placeholder; equal secrets get the same one."""
    placeholders: dict[str, str] = {}
    parts: list[str] = []
    position = 0
    for start, end in find_secrets(text):
        secret = text[start:end]
        parts += [text[position:start], placeholders.setdefault(secret, _PLACEHOLDER.format(len(placeholders) + 1))]
        position = end
    parts.append(text[position:])
    return Redaction(text="".join(parts), secrets={placeholder: secret for secret, placeholder in placeholders.items()})


def _is_random(value: str, *, quoted: bool) -> bool:
    """Whether a value is more than a word, a call or the name of a variable."""
    kinds = sum((any(c.isdigit() for c in value), any(c.islower() for c in value), any(c.isupper() for c in value)))
    if value.startswith(("REMOVED_SECRET_", "os.environ", "$", "process.env")) or len(set(value)) < 8:
        return False
    return kinds >= 2 and (quoted or any(c.isdigit() for c in value))
