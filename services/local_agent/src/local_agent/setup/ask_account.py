"""One mail account, asked for at the terminal. The password goes to a private file and nowhere else."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from local_agent.home import Home
from local_agent.mail_account import MailAccount, Tls
from local_agent.setup.config import first_fault
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private


def ask_account(home: Home) -> MailAccount:
    """Raises VaultError for answers that make no account."""
    address = _ask("Mail address")
    domain = address.rpartition("@")[2]
    name = _ask("Short name for it", "business")
    password_file = home.path / "passwords" / name
    try:
        account = MailAccount(
            name=name, address=address, user=_ask("User name", address), password_file=password_file,
            imap_host=_ask("IMAP server", f"imap.{domain}"), submission_host=_ask("Outgoing server", f"smtp.{domain}"),
            submission_tls=Tls(_ask("Outgoing TLS: implicit (port 465) or starttls (port 587)", "implicit")),
        )  # fmt: skip
    except ValidationError as error:
        raise VaultError(f"this is no mail account: {first_fault(error)}") from None
    except ValueError:
        raise VaultError("the outgoing TLS is implicit or starttls") from None
    if account.submission_tls is Tls.STARTTLS:
        account = account.model_copy(update={"submission_port": 587})
    password = str(typer.prompt("Password (an app password, if your provider has them)", hide_input=True, err=True))
    write_private(password_file, password.encode("utf-8") + b"\n")
    return account


def _ask(question: str, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default, err=True)).strip()
