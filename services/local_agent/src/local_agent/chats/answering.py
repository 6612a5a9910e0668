"""Answers to messages, drafted on this machine by the same code as Cloud's; what it reads and writes stays here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from drafting import Drafter, DrafterRefused, DrafterUnavailable, Letter
from local_agent.chats.arrived import KIND
from local_agent.chats.letters import Letters
from local_agent.chats.phone import Message
from local_agent.follow_up import is_ours
from local_agent.home import LOCAL, Settings
from local_agent.putting_up import put_up
from local_agent.whatsapp_account import WhatsAppAccount
from vault_protocol import layout, request
from vault_protocol.action import Action, BadAction, SendWhatsApp
from vault_protocol.audit import Record
from vault_protocol.canonical import utc
from vault_protocol.errors import ClaimLost, VaultError
from vault_protocol.note import Note
from vault_protocol.plain import one_line
from vault_protocol.request import Request
from vault_protocol.task import Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=1)
"""Before a drafter that did not answer is asked again."""

NOBODY = "the drafter gave nothing usable; write the answer on your phone, or send it back with a remark"


@dataclass
class Answering:
    """One step puts up what can be put up now; whatever a kill interrupts is taken up again."""

    vault: Vault
    settings: Settings
    letters: Letters
    drafter: Callable[[], Drafter]

    def __post_init__(self) -> None:
        self._later: dict[str, datetime] = {}

    def step(self) -> int:
        """How many answers wait for the owner now."""
        if not self.settings.whatsapp:
            return 0
        for task in self.vault.mine():
            if _is_a_message(task):
                with suppress(ClaimLost):
                    self.vault.release(task)
        return sum(self._answer(task) for task in tuple(self.vault.tasks(Stage.NEEDS_ACTION)) if _is_a_message(task))

    def _answer(self, task: Task) -> bool:
        """False when it waits: its words are not here, or the drafter is away."""
        now = self.vault.journal.clock.now()
        said = self.letters.said(task.id)
        if said is None or self._later.get(task.id, now) > now:
            return False
        try:
            account = self.settings.whatsapp_account(task.note.front.words("account"))
            action, told = self._drafted(task, said, account)
        except DrafterUnavailable as error:
            self._later[task.id] = now + LOOK_AGAIN
            log.warning("chat.waiting", task=task.id, reason=error.reason)
            return False
        except VaultError:
            return False
        held = self.vault.claim_next([task.domain], fit=lambda one: one.id == task.id)
        if held is None:
            return False
        return self._put_up(held, action, told, account, now)

    def _drafted(self, task: Task, said: Message, account: WhatsAppAccount) -> tuple[SendWhatsApp | None, Told]:
        letter = Letter(
            sender_name=said.name, sender_address=said.number, to_account="personal", account_name=self.settings.owner,
            subject="", text=said.text, received=said.at,
        )  # fmt: skip
        handbook = (self.vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
        remark = task.note.front.words("remark").strip() or None
        try:
            found = self.drafter().draft(letter, handbook=handbook, remark=remark, previous=None)
            action = SendWhatsApp(
                account=account.name, to=said.number, chat=said.chat, answers=said.id, text=found.text
            )
        except (DrafterRefused, BadAction, ValueError):
            return None, ((), ())
        return action, (found.warnings, found.unknowns)

    def _put_up(
        self, held: Task, action: SendWhatsApp | None, told: Told, account: WhatsAppAccount, now: datetime
    ) -> bool:
        """Of a chat that is not shared, neither words nor what the drafter noticed about them goes into the note."""
        bare = request.take_out(held.note).put(created=utc(now))
        note = bare
        if action is None:
            note = note.put(reason=NOBODY)
        else:
            stands: Action = action if account.share else self.letters.seal(action)
            warnings, unknowns = told if account.share else ((), ())
            plain = tuple(map(one_line, warnings)), tuple(map(one_line, unknowns))
            note = request.put(note, Request(secrets.token_hex(8), stands, *plain))
        return put_up(
            self.vault, held, note, partial(_told, held, now),
            instead=lambda why: bare.put(reason=why),
        )  # fmt: skip


def _told(held: Task, now: datetime, note: Note) -> Also:
    drafted = int("action" in note.front)
    record = Record.of("chat.drafted", actor=LOCAL, target=held.id, at=now, parameters={"drafted": drafted})
    return Also([record], [Update.of("chat_drafted", now, task=held.id)])


def offline() -> Drafter:
    """Held to the handbook, and without a model: one elsewhere would be told what was said."""
    from drafting.offline import OfflineDrafter  # most machines have no chat to answer
    from drafting.ruled import Ruled

    return Ruled(OfflineDrafter())


Told = tuple[tuple[str, ...], tuple[str, ...]]
"""Warnings, and what the drafter did not know."""


def _is_a_message(task: Task) -> bool:
    return task.note.front.words("type") == KIND and is_ours(task)
