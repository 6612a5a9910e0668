"""A hostile mail and what must be read from it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from correspondence import Oddity

Value = str | bytes | None | list[str]
USUAL: Mapping[str, Value] = {
    "From": "Ann Lee <ann@example.org>",
    "To": "owner@example.com",
    "Subject": "Hello",
    "Date": "Mon, 05 Jan 2026 14:03:00 +0000",
    "Message-ID": "<1@example.org>",
}


@dataclass(frozen=True)
class Case:
    """Bytes, the exact oddities they must have, and values that attributes of the Original must have."""

    name: str
    raw: bytes
    odd: tuple[Oddity, ...] = ()
    expected: Mapping[str, object] = field(default_factory=dict)


def case(name: str, raw: bytes, *odd: Oddity, **expected: object) -> Case:
    """A case; expectations are given as attribute=value."""
    return Case(name, raw, odd, expected)


def mail(body: str | bytes = "Hi\n", /, **headers: Value) -> bytes:
    """The usual mail with some headers other, more (`_` for `-`) or, for None, left out."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    lines: list[bytes] = []
    for name, value in {**USUAL, **given}.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                text = one if isinstance(one, bytes) else one.encode()
                lines.append(name.encode() + b": " + text + b"\r\n")
    content = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    return b"".join([*lines, b"\r\n", content])


def multipart(*parts: str | bytes, kind: str = "mixed", closed: bool = True, **headers: Value) -> bytes:
    """The usual mail with parts that are given with their headers."""
    pieces = [part if isinstance(part, bytes) else part.encode() for part in parts]
    body = b"".join(b"--=_b\r\n" + piece.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n" for piece in pieces)
    return mail(
        body + (b"--=_b--\r\n" if closed else b""),
        Content_Type=f'multipart/{kind}; boundary="=_b"',
        **headers,
    )


def html(source: str, **headers: Value) -> bytes:
    """The usual mail with a body of HTML only."""
    return mail(source, Content_Type="text/html; charset=utf-8", **headers)


def attachment(disposition: str, content: bytes = b"data", kind: str = "application/octet-stream") -> str:
    """A part in base64 with this Content-Disposition."""
    headers = f"Content-Type: {kind}\nContent-Disposition: {disposition}\nContent-Transfer-Encoding: base64"
    return f"{headers}\n\n{base64.b64encode(content).decode()}"
