"""git's pkt-line framing (gitprotocol-common), as much of it as a push needs."""

from __future__ import annotations

from dataclasses import dataclass

FLUSH = b"0000"


class BadPush(ValueError):
    """The request is no push that this hub takes; the message says why."""


@dataclass(frozen=True)
class Command:
    """One ref a push wants moved. `None` for the all-zero name: it is not there, or shall be deleted."""

    ref: str
    old: str | None
    new: str | None


def line(content: bytes) -> bytes:
    return b"%04x%s" % (len(content) + 4, content)


def commands(body: bytes) -> tuple[tuple[Command, ...], int]:
    """The commands at the beginning of a push, and where its pack begins. Raises BadPush."""
    found: list[Command] = []
    at = 0
    while True:
        try:
            size = int(body[at : at + 4], 16)
        except ValueError:
            raise BadPush("its commands are no pkt-lines") from None
        if size == 0:
            return tuple(found), at + 4
        if size < 5 or at + size > len(body) or len(found) > 100:
            raise BadPush("its commands are cut off")
        text = body[at + 4 : at + size].partition(b"\0")[0].rstrip(b"\n").decode("utf-8", "replace")
        words = text.split(" ")
        if len(words) != 3 or any(len(name) != 40 or set(name) - set("0123456789abcdef") for name in words[:2]):
            raise BadPush(f"its command {text[:80]!r} is of no known form")
        old, new, ref = (None if word == "0" * 40 else word for word in words)
        found.append(Command(ref or "", old, new))
        at += size


def report(unpacked: str, results: list[tuple[str, str | None]]) -> bytes:
    """report-status: each ref with None, or the reason why not, on one printable line."""
    lines = [line(f"unpack {unpacked}\n".encode())]
    for ref, reason in results:
        text = f"ok {ref}\n" if reason is None else f"ng {ref} {_printable(reason)}\n"
        lines.append(line(text.encode()))
    return b"".join(lines) + FLUSH


def _printable(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)[:400]
