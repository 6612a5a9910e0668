"""Characters that deceive: control, direction-changing and invisible ones never leave this package."""

from __future__ import annotations

import re

from correspondence.oddity import Oddity

BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
# Emoji are written with single joiners and variation selectors: dropping these deceives nobody.
EMOJI_GLUE = re.compile("(?<=[\u2190-\U0001ffff])\u200d(?=[\u2190-\U0001ffff])|\ufe0f(?![\ufe00-\ufe0f])|^\ufeff")
LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]+")
NOT_A_CHARACTER = re.compile("[\ud800-\udfff]")
LINE_BREAKING = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(text: str, found: set[Oddity]) -> str:
    """Text with \\n and \\t as its only control characters; what was taken out is added to `found`."""
    text = LINE_END.sub("\n", text)
    text = NOT_A_CHARACTER.sub("\ufffd", CONTROL.sub("", text)).replace("\xa0", " ")
    text, reversing = BIDI.subn("", text)
    text, invisible = INVISIBLE.subn("", EMOJI_GLUE.sub("", text))
    if reversing:
        found.add(Oddity.BIDI_CHARACTERS)
    if invisible:
        found.add(Oddity.ZERO_WIDTH_CHARACTERS)
    return text


def one_line(text: str, found: set[Oddity], *, limit: int) -> str:
    """One clean line of at most `limit` characters, runs of white space made one space."""
    text, breaking = LINE_BREAKING.subn(" ", text)
    if breaking:
        found.add(Oddity.CONTROL_CHARACTERS)
    text = " ".join(clean(text, found).split())
    if len(text) > limit:
        found.add(Oddity.TRUNCATED)
        return text[:limit].rstrip()
    return text
