"""Text from outside, made safe to stand in a note, a file name or a terminal."""

from __future__ import annotations

import re
import unicodedata

HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Zero-width, bidirectional, filler and tag characters: they show a person other text than is there.
Variation selectors 1 to 16 are left alone: emoji need them."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters and line separators other than tab and LF, and lone surrogates."""

_PICTURE = "[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff](?:\ufe0f|[\U0001f3fb-\U0001f3ff])?"
_JOINED = re.compile(f"{_PICTURE}(?:\u200d{_PICTURE}){{1,6}}")
"""Pictures that a reader sees as one, a family or a rainbow flag, or beside one another: never as other text."""

_ACTIVE = re.compile(r"\[(?=\[)|\](?=\()|!(?=\[)|:(?=:)|:(?=//)|/(?=/)|\{(?=\{)|%(?=%)|www(?=\.)", re.IGNORECASE)
"""Where a viewer would begin a link, an embed, a field, a template or a comment; a space goes after it."""

_SWAP = str.maketrans({"<": "‹", ">": "›", "`": "'", "|": "¦", "#": "♯", "$": "＄", "\t": " ", "\n": " "})
_BACK = str.maketrans({"‹": "<", "›": ">", "¦": "|", "♯": "#", "＄": "$"})


def hidden_or_control(text: str, *, pictures: bool = False) -> str | None:
    """The first character a draft may not hold, as `U+202E`, or None. With `pictures`, U+200D may join emoji."""
    if pictures and "\u200d" in text:
        text = _JOINED.sub("", text)
    found = HIDDEN.search(text) or CONTROL.search(text)
    return f"U+{ord(found.group()):04X}" if found else None


def visible(text: str, *, pictures: bool = False) -> str:
    """LF line ends; hidden and control characters taken out. With `pictures`, emoji that are joined stay so."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if pictures and "\u200d" in text:
        parts = re.split(f"({_JOINED.pattern})", text)
        return "".join(part if at % 2 else visible(part) for at, part in enumerate(parts))
    return CONTROL.sub("", HIDDEN.sub("", text))


def one_line(text: str, limit: int = 200) -> str:
    """A single line for front matter and terminals: nothing in it renders as link, tag, query, formula or template."""
    line = " ".join(_ACTIVE.sub(r"\g<0> ", visible(text).translate(_SWAP)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def message_id_shown(message_id: str) -> str:
    """As front matter has it."""
    return one_line(message_id, 300)


def message_id_meant(shown: str) -> str:
    """The Message-ID that front matter shows so, which itself has no spaces; empty when it could be another."""
    meant = "".join(shown.split()).translate(_BACK)
    sure = meant.isascii() and "'" not in meant and message_id_shown(meant) == shown
    return meant if sure else ""


def fenced(text: str, kind: str = "text") -> str:
    """The text inside a Markdown fence longer than any run of fence characters in it."""
    body = text if text.endswith("\n") or not text else text + "\n"
    fence = fence_for(body)
    return f"{fence}{kind}\n{body}{fence}\n"


def fence_for(text: str) -> str:
    """Backticks, at least three, more than any run of them in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def slug(text: str, limit: int = 40) -> str:
    """`[a-z0-9-]*` from any text, for the readable half of a file name."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return "-".join(re.findall("[a-z0-9]+", ascii_text[: limit * 8]))[:limit].strip("-")
