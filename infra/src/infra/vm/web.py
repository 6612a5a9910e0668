"""One HTTP request, with a time-out, as bytes."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping

from infra.vm.programs import Failed

MOST = 64 << 20


class Refused(Failed):
    """An answer that refuses, by its code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def ask(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, seconds: float = 20
) -> bytes:
    """Raises Failed; Refused, with what it says, of an answer that refuses."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            found: bytes = answer.read(MOST + 1)
    except urllib.error.HTTPError as error:
        said = error.read(500).decode("utf-8", "replace")
        raise Refused(error.code, f"{method} {url.partition('?')[0]} answers {error.code}: {said}") from None
    except OSError as error:
        raise Failed(f"{method} {url.partition('?')[0]}: {error}") from None
    if len(found) > MOST:
        raise Failed(f"{url.partition('?')[0]} sends more than {MOST >> 20} MiB")
    return found
