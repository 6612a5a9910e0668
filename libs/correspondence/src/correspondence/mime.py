"""The parts of a message, found with a list instead of recursion: no nesting is too deep for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from correspondence.headers import Headers, read_headers
from correspondence.oddity import Oddity
from correspondence.parameters import Structured, read_structured
from correspondence.transfer import decoded

DEEPEST = 50
MOST_PARTS = 500
MOST_CANDIDATES = 100_000
LONGEST_BOUNDARY = 200


@dataclass(frozen=True, eq=False)
class Part:
    """A leaf: `slot` is shared by the alternatives of one text, `inside` names the multiparts around it."""

    headers: Headers
    type: Structured
    disposition: Structured
    encoded: bytes
    slot: int
    inside: tuple[str, ...]

    @property
    def media_type(self) -> str:
        """Its lower-case media type."""
        return self.type.value

    def content(self, found: set[Oddity]) -> bytes:
        """Its content, decoded anew at every call."""
        return decoded(self.encoded, self.headers.first("content-transfer-encoding"), found)

    def beginning(self) -> bytes:
        """The first few thousand bytes of its content."""
        return decoded(self.encoded[:20_000], self.headers.first("content-transfer-encoding"), set())


@dataclass(frozen=True)
class _Region:
    start: int
    end: int
    inside: tuple[str, ...]
    slot: int | None
    default: str


def read_parts(raw: bytes, found: set[Oddity]) -> tuple[Headers, Structured, tuple[Part, ...]]:
    """The headers and the type of the message itself, and its leaves in order."""
    headers, start = read_headers(raw, 0, len(raw), found)
    content_type = _type(headers, "text/plain", found)
    parts = tuple(_leaves(raw, headers, start, content_type, found))
    return headers, content_type, parts


def _leaves(raw: bytes, top: Headers, body: int, top_type: Structured, found: set[Oddity]) -> Iterator[Part]:
    waiting = [_Region(0, len(raw), (), None, "text/plain")]
    seen = 0
    while waiting:
        region = waiting.pop()
        seen += 1
        if seen > MOST_PARTS:
            found.add(Oddity.HUGE)
            return
        headers, start, content_type = top, body, top_type
        if seen > 1:
            headers, start = read_headers(raw, region.start, region.end, found)
            content_type = _type(headers, region.default, found)
        inner = _inner(raw, start, region, content_type, seen, found)
        if inner is None:
            disposition = read_structured(headers.first("content-disposition"), found)
            slot = seen if region.slot is None else region.slot
            yield Part(headers, content_type, disposition, raw[start : region.end], slot, region.inside)
        else:
            waiting.extend(reversed(inner))


def _type(headers: Headers, default: str, found: set[Oddity]) -> Structured:
    if headers.count("content-type") > 1 or headers.count("content-transfer-encoding") > 1:
        found.add(Oddity.DUPLICATE_HEADERS)
    header = headers.first("content-type")
    content_type = read_structured(header, found)
    kind, _, subtype = content_type.value.partition("/")
    if kind and subtype and content_type.value.isascii() and content_type.value.isprintable() and " " not in subtype:
        return content_type
    if header:
        found.add(Oddity.BROKEN_MIME)
    return Structured(default, content_type.parameters)


def _inner(
    raw: bytes, start: int, region: _Region, content_type: Structured, seen: int, found: set[Oddity]
) -> list[_Region] | None:
    """The regions inside a multipart, None when this is a leaf or has to be taken for one."""
    if not content_type.value.startswith("multipart/"):
        return None
    if len(region.inside) >= DEEPEST:
        found.add(Oddity.HUGE)
        return None
    boundary = content_type.get("boundary").rstrip()[:LONGEST_BOUNDARY]
    spans = _spans(raw, start, region.end, boundary.encode("utf-8", "replace"), found) if boundary else []
    if not spans:
        found.add(Oddity.BROKEN_MIME)
        return None
    slot = seen if content_type.value == "multipart/alternative" and region.slot is None else region.slot
    default = "message/rfc822" if content_type.value == "multipart/digest" else "text/plain"
    inside = (*region.inside, content_type.value)
    return [_Region(first, last, inside, slot, default) for first, last in spans]


def _spans(raw: bytes, start: int, end: int, boundary: bytes, found: set[Oddity]) -> list[tuple[int, int]]:
    """Where the parts between the boundary lines begin and end."""
    spans: list[tuple[int, int]] = []
    part_start: int | None = None
    for before, after, closing in _boundary_lines(raw, start, end, boundary, found):
        if part_start is not None:
            spans.append((part_start, before))
        if closing:
            return spans
        if len(spans) >= MOST_PARTS:
            found.add(Oddity.HUGE)
            return spans
        part_start = after
    found.add(Oddity.BROKEN_MIME)
    return spans if part_start is None else [*spans, (part_start, end)]


def _boundary_lines(
    raw: bytes, start: int, end: int, boundary: bytes, found: set[Oddity]
) -> Iterator[tuple[int, int, bool]]:
    """For each boundary line: the end of what is above, the start of what is below, whether it is last."""
    mark = b"\n--" + boundary
    position = max(start - 1, 0)
    for _ in range(MOST_CANDIDATES):
        hit = raw.find(mark, position, end)
        if hit < 0:
            return
        line_end = raw.find(b"\n", hit + 1, end)
        position = end if line_end < 0 else line_end
        rest = raw[hit + len(mark) : min(position, hit + len(mark) + 1_000)].rstrip()
        if rest in (b"", b"--"):
            before = hit - 1 if raw[hit - 1 : hit] == b"\r" else hit
            yield max(before, start), min(position + 1, end), rest == b"--"
    found.add(Oddity.HUGE)
