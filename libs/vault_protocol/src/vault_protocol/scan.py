"""Secrets: well-known forms are masked in what comes in, and our own are matched exactly in what goes out."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from json import dumps
from urllib.parse import quote

_PEM = (
    r"-----BEGIN (?:[A-Z0-9]{1,60} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,20000}+"
    r"(?:-----END (?:[A-Z0-9]{1,60} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
    r"|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----(?:[^-]|-(?!---)){0,20000}+"
    r"(?:---- END SSH2 ENCRYPTED PRIVATE KEY ----)?"
    r"|PuTTY-User-Key-File-[0-9]: [^\n]{1,200}(?:\n[^\n]{1,200}){0,100}"
)
_MIXED = r"(?=[A-Za-z0-9_-]{0,254}?(?<=[a-z0-9])[A-Z])"
"""Within the longest token there is, a capital within a word, which neither words of a file name nor a slug have, and
hardly a key is without."""
_DIGIT = r"(?=[A-Za-z_-]{0,200}+[0-9])"
_HEX = r"(?=[a-f]{0,32}+[0-9]{1,32}+[a-f])[0-9a-f]"
_GITLAB = (
    rf"(?:gl(?:pat|dt|ft|soat|rt|imt|ptt|agent|oas)-|glcbt-(?:[0-9a-fA-F]{{2}}_)?|GR1348941){_MIXED}"
    r"[A-Za-z0-9_-]{20,255}\b"
)
_SLACK = (
    rf"xox[abeoprs]-(?:[0-9]{{1,14}}-){{0,3}}+(?:{_MIXED}{_DIGIT}[A-Za-z0-9]{{10,250}}"
    r"|(?<=[0-9]{8}-)(?=[a-z0-9]{0,40}+[A-Z])[A-Za-z0-9]{16,250}"
    r"|(?=[a-z]{0,40}+[0-9]{1,40}+[a-z]{1,40}+[0-9]{1,40}+[a-z])[a-z0-9]{18,250})(?:-[A-Za-z0-9]{1,250})?\b"
)
_OPENAI = (
    rf"sk-(?:(?:proj|svcacct|admin)-{_MIXED}{_DIGIT}[A-Za-z0-9_-]{{32,200}}|{_MIXED}{_DIGIT}[A-Za-z0-9]{{32,200}}"
    rf"|(?:or-v1-)?{_HEX}{{32,64}})\b"
)
_DISCORD = (
    r"[MNO](?=[A-Za-z0-9_-]{23,25}\.)"  # before what looks far ahead: any word may begin so
    rf"{_MIXED}[A-Za-z0-9_-]{{23,25}}\.[A-Za-z0-9_-]{{6}}\.{_MIXED}[A-Za-z0-9_-]{{27,38}}(?![\w-])"
)
_PROVIDERS: tuple[tuple[str, str, str], ...] = (
    ("aws-access-key", "AKIA ASIA ABIA ACCA", r"A(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}\b"),
    ("azure-storage-key", "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("artifactory-key", "AKCp", r"AKCp[A-Za-z0-9]{60,100}\b"),
    ("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}\b"),
    ("github-fine-grained-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{60,255}\b"),
    ("gitlab-token", "glpat- gldt- glft- glsoat- glrt- glimt- glptt- glagent- gloas- glcbt- GR1348941", _GITLAB),
    ("slack-token", "xox", _SLACK),
    ("slack-webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/T\w{1,40}/B\w{1,40}/\w{10,80}\b"),
    ("stripe-key", "k_live_ k_test_", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{20,247}\b"),
    ("square-secret", "sq0", rf"sq0(?:csp|atp)-{_MIXED}[A-Za-z0-9_-]{{22,43}}(?![\w-])"),
    ("mailchimp-key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}\b"),
    ("anthropic-key", "sk-ant-", rf"sk-ant-{_MIXED}{_DIGIT}[A-Za-z0-9_-]{{20,200}}\b"),
    ("openai-key", "sk-", _OPENAI),
    ("google-api-key", "AIza", r"AIza[0-9A-Za-z_-]{35}(?![\w-])"),
    ("google-oauth-secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}(?![\w-])"),
    ("sendgrid-key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![\w-])"),
    ("twilio-key", "SK", r"SK[0-9a-f]{32}\b"),
    ("telegram-bot-token", ":AA", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"),
    ("discord-bot-token", "", _DISCORD),
    ("npm-token", "npm_ _authToken=", r"(?:npm_[A-Za-z0-9]{36}|_authToken=[0-9A-Fa-f-]{36})\b"),
    ("pypi-token", "pypi-", rf"pypi-{_MIXED}[A-Za-z0-9_-]{{50,250}}\b"),
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

PART, REACH = 64 * 1024, 32 * 1024
"""Characters that are looked through at once, and how many behind its beginning a secret may be judged by at most."""

_ROUNDS = 8
"""Of masking, each as long as the text."""


def mask(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with every well-known secret replaced by its kind, and the kinds found, in order. Nothing is found in
    what comes out: a secret that only shows once another is gone is masked as well."""
    found: list[str] = []

    def replace(match: re.Match[str]) -> str:
        found.append(_kind(match))
        return _removed(match)

    for _ in range(_ROUNDS):
        known = len(found)
        text = _ANY.sub(replace, text)
        if len(found) == known:
            return text, tuple(found)
    return _without_words(text, found), tuple(found)


def _without_words(text: str, found: list[str]) -> str:
    """Without the whole of each run between spaces that has a secret: for a text made to have one within another."""
    kept: list[str] = []
    end = 0
    for match in _ANY.finditer(text):
        found.append(_kind(match))
        if match.end() <= end:
            continue
        begin, after = max(match.start(), end), match.end()
        while begin > end and not text[begin - 1].isspace():
            begin -= 1
        while after < len(text) and not text[after].isspace():
            after += 1
        kept += (text[end:begin], _removed(match))
        end = after
    return "".join(kept) + text[end:]


def _removed(match: re.Match[str]) -> str:
    return f"[{_kind(match)} removed]"


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
    return tuple(map(_kind, _matches(text)))


def _matches(text: str) -> Iterator[re.Match[str]]:
    """What `_ANY.finditer` finds, part after part: a pattern lets no other thread run, and one search of a note of
    16 MiB can take a minute."""
    at = 0
    while at < len(text):
        after = at + PART
        found = _ANY.search(text, at, after + REACH)
        if found is not None and found.start() < after:
            yield found
            at = found.end()
        else:
            at = after


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
