"""Secrets: well-known forms are masked in what comes in, and our own are matched exactly in what goes out."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from json import dumps
from urllib.parse import quote

_PROVIDERS: tuple[tuple[str, str], ...] = (
    ("aws-access-key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("github-token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b"),
    ("github-fine-grained-token", r"\bgithub_pat_[A-Za-z0-9_]{60,255}\b"),
    ("gitlab-token", r"\bglpat-[A-Za-z0-9_-]{20,64}\b"),
    ("slack-token", r"\bxox[abprs]-[A-Za-z0-9-]{10,250}\b"),
    ("stripe-key", r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,247}\b"),
    ("anthropic-key", r"\bsk-ant-[A-Za-z0-9_-]{20,200}\b"),
    ("openai-key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}\b"),
    ("google-api-key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("google-oauth-secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("twilio-key", r"\bSK[0-9a-f]{32}\b"),
    ("telegram-bot-token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_-]{50,250}\b"),
    ("json-web-token", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,500}\b"),
    ("private-key", r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----[^-]{0,20000}(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----)?"),
    ("url-password", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,100}@[^\s/]{1,200}"),
)  # fmt: skip
"""Forms that providers give their secrets. Entropy is never a reason: anyone can mail noise."""

_ANY = re.compile("|".join(f"(?P<p{i}>{pattern})" for i, (_, pattern) in enumerate(_PROVIDERS)))


def mask(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with every well-known secret replaced by its kind, and the kinds found, in order."""
    found: list[str] = []

    def replace(match: re.Match[str]) -> str:
        kind = _kind(match)
        found.append(kind)
        return f"[{kind} removed]"

    return _ANY.sub(replace, text), tuple(found)


def provider_secrets(text: str) -> tuple[str, ...]:
    """The kinds of well-known secrets in the text."""
    return tuple(_kind(match) for match in _ANY.finditer(text))


def _kind(match: re.Match[str]) -> str:
    return _PROVIDERS[int((match.lastgroup or "p0")[1:])][0]


@dataclass(frozen=True)
class OwnSecrets:
    """The secrets this side holds, in the spellings they could leak in. Never printed."""

    spellings: frozenset[bytes]

    @classmethod
    def of(cls, values: Iterable[str]) -> OwnSecrets:
        """Plain, base64 (both alphabets), hex, URL and JSON spellings of each value of 6 characters or more."""
        spellings: set[bytes] = set()
        for value in values:
            if len(value) < 6:
                continue
            raw = value.encode("utf-8")
            hexed = raw.hex()
            base64s = (b64encode(raw), urlsafe_b64encode(raw))
            spellings |= {raw, hexed.encode(), hexed.upper().encode(), quote(value, safe="").encode()}
            spellings |= {dumps(value)[1:-1].encode(), *(b.rstrip(b"=") for b in base64s)}
        return cls(frozenset(spellings))

    def found_in(self, content: bytes) -> bool:
        return any(spelling in content for spelling in self.spellings)

    def __repr__(self) -> str:
        return f"OwnSecrets({len(self.spellings)} spellings)"
