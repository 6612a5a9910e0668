"""A cloud agent in memory: the real worker and arrivals, Local who judges every commit, a drafter that is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_agent.arrivals import Arrivals
from cloud_agent.bookkeeping.clerk import Clerk
from cloud_agent.bookkeeping.ledger_desk import LedgerDesk
from cloud_agent.bookkeeping.overdue import Overdue
from cloud_agent.desk import Desk, PatientVault
from cloud_agent.health import Health
from cloud_agent.housekeeping import Housekeeping
from cloud_agent.keeping import MessageIds, RawMail
from cloud_agent.reading import Accounts
from cloud_agent.retries import Failures, Later, Pauses
from cloud_agent.spending import Spending
from cloud_agent.submission import STALE_AFTER
from cloud_agent.watchers.arrival import Arrival
from cloud_agent.watchers.mailbox_settings import MailboxSettings
from cloud_agent.work import Work
from cloud_agent.worker import Worker
from drafting import Draft, Kind, Letter, Priority, Triage
from drafting.posts import Writer
from drafting.ruled import Ruled
from vault_protocol import keys, scan, sshsig, updates
from vault_protocol.action import Address
from vault_protocol.audit import Record
from vault_protocol.audit import parse as parse_record
from vault_protocol.follow import Trust
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.task import AgentId, Role, Stage, Task
from vault_protocol.testing import MemoryHub, MemoryStore, TestClock
from vault_protocol.vault import Vault

CLOUD, OTHER, LOCAL = AgentId("cloud"), AgentId("cloud-two"), AgentId("local")
OWNER = "owner@home.example"
OFFICE = MailboxSettings(
    name="business", kind="business", address=OWNER, host="localhost", port=993, user="cloud",
    password_file=Path("nowhere"),
)  # fmt: skip
LEASE = timedelta(minutes=10)
EXACT = Pauses(first=10.0, longest=600.0, jitter=lambda: 1.0)


def mail(
    subject: str = "A question",
    text: str = "Could you come on Friday?",
    *,
    sender: str = "Jana Novak <jana@elsewhere.example>",
    message_id: str | None = "<1@elsewhere.example>",
    **headers: str,
) -> bytes:
    """A message as a stranger sends it; `headers` with underscores for hyphens."""
    lines = [f"From: {sender}", f"To: {OWNER}", f"Subject: {subject}", "Date: Mon, 23 Nov 2026 08:00:00 +0000"]
    if message_id:
        lines.append(f"Message-ID: {message_id}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", *text.split("\n"), ""]).encode()


def nothing_happens(letter: Letter) -> None:
    """The hook of a drafter that is well."""


@dataclass
class ToldDrafter:
    """Judges by subject as it is told, and writes the same few lines to everybody."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    text: str = "Hello,\n\nthank you for your mail.\n\nOlive Owner\n"
    unknowns: tuple[str, ...] = ()
    before_triage: Callable[[Letter], None] = nothing_happens
    before_draft: Callable[[Letter], None] = nothing_happens
    drafted: list[tuple[Letter, str, str | None, str | None]] = field(default_factory=list)

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        self.before_triage(letter)
        kind = self.kinds.get(letter.subject, Kind.REPLY_WANTED)
        return Triage(kind, Priority.NORMAL, f"the test says {kind.value}", "told")

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        self.before_draft(letter)
        self.drafted.append((letter, handbook, remark, previous))
        return Draft(self.text, self.unknowns, "told")


class World:
    """One hub, one cloud agent, and Local, who judges every commit by the keys it pinned."""

    def __init__(
        self, state: Path, drafter: ToldDrafter | None = None, *, secrets: tuple[str, ...] = (), judged: bool = True,
        owner: sshsig.PublicKey | None = None, desk: LedgerDesk | None = None, handbook: str | None = None,
    ) -> None:  # fmt: skip
        """`secrets` are the agent's own; with `judged`, Local refuses a head that breaks a rule; `owner` is pinned,
        `desk` are the books. With a `handbook` the drafter is held to its rules."""
        self.handbook = handbook
        self._owner = owner
        self.state, self.drafter, self.clock = state, drafter or ToldDrafter(), TestClock()
        self.ledger_desk = desk
        self.writer: Writer | None = None
        """Who words posts and proposes plans, in the next life of the agent."""
        self.spending: Spending | None = None
        """What models cost, told by the next life of the agent."""
        self.store = MemoryStore()
        self.hub = MemoryHub(self.store)
        self._keys = {name: keys.new() for name in (CLOUD, OTHER, LOCAL)}
        self._secrets = scan.OwnSecrets.of(secrets)
        roles = {CLOUD: Role.CLOUD, OTHER: Role.CLOUD, LOCAL: Role.LOCAL}
        self._trust = Trust("v1", {a: (roles[a], sshsig.PublicKey.of(key)) for a, key in self._keys.items()})
        self.local = Vault(self._journal(LOCAL, Role.LOCAL, self._trust if judged else None), lease=LEASE)
        self.begin()
        self.start()

    def begin(self) -> None:
        """What `countersign init` publishes first."""
        card = b'{"vault": "v1"}'
        handbook = self.handbook or "# Handbook\n\nBe kind.\n"
        self.local.write("init", "vault", {"Vault.json": card, "Company_Handbook.md": handbook.encode()})

    def start(self, agent: AgentId = CLOUD) -> None:
        """A new life of the agent: nothing stays but its state folder and the hub."""
        self.agent = agent
        self.later = Later(self.clock, EXACT)
        self.health = Health.of(self.state / "health.json", self.clock, {OFFICE.name: OFFICE.credential})
        journal = self._journal(agent, Role.CLOUD, None)
        self.desk = Desk(PatientVault(journal, waits=self.later.waits, lease=LEASE))
        mailboxes, raw = {OFFICE.name: OFFICE}, RawMail(self.state / "raw")
        self.raw, self.failures = raw, Failures(self.state / "failures")
        self.arrivals = Arrivals(
            self.desk, agent=agent, secret=b"s" * 32, mailboxes=mailboxes, raw=raw,
            ids=MessageIds(self.state / "message-ids"), clock=self.clock, on_task=self.health.mail,
        )  # fmt: skip
        accounts = Accounts("Olive Owner", mailboxes, frozenset({OWNER, "me@home.example"}))
        books = self.ledger_desk
        clerk = Clerk(books, self.clock.now, lambda now: now + STALE_AFTER) if books else None
        drafter = Ruled(self.drafter) if self.handbook else self.drafter
        work = Work(
            self.desk, drafter, agent=agent, accounts=accounts, raw=raw, clock=self.clock, lease=LEASE,
            step=lambda name: self.step(name), clerk=clerk, overdue=self._overdue(books) if books else None,
            secret=b"s" * 32, books=books.books if books else None,
            writer=self.writer,
        )  # fmt: skip
        housekeeping = Housekeeping(agent=agent, clock=self.clock, health=self.health, raw=raw, spending=self.spending)
        self.worker = Worker(
            self.desk, work, clock=self.clock, failures=self.failures, later=self.later, housekeeping=housekeeping
        )

    def _overdue(self, books: LedgerDesk) -> Overdue:
        sender = Address(name="Olive Owner", address=OWNER)
        return Overdue(books, secret=b"s" * 32, after=14, account=OFFICE.name, sender=sender, now=self.clock.now)

    def step(self, name: str) -> None:
        """Told each step of the work; a test may end the life of the agent there."""

    def _journal(self, agent: AgentId, role: Role, trust: Trust | None) -> Journal:
        identity = Identity(agent, role, "v1", self._keys[agent])
        secrets = self._secrets if role is Role.CLOUD else None
        return Journal(self.store, self.hub, identity, self.clock, trust=trust, secrets=secrets, owner=self._owner)

    def receives(self, raw: bytes, *, oversized: bool = False) -> None:
        self.clock.tick(timedelta(seconds=1))
        arrived = datetime(2026, 11, 23, 8, tzinfo=UTC) + timedelta(seconds=self.clock.monotonic())
        self.arrivals.take(Arrival(OFFICE.name, arrived, raw, oversized))

    def works(self) -> None:
        """Until there is nothing to do now."""
        for _ in range(50):
            if not self.worker.step():
                return
        raise AssertionError("the worker never rests")

    def waits(self, seconds: float) -> None:
        self.clock.tick(timedelta(seconds=seconds))

    def tasks(self, stage: Stage) -> list[Task]:
        """As Local sees them, after judging all that happened."""
        self.local.refresh()
        return list(self.local.tasks(stage))

    def only(self, stage: Stage) -> Task:
        (task,) = self.tasks(stage)
        return task

    def read(self, path: str) -> str:
        self.local.refresh()
        return (self.local.journal.read(path) or b"").decode()

    def paths(self, prefix: str) -> list[str]:
        self.local.refresh()
        assert self.local.journal.head
        return [path for path, _ in self.store.paths(self.local.journal.head) if path.startswith(prefix)]

    def other_vault(self) -> Vault:
        """The vault in the hands of a second cloud agent."""
        return Vault(self._journal(OTHER, Role.CLOUD, None), lease=LEASE)

    def updates(self) -> list[tuple[str, dict[str, str]]]:
        found = updates.parse(self.read(updates.path(self.agent)).encode())
        return [(update.event, dict(update.facts)) for update in found]

    def records(self) -> list[Record]:
        return [parse_record(line) for line in self.read("Logs/cloud/2026-11/23.jsonl").splitlines()]
