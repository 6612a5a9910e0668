"""`python -m cloud_agent init | run`: the only place where the agent is put together."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog

from books import rpc
from cloud_agent import gmail_login, machine
from cloud_agent import introduction as introductions
from cloud_agent import settings as settings_file
from cloud_agent.arrivals import Arrivals
from cloud_agent.bookkeeping.clerk import Clerk
from cloud_agent.bookkeeping.ledger_desk import LedgerDesk
from cloud_agent.bookkeeping.overdue import Overdue
from cloud_agent.desk import Desk, PatientVault
from cloud_agent.health import Health
from cloud_agent.housekeeping import Housekeeping
from cloud_agent.keeping import MessageIds, RawMail
from cloud_agent.knocking import Knocking
from cloud_agent.leaving import Leaving
from cloud_agent.reading import Accounts
from cloud_agent.retries import Failures, Later, Pauses
from cloud_agent.service import Service
from cloud_agent.settings import BadSettings, Settings
from cloud_agent.spending import Spending
from cloud_agent.submission import STALE_AFTER
from cloud_agent.surface import Surface
from cloud_agent.watchers.faults import LoginRefused, Unreachable
from cloud_agent.watchers.gmail.access import Access
from cloud_agent.watchers.gmail.watcher import GmailWatcher
from cloud_agent.watchers.imap import ImapWatcher
from cloud_agent.watchers.mailbox_settings import AnyMailbox, GmailSettings
from cloud_agent.watchers.waiting import Trouble
from cloud_agent.work import Work
from cloud_agent.worker import Worker
from drafting import Drafter
from drafting.budget.ledger import Ledger
from drafting.budget.settings import BudgetSettings
from drafting.posts import Writer
from drafting.settings import build as build_drafter
from vault_protocol import keys, memory
from vault_protocol.action import Address
from vault_protocol.alone import alone
from vault_protocol.checkpoint import Checkpoint
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.connect import connect
from vault_protocol.crashes import reported
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.program import ended
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Role

log = structlog.get_logger()

ENDINGS = (signal.SIGTERM, signal.SIGINT)

BEHIND = 256
"""Commits the checkpoint may be behind while there is work; at rest it never is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0, 1 with one line for what was to be expected, 3 with a traceback for a bug, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="cloud_agent", description="Watches, triages and drafts; cannot send.")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("init", help="make the agent's key and secret, and print its public key")
    making.add_argument("--home", type=Path, required=True, metavar="DIR")
    making.add_argument("--agent", default="cloud", metavar="NAME")
    making.add_argument(
        "--owner-key", metavar="LINE|FILE", help="the owner's approval public key, whose word is followed"
    )
    running = commands.add_parser("run", help="watch, triage and draft until told to stop")
    running.add_argument("--config", type=Path, required=True, metavar="FILE")
    running.add_argument(
        "--introduction", type=Path, metavar="DIR", help="wait until the hub has an owner, and take vault and key there"
    )
    running.add_argument(
        "--ask-hub", action="store_true", help="have the hub say them, once it lets this agent in, and keep them there"
    )
    handing = commands.add_parser(
        "secrets", help="write this agent's secrets where a hub on this machine looks for them"
    )
    handing.add_argument("--config", type=Path, required=True, metavar="FILE")
    handing.add_argument("--into", type=Path, required=True, metavar="DIR", help="the hub's secrets_dir")
    gmail_login.add_to(commands)
    chosen = parser.parse_args(arguments)
    return ended("cloud_agent", lambda: _obey(chosen))


def _obey(chosen: argparse.Namespace) -> None:
    if chosen.command == "init":
        _init(chosen.home, chosen.agent, chosen.owner_key)
    elif chosen.command == gmail_login.COMMAND:
        gmail_login.obey(chosen)
    elif chosen.command == "secrets":
        print("\n".join(machine.hand_over(settings_file.read(chosen.config), chosen.into)))
    else:
        _run(chosen.config, chosen.introduction, ask_hub=chosen.ask_hub)


def _run(config: Path, introduction: Path | None, *, ask_hub: bool) -> None:
    introduced = None
    if introduction is not None:
        machine.log_to_stderr("json")
        ask = Knocking(config, introduction) if ask_hub else None
        introduced = introductions.awaited(introduction, ENDINGS, ask)
        if introduced is None:
            return
    settings = settings_file.read(config, introduced)
    with reported(settings.error_tracker_file, "cloud_agent"):
        ledger = ledger_of(settings)
        run(settings, drafter_of(settings, ledger), ledger=ledger)


def _owner_key(home: Path, given: str | None) -> str | None:
    """Asked for when a person is there and none is pinned; without one no new root of the vault is followed."""
    if given or machine.owner_file(home).exists():
        return given
    asked = ""
    if sys.stdin.isatty():
        print("The owner's approval public key, a line or a file (empty: later): ", end="", file=sys.stderr, flush=True)
        asked = sys.stdin.readline().strip()
    if not asked:
        print("No owner's key is pinned: give it with --owner-key, or a re-root will stop this agent.", file=sys.stderr)
    return asked or None


def _init(home: Path, agent: str, owner_key: str | None) -> None:
    """The public key on stdout; what to do with it on stderr."""
    line = machine.make_home(home, agent, _owner_key(home, owner_key))
    print(line)
    for words in (
        "Give it to the owner's machine, in a file:",
        f"  countersign init --pin {agent}=FILE …",
        "and to a resident hub, on its machine; it prints the token that hub_token_file is to hold:",
        f"  python -m vault_hub agent --config hub.toml add {agent} --standing cloud --key '{line}'",
    ):
        print(words, file=sys.stderr)


def ledger_of(settings: Settings) -> Ledger | None:
    """Nothing is read yet."""
    if settings.drafter.provider == "offline":
        return None
    return Ledger(settings.state_dir / "spending", SystemClock().now)


def drafter_of(settings: Settings, ledger: Ledger | None = None) -> Drafter:
    try:
        return build_drafter(settings.drafter, settings.skills_dir, ledger=ledger)
    except (OSError, ValueError) as error:
        raise BadSettings(f"drafter: {error}") from error


def run(
    settings: Settings, drafter: Drafter, *, step: Callable[[str], None] = lambda name: None,
    ledger: Ledger | None = None,
) -> None:  # fmt: skip
    """Until SIGTERM or SIGINT. Raises VaultError, or the bug that ended it.

    `step` is told each step between arrival and Pending_Approval as it is passed, on the thread that passed it.
    """
    machine.log_to_stderr(settings.log_format)
    # Blocked before any thread starts, so that only the wait below takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    with alone(settings.state_dir, "agent"):
        service = assemble(settings, drafter, step, ledger)
        hold_to_reading(settings)
        if settings.health_port is not None:
            Surface(service.health, settings.health_host, settings.health_port, SystemClock().now)
        memory.settle()
        log.info("agent.started", agent=settings.agent, mailboxes=len(settings.mailboxes))
        main_thread = threading.get_ident()
        worker = threading.Thread(
            target=service.run,
            args=(lambda: signal.pthread_kill(main_thread, signal.SIGTERM),),
            name="worker",
            daemon=True,
        )
        worker.start()
        signal.sigwait(ENDINGS)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # the second Ctrl-C does not wait
        service.end()
        service.drain(worker)
        log.info("agent.ended", agent=settings.agent)
    if service.bug is not None:
        raise service.bug


def hold_to_reading(settings: Settings) -> None:
    """Ask Google what each grant can do. Raises GrantTooWide; what cannot be asked now is held to it later."""
    for mailbox in settings.mailboxes:
        if isinstance(mailbox, GmailSettings):
            with suppress(LoginRefused, Unreachable):
                Access(mailbox.model_copy(update={"timeout_seconds": min(mailbox.timeout_seconds, 10.0)})).token()


def assemble(
    settings: Settings, drafter: Drafter, step: Callable[[str], None] = lambda name: None, ledger: Ledger | None = None
) -> Service:
    """The agent, not yet started. Its state folder exists."""
    state, agent, clock = settings.state_dir, AgentId(settings.agent), SystemClock()
    key, secret, wake = keys.load(settings.key_file), settings.secret(), threading.Event()
    store = GitStore(state / "vault.git")
    hub = connect(
        store, settings.hub, token_file=settings.hub_token_file, ca_file=settings.hub_ca_file,
        way_out=settings.hub_way_out,
    )  # fmt: skip
    journal = Journal(
        store, hub, Identity(agent, Role.CLOUD, settings.vault, key), clock,
        secrets=machine.own_secrets(settings, secret), owner=settings.owner_key(),
        checkpoint=Checkpoint(store.path / "followed.json", secret, f"{agent} {state.resolve()}"), behind=BEHIND,
    )  # fmt: skip
    lease, later = timedelta(seconds=settings.lease_seconds), Later(clock, Pauses())
    desk = Desk(PatientVault(journal, waits=later.waits, lease=lease))
    mailboxes = {mailbox.name: mailbox for mailbox in settings.mailboxes}
    health = Health.of(state / "health.json", clock, {name: mailbox.credential for name, mailbox in mailboxes.items()})
    spending = Spending(ledger, settings.drafter.budget or BudgetSettings(), agent, clock) if ledger else None
    health.spending = spending.today if spending else lambda: None
    raw, ids = RawMail(state / "raw"), MessageIds(state / "message-ids")
    housekeeping = Housekeeping(
        agent=agent, clock=clock, health=health, heartbeat=timedelta(seconds=settings.heartbeat_seconds), raw=raw,
        keep_raw=timedelta(days=settings.keep_raw_days), raw_bytes=settings.keep_raw_mib * 2**20, ids=ids,
        spending=spending,
    )  # fmt: skip

    def on_task(mailbox: str) -> None:
        health.mail(mailbox)
        wake.set()

    arrivals = Arrivals(
        desk, agent=agent, secret=secret, mailboxes=mailboxes, raw=raw,
        ids=ids, clock=clock, on_task=on_task, step=step,
    )  # fmt: skip
    accounts = Accounts(settings.owner_name, mailboxes, settings.every_own_address)
    ledgers = ledger_desk_of(settings)
    work = Work(
        desk, drafter, agent=agent, accounts=accounts, raw=raw, clock=clock, lease=lease, step=step,
        clerk=Clerk(ledgers, clock.now, lambda now: now + STALE_AFTER) if ledgers else None,
        overdue=overdue_of(settings, ledgers, secret, clock), secret=secret, books=ledgers.books if ledgers else None,
        writer=drafter if isinstance(drafter, Writer) else None,
    )  # fmt: skip
    leaving = Leaving(mailboxes, raw, seconds=settings.leave_seconds, monotonic=clock.monotonic)
    worker = Worker(
        desk, work, clock=clock, failures=Failures(state / "failures"), later=later, housekeeping=housekeeping,
        step=step, takes=leaving.takes, domains=settings.domains,
    )  # fmt: skip
    return Service(
        worker=worker,
        watchers=[
            watcher(box, state, arrivals, health, wake, step, lambda: journal.generation) for box in settings.mailboxes
        ],
        hub=hub, desk=desk, housekeeping=housekeeping, health=health, later=later,
        poll_seconds=settings.poll_seconds, pauses=Pauses(first=0.5, longest=5.0), wake=wake,
    )  # fmt: skip


def ledger_desk_of(settings: Settings) -> LedgerDesk | None:
    """Nothing is asked of the books yet. Raises VaultError without a key."""
    books = settings.books
    return LedgerDesk.over(books.name, rpc.connect(books.access())) if books else None


def overdue_of(settings: Settings, desk: LedgerDesk | None, secret: bytes, clock: Clock) -> Overdue | None:
    """None when no mailbox is named that reminders are written from."""
    books = settings.books
    mailbox = next((box for box in settings.mailboxes if books and box.name == books.mailbox), None)
    if books is None or desk is None or mailbox is None:
        return None
    sender = Address(name=settings.owner_name, address=mailbox.address)
    return Overdue(
        desk, secret=secret, after=books.overdue_days, account=mailbox.name, sender=sender, now=clock.now
    )  # fmt: skip


def watcher(
    mailbox: AnyMailbox, state: Path, arrivals: Arrivals, health: Health, wake: threading.Event,
    step: Callable[[str], None], generation: Callable[[], int],
) -> ImapWatcher | GmailWatcher:  # fmt: skip
    """What the mailbox's trouble changes is told to the owner by the worker, so it is woken."""

    def tell(trouble: Trouble | None) -> None:
        if health.trouble(mailbox.name, trouble):
            wake.set()

    def on_trouble(trouble: Trouble, _detail: str) -> None:
        tell(trouble)

    folder = state / "mailboxes"
    if isinstance(mailbox, GmailSettings):
        return GmailWatcher(
            mailbox, folder / f"{mailbox.name}.gmail.json", arrivals.take, generation=generation, on_trouble=on_trouble,
            on_healthy=lambda: tell(None), step=step,
        )  # fmt: skip
    return ImapWatcher(
        mailbox, folder / f"{mailbox.name}.json", arrivals.take, generation=generation, on_trouble=on_trouble,
        on_healthy=lambda: tell(None), step=step,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
