"""The gate, told as it happens: one line an event, with the elapsed time."""

from __future__ import annotations

import email
import email.policy
import json
import select
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.commands import DemoFailed
from demo.desktop import has_a_desktop
from demo.hostile import Intruder, Push
from demo.hub_machine import HubMachine
from demo.letters import Letter, hostile, newsletter, question
from demo.tail import Event
from demo.telling import Teller
from demo.world import COUNTERSIGN, World
from vault_protocol import layout, request
from vault_protocol.action import SendMail
from vault_protocol.task import Stage, Task

T = TypeVar("T")

QUESTION = "brand pages"
"""What the subject of the customer's mail holds."""

PATIENCE = 60.0
"""Seconds a step may take before the demo gives up."""

OWNERS_TIME = 1800.0
"""Seconds an owner may take to decide on the page; the key stays open for an hour."""

VERBS = {
    "init": "the vault begins: its first signed changeset",
    "add": "a mail arrived: a note in Needs_Action",
    "claim": "claimed it: the hub accepted, nobody else has it",
    "submit": "put its draft up for approval",
    "close": "nothing to answer: closed without a draft",
    "release": "gave a task back",
    "quarantine": "set a note aside",
    "approve": "published the owner's signed approval",
    "reject": "published the owner's no",
    "edit": "published the owner's own text as the next revision",
    "finish": "published the receipt",
    "dashboard": "wrote Dashboard.md",
}


@dataclass
class Story:
    """Tells and drives the demo. `yes`: it decides by itself, for machines; `web`: the owner decides on the page."""

    world: World
    console: Console
    yes: bool
    web: bool = False
    began: float = field(default_factory=time.monotonic)
    verdict: str = ""
    push: Push | None = None
    """The hostile one, once it was tried."""
    claimed: int = 0

    def prepare(self) -> None:
        """Set up both machines as an owner would, once."""
        self._say("demo", "a mail provider and an outside mail server: running")
        self.world.set_up(page=self.web)
        self.tail = self.world.tail()
        if self.world.machine is not None:
            self._say("hub", "is up: one process over a bare git repository; it knows each agent's key and token")
        else:
            self._say("hub", "is a bare git repository and nothing else: any git host would do")
        self._say("demo", "both machines have their keys; Local has pinned Cloud's, and the vault has begun")

    def tell(self) -> Task:
        """The whole gate; the question's task as it ended. Raises DemoFailed when a step does not come."""
        self._chapter("Saturday. The owner's machine is off. Cloud is alone.")
        self.world.start_cloud()
        self._say("cloud", "is up: it reads the mailbox, and holds nothing that could send")
        for letter in (question(), newsletter(), hostile()):
            self._deliver(letter)
        self._kill_cloud_at_work()
        if self.world.machine is not None:
            self._kill_hub_at_work(self.world.machine)
        self._until("all three mails are triaged", self._triaged)
        self._say("demo", "Cloud can do no more. Nothing was sent.")
        if self.world.machine is not None:
            self._chapter("Sunday. Somebody breaks into Cloud's machine.")
            self._push_as_cloud(self.world.machine)

        self._chapter("Monday. The owner's machine comes back.")
        self.world.start_local()
        waiting = self._until("the draft is in the owner's folder", self._shown_in_folder)
        self._say("local", f"checked each changeset's signature and rules: {waiting.id} waits")
        self._show(waiting)
        decided = self._decide(waiting)
        if self.verdict == "reject":
            return self._until("the note is in Rejected", lambda: self._at(decided, Stage.REJECTED))
        self._kill_local_before_the_effect(decided)
        done = self._until("the mail is out and the note in Done", lambda: self._at(decided, Stage.DONE))
        self._until("the owner's folder shows it", lambda: (self.world.vault_folder / layout.path_of(done)).exists())
        self._show_sent()
        self._show_audit(done)
        self._say("demo", f"the note ends in {layout.path_of(done)}")
        return done

    def _deliver(self, letter: Letter) -> None:
        self.world.mail.provider.deliver(letter.raw, sender=letter.sender)
        self._say("mail", f"{letter.title}: accepted by SMTP")

    def _kill_cloud_at_work(self) -> None:
        """SIGKILL in the middle of its work, and a new process that goes on from what the hub says."""
        self._until("Cloud claims its first task", lambda: self._claims > 0)
        if self.world.cloud is not None:
            self.world.kill(self.world.cloud)
        self._say("fault", "kill -9 cloud_agent, while it holds a task")
        self.world.start_cloud()
        self._say("cloud", "a new process: frees what its earlier life held, and goes on")

    def _kill_hub_at_work(self, machine: HubMachine) -> None:
        """SIGKILL while Cloud publishes, and a new process on the same port."""
        self._until("Cloud claims again", lambda: self._claims > 1)
        machine.kill()
        self._say("fault", "kill -9 vault_hub, while Cloud publishes")
        machine.start()
        self._say("hub", "a new process: clears what the kill left, and goes on from what is on disk")

    def _push_as_cloud(self, machine: HubMachine) -> None:
        """A real `git push` over HTTP of what Cloud may not do, with everything that Cloud has."""
        waiting = self.tail.task(QUESTION)
        if waiting is None:
            raise DemoFailed("the customer's mail got no draft")
        folder = self.world.folder / "intruder.git"
        intruder = Intruder(machine, self.world.vault_id, self.world.cloud_home, folder)
        self._say("fault", "with Cloud's key and token: moves the draft to Approved/, signs, and git push")
        self.push = intruder.approve(waiting)
        refused, _, why = self.push.said.replace(self.push.commit, self.push.commit[:12]).partition(" (")
        self._say("hub", refused)
        for line in why.removesuffix(")").removesuffix(f" ({self.push.path})"), self.push.path:
            self._say("", line)

    def _kill_local_before_the_effect(self, task: Task) -> None:
        if self.world.local is None or not self._at(task, Stage.APPROVED):
            return
        self.world.kill(self.world.local)
        self._say("fault", "kill -9 local_agent, approval published, mail not yet sent")
        self.world.start_local()
        self._say("local", "a new process: reads the ledger and the vault, and goes on")

    @property
    def _claims(self) -> int:
        self._events()
        return self.claimed

    def _triaged(self) -> bool:
        self._events()
        ends = {Stage.PENDING_APPROVAL, Stage.DONE, Stage.QUARANTINE}
        return sum(task.stage in ends for task in self.tail.tasks()) >= 3

    def _shown_in_folder(self) -> Task | None:
        self._events()
        task = self.tail.task(QUESTION)
        if task is None or task.stage is not Stage.PENDING_APPROVAL:
            return None
        shown = self.world.vault_folder / layout.path_of(task)
        return task if shown.exists() and (self.world.vault_folder / layout.DASHBOARD).exists() else None

    def _show(self, task: Task) -> None:
        asked = request.read(task.note)
        if asked is None or not isinstance(asked.action, SendMail):
            raise DemoFailed("the customer's mail got no draft")
        action = asked.action
        head = f"To: {', '.join(str(box) for box in action.to)}\nSubject: {action.subject}\n\n"
        self.console.print(Panel(Text(head + action.text + "\n" + action.quote), title="The draft that waits for you"))
        for other in self.tail.tasks():
            if other.stage is Stage.PENDING_APPROVAL and other.id != task.id:
                reason = other.note.front.words("reason").partition(";")[0]
                self._say("cloud", f"{other.id} got no draft: {reason}")

    def _decide(self, task: Task) -> Task:
        path = self.world.vault_folder / layout.path_of(task)
        self._until("the service can be unlocked", self.world.try_unlock)
        if self.yes:
            self._say("you", f"countersign approve {task.id[:6]}")
            self.verdict = "approve"
            self.world.with_passphrase("approve", task.id, "--yes")
        elif self.web:
            self._open_the_page()
        else:
            self.console.print(
                "\n  [bold]a[/] approve   [bold]e[/] edit   [bold]r[/] reject      or move the file:", highlight=False
            )
            self.console.print(Text(f"  mv '{path}' '{self.world.vault_folder}/Approved/'\n"))
            self._ask(task)
        found = self._until(
            "the decision is on the hub", lambda: self._decided(task), OWNERS_TIME if self.web else PATIENCE
        )
        if self.web:
            self._say("you", f"decided on the page: {self.verdict}")
        return found

    def _open_the_page(self) -> None:
        """Ask the owner's browser for the page. Where there is none that opens, the printed link is enough."""
        link, code = self.world.pair_a_browser()
        self._say("local", "serves the approvals page on this machine, to browsers that the owner pairs")
        self.console.print(Text(f"\n  Open   {link}\n  Code   {code}   (once, for five minutes)\n"), soft_wrap=True)
        if has_a_desktop():
            webbrowser.open(link)

    def _ask(self, task: Task) -> None:
        """The terminal and the folder at once: whichever comes first decides."""
        while not self._decided(task):
            self.tail.wait(0.2)
            if not select.select([sys.stdin], [], [], 0)[0]:
                continue
            match sys.stdin.readline().strip().lower()[:1]:
                case "a":
                    self.world.with_passphrase("approve", task.id, "--yes")
                case "r":
                    self.world.countersign("reject", task.id, "--why", "not now")
                case "e":
                    argv = [*COUNTERSIGN, "edit", "--home", str(self.world.local_home), task.id, "--no-approve"]
                    subprocess.run(argv, check=False)
                    self._until("the edited text is the next revision", lambda: self._revised(task))
                    self.world.with_passphrase("approve", task.id, "--yes")
                case _:
                    self.console.print("  a, e or r, please")

    def _revised(self, task: Task) -> bool:
        self._events()
        return any(t.id == task.id and t.revision > task.revision for t in self.tail.tasks())

    def _decided(self, task: Task) -> Task | None:
        self._events()
        ends = {Stage.APPROVED: "approve", Stage.DONE: "approve", Stage.REJECTED: "reject"}
        for found in self.tail.tasks():
            if found.id == task.id and found.stage in ends:
                self.verdict = ends[found.stage]
                return found
        return None

    def _at(self, task: Task, stage: Stage) -> Task | None:
        self._events()
        return next((t for t in self.tail.tasks() if t.id == task.id and t.stage is stage), None)

    def _show_sent(self) -> None:
        for received in self.world.mail.received():
            mail = email.message_from_bytes(received.raw, policy=email.policy.default)
            shown = ("From", "To", "Subject", "Message-ID", "In-Reply-To", "References")
            head = "\n".join(f"{name}: {mail[name]}" for name in shown)
            title = f"As {', '.join(received.envelope.recipients)} received it"
            self.console.print(Panel(Text(f"{head}\n\n{mail.get_content()}".rstrip()), title=title))

    def _show_audit(self, task: Task) -> None:
        log = json.loads(self.world.countersign("log", "--task", task.id, "--json"))
        table = Table(box=None, pad_edge=False)
        for heading in ("when", "who", "what", "result", "approved by", "chain"):
            table.add_column(heading, no_wrap=True)
        for record in log["records"]:
            cells = (
                record["timestamp"],
                record["actor"],
                record["action_type"],
                record["result"],
                record["approved_by"],
            )
            table.add_row(*(Text(str(cell)) for cell in cells), Text(f"{record['sequence']} {record['previous'][:8]}…"))
        self.console.print(Panel(table, title="The audit log, its chains verified"))

    def _events(self) -> list[Event]:
        events = self.tail.new()
        for event in events:
            told = VERBS.get(event.verb)
            self.claimed += event.verb == "claim"
            if told and event.verb not in ("dashboard", "init"):
                self._say(event.agent, f"{told}{f' · {event.task}' if event.task else ''}")
        return events

    def _until(self, what: str, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """Look again whenever the hub moves, until there is an answer."""
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            found = look()
            if found:
                return found
            for name, process in (("cloud", self.world.cloud), ("local", self.world.local)):
                if process is not None and process.poll() is not None:
                    raise DemoFailed(f"{name}_agent ended by itself: {self.world.log_of(name)[-1500:]}")
            if self.world.machine is not None and self.world.machine.process_ended:
                raise DemoFailed(f"vault_hub ended by itself: {self.world.machine.log.read_text()[-1500:]}")
            self.tail.wait(0.2)
        raise DemoFailed(f"not within {patience:g} s: {what}")

    def _chapter(self, title: str) -> None:
        self._teller.chapter(title)

    def _say(self, who: str, what: str) -> None:
        self._teller.say(who, what)

    @property
    def _teller(self) -> Teller:
        return Teller(self.console, lambda: f"{time.monotonic() - self.began:6.1f} s")
