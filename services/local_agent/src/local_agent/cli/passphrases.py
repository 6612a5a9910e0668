"""Where a passphrase comes from: a hidden prompt, a file, or a file descriptor. Never from argv or the environment."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from local_agent.cli.session import Session
from local_agent.signers import Signer, signer
from local_agent.step_up import step_up
from vault_protocol import approval
from vault_protocol.approval import Sign
from vault_protocol.errors import VaultError
from vault_protocol.keys import KeyLocked, WrongPassphrase

FdOption = Annotated[
    int | None,
    typer.Option("--passphrase-fd", metavar="N", help="Read the passphrase from this file descriptor.", min=0),
]

SHORTEST = 8
"""Characters a new passphrase has at least."""

_MINUTES = 5.0
"""How long a command may sign once the key is open: it ends long before."""

_LIMIT = 1024


def sign_for(session: Session, fd: int | None, namespace: str = approval.NAMESPACE, *, pays: bool = False) -> Sign:
    """The approval key, opened for this command and for one namespace. Raises KeyLocked or WrongPassphrase.

    With `pays` it says that the owner was asked for it, which this then does however the key is protected.
    """
    settings = session.local.settings
    if pays:
        return _stepped_up(session, fd)
    found = signer(session.home, settings)
    if settings.key_protection == "fido":
        session.warn("Touch your key when it blinks.")
    elif settings.key_protection == "passphrase":
        _open(session, found, fd)
    else:
        found.unlock(None, _MINUTES)
    return partial(found.sign, namespace=namespace)


def _stepped_up(session: Session, fd: int | None) -> Sign:
    settings = session.local.settings
    if settings.key_protection == "fido":
        session.warn("Touch your key when it blinks.")
    typed = settings.key_protection in ("passphrase", "keyring")
    for left in (2, 1, 0):
        try:
            return step_up(session.home, settings, asked_passphrase(fd) if typed else None)
        except WrongPassphrase:
            if fd is not None or not left:
                raise
            session.warn("That is not it; try again.")
    raise AssertionError("unreachable")


def asked_passphrase(fd: int | None) -> str:
    """From the descriptor, else from the person. Raises KeyLocked when there is nobody to ask."""
    if fd is not None:
        return _from_fd(fd)
    if not sys.stdin.isatty():
        raise KeyLocked("the approval key needs its passphrase: use a terminal, or hand it over with --passphrase-fd")
    return str(typer.prompt("Passphrase of the approval key", hide_input=True, err=True))


def new_passphrase(file: Path | None) -> str:
    """For a new key: the first line of the file, or asked for twice. Raises VaultError when it is too short."""
    if file is not None:
        try:
            given = file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise VaultError(f"cannot read the passphrase file {file}: {type(error).__name__}") from None
    elif sys.stdin.isatty():
        given = str(
            typer.prompt("Passphrase for the approval key", hide_input=True, confirmation_prompt=True, err=True)
        )
    else:
        raise VaultError("the approval key needs a passphrase: use a terminal, or give --passphrase-file")
    if len(given) < SHORTEST:
        raise VaultError(f"the passphrase is too short; {SHORTEST} characters at least")
    return given


def _open(session: Session, found: Signer, fd: int | None) -> None:
    """A person may mistype twice."""
    for left in (2, 1, 0):
        try:
            found.unlock(asked_passphrase(fd), _MINUTES)
        except WrongPassphrase:
            if fd is not None or not left:
                raise
            session.warn("That is not it; try again.")
        else:
            return


def _from_fd(fd: int) -> str:
    try:
        with os.fdopen(fd, "rb", closefd=False) as file:
            raw = file.readline(_LIMIT)
        return raw.decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"cannot read a passphrase from descriptor {fd}: {type(error).__name__}") from None
