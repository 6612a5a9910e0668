"""Content-Type and Content-Disposition: a value and its parameters (RFC 2045, RFC 2231)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from correspondence.charset import decode
from correspondence.headers import decode_words
from correspondence.oddity import Oddity

LONGEST = 10_000
PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)")


@dataclass(frozen=True)
class Structured:
    """A lower-case value, and its parameters by lower-case name; the first of equal names counts."""

    value: str
    parameters: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """A parameter, empty when there is none."""
        return next((value for known, value in self.parameters if known == name), "")


def read_structured(header: str, found: set[Oddity]) -> Structured:
    """Read such a header; what cannot be read is left out."""
    header = header[:LONGEST]
    head = header.partition(";")[0]
    value = head.partition("(")[0].strip().lower()
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in PARAMETER.finditer(header, len(head)):
        text = match[3].strip() if match[2] is None else ESCAPED.sub(r"\1", match[2])
        part = SECTION.fullmatch(match[1].lower())
        if part and (part[2] or part[3]):
            sections.setdefault(part[1], {}).setdefault(int(part[2] or 0), (text, bool(part[3])))
        elif match[1].lower() in plain:
            found.add(Oddity.DUPLICATE_HEADERS)
        else:
            plain[match[1].lower()] = decode_words(text, found)
    extended = {name: _joined(parts, found) for name, parts in sections.items()}
    return Structured(value, tuple({**plain, **extended}.items()))


def _joined(sections: dict[int, tuple[str, bool]], found: set[Oddity]) -> str:
    charset, content = "utf-8", b""
    for number in sorted(sections):
        text, encoded = sections[number]
        if encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        content += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return decode(content, charset, found, limit=LONGEST)
