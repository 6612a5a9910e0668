"""One draft as the page shows it: everything the owner decides about, and the mark of what they were shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from local_agent import ages
from local_agent.approvals.snoozing import Snoozed
from local_agent.approving import objection
from local_agent.assemble import Local
from local_agent.chats.letters import Letters, NotHere
from local_agent.decisions import planned
from local_agent.drafts import Draft, open_draft, with_edit
from local_agent.kinds import KINDS
from local_agent.sending_hours import waits
from vault_protocol import request, summary
from vault_protocol.action import Action, MailAction
from vault_protocol.canonical import canonical, sha256
from vault_protocol.errors import VaultError
from vault_protocol.notes import KNOWN
from vault_protocol.task import Stage, Task


@dataclass(frozen=True)
class Card:
    """What stands on the page. `seen` changes with anything that would have made the owner think again."""

    draft: Draft
    age: str
    stale: bool
    snoozed: datetime | None
    seen: str
    shown: Action | None
    """What would be done, with the words that stay on this machine."""
    later: datetime | None = None
    """When working hours begin, if it is approved before them and waits for that."""

    @property
    def task(self) -> Task:
        return self.draft.task

    @property
    def digest(self) -> str:
        return self.draft.request.action.digest if self.draft.request else ""

    @property
    def asks(self) -> str:
        return self.draft.request.action.type if self.draft.request else ""

    @property
    def mail(self) -> MailAction | None:
        action = self.draft.request.action if self.draft.request else None
        return action if isinstance(action, MailAction) else None

    @property
    def forwardable(self) -> bool:
        """Whether it came by a mail, or is one, that can be found again."""
        return bool(self.task.note.front.words("mailbox") and self.task.note.front.words("message_id"))

    @property
    def title(self) -> str:
        front = self.task.note.front
        return front.words("subject") or front.words("name") or self.task.slug or self.task.id

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        then = planned(self.task.note)
        when = (("Planned for", f"{then:%A, %Y-%m-%d %H:%M} UTC"),) if then else ()
        if self.later is not None:
            when = (("Leaves", f"{self.later:%A, %Y-%m-%d %H:%M} UTC, within your working hours"),)
        return (*when, *summary.rows(self.shown)) if self.shown else ()

    @property
    def prose(self) -> tuple[tuple[str, str], ...]:
        """The texts of the action, each with its name."""
        action = self.shown
        if action is None:
            return ()
        return tuple((request.LABELS[name], text) for name in action.prose if (text := getattr(action, name)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What Cloud and Local find unusual, each sentence once."""
        told = self.draft.request.warnings if self.draft.request else ()
        own = self.draft.check.warnings if self.draft.check else ()
        return tuple(dict.fromkeys((*told, *own)))

    @property
    def unknowns(self) -> tuple[str, ...]:
        return self.draft.request.unknowns if self.draft.request else ()

    @property
    def mismatches(self) -> tuple[str, ...]:
        return self.draft.check.mismatches if self.draft.check else ()

    @property
    def unchecked(self) -> str:
        """Why it could not be held against its original; empty when it was."""
        check = self.draft.check
        if self.draft.request is None or (check is not None and check.original):
            return ""
        return check.reason if check else "it was not looked at yet"

    @property
    def checked(self) -> str:
        """What was found in order, when nothing was found."""
        return KINDS[self.asks].checked if self.draft.request else ""

    @property
    def step_up(self) -> bool:
        return self.draft.request is not None and self.draft.request.action.step_up

    @property
    def batch(self) -> bool:
        """Whether it may be approved together with others."""
        ready = self.draft.request is not None and self.draft.edit is None and not self.step_up
        return ready and objection(self.draft, alone=False) is None

    @property
    def known(self) -> tuple[str, ...]:
        """What Cloud says it knew of the sender, a line each; nothing that stands in the mail passes for it."""
        above = self.task.note.body.partition("\n## Original\n")[0]
        section = above.partition(f"\n{KNOWN}\n")[2].lstrip("\n").split("\n")
        fence = section[0].removesuffix("text")
        if len(fence) < 3 or set(fence) != {"`"} or fence not in section[1:]:
            return ()
        return tuple(section[1 : section.index(fence, 1)])

    @property
    def original(self) -> str:
        """The note without its request: what it answers, as it was put down."""
        note = self.task.note
        return (note if self.draft.fault else request.take_out(note)).body.strip("\n")


def card(local: Local, id_: str, *, edited: bool = True) -> Card:
    """Raises NoSuchTask."""
    draft = open_draft(local, id_, look=False)
    if draft.request is not None and draft.check is None and draft.task.stage is Stage.PENDING_APPROVAL:
        draft = Draft(draft.task, draft.request, local.judge.check(draft.task), draft.edit, draft.fault)
    if edited and draft.edit is not None and draft.edit.note is not None:
        draft = _edited(local, draft)
    task, now, snoozed = draft.task, local.clock.now(), Snoozed(local.vault, local.clock).until(draft.task)
    return Card(
        draft, ages.age(ages.since(task), now), ages.stale(task, now), snoozed, _mark(draft), _shown(local, draft),
        _later(local, draft, now),
    )  # fmt: skip


def _later(local: Local, draft: Draft, now: datetime) -> datetime | None:
    if draft.request is None or draft.task.stage is not Stage.PENDING_APPROVAL or planned(draft.task.note):
        return None
    return waits(local.vault.journal, draft.task, draft.request.action, now)


def _shown(local: Local, draft: Draft) -> Action | None:
    """Words that are not here are a mismatch, which `ChatCheck` tells; nothing stands in their place."""
    action = draft.request.action if draft.request else None
    try:
        return Letters(local.home.chats).opened(action) if action else None
    except NotHere:
        return action


def _edited(local: Local, draft: Draft) -> Draft:
    try:
        return with_edit(local, draft)
    except VaultError:
        return draft


def _mark(draft: Draft) -> str:
    """Not whether the original could be read: that it can be by now is no reason to look again."""
    check, asked, task = draft.check, draft.request, draft.task
    warnings = {*(asked.warnings if asked else ()), *(check.warnings if check else ())}
    return sha256(
        canonical({
            "task": task.id, "stage": task.stage.value, "revision": task.revision,
            "note": sha256(task.note.content()), "digest": asked.action.digest if asked else "",
            "edit": draft.edit.diff if draft.edit else "", "fault": draft.fault,
            "mismatches": [*sorted(check.mismatches if check else ())], "warnings": [*sorted(warnings)],
        })
    )  # fmt: skip
