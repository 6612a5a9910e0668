"""Secrets: well-known forms are masked in what comes in, and our own are matched exactly in what goes out."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from json import dumps
from urllib.parse import quote

_PEM = (
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}+"
    r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----)?"
)
_PROVIDERS: tuple[tuple[str, str], ...] = (
    ("aws-access-key", r"(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{36,255}\b"),
    ("github-fine-grained-token", r"github_pat_[A-Za-z0-9_]{60,255}\b"),
    ("gitlab-token", r"glpat-[A-Za-z0-9_-]{20,64}\b"),
    ("slack-token", r"xox[abprs]-[A-Za-z0-9-]{10,250}\b"),
    ("stripe-key", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,247}\b"),
    ("anthropic-key", r"sk-ant-[A-Za-z0-9_-]{20,200}\b"),
    ("openai-key", r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}\b"),
    ("google-api-key", r"AIza[0-9A-Za-z_-]{35}(?![\w-])"),
    ("google-oauth-secret", r"GOCSPX-[A-Za-z0-9_-]{28}(?![\w-])"),
    ("sendgrid-key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![\w-])"),
    ("twilio-key", r"SK[0-9a-f]{32}\b"),
    ("telegram-bot-token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"),
    ("npm-token", r"npm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", r"pypi-[A-Za-z0-9_-]{50,250}\b"),
    ("json-web-token", r"eyJ[A-Za-z0-9_-]{10,2000}+\.eyJ[A-Za-z0-9_-]{10,2000}+\.[A-Za-z0-9_-]{10,500}\b"),
    ("private-key", _PEM),
    ("url-password", r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,100}@[^\s/]{1,200}"),
)  # fmt: skip
"""Forms that providers give their secrets, each at the beginning of a word. Entropy is never a reason: anyone can
mail noise."""

SMALL = 16 * 1024
"""Characters of a text that is remembered with what was found in it."""

_ANY = re.compile(
    r"(?:\b|(?=-----BEGIN ))(?:" + "|".join(f"(?P<p{i}>{pattern})" for i, (_, pattern) in enumerate(_PROVIDERS)) + ")"
)


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
    return _scanned(text) if len(text) < SMALL else _found(text)


def _found(text: str) -> tuple[str, ...]:
    return tuple(_kind(match) for match in _ANY.finditer(text))


_scanned = lru_cache(maxsize=1024)(_found)
"""A note is looked at several times on its way, and once more when it changes."""


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


NO_SECRETS = OwnSecrets(frozenset())
