"""What the owner's decisions teach, written into Memory/ in a changeset of its own: a decision never waits for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import structlog

from drafting.handbook.topics import TOPICS, is_about
from drafting.letter import Account, Letter
from drafting.memory import Line, learning, note, rejections
from local_agent.handbook_rule import address_in
from vault_protocol import request
from vault_protocol.action import SendMail
from vault_protocol.errors import MalformedNote, VaultError
from vault_protocol.files import write_private
from vault_protocol.hub import CommitId, Edits
from vault_protocol.note import Note
from vault_protocol.task import Task
from vault_protocol.vault import Vault

log = structlog.get_logger()
Given = ParamSpec("Given")

NEVER = "never draft for this sender"
"""The reason of a rejection that became a rule of the Handbook."""
KEPT = 2000
"""Lessons that are remembered as given, so that what the owner deletes is not learned from the same task again."""


def _said_and_done(teach: Callable[Given, None]) -> Callable[Given, None]:
    """What goes wrong is logged."""

    @wraps(teach)
    def learn(*args: Given.args, **named: Given.kwargs) -> None:
        try:
            teach(*args, **named)
        except Exception:
            log.exception("lesson.failed")

    return learn


@dataclass(frozen=True)
class Lessons:
    """`given` is a file of this machine. Nothing here raises: the decision that taught was published before."""

    vault: Vault
    given: Path

    @_said_and_done
    def edited(self, task: Task, own: Note) -> None:
        """The owner put their text in the place of a draft."""
        before, after = _mail_in(task.note), _mail_in(own)
        who = _contact(task, before)
        if before is None or after is None or not who:
            return
        found = learning.lessons(before.text, after.text, mail=f"{_outside(task)}\n{before.quote}\n{after.quote}")
        account = _account(task)
        wanted = {note.of_contact(account, who): (who, found)}
        for topic in _topics(task):
            wanted[note.of_topic(account, topic)] = (f"mail about {topic}", learning.for_a_topic(found))
        for path, (about, lines) in wanted.items():
            self._learn(task, path, about, lines)

    @_said_and_done
    def approved(self, task: Task) -> None:
        """A draft to this sender, for this list or about this is wanted again."""
        who = _about(task)
        if who and self.vault.journal.read(rejections.PATH) is not None:
            self._write(rejections.PATH, lambda content: rejections.approved(content, *who))

    @_said_and_done
    def rejected(self, task: Task, why: str) -> None:
        """Counted once for a task, whatever becomes of it."""
        who, mark = _about(task), f"{rejections.PATH} {task.id}"
        if not who or why == NEVER or mark in self._known():
            return
        today = self.vault.journal.clock.now().date()
        self._write(rejections.PATH, lambda content: rejections.rejected(content, *who, why=why, on=today))
        self._remember([mark])

    def _learn(self, task: Task, path: str, about: str, lines: tuple[Line, ...]) -> None:
        marks = {one: f"{path} {task.id} {' '.join(note.mark(one))}" for one in lines}
        now, known = self.vault.journal.clock.now(), self._known()

        def build(content: bytes | None) -> bytes | None:
            there = note.keys_in(content)
            fresh = [one for one in lines if marks[one] not in known or (one.seen is None and note.mark(one) in there)]
            return note.with_lessons(content, fresh, about=about, task=task.id, now=now)

        if lines:
            self._write(path, build)
            self._remember(list(marks.values()))

    def _write(self, path: str, make: Callable[[bytes | None], bytes | None]) -> None:
        """On each head anew: what the owner changed in the note meanwhile stays."""

        def build(_head: CommitId | None) -> Edits:
            content = make(self.vault.journal.read(path))
            return {} if content is None else {path: content}

        try:
            self.vault.journal.publish("learn", path.rpartition("/")[2][:60], build)
        except VaultError as error:
            log.warning("lesson.lost", error=type(error).__name__)

    def _known(self) -> dict[str, None]:
        try:
            return dict.fromkeys(map(str, json.loads(self.given.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            return {}

    def _remember(self, marks: list[str]) -> None:
        known = {**self._known(), **dict.fromkeys(marks)}
        with suppress(OSError):
            write_private(self.given, json.dumps([*known][-KEPT:]).encode("utf-8"))


def _mail_in(found: Note) -> SendMail | None:
    try:
        asked = request.read(found)
    except MalformedNote:
        return None
    return asked.action if asked is not None and isinstance(asked.action, SendMail) else None


def _contact(task: Task, action: SendMail | None) -> str:
    """The one to whom the answer goes, when that is who wrote; empty otherwise."""
    sender = address_in(task.note.front.words("from"))
    goes_to = action.to[0].address.lower() if action is not None and len(action.to) == 1 else ""
    return sender if sender and goes_to == sender else ""


def _about(task: Task) -> tuple[str, ...]:
    """Whom and what a decision about this task is counted for: sender and topics of a draft, the mailing list of a
    question too."""
    who, found = _contact(task, _mail_in(task.note)), []
    if who:
        found = [who, *map(rejections.of_topic, _topics(task))]
    named = task.note.front.words("list")
    return (*found, *((rejections.of_list(named),) if named else ()))


def _account(task: Task) -> Account:
    return "personal" if task.note.front.words("account") == "personal" else "business"


def _outside(task: Task) -> str:
    """What stands in the note besides the request: the mail as it came, and what was said about it."""
    return request.take_out(task.note).body


def _topics(task: Task) -> tuple[str, ...]:
    letter = Letter(
        sender_name="", sender_address="", to_account=_account(task), account_name="",
        subject=task.note.front.words("subject"), text=_outside(task).partition("\n### Quoted")[0],
    )  # fmt: skip
    return tuple(topic for topic in TOPICS if is_about(letter, topic))
