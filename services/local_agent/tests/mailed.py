"""An owner with a mailbox that really is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.local_agent.tests.cli_world import World

from demo.launch import MailWorld

OWNER = "owner@home.example"
CUSTOMER = "customer@elsewhere.example"


def with_mailbox(folder: Path, read: Callable[[], tuple[str, str]], mail: MailWorld) -> World:
    """Set up, with the account `business` at this provider; no dry run, no undo window."""
    world = World(folder, read)
    accounts, home = folder / "accounts.toml", mail.provider
    accounts.write_text(
        f'[[accounts]]\nname = "business"\naddress = "{OWNER}"\nuser = "{home.acting.user}"\n'
        f'password_file = "{home.acting.password_file}"\nimap_host = "127.0.0.1"\nimap_port = {home.imap_port}\n'
        f'imap_tls = "none"\nsubmission_host = "127.0.0.1"\nsubmission_port = {home.submission_port}\n'
        'submission_tls = "none"\n',
        encoding="utf-8",
    )
    ran = world.init("--no-dry-run", "--undo-seconds", "0", "--account-file", str(accounts))
    assert ran.code == 0, ran.err
    return world
