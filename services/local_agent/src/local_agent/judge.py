"""Local judges for itself: it reads the original from the mailbox and computes again what Cloud may have lied about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from correspondence import Caution, Mailbox, NoReplyAddress, Oddity, read
from correspondence.masking import masked
from correspondence.reply_action import reply_action
from local_agent.attachments import Attachments
from local_agent.check import Check
from local_agent.dkim_check import Dkim, Txt, check, look_up_txt
from local_agent.home import Settings
from vault_protocol import request
from vault_protocol.action import Action, SendMail
from vault_protocol.canonical import sha256
from vault_protocol.errors import MalformedNote, VaultError
from vault_protocol.files import write_private
from vault_protocol.plain import one_line
from vault_protocol.task import Task

COMPARED = {
    "sender": "the sender",
    "to": "the recipients",
    "cc": "the copies",
    "bcc": "the hidden copies",
    "subject": "the subject",
    "in_reply_to": "the thread",
    "references": "the thread",
    "quote": "the quote",
}
"""The fields that follow from the original alone, and what to call them."""


HARMLESS = frozenset(
    oddity.sentence for oddity in (Oddity.HTML_ONLY, Oddity.REMOTE_CONTENT, Oddity.SIGNED, Caution.REPLY_ALL_POSSIBLE)
)
"""Worth a line in the note, no reason against a quick decision."""


SETTLED = ("send_mail", "forward_mail")
"""What is held against a mail, which does not change: found once, it is looked for no more."""

CheckAction = Callable[[Any, tuple[str, ...]], Check]
"""Holds an action of one kind against what it is about; the second is what Cloud warned of, which stays."""


CheckWithTask = Callable[[Task, Action, tuple[str, ...]], Check]
"""The same, for what is compared with the task that it stands in."""

FindOriginal = Callable[[str, str], Sequence[bytes]]
"""(account name, Message-ID) → the raw messages in the mailbox with that id. Raises VaultError when it cannot look."""


class Judge:
    """Checks each revision once and remembers it outside the vault."""

    def __init__(
        self, settings: Settings, find: FindOriginal, memory: Path, txt: Txt = look_up_txt,
        checks: Mapping[str, CheckAction] | None = None, attachments: Attachments | None = None,
        with_task: Mapping[str, CheckWithTask] | None = None,
        held: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:  # fmt: skip
        """`txt` looks up the DNS records that DKIM needs; `attachments` are the files this machine keeps; `checks`
        look at every action but mail, by its type; those `with_task` are told the task, too. While `held` is open,
        `find` may keep what it opened."""
        self._settings, self._find, self._memory, self._txt = settings, find, memory, txt
        self._checks, self._attachments = dict(checks or {}), attachments
        self._with_task, self._held = dict(with_task or {}), held
        self._known: dict[str, Check] = {}
        self._together = self._unkept = False
        if memory.exists():
            for mark, saved in json.loads(memory.read_text(encoding="utf-8")).items():
                self._known[mark] = Check(
                    saved["original"], tuple(saved["mismatches"]), tuple(saved["warnings"]), saved["reason"]
                )

    def check(self, task: Task, *, again: bool = False) -> Check:
        """What is known of this very text; on request it looks `again` for an original that could not be read, and at
        a record, which can change."""
        mark, known = self._mark(task), self.known(task)
        settled = known is not None and known.original and task.note.front.words("action") in SETTLED
        if known is not None and (settled or not again):
            return known
        found = self._look(task)
        self._known[mark] = found
        self._unkept = True
        if not self._together:
            self._keep()
        return found

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is checked inside is remembered at once, at the end: what a kill takes is looked at again."""
        self._together = True
        try:
            with self._held():
                yield
        finally:
            self._together = False
            self._keep()

    def _keep(self) -> None:
        if self._unkept:
            kept = {key: asdict(value) for key, value in list(self._known.items())[-500:]}
            write_private(self._memory, json.dumps(kept).encode("utf-8"))
            self._unkept = False

    def known(self, task: Task) -> Check | None:
        """What was found out earlier; nothing is looked at."""
        return self._known.get(self._mark(task))

    def _mark(self, task: Task) -> str:
        return f"{task.id}.{task.revision}.{sha256(task.note.content())[:16]}"

    def _look(self, task: Task) -> Check:
        try:
            asked = request.read(task.note)
        except MalformedNote as error:
            return Check(False, reason=f"the note does not hold: {error.reason}")
        if asked is None:
            return Check(False, reason="it asks for nothing to be done")
        action = asked.action
        if not isinstance(action, SendMail):
            if action.type in self._with_task:
                return self._with_task[action.type](task, action, asked.warnings)
            check = self._checks.get(action.type)
            unable = Check(False, warnings=asked.warnings, reason="nothing on this machine can check it")
            return check(action, asked.warnings) if check else unable
        if not action.in_reply_to:
            return Check(False, reason="it answers no mail that could be compared")
        try:
            originals = self._find(action.account, action.in_reply_to)
        except VaultError as error:
            return Check(False, reason=f"the mailbox could not be read: {error}")
        if not originals:
            return Check(False, reason="the mailbox has no mail with the Message-ID it answers")
        checks = [self._compare(task, action, raw, asked.warnings) for raw in originals]
        best = min(checks, key=lambda check: len(check.mismatches))
        if len(originals) > 1:
            return Check(True, best.mismatches, (*best.warnings, "several mails carry the Message-ID it answers"))
        return best

    def _compare(self, task: Task, action: SendMail, raw: bytes, told: tuple[str, ...]) -> Check:
        settings = self._settings
        sender = Mailbox(name=settings.owner, address=settings.account(action.account).address)
        try:
            wanted, oddities = reply_action(
                masked(read(raw))[0], account=action.account, sender=sender,
                own_addresses=settings.own_addresses, text=action.text,
            )  # fmt: skip
        except NoReplyAddress:
            return Check(True, (_differs("the recipients"),), told)
        differing = [name for field, name in COMPARED.items() if getattr(action, field) != getattr(wanted, field)]
        warnings = dict.fromkeys((*told, *(oddity.sentence for oddity in oddities)))
        return Check(
            True,
            (
                *dict.fromkeys(map(_differs, differing)),
                *self._foreign_files(task, action),
                *self._forged(raw, action.to[0].address),
            ),
            tuple(warning for warning in warnings if warning not in HARMLESS),
        )

    def _foreign_files(self, task: Task, action: SendMail) -> tuple[str, ...]:
        """A hash names any file of this machine; only one that was kept for this task may go with its mail."""
        files = self._attachments
        return tuple(
            f"the attachment {one_line(file.name, 80)} is no file that this machine keeps for this task"
            for file in action.attachments
            if files is None or files.origin(file, task=task.id) is None
        )

    def _forged(self, raw: bytes, answered: str) -> tuple[str, ...]:
        """A signature that does not hold is a forgery or a mail changed on its way; none at all is common."""
        state = check(raw, answered.rpartition("@")[2], self._txt)
        return ("the signature of the sender's domain (DKIM) does not hold",) if state is Dkim.FAILS else ()


def _differs(what: str) -> str:
    return f"{what} {'are' if what.endswith('s') else 'is'} not what the original in your mailbox says"
