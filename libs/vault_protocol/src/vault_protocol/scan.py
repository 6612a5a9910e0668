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
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,20000}+"
    r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
    r"|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----(?:[^-]|-(?!---)){0,20000}+"
    r"(?:---- END SSH2 ENCRYPTED PRIVATE KEY ----)?"
    r"|PuTTY-User-Key-File-[0-9]: [^\n]{1,200}(?:\n[^\n]{1,200}){0,100}"
)
_GITLAB = r"(?:gl(?:pat|dt|ft|soat|rt|imt|ptt|agent|oas)-|glcbt-(?:[0-9a-fA-F]{2}_)?|GR1348941)[A-Za-z0-9_-]{20,255}\b"
_PROVIDERS: tuple[tuple[str, str, str], ...] = (
    ("aws-access-key", "AKIA ASIA ABIA ACCA", r"A(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}\b"),
    ("azure-storage-key", "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("artifactory-key", "AKCp", r"AKCp[A-Za-z0-9]{60,100}\b"),
    ("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}\b"),
    ("github-fine-grained-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{60,255}\b"),
    ("gitlab-token", "glpat- gldt- glft- glsoat- glrt- glimt- glptt- glagent- gloas- glcbt- GR1348941", _GITLAB),
    ("slack-token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}\b"),
    ("slack-webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/T\w{1,40}/B\w{1,40}/\w{10,80}\b"),
    ("stripe-key", "k_live_ k_test_", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,247}\b"),
    ("square-secret", "sq0", r"sq0(?:csp|atp)-[A-Za-z0-9_-]{22,43}(?![\w-])"),
    ("mailchimp-key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}\b"),
    ("anthropic-key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,200}\b"),
    ("openai-key", "sk-", r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}\b"),
    ("google-api-key", "AIza", r"AIza[0-9A-Za-z_-]{35}(?![\w-])"),
    ("google-oauth-secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}(?![\w-])"),
    ("sendgrid-key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![\w-])"),
    ("twilio-key", "SK", r"SK[0-9a-f]{32}\b"),
    ("telegram-bot-token", ":AA", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"),
    ("discord-bot-token", "", r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}(?![\w-])"),
    ("npm-token", "npm_ _authToken=", r"(?:npm_[A-Za-z0-9]{36}|_authToken=[0-9A-Fa-f-]{36})\b"),
    ("pypi-token", "pypi-", r"pypi-[A-Za-z0-9_-]{50,250}\b"),
    ("json-web-token", "eyJ", r"eyJ[A-Za-z0-9_-]{10,2000}+\.eyJ[A-Za-z0-9_-]{10,2000}+\.[A-Za-z0-9_-]{10,500}\b"),
    ("private-key", "PRIVATE PuTTY-", _PEM),
    ("url-password", "://", r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,100}@[^\s/]{1,200}"),
)  # fmt: skip
"""Forms that providers give their secrets, each at the beginning of a word, and what no text with one is without. Only
what is unmistakable: a refusal is a way to be in the way, and anyone can mail noise."""

_HINTS = tuple(hint for _, hints, _ in _PROVIDERS for hint in hints.split())
_DOTTED = re.compile(r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}")
"""What no token of Discord is without; it has no prefix."""

SMALL = 16 * 1024
"""Characters of a text that is remembered with what was found in it."""

_ANY = re.compile(
    r"(?:\b|(?=----[- ]BEGIN ))(?:" + "|".join(f"(?P<p{i}>{form})" for i, (_, _, form) in enumerate(_PROVIDERS)) + ")"
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
    for hint in _HINTS:
        if hint in text:
            break
    else:
        if not _DOTTED.search(text):
            return ()
    return tuple(_kind(match) for match in _ANY.finditer(text))


_scanned = lru_cache(maxsize=512)(_found)
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
