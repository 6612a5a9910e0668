"""Holds a mail that is passed on against what the owner asked for, and against the mail in their mailbox."""

from __future__ import annotations

from correspondence import Mailbox
from correspondence.forward_action import CannotForward, forward_action
from local_agent.attachments import Attachments
from local_agent.check import Check
from local_agent.forwards import Forwards
from local_agent.home import Settings
from local_agent.judge import FindOriginal
from vault_protocol.action import Action, ForwardMail
from vault_protocol.canonical import sha256
from vault_protocol.errors import VaultError
from vault_protocol.plain import one_line
from vault_protocol.task import Task

NOT_ASKED = "you did not ask this machine to pass this mail on"
OTHER_BYTES = "The mail in your mailbox is not byte for byte the one that the agent saw."
COMPARED = {
    "sender": "the sender is", "subject": "the subject is", "quote": "the text that is passed on is",
    "in_reply_to": "the thread is", "references": "the thread is",
}  # fmt: skip


class ForwardCheck:
    """For `Judge`, by the task: only a wish that is kept on this machine makes a draft of this kind hold."""

    def __init__(self, settings: Settings, find: FindOriginal, forwards: Forwards, attachments: Attachments) -> None:
        self._settings, self._find, self._forwards, self._attachments = settings, find, forwards, attachments

    def __call__(self, task: Task, action: Action, told: tuple[str, ...]) -> Check:
        if not isinstance(action, ForwardMail):
            return Check(False, warnings=told, reason="it passes no mail on")
        wish = self._forwards.wish(task.id)
        if wish is None:
            return Check(True, (NOT_ASKED,), told)
        against = []
        goes_to = sorted(box.address for box in action.to), any(box.name for box in action.to), action.cc, action.bcc
        if goes_to != (sorted(wish.to), False, (), ()):
            against.append("the recipients are not those that you named")
        if (action.account, action.original.message_id) != (wish.account, wish.message_id):
            against.append("it is not the mail that you wanted passed on")
        warnings = list(told)
        if action.text.strip() != wish.note.strip():
            warnings.append("The note above it is not as you first gave it.")
        if wish.sha256 and wish.sha256 != action.original.sha256:
            warnings.append(OTHER_BYTES)
        try:
            found = self._find(wish.account, wish.message_id)
        except VaultError as error:
            return Check(False, tuple(against), tuple(warnings), f"the mailbox could not be read: {error}")
        if not found:
            reason = "the mailbox has no mail with the Message-ID of what it passes on"
            return Check(False, tuple(against), tuple(warnings), reason)
        raw = next((raw for raw in found if sha256(raw) == action.original.sha256), None)
        if raw is None:
            against.append("the mail in your mailbox is not the one that it passes on")
        else:
            compared, left_out = self._compared(task, action, raw)
            against += compared
            warnings += left_out
        return Check(True, tuple(dict.fromkeys(against)), tuple(dict.fromkeys(warnings)))

    def _compared(self, task: Task, action: ForwardMail, raw: bytes) -> tuple[list[str], list[str]]:
        """What is not as the mail says, and which of its files do not go with it."""
        sender = Mailbox(name=self._settings.owner, address=self._settings.account(action.account).address)
        try:
            wanted = forward_action(
                raw, account=action.account, sender=sender, to=[box.address for box in action.to], text=action.text
            ).action
        except (CannotForward, VaultError) as error:
            return [f"the mail cannot be passed on: {error}"], []
        against = [
            f"{what} not what the mail in your mailbox says"
            for field, what in COMPARED.items()
            if getattr(action, field) != getattr(wanted, field)
        ]
        against += [
            f"the attachment {one_line(file.name, 80)} is no file that this machine keeps for this task"
            for file in action.attachments
            if self._attachments.origin(file, task=task.id) is None
        ]
        going = {file.sha256 for file in action.attachments}
        left = [f"{one_line(file.name, 80)} is left out." for file in wanted.attachments if file.sha256 not in going]
        return against, left
