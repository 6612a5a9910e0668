"""Mail that machines write."""

from __future__ import annotations

import re
from collections.abc import Sequence

from correspondence.headers import Headers
from correspondence.mailbox import Mailbox
from correspondence.mime import Part
from correspondence.oddity import Automatic
from correspondence.parameters import Structured

NO_REPLY = re.compile(
    r"(?:do[._-]?not[._-]?reply|no[._-]?reply|notifications?|automated|unattended)(?:[._+=-].*)?",
    re.IGNORECASE,
)
NO_REPLY_END = re.compile(r".*[._+-](?:do[._-]?not[._-]?reply|no[._-]?reply)", re.IGNORECASE)
POSTMASTERS = frozenset(["mailer-daemon", "postmaster", "mail-daemon", "maildaemon", "mdaemon"])
AUTO_REPLY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-response-suppress")
LIST_ID = re.compile(r"<([A-Za-z0-9][A-Za-z0-9._-]{0,118}[A-Za-z0-9])>\s*$")
LIST_HEADERS = ("list-id", "list-unsubscribe", "list-post", "list-help", "mailing-list", "x-mailing-list")
METHOD = re.compile(rb"^METHOD:([A-Za-z]{1,20})", re.MULTILINE | re.IGNORECASE)
RECEIPT = "disposition-notification"


def is_no_reply(mailbox: Mailbox) -> bool:
    """Whether an address says that nobody reads what is sent to it."""
    local = mailbox.address.rpartition("@")[0]
    return bool(NO_REPLY.fullmatch(local) or NO_REPLY_END.fullmatch(local))


def recognise(
    headers: Headers, content_type: Structured, parts: Sequence[Part], sender: Mailbox | None
) -> Automatic | None:
    """The kind of machine that wrote a mail, None when it seems to be a person."""
    local = sender.address.rpartition("@")[0].lower() if sender else ""
    if local in POSTMASTERS or _is_bounce(headers, content_type, parts):
        return Automatic.BOUNCE
    if _is_auto_reply(headers, content_type, parts):
        return Automatic.AUTO_REPLY
    if _word(headers, "precedence") in ("list", "bulk", "junk") or _has_any(headers, LIST_HEADERS):
        return Automatic.MAILING_LIST
    return Automatic.NO_REPLY if sender and is_no_reply(sender) else None


def list_named(headers: Headers) -> str:
    """The name of the mailing list, in small letters, as List-Id has it between its brackets; else empty."""
    found = LIST_ID.search(headers.first("list-id")[:1_000])
    return found[1].lower() if found else ""


def calendar_method(part: Part) -> str:
    """What a calendar part asks for, in lower case; empty for other parts."""
    if part.media_type not in ("text/calendar", "application/ics"):
        return ""
    stated = METHOD.search(part.beginning())
    return part.type.get("method").lower() or (stated[1].decode("ascii").lower() if stated else "")


def _is_bounce(headers: Headers, content_type: Structured, parts: Sequence[Part]) -> bool:
    return (
        (content_type.value == "multipart/report" and content_type.get("report-type").lower() != RECEIPT)
        or any(part.media_type == "message/delivery-status" for part in parts)
        or (headers.count("return-path") > 0 and headers.first("return-path").strip() in ("<>", ""))
        or headers.count("x-failed-recipients") > 0
    )


def _is_auto_reply(headers: Headers, content_type: Structured, parts: Sequence[Part]) -> bool:
    return (
        content_type.value == "multipart/report"
        or _word(headers, "auto-submitted") not in ("", "no")
        or _word(headers, "precedence") in ("auto_reply", "auto-reply")
        or _has_any(headers, AUTO_REPLY_HEADERS)
        or any(calendar_method(part) in ("reply", "counter") for part in parts)
    )


def _has_any(headers: Headers, names: Sequence[str]) -> bool:
    return any(headers.count(name) for name in names)


def _word(headers: Headers, name: str) -> str:
    return headers.first(name).partition(";")[0].partition("(")[0].strip().lower()
