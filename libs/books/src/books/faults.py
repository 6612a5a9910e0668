"""What an exception on the server means to a caller here. The names are Odoo's, the same over both interfaces."""

from __future__ import annotations

import re

from books.errors import BadCredentials, BooksError, BooksRefused, BooksUnreachable, NoSuchRecord, NotNow

_OURS = re.compile(r"countersign\[([a-z-]{1,30})\]\s*(.*)", re.DOTALL)
_LONGEST = 300

_UNDONE = frozenset(
    {
        "psycopg2.errors.SerializationFailure",
        "psycopg2.errors.DeadlockDetected",
        "psycopg2.errors.LockNotAvailable",
        "psycopg2.errors.QueryCanceled",
        "psycopg2.extensions.TransactionRollbackError",
        "odoo.exceptions.ConcurrencyError",
        "odoo.exceptions.LockError",
    }
)
_SAYS_NO = {
    "odoo.exceptions.AccessError": "access",
    "odoo.exceptions.UserError": "invalid",
    "odoo.exceptions.ValidationError": "invalid",
    "odoo.exceptions.RedirectWarning": "invalid",
    "odoo.exceptions.Warning": "invalid",
    "odoo.exceptions.except_orm": "invalid",
    "psycopg2.IntegrityError": "invalid",
    "psycopg2.errors.UniqueViolation": "invalid",
}


def fault(name: str, message: str) -> BooksError:
    """The error for an exception called `name` that the server answered with. Unknown ones mean: look."""
    text = _short(message)
    if name == "odoo.exceptions.AccessDenied":
        return BadCredentials(f"Odoo refuses login or key: {text}")
    if name == "odoo.exceptions.MissingError":
        return NoSuchRecord(text)
    if ours := _OURS.match(message):
        return BooksRefused(ours[1], _short(ours[2]))
    if name in _UNDONE or "could not serialize access" in message or "could not obtain lock" in message:
        return NotNow(f"Odoo undid it because of a concurrent change: {text}")
    if "psycopg2" in name and re.search(r'database "[^"]*" does not exist', message):
        return BadCredentials(f"Odoo has no such database: {text}")
    if re.fullmatch(r"Object \S+ doesn't exist", message.strip()):
        return BooksRefused("no-model", f"{text}: is its module installed in Odoo?")
    if name == "builtins.KeyError" and re.fullmatch(r"'?[a-z_]+(\.[a-z_]+)+'?", message.strip()):
        return BooksRefused("no-model", f"this Odoo has no {text}: is the module installed?")
    if name == "builtins.AttributeError":
        return BooksRefused("no-method", f"{text}; is the addon draft_only installed?")
    if rule := _SAYS_NO.get(name):
        return BooksRefused(rule, text)
    return BooksUnreachable(f"Odoo failed with {name}: {text}")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
