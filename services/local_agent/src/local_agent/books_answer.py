"""Whether the books answer this machine: with its key, and with the addon that checks what is posted."""

from __future__ import annotations

from contextlib import closing

from books.drafts import Key
from books.errors import BooksError
from books.odoo import OdooBooks
from books.rpc import connect
from local_agent.books_account import BooksAccount

LONGEST = 5.0
"""Seconds for one call: somebody waits for it."""


def answer(account: BooksAccount) -> str:
    """`ok`, or what is wrong, in one line."""
    patient = account.model_copy(update={"timeout_seconds": min(account.timeout_seconds, LONGEST)})
    try:
        with closing(connect(patient.access())) as rpc:
            OdooBooks(rpc).find(Key("countersign-status"))
    except BooksError as error:
        return " ".join(str(error).split())
    return "ok"
