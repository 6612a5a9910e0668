"""From what a watcher brings to a task in Needs_Action, exactly one for each message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import structlog

import correspondence
from cloud_agent.desk import Desk
from cloud_agent.keeping import MessageIds, RawMail
from cloud_agent.note_of_mail import note_of
from cloud_agent.watchers.arrival import Arrival, Retry
from cloud_agent.watchers.mailbox_settings import WatchedMailbox
from correspondence.masking import masked
from vault_protocol import disk, notes, plain
from vault_protocol.audit import Record
from vault_protocol.clock import Clock
from vault_protocol.errors import DiskTrouble, HubUnreachable, MalformedNote, Refused, UntrustedHead
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Domain, Stage, Task, task_id
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()


class Unfit(StrEnum):
    """Why a message became a stub without content instead of a task."""

    UNREADABLE = "unreadable"
    LEAK = "holds-a-secret"
    RULE = "against-a-rule"
    TOO_LARGE = "too-large"


class Arrivals:
    """Takes messages from any number of watchers. What one message breaks stays with that message."""

    def __init__(
        self, desk: Desk, *, agent: AgentId, secret: bytes, mailboxes: Mapping[str, WatchedMailbox],
        raw: RawMail, ids: MessageIds, clock: Clock, on_task: Callable[[str], None] = lambda mailbox: None,
        step: Callable[[str], None] = lambda name: None,
    ) -> None:  # fmt: skip
        """`on_task` hears the name of the mailbox after each message that is safely in the vault; `step` is told
        "kept" and "added" as each is durable."""
        self._desk, self._agent, self._secret, self._mailboxes = desk, agent, secret, mailboxes
        self._raw, self._ids, self._clock, self._on_task = raw, ids, clock, on_task
        self._step = step

    def take(self, arrival: Arrival) -> None:
        """Put it into the vault, unless it is there. Raises Retry when that is not possible now."""
        try:
            sha256 = self._raw.keep(arrival.raw)
            self._step("kept")
            task = self._task(arrival, sha256)
            try:
                self._publish(task, arrival)
            except Refused as error:
                reason = Unfit.LEAK if error.rule == "secret" else Unfit.RULE
                self._publish(self._stub(task, arrival, reason, sha256), arrival)
        except (HubUnreachable, UntrustedHead, Refused, DiskTrouble, OSError) as error:
            raise Retry(f"not into the vault now: {disk.named(error, 'state_dir') or error}") from error
        self._step("added")
        self._on_task(arrival.mailbox)

    def _task(self, arrival: Arrival, sha256: str) -> Task:
        blank = self._blank(arrival, "", sha256)
        try:
            original, removed = masked(correspondence.read(arrival.raw))
            message_id = original.message_id or ""
            blank = self._blank(arrival, message_id, sha256)
            first = self._ids.first(arrival.mailbox, message_id, sha256) if message_id else sha256
            note = note_of(
                original, mailbox=self._mailboxes[arrival.mailbox], received=arrival.received_at,
                removed=removed, repeated=first != sha256, oversized=arrival.oversized,
            )  # fmt: skip
            task = blank.evolve(slug=plain.slug(original.subject), note=note)
            notes.read(*notes.write(task))
        except OSError:
            raise
        except MalformedNote:
            return self._stub(blank, arrival, Unfit.TOO_LARGE, sha256)
        except Exception as error:  # noqa: BLE001 - no single message may stop those behind it
            log.error("mail.unreadable", mailbox=arrival.mailbox, sha256=sha256, error=type(error).__name__)
            return self._stub(blank, arrival, Unfit.UNREADABLE, sha256)
        return task

    def _blank(self, arrival: Arrival, message_id: str, sha256: str) -> Task:
        identity = task_id(self._secret, mailbox=arrival.mailbox, message_id=message_id, content_sha256=sha256)
        return Task(id=identity, stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL, note=Note(FrontMatter(), ""))

    def _stub(self, task: Task, arrival: Arrival, reason: Unfit, sha256: str) -> Task:
        front = FrontMatter().put(
            type="stub", mailbox=arrival.mailbox, quarantined_because=reason.value, size=len(arrival.raw), sha256=sha256
        )
        body = "\n# A mail that is not shown here\n\nLook for it in the mailbox; this machine keeps it by its hash.\n"
        return task.evolve(stage=Stage.QUARANTINE, slug="", note=Note(front, body))

    def _publish(self, task: Task, arrival: Arrival) -> None:
        now, set_aside = self._clock.now(), task.stage is Stage.QUARANTINE
        front = task.note.front
        facts = {"reason": front.words("quarantined_because")} if set_aside else {}
        record = Record.of(
            "mail.quarantined" if set_aside else "mail.received", actor=self._agent, target=task.id, at=now,
            parameters={"mailbox": arrival.mailbox, "sha256": front.words("sha256"), "size": len(arrival.raw), **facts},
        )  # fmt: skip
        update = Update.of(
            "quarantined" if set_aside else "received", now, task=task.id, mailbox=arrival.mailbox, **facts
        )
        with self._desk.vault() as vault:
            added = vault.add(task, Also(records=[record], updates=[update]))
        event = "mail.known" if not added else record.action_type
        log.info(event, task=task.id, mailbox=arrival.mailbox, size=len(arrival.raw), **facts)
