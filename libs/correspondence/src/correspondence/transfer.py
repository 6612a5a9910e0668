"""Content-Transfer-Encoding: what the encoded bytes say, however broken they are."""

from __future__ import annotations

import binascii
import string

from correspondence.oddity import Oddity

DIGITS = f"{string.ascii_letters}{string.digits}+/".encode()
NOT_DIGITS = bytes(set(range(256)) - set(DIGITS))


def base64_bytes(encoded: bytes, found: set[Oddity]) -> bytes:
    """Foreign characters are skipped, a digit too many is dropped and the padding is made right."""
    digits = encoded.translate(None, NOT_DIGITS)
    if len(digits) % 4 == 1:
        found.add(Oddity.BROKEN_MIME)
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def decoded(encoded: bytes, encoding: str, found: set[Oddity]) -> bytes:
    """The content of a part; an encoding that is not known leaves it as it is."""
    match encoding.partition(";")[0].partition("(")[0].strip().lower():
        case "base64":
            return base64_bytes(encoded, found)
        case "quoted-printable":
            return binascii.a2b_qp(encoded)
        case "" | "7bit" | "8bit" | "binary":
            return encoded
        case _:
            found.add(Oddity.BROKEN_MIME)
            return encoded
