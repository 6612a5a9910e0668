"""The drafts of what the owner wants passed on, made from the mail as it lies in their own mailbox."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from correspondence import Mailbox
from correspondence.forward_action import CannotForward, Forward, forward_action
from local_agent.attachments import Attachments
from local_agent.follow_up import FOR_LOCAL, is_ours
from local_agent.forward_check import OTHER_BYTES
from local_agent.forwards import Forwards, Wish
from local_agent.handbook_rule import address_in
from local_agent.home import LOCAL, Settings
from local_agent.judge import FindOriginal
from local_agent.putting_up import put_up
from vault_protocol import request
from vault_protocol.action import BadAction
from vault_protocol.audit import Record
from vault_protocol.canonical import sha256, utc
from vault_protocol.errors import ClaimLost, MalformedNote, NoSuchTask, VaultError
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import message_id_shown, one_line
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=1)
"""Before a mailbox that could not be read is asked again."""


@dataclass
class Forwarding:
    """One step puts up what can be put up now; whatever a kill interrupts is taken up again."""

    vault: Vault
    settings: Settings
    forwards: Forwards
    attachments: Attachments
    find: FindOriginal
    is_secret: Callable[[bytes], object] = lambda content: False
    """Whether these bytes hold a secret of this machine."""

    def __post_init__(self) -> None:
        self._later: dict[str, datetime] = {}

    def step(self) -> int:
        """How many were put up."""
        for task in self.vault.mine():
            if _passes_on(task):
                with suppress(ClaimLost):
                    self.vault.release(task)  # of an earlier life
        waiting = [task for task in tuple(self.vault.tasks(Stage.NEEDS_ACTION)) if _passes_on(task)]
        return sum(self._put_up(task) for task in waiting)

    def _put_up(self, task: Task) -> bool:
        now = self.vault.journal.clock.now()
        if self._later.get(task.id, now) > now:
            return False
        try:
            note = self._note(task)
        except VaultError as error:  # the mailbox cannot be read now
            self._later[task.id] = now + LOOK_AGAIN
            log.info("forward.waiting", task=task.id, reason=str(error))
            return False
        except CannotForward as error:
            note = _question(str(error))
        held = self.vault.claim_next([Domain.EMAIL], fit=lambda one: one.id == task.id)
        if held is None:
            return False
        return put_up(self.vault, held, note.put(created=utc(now)), partial(_told, task, now), instead=_question)

    def _note(self, task: Task) -> Note:
        """The note with its request; nothing in it is from the note that waited. Raises CannotForward, VaultError."""
        wish = self.forwards.wish(task.id)
        if wish is None:
            raise CannotForward("this machine was not asked by you to pass a mail on in this task")
        made = self._made(wish)
        for file in made.files:
            if self.is_secret(file.content):
                raise CannotForward(f"its file {file.name} holds a secret of this machine")
            self.attachments.keep(
                file.content, name=file.name, media_type=file.media_type, task=task.id,
                origin=f"enclosed in the mail of {wish.first}",
            )  # fmt: skip
        original = made.original
        front = FrontMatter().put(
            **{"for": FOR_LOCAL, "from": one_line(_shown(original.sender))}, type="approval", forwards=wish.first,
            subject=one_line(original.subject) or "(no subject)", mailbox=wish.account,
            account="personal" if self._first(wish, "account") == "personal" else "business",
            message_id=message_id_shown(wish.message_id), priority="normal",
        )  # fmt: skip
        body = f"\n# A mail to pass on\n\nYou asked for it; the mail itself came as {wish.first}.\n"
        try:
            asked = Request(secrets.token_hex(8), made.action, self._warnings(wish, made))
            return request.put(Note(front, body), asked)
        except (BadAction, MalformedNote) as error:
            raise CannotForward(str(error)) from None

    def _made(self, wish: Wish) -> Forward:
        try:
            sender = Mailbox(name=self.settings.owner, address=self.settings.account(wish.account).address)
        except VaultError as error:
            raise CannotForward(str(error)) from None
        raw = one_of(self.find(wish.account, wish.message_id), wish)
        made = forward_action(raw, account=wish.account, sender=sender, to=wish.to, text=wish.note)
        who = address_in(self._first(wish, "from"))
        if who and made.original.sender is not None and made.original.sender.address.lower() != who:
            raise CannotForward(f"the mail in your mailbox is not from {who}, as the note of {wish.first} says")
        return made

    def _first(self, wish: Wish, fact: str) -> str:
        """What the front matter of the task it came as says; empty when that is not there any more."""
        try:
            return self.vault.get(wish.first).note.front.words(fact)
        except (NoSuchTask, MalformedNote):
            return ""

    def _warnings(self, wish: Wish, made: Forward) -> tuple[str, ...]:
        told = list(strangers(wish, made))
        if wish.sha256 and wish.sha256 != made.original.sha256:
            told.append(OTHER_BYTES)
        for known in self.forwards.earlier(wish.first):
            if set(known.to) & set(wish.to) and self._is_done(known):
                told.append(f"It was passed on to {', '.join(sorted(set(known.to) & set(wish.to)))} before.")
        if made.removed:
            told.append(f"What looked like a secret was taken out of it: {', '.join(made.removed)}.")
        told += [oddity.sentence for oddity in made.original.oddities]
        return tuple(dict.fromkeys(map(one_line, told)))

    def _is_done(self, known: Wish) -> bool:
        try:
            return self.vault.get(known.task).stage is Stage.DONE
        except (NoSuchTask, MalformedNote):
            return False


def one_of(originals: object, wish: Wish) -> bytes:
    """The mail that is meant. Raises CannotForward when there is none, or it is not sure which."""
    found = [raw for raw in originals if isinstance(raw, bytes)] if isinstance(originals, tuple | list) else []
    same = [raw for raw in found if sha256(raw) == wish.sha256]
    if same:
        return same[0]
    if len(found) != 1:
        raise CannotForward(f"the mailbox has {len(found)} mails with its Message-ID")
    return found[0]


def strangers(wish: Wish, made: Forward) -> tuple[str, ...]:
    """Who is to have it and had no part in it."""
    original = made.original
    sender = (original.sender,) if original.sender else ()
    known = {box.address.lower() for box in (*sender, *original.to, *original.cc)}
    return tuple(f"{one} is new here: they had no part in this mail." for one in wish.to if one.lower() not in known)


def _told(task: Task, now: datetime, note: Note) -> Also:
    asks = note.front.words("action") or "question"
    log.info("forward.drafted", task=task.id, asks=asks)
    record = Record.of("forward.drafted", actor=LOCAL, target=task.id, at=now, parameters={"asks": asks})
    return Also([record], [Update.of("forward", now, task=task.id, asks=asks)])


def _question(reason: str) -> Note:
    """Nothing of the mail is in it."""
    front = FrontMatter().put(**{"for": FOR_LOCAL}, type="question", forwards="", reason=one_line(reason))
    return Note(front, "\n# Not passed on\n")


def _passes_on(task: Task) -> bool:
    """Its type changes with what is asked; one that was sent back is made again."""
    return is_ours(task) and "forwards" in task.note.front


def _shown(box: Mailbox | None) -> str:
    if box is None:
        return "unknown"
    return f"{box.name} <{box.address}>" if box.name else box.address
