"""What the vault knows of each social account: what was said to us and answered, and what is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vault_protocol import request
from vault_protocol.action import PublishPost
from vault_protocol.canonical import moment
from vault_protocol.errors import MalformedNote
from vault_protocol.plain import one_line
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.vault import Vault

WEEK = timedelta(days=7)


@dataclass
class Facts:
    """One account. `heard` came in the week before `monday`; `planned` goes out in the one that begins then."""

    heard: int = 0
    answered: int = 0
    planned: list[str] = field(default_factory=list)

    def told(self) -> str:
        """A sentence; no stranger's word is in it."""
        open_ = self.heard - self.answered
        return (
            f"{self.heard} mentions and comments: {self.answered} answered, {open_} not. {len(self.planned)} planned."
        )


def facts(vault: Vault, monday: datetime) -> Mapping[str, Facts]:
    """By the account's name. What cannot be read is left out."""
    found: dict[str, Facts] = {}
    for task in vault.tasks(*Stage):
        front = task.note.front
        if task.domain is not Domain.SOCIAL:
            continue
        one = found.setdefault(front.words("account"), Facts())
        received = _moment(front.words("received"))
        if front.words("post") and received is not None and monday - WEEK <= received < monday:
            one.heard += 1
            one.answered += task.stage is Stage.DONE and front.words("result") == "published"
        one.planned += _planned(task, monday)
    for one in found.values():
        one.planned.sort()
    return found


def _planned(task: Task, monday: datetime) -> Iterator[str]:
    due = _moment(task.note.front.words("not_before"))
    if due is None or task.stage in (Stage.DONE, Stage.REJECTED, Stage.QUARANTINE) or not monday <= due < monday + WEEK:
        return
    state = "approved" if task.stage is Stage.APPROVED else "not approved yet"
    yield f"{due:%Y-%m-%d %H:%M}  {state}  {one_line(_text(task), 120)}"


def _text(task: Task) -> str:
    try:
        asked = request.read(task.note)
    except MalformedNote:
        return ""
    return asked.action.text if asked and isinstance(asked.action, PublishPost) else task.note.front.words("subject")


def _moment(text: str) -> datetime | None:
    try:
        return moment(text) if text else None
    except ValueError:
        return None
