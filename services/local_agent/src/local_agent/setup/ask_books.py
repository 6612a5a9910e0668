"""The owner's books, asked for at the terminal. The key goes to a private file or the OS keyring, and nowhere else."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from local_agent import os_keyring
from local_agent.books_account import BooksAccount
from local_agent.home import Home
from local_agent.setup.config import first_fault
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private


def ask_books(home: Home) -> BooksAccount:
    """Raises VaultError for answers that make no books."""
    url = _ask("Address of Odoo, such as https://books.example")
    name = _ask("Short name for the books, the same as on Cloud", "books")
    where = _ask("Keep the API key in: file or keyring", "file")
    if where not in ("file", "keyring"):
        raise VaultError("the API key is kept in a file or in the keyring")
    try:
        account = BooksAccount(
            name=name, url=url, database=_ask("Database", "books"), login=_ask("Login of a user in Billing"),
            interface="json-2" if _ask("Interface: json-rpc, or json-2 (from Odoo 19)", "json-rpc") == "json-2"
            else "json-rpc", key_file=home.path / "passwords" / f"books-{name}" if where == "file" else None,
        )  # fmt: skip
    except ValidationError as error:
        raise VaultError(f"these are no books: {first_fault(error)}") from None
    key = str(typer.prompt("API key of that user", hide_input=True, err=True)).strip()
    if account.key_file is None:
        os_keyring.keep(account.keyring_entry, key)
    else:
        write_private(account.key_file, key.encode("utf-8") + b"\n")
    return account


def _ask(question: str, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default, err=True)).strip()
