"""The guided login for a Gmail account that sends: what the owner grants in a browser becomes the secret `gmail.NAME`.

Asked for is what this machine does, and no more: send, read (the original, the inbox, what was sent), and, where sent
mail gets a label, change labels. Source: developers.google.com, OAuth 2.0 for desktop apps; Gmail API scopes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from local_agent.http import Http, NoAnswer, NotSent
from local_agent.mail_account import MailAccount
from vault_protocol import consent
from vault_protocol.consent import Application
from vault_protocol.errors import VaultError

_AUTH = "https://www.googleapis.com/auth/"
SEND, READ, MODIFY = f"{_AUTH}gmail.send", f"{_AUTH}gmail.readonly", f"{_AUTH}gmail.modify"


@dataclass(frozen=True)
class Granted:
    """The account that Google named, and the secret for it: the JSON of an authorized user."""

    address: str
    secret: str = field(repr=False)


def scopes(account: MailAccount) -> tuple[str, ...]:
    """What the account is asked for; `gmail.modify` holds sending and reading."""
    return (MODIFY,) if account.gmail_label else (SEND, READ)


def log_in(
    account: MailAccount, application: Application, show: Callable[[str], None], *, address: str = consent.GOOGLE,
    patience: float = consent.PATIENCE, port: int = 0,
) -> Granted:  # fmt: skip
    """The rest as `consent.ask` has it. Nothing is kept here. Raises VaultError."""
    wanted, login = scopes(account), account.user or account.address
    given = consent.ask(application, " ".join(wanted), show, address=address, hint=login, patience=patience, port=port)
    told = _asked(account, account.gmail_token_url, "POST", "/token", form=given.form())
    missing = [one.removeprefix(_AUTH) for one in wanted if one not in str(told.get("scope", "")).split()]
    if missing:
        raise VaultError(f"{' and '.join(missing)} was not granted; log in again and allow all that is asked for")
    token, refresh = told.get("access_token"), told.get("refresh_token")
    if not isinstance(token, str) or not isinstance(refresh, str) or not refresh:
        raise VaultError("Google gave no grant that lasts; remove the application at myaccount.google.com/permissions")
    bearer = {"Authorization": f"Bearer {token}"}
    profile = _asked(account, account.gmail_url, "GET", "/gmail/v1/users/me/profile", headers=bearer)
    named = str(profile.get("emailAddress", ""))
    if named.casefold() != login.casefold():
        raise VaultError(
            f"this is the account of {named[:200] or 'nobody'}, and {account.name} is {login}; "
            f'log in again as {login}, or set user = "{named[:200]}" if it sends for that address'
        )
    secret = {
        "client_id": application.client_id, "client_secret": application.client_secret, "refresh_token": refresh,
    }  # fmt: skip
    return Granted(named, json.dumps(secret))


def _asked(account: MailAccount, url: str, verb: str, path: str, **given: object) -> dict[str, object]:
    try:
        answer = Http(url, {}, seconds=account.timeout_seconds).ask(verb, path, **given)  # type: ignore[arg-type]
    except (NotSent, NoAnswer) as error:
        raise VaultError(f"account {account.name}: Google does not answer: {error}") from None
    told = answer.body if isinstance(answer.body, dict) else {}
    if not answer.ok:
        reason = str(told.get("error", ""))[:60] or "no reason"
        raise VaultError(f"account {account.name}: Google refused (HTTP {answer.status}, {reason})")
    return told
