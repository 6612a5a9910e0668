"""What `init` says when it is done, or when there was nothing to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from books.errors import BadCredentials
from local_agent.books_account import BooksAccount
from local_agent.cli.session import Session
from local_agent.executor_id import executor_id
from local_agent.setup import SetUp, config, new_token, pin_more
from local_agent.setup.begin import Begun
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId


def made(session: Session, done: SetUp, pins: Mapping[AgentId, PublicKey]) -> None:
    settings, home = done.settings, session.home
    session.say(f"{'Joined' if done.joined else 'Made'} the vault {settings.vault} on {settings.hub}", "bold green")
    if done.joined:
        session.warn("This machine is a new executor: approvals given on another machine are void here.")
    if settings.key_protection == "none":
        session.warn("The approval key has no passphrase: any program that runs as you can countersign.")
    for account in settings.accounts:
        if not account.password_file.exists():
            session.warn(f"account {account.name}: {account.password_file} is missing")
    _without_key(session, settings.books)
    if not settings.accounts:
        session.warn(f"No mail account yet: add one to {home.config}; see [[accounts]] in the documentation.")
    if not pins:
        session.warn("No cloud agent pinned yet: countersign init --pin cloud=PUBLIC_KEY_FILE")
    session.say(f"Your notes     {settings.folder}")
    session.say(f"This machine   {home.path} (private; back it up, all but this-machine/)")
    if not done.joined:
        session.say(f"Time zone      {done.zone}: schedules and working hours go by it; change it in the notes")
    if settings.hub_token_entry:
        session.say("Hub's token    in the OS keyring")
    session.say(
        f"Dry run        {'on: nothing is sent before `countersign dry-run off`' if settings.dry_run else 'off'}"
    )
    session.out.print(Text("\nNext:", style="bold"))
    session.say(f"  on Cloud               python -m cloud_agent init --home DIR --owner-key {home.approval_key}.pub")
    session.say("                         (copy that file there: it is the key whose re-root Cloud follows)")
    session.say("  countersign run        start the service; it fills the folder")
    session.say("  countersign list       what waits for you")
    session.say("Read Welcome.md in your folder: it says how to decide by moving a file.")
    session.answer(
        {
            "vault": settings.vault, "home": str(home.path), "hub": settings.hub, "folder": str(settings.folder),
            "executor": done.executor, "joined": done.joined, "dry_run": settings.dry_run,
            "approval_key": home.approval_public_key().line(), "agents": sorted(home.trust(settings.vault).keys),
        }
    )  # fmt: skip


def awaiting(session: Session, hub: str, begun: Begun) -> None:
    """The keys are there; what the hub's operator does with them, and how `init` goes on."""
    folder = "/srv/countersign-hub"
    owner, local = begun.approval.line("owner"), begun.local.line("local")
    commands = [
        f"python -m vault_hub init --home {folder} --vault {begun.vault} --owner-key '{owner}'",
        f"python -m vault_hub agent --config {folder}/hub.toml add local --standing local --key '{local}'",
    ]
    session.say("This machine has its keys. The hub has to know them before it lets us in.", "bold green")
    session.say(f"\nOn the hub's machine, once ({folder}: where the vault is to lie):")
    for command in commands:
        session.say(f"  {command}")
    session.say("The second prints Local's token. Bring it here in a file, and go on with:")
    session.say(f"  countersign init --hub {hub} --hub-token-file FILE")
    session.say("\nTo join a vault that is there, give the home of your other machine instead: --keys-from OLD_HOME")
    session.answer(
        {
            "waiting_for": "the hub's token", "home": str(session.home.path), "hub": hub, "vault": begun.vault,
            "approval_key": owner, "local_key": local, "commands": commands,
        }
    )  # fmt: skip


def already(
    session: Session,
    pins: Mapping[AgentId, PublicKey],
    token: Path | None,
    books: Sequence[BooksAccount],
    revoked: Sequence[AgentId],
) -> None:
    """A second run changes nothing but to pin an agent that was not pinned or wait for one no more, to add books that
    were not there, and to take another token of the hub."""
    home, settings = session.home, session.home.settings()
    new, gone = pin_more(home, pins, revoked)
    if token is not None:
        new_token(home, token)
    added = config.add_books(home.config, books)
    _without_key(session, [one for one in books if one.name in added])
    settings.folder.mkdir(parents=True, exist_ok=True)
    agents = sorted(home.trust(settings.vault).keys)
    session.say(f"{home.path} is set up already; nothing was overwritten.")
    for label, value in (
        ("Vault", settings.vault), ("Hub", settings.hub), ("Folder", str(settings.folder)),
        ("Executor", executor_id(home.executor)), ("Approval key", f"{home.approval_key} ({settings.key_protection})"),
        ("Agents", ", ".join(agents)), ("Settings", str(home.config)),
    ):  # fmt: skip
        session.say(f"  {label:<13}{value}")
    if token is not None:
        session.say("The hub's token is replaced.", "green")
    for name in new:
        session.say(f"Pinned {name}. Start the service again so that it knows.", "green")
    for name in gone:
        session.say(f"{name} is waited for no more. Start the service again so that it knows.", "green")
    for one in books:
        said = "Added" if one.name in added else "Left as they are:"
        session.say(f"{said} the books {one.name}. `countersign status` says whether they answer.", "green")
    session.answer(
        {
            "already": True,
            "books": list(added),
            "vault": settings.vault,
            "home": str(home.path),
            "pinned": list(new),
            "revoked": list(gone),
            "agents": agents,
        }
    )


def _without_key(session: Session, books: Iterable[BooksAccount]) -> None:
    for one in books:
        try:
            one.key()
        except BadCredentials as error:
            session.warn(str(error))
