"""Text from outside, made safe to match, to show and to quote in a draft."""

import re
import unicodedata

from vault_protocol.plain import visible

_TAGS = {0xE0000 + code: code for code in range(0x20, 0x7F)}
_SELECTORS = re.compile("[\ufe00-\ufe0d\U000e0100-\U000e01ef\u034f\u115f\u1160\u3164\uffa0]")
"""Characters without a glyph that HIDDEN leaves alone; the two emoji selectors stay."""
_ORDINARY = re.compile(r"[^\W_]|[ .,;:?!¿¡'’()/&%+€$£\"„“”«»…–—-]")
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'’-]){0,39}")
_LINKISH = re.compile(r"https?|www\.|//|[\w-]\.(?:com|net|org|info|io|xyz|ru|cn|top|de|fr|es|eu|co)\b", re.I)


def clean(text: str) -> str:
    """LF line ends, no hidden or control characters, no spaces at line ends, one final newline if not empty."""
    lines = [line.rstrip() for line in _SELECTORS.sub("", visible(text)).split("\n")]
    body = "\n".join(lines).strip("\n")
    return body + "\n" if body.strip() else ""


def line(text: str, limit: int) -> str:
    """One line of at most `limit` characters."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def legible(text: str) -> str:
    """What a mail says to a reader who is fooled by nothing: for matching only.

    Invisible tag characters become the letters they stand for, look-alike forms their plain ones.
    """
    return " ".join(clean(unicodedata.normalize("NFKC", text.translate(_TAGS))).lower().split())


def quotable(text: str) -> bool:
    """Whether a stranger's words may stand in a draft: no link, address, markup or unusual sign."""
    return all(_ORDINARY.match(sign) for sign in text) and not _LINKISH.search(text)


def name_of(sender_name: str) -> str | None:
    """The sender's name for a greeting, or None when it is no plausible name."""
    name = line(sender_name, 60).strip(" \"'")
    if name.count(",") == 1:
        last, first = name.split(",")
        name = f"{first.strip()} {last.strip()}"
    return name if _NAME.fullmatch(name) and len(name.split()) <= 4 and quotable(name) else None
