"""`python -m cloud_agent gmail-login`: the owner lets Cloud read a Gmail account, and nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cloud_agent import settings as settings_file
from cloud_agent.watchers.gmail.login import log_in
from cloud_agent.watchers.mailbox_settings import GmailSettings
from vault_protocol.consent import GOOGLE, Application
from vault_protocol.errors import VaultError

COMMAND = "gmail-login"


def add_to(commands: Any) -> None:
    """The command's options."""
    parser: argparse.ArgumentParser = commands.add_parser(COMMAND, help="let Cloud read a Gmail account, and only read")
    parser.add_argument("--client", type=Path, required=True, metavar="FILE",
                        help="the JSON of your Desktop app, from Google's console")  # fmt: skip
    parser.add_argument("--config", type=Path, metavar="FILE", help="Cloud's settings, which name the grant's file …")
    parser.add_argument("--mailbox", metavar="NAME", help="… of this mailbox")
    parser.add_argument("--into", type=Path, metavar="FILE", help="write the grant here instead, without settings")
    parser.add_argument("--address", metavar="ADDRESS", default="", help="the account to suggest, with --into")
    parser.add_argument("--port", type=int, default=0, metavar="N",
                        help="take the browser's answer on this port (for ssh -L N:127.0.0.1:N)")  # fmt: skip
    parser.add_argument("--consent-url", default=GOOGLE, help=argparse.SUPPRESS)


def obey(chosen: argparse.Namespace) -> None:
    """Raises VaultError."""
    settings = _mailbox(chosen)
    account = log_in(settings, Application.read(chosen.client), _show, chosen.consent_url, port=chosen.port)
    print(f"{settings.grant_file} lets its holder read the mail of {account}, and do nothing else.", file=sys.stderr)


def _mailbox(chosen: argparse.Namespace) -> GmailSettings:
    if chosen.into is not None:
        return GmailSettings(
            source="gmail", name="gmail", kind="business", address=chosen.address, grant_file=chosen.into
        )  # fmt: skip
    if chosen.config is None:
        raise VaultError("say where the grant goes: --config FILE (and --mailbox NAME), or --into FILE")
    boxes = [box for box in settings_file.read(chosen.config).mailboxes if isinstance(box, GmailSettings)]
    found = [box for box in boxes if chosen.mailbox in (None, box.name)]
    if len(found) != 1:
        known = ", ".join(box.name for box in boxes) or "none"
        raise VaultError(f'{chosen.config}: say which mailbox with source = "gmail" by --mailbox; there are: {known}')
    return found[0]


def _show(address: str) -> None:
    print("Open this in a browser on this machine, choose the account, and allow reading:", file=sys.stderr)
    print(address, flush=True)
