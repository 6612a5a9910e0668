"""`page`: let a device in, see which are in, and put one out."""

from __future__ import annotations

from typing import Annotated

import typer

from local_agent.approvals.pairing import NAMESPACE, statement
from local_agent.cli.passphrases import FdOption, sign_for
from local_agent.cli.session import HomeOption, JsonOption, Session
from vault_protocol.errors import VaultError


def page(
    devices: Annotated[bool, typer.Option("--devices", help="Only list the devices that are paired.")] = False,
    revoke: Annotated[str, typer.Option("--revoke", metavar="ID", help="Put this device out.")] = "",
    home: HomeOption = None,
    passphrase_fd: FdOption = None,
    json_: JsonOption = False,
) -> None:
    """A code for a browser on this machine, or on your phone. It is good once and for five minutes."""
    session = Session(home, json_)
    settings = session.home.settings()
    if revoke:
        told = session.ask_service("page-revoke", device=revoke)
        session.say(f"{told['name']} is out.", "green")
        session.answer(told)
        return
    if not settings.page:
        raise VaultError("the page is off; set `page = true` in config.toml and restart the service")
    found = session.ask_service("page")
    challenge = str(found.pop("challenge"))
    if devices:
        for one in found["devices"]:
            session.say(f"{one['id']}  {one['name']}  paired {one['paired']}, until {one['expires']}")
        if not found["devices"]:
            session.say("No device is paired.")
        session.answer(found)
        return
    if found["trouble"]:
        session.warn(str(found["trouble"]))
    if not found["addresses"]:
        raise VaultError("the page is not served; the line above says why")
    signature = sign_for(session, passphrase_fd, NAMESPACE)(
        statement(settings.vault, str(found["executor"]), challenge)
    )
    code = str(session.ask_service("page-pair", signature=signature)["code"])
    links = [f"{address}/pair#{code}" for address in found["addresses"]]
    for link in links:
        session.say(f"Open   {link}")
    session.say(f"Code   {code}   (once, for five minutes)", "bold green")
    if found["fingerprint"]:
        session.say("Your phone asks about the certificate. It is the right one if its SHA-256 is:")
        session.say(str(found["fingerprint"]), "bold")
    session.answer({**found, "code": code, "links": links})
