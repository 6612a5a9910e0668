"""The guided login: the owner grants reading in a browser on this machine, and the grant goes into a file.

Google's flow for devices without a browser gives no scope of Gmail's.
"""

from __future__ import annotations

from collections.abc import Callable

from cloud_agent.watchers.faults import LoginRefused, Unreachable
from cloud_agent.watchers.gmail.access import login_line
from cloud_agent.watchers.gmail.account import ME
from cloud_agent.watchers.gmail.asking import Expired, Line, NotThere, TooLarge
from cloud_agent.watchers.gmail.grant import READ_ONLY, Grant, hold_to_reading
from cloud_agent.watchers.mailbox_settings import GmailSettings
from vault_protocol import consent
from vault_protocol.consent import Application
from vault_protocol.errors import VaultError


def log_in(
    settings: GmailSettings, application: Application, show: Callable[[str], None], address: str = consent.GOOGLE,
    patience: float = consent.PATIENCE, port: int = 0,
) -> str:  # fmt: skip
    """Writes the grant, and returns the account it reads. The rest as `consent.ask` has it.

    Raises VaultError; GrantTooWide, with nothing written, when more than reading was granted.
    """
    given = consent.ask(
        application, READ_ONLY, show, address=address, hint=settings.address, patience=patience, port=port
    )
    try:
        with login_line(settings) as line:
            said = line.post("/token", given.form())
        hold_to_reading(str(said.get("scope", "")), settings.name)
        grant = Grant(
            client_id=application.client_id, client_secret=application.client_secret,
            refresh_token=said.get("refresh_token", ""),
        )  # fmt: skip
        account = _whose(settings, str(said.get("access_token", "")))
    except (LoginRefused, Unreachable, NotThere, Expired, TooLarge, ValueError) as error:
        raise VaultError(f"Google gave no grant: {str(error) or type(error).__name__}") from None
    grant.write(settings.grant_file)
    return account


def _whose(settings: GmailSettings, token: str) -> str:
    with Line(
        settings.api_url, way_out=settings.way_out, timeout=settings.timeout_seconds, mailbox=settings.name
    ) as line:
        return str(line.get(f"{ME}/profile", {}, token=token).get("emailAddress", "an account without a name"))
