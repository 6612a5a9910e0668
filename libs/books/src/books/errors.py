"""Every expected failure of the books. A class exists because a caller does something different."""

from __future__ import annotations


class BooksError(Exception):
    """Something expected went wrong; the message says what, which and what to do."""


class NoSuchRecord(BooksError):
    """The record is gone, or never was: drop the reference to it."""


class BooksRefused(BooksError):
    """Odoo said no and changed nothing. `rule` is short and stable; tell the owner the rest.

    Rules of our addon: `draft-only`, `not-billing`, `changed`, `not-draft`, `not-posted`, `other-approval`, `no-pdf`,
    `bad-value`.
    Of this library: `access`, `invalid`, `no-model`, `no-method`, `bad-value`.
    """

    def __init__(self, rule: str, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"the books refuse ({rule}): {reason}")


class BadCredentials(BooksError):
    """Login, key or database is not accepted: alert the owner and pause; trying again does not help."""


class BooksUnreachable(BooksError):
    """No answer that can be relied on. The outcome is unknown: look (external id, state) before doing it again."""


class NotNow(BooksUnreachable):
    """Surely nothing happened (no connection, or a concurrent change undid it): try again later."""
