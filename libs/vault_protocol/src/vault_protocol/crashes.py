"""Tells an error tracker that a program of ours ended with a bug, by Sentry's protocol, and nothing of its work.

Of an exception go: the names of its types, and for each frame module, function and line. Not its words, arguments,
notes or local variables, no source line, no path, no name of the machine: any of them can hold a piece of a mail.
"""

from __future__ import annotations

import json
import os
import platform
import re
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from vault_protocol.canonical import utc
from vault_protocol.errors import VaultError

MOST_FRAMES, MOST_CAUSES = 60, 5
TIMEOUT = 5.0
CLIENT = "countersign/1"
_DSN = re.compile(
    r"(https?)://([0-9a-zA-Z]+)(?::[0-9a-zA-Z]+)?@([A-Za-z0-9.-]+(?::[0-9]{1,5})?)((?:/[\w-]+)*)/([0-9]+)"
)
_NAME = re.compile(r"[A-Za-z_<][\w.<>-]{0,119}", re.ASCII)


class BadDsn(VaultError):
    """The file of an error tracker's address does not hold one: `https://KEY@HOST/PROJECT` is wanted."""


@dataclass(frozen=True)
class Dsn:
    """Where to, and by which key; it can only write there."""

    key: str
    url: str

    @classmethod
    def parse(cls, text: str) -> Dsn:
        found = _DSN.fullmatch(text.strip())
        if found is None:
            raise BadDsn("an error tracker's address is wanted: https://KEY@HOST/PROJECT")
        scheme, key, host, folder, project = found.groups()
        return cls(key, f"{scheme}://{host}{folder}/api/{project}/envelope/")

    @classmethod
    def read(cls, file: Path) -> Dsn:
        """Raises BadDsn, without a word of what is in the file."""
        try:
            return cls.parse(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadDsn(f"{file}: cannot be read ({type(error).__name__})") from None


@contextmanager
def reported(
    dsn_file: Path | None, program: str, *, expected: tuple[type[BaseException], ...] = (VaultError,)
) -> Iterator[None]:
    """A bug that leaves the block is told, and goes on; without a file nothing is told. Raises BadDsn at once."""
    dsn = Dsn.read(dsn_file) if dsn_file else None
    try:
        yield
    except Exception as error:
        if dsn is not None and not isinstance(error, expected):
            tell(dsn, program, error)
        raise


def tell(dsn: Dsn, program: str, error: BaseException, send: Callable[[Dsn, bytes], None] | None = None) -> bool:
    """Whether it got there. Never raises: the bug itself is what has to be seen."""
    try:
        (send or _send)(dsn, envelope(program, error, uuid.uuid4().hex, datetime.now(UTC)))
    except Exception:  # noqa: BLE001 - whatever it is, it must not stand before the bug
        return False
    return True


def envelope(program: str, error: BaseException, event_id: str, now: datetime) -> bytes:
    """Three lines: the envelope's head, the item's head, the event."""
    event = json.dumps(_event(program, error, event_id, now)).encode("ascii")
    head = {"event_id": event_id, "sent_at": utc(now)}
    item = {"type": "event", "length": len(event), "content_type": "application/json"}
    return b"\n".join((json.dumps(head).encode(), json.dumps(item).encode(), event, b""))


def _event(program: str, error: BaseException, event_id: str, now: datetime) -> dict[str, Any]:
    values = [
        {"type": _word(type(one).__qualname__), "module": _word(type(one).__module__), "value": "",
         "stacktrace": {"frames": _frames(one.__traceback__)}}
        for one in _causes(error)
    ]  # fmt: skip
    return {
        "event_id": event_id, "timestamp": utc(now), "platform": "python", "level": "fatal", "logger": program,
        "server_name": "", "tags": {"program": program, "python": platform.python_version()},
        "exception": {"values": list(reversed(values))},
    }  # fmt: skip


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found and len(found) < MOST_CAUSES:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def _frames(traceback: TracebackType | None) -> list[dict[str, object]]:
    frames: list[dict[str, object]] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        function = getattr(code, "co_qualname", code.co_name)
        file = os.path.basename(code.co_filename)  # noqa: PTH119 - it may be no path
        frames.append(
            {"module": _word(module), "function": _word(function), "filename": _word(file),
             "lineno": traceback.tb_lineno}
        )  # fmt: skip
        traceback = traceback.tb_next
    return frames[-MOST_FRAMES:]


def _word(name: str) -> str:
    """A name as Python code has them; a type that was made of a piece of a mail has another."""
    return name if _NAME.fullmatch(name) else "odd"


def _send(dsn: Dsn, body: bytes) -> None:
    auth = f"Sentry sentry_version=7, sentry_client={CLIENT}, sentry_key={dsn.key}"
    request = urllib.request.Request(  # noqa: S310 - Dsn.parse takes http and https only
        dsn.url, body, {"Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": auth, "User-Agent": CLIENT}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 - the same
        pass
