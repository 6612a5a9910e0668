"""Attached files: what they are called, how large they are and what they contain, as a hash."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from correspondence.characters import one_line
from correspondence.headers import decode_words
from correspondence.mime import Part
from correspondence.oddity import Oddity

LONGEST_NAME = 100
UNSAFE = re.compile(r"[^A-Za-z0-9._ ()+=@-]+")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}")
RUNS = re.compile(
    r"ade|adp|app|application|appref-ms|bat|chm|cmd|com|cpl|docm|dotm|exe|hta|html?|img|iso|jar|jse?|lnk|mht|mhtml|"
    r"ms[cip]|one|pif|potm|ppam|pptm|ps1|ps1xml|reg|sc[frt]|settingcontent-ms|svg|url|vb[es]|vhdx?|ws[cfh]|"
    r"xhtml|xlam|xll|xls[bm]|xltm",
    re.IGNORECASE,
)
ENDINGS = {"text/plain": "txt", "text/html": "html", "text/calendar": "ics", "message/rfc822": "eml"}


@dataclass(frozen=True)
class Attachment:
    """What is known of an attached file; its content is not kept."""

    name: str
    size: int
    sha256: str
    media_type: str
    inline: bool


def describe(part: Part, content: bytes, number: int, found: set[Oddity]) -> Attachment:
    """An attachment with a name that is safe to show and to save."""
    media_type = part.media_type if MEDIA_TYPE.fullmatch(part.media_type) else "application/octet-stream"
    given = decode_words(part.disposition.get("filename") or part.type.get("name"), found)
    name = safe_name(given, found) or f"attachment-{number}.{ENDINGS.get(media_type, 'bin')}"
    if RUNS.fullmatch(name.rpartition(".")[2]):
        found.add(Oddity.RISKY_ATTACHMENT)
    return Attachment(
        name=name,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=media_type,
        inline=part.disposition.value == "inline" or bool(part.headers.first("content-id")),
    )


def safe_name(name: str, found: set[Oddity]) -> str:
    """A file name in ASCII without folders, empty when nothing of it is left."""
    name = one_line(name, found, limit=10_000).replace("\\", "/").rpartition("/")[2]
    letters = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    plain = "".join(letters).encode("ascii", "replace").decode("ascii")
    plain = UNSAFE.sub("_", plain).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if len(plain) > LONGEST_NAME:
        plain = (
            f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 20 else plain[:LONGEST_NAME]
        )
    plain = plain.strip(" .")
    return plain if plain.strip("_. ") else ""
