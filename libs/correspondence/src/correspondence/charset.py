"""Bytes to characters, whatever charset they claim; only codecs named here are ever looked up."""

from __future__ import annotations

import codecs

from correspondence.oddity import Oddity

SHORTER = (
    ("iso_8859_", "iso8859_"),
    ("windows_", "cp"),
    ("iso_2022_", "iso2022_"),
    ("utf_16le", "utf_16_le"),
    ("utf_16be", "utf_16_be"),
)
# What mailers write in a charset is often its Windows superset.
SUPERSETS = {
    "us_ascii": "ascii",
    "ansi_x3.4_1968": "ascii",
    "utf8": "utf_8",
    "iso8859_1": "cp1252",
    "latin1": "cp1252",
    "iso8859_9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601_1987": "cp949",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "tis_620": "cp874",
    "macintosh": "mac_roman",
}
KNOWN = frozenset(
    [
        "utf_8",
        "utf_16",
        "utf_16_le",
        "utf_16_be",
        "utf_32",
        "koi8_r",
        "koi8_u",
        "gb18030",
        "big5",
        "big5hkscs",
    ]
    + [
        "euc_jp",
        "iso2022_jp",
        "iso2022_jp_2",
        "iso2022_kr",
        "hz",
        "cp949",
        "cp932",
        "cp437",
        "cp850",
        "cp852",
    ]
    + [
        "cp855",
        "cp866",
        "cp874",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
    ]
    + ["cp1258", "mac_roman", "mac_cyrillic"]
    + [f"iso8859_{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)]
)


# RFC 2781: what carries no byte order mark is big-endian; Python's decoders raise instead.
MARKS = {
    "utf_16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf_32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
UNKNOWN, ASCII, MISSING = "unknown", "ascii", ""


def codec_name(charset: str) -> str:
    """The codec for a charset's name, or one of UNKNOWN, ASCII and MISSING."""
    name = charset.strip().strip("\"'").lower().replace("-", "_")
    for given, short in SHORTER:
        if name.startswith(given):
            name = short + name.removeprefix(given)
    name = SUPERSETS.get(name, name)
    return name if name in KNOWN or name in (ASCII, MISSING) else UNKNOWN


def decode(content: bytes, charset: str, found: set[Oddity], *, limit: int) -> str:
    """At most `limit` bytes as text; a wrong claim is an oddity, then UTF-8 and Windows-1252 are tried."""
    whole = len(content) <= limit
    if not whole:
        found.add(Oddity.TRUNCATED)
        content = content[:limit]
    name = codec_name(charset)
    if name in MARKS and not content.startswith(MARKS[name]):
        name = f"{name}_be"
    guessed = name in (UNKNOWN, ASCII, MISSING)
    if name == UNKNOWN or (name == ASCII and not content.isascii()):
        found.add(Oddity.BAD_CHARSET)
    text = _strict(content, "utf_8" if guessed else name, whole)
    if text is not None:
        return text
    found.add(Oddity.BAD_CHARSET)
    if guessed or name == "cp1252":
        return _strict(content, "cp1252", whole) or content.decode("latin-1")
    try:
        return codecs.getincrementaldecoder(name)("replace").decode(content, whole)
    except UnicodeError:  # an escape sequence that never ends is more than some of Python's decoders hold
        return content.decode("latin-1")


def _strict(content: bytes, name: str, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(content, whole)
    except UnicodeError:
        return None
