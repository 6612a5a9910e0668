"""The work on tasks that wait for Local: the mail with the posted invoice, the question whether a bill was paid."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import structlog

from accounting.records import payment_of
from books.errors import BooksError
from correspondence import Mailbox, NoReplyAddress, read
from correspondence.attachments import safe_name
from correspondence.masking import masked
from correspondence.reply_action import reply_action
from local_agent.attachments import Attachments
from local_agent.books_check import BooksCheck
from local_agent.follow_up import is_ours, vouched
from local_agent.home import LOCAL, Settings
from local_agent.judge import FindOriginal
from local_agent.mcp.posting import Pdf, Posting
from local_agent.putting_up import put_up
from local_agent.transfer_check import TransferCheck
from vault_protocol import later, request
from vault_protocol.action import Action, BadAction, PayTransfer, RegisterPayment, SendMail, action_of
from vault_protocol.audit import Record
from vault_protocol.bank_account import iban_fault
from vault_protocol.canonical import utc
from vault_protocol.errors import ClaimLost, VaultError
from vault_protocol.later import Then
from vault_protocol.note import Note
from vault_protocol.plain import message_id_meant, one_line
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.updates import Update
from vault_protocol.vault import Also, Vault

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=1)
"""Before something that could not be read is looked for again."""

GREETING = "Hello,\n\nplease find the invoice attached.\n"
"""What is written when the first note brought no text."""


class NotYet(Exception):
    """What is needed cannot be read now; the message says what. Come back later."""


class Cannot(Exception):
    """It will not become a request by itself; the owner is asked."""


Asked = tuple[Action, tuple[str, ...], tuple[str, ...]]
"""An action, its warnings, and what it leaves open."""

FetchPdf = Callable[[str, int], Pdf]
"""(name of the books, record) → the printed document. Raises NotYet, Cannot."""


@dataclass
class FollowUps:
    """One step raises what can be raised now. Whatever a kill interrupts is found again: nothing is made twice."""

    vault: Vault
    settings: Settings
    attachments: Attachments
    find: FindOriginal
    pdf: FetchPdf
    books: Callable[[str], Posting]
    check: BooksCheck
    transfers: TransferCheck
    secret: bytes

    def __post_init__(self) -> None:
        self._later: dict[str, datetime] = {}

    def step(self) -> int:
        """How many became requests."""
        for task in self.vault.mine():
            with suppress(ClaimLost):
                self.vault.release(task)  # of an earlier life
        raised = 0
        for task in tuple(self.vault.tasks(Stage.NEEDS_ACTION)):
            ours = is_ours(task) and "follows" in task.note.front  # its type changes with what is asked
            if ours and self._later.get(task.id, self._now()) <= self._now():
                raised += self._raise(task)
        return raised

    def _raise(self, task: Task) -> bool:
        try:
            note = self._asking(self._vouched(task))
        except NotYet as error:
            self._later[task.id] = self._now() + LOOK_AGAIN
            log.info("follow_up.waiting", task=task.id, reason=str(error))
            return False
        except Cannot as error:
            note = self._question(task, str(error))
        held = self.vault.claim_next([Domain.EMAIL, Domain.ACCOUNTING], fit=lambda one: one.id == task.id)
        if held is None:
            return False
        return put_up(self.vault, held, note, partial(self._told, task), instead=partial(self._question, task))

    def _told(self, task: Task, note: Note) -> Also:
        kind = note.front.words("action") or "question"
        log.info("follow_up.raised", task=task.id, asks=kind)
        record = Record.of(
            "follow_up.raised", actor=LOCAL, target=task.id, at=self._now(),
            parameters={"follows": task.note.front.words("follows"), "asks": kind}, result="published",
        )  # fmt: skip
        return Also([record], [Update.of("follow_up", self._now(), task=task.id, asks=kind)])

    def _question(self, task: Task, reason: str) -> Note:
        return request.take_out(task.note).put(type="question", reason=one_line(reason), created=utc(self._now()))

    def _vouched(self, task: Task) -> Task:
        """Raises Cannot for a task that is not this machine's."""
        try:
            return vouched(task, self.vault, self.secret)
        except VaultError as error:
            raise Cannot(f"it says that Local asked for it, and that is not so: {error}") from None

    def _asking(self, task: Task) -> Note:
        """The note with its request. Raises NotYet, Cannot."""
        then = later.then(task.note)
        if then is None:
            raise Cannot("the note does not say what is to follow")
        action, warnings, unknowns = self._reply(task) if then is Then.REPLY else self._payment(task)
        try:
            note = request.put(
                later.take_out(task.note), Request(secrets.token_hex(8), action, _lines(warnings), _lines(unknowns))
            )
        except BadAction as error:
            raise Cannot(str(error)) from None
        return note.put(type="approval", created=utc(self._now()))

    def _reply(self, task: Task) -> Asked:
        front = task.note.front
        account, message_id = front.words("mailbox"), message_id_meant(front.words("message_id"))
        try:
            originals = self.find(account, message_id) if message_id else ()
            sender = Mailbox(name=self.settings.owner, address=self.settings.account(account).address)
        except VaultError as error:
            raise NotYet(f"the mailbox cannot be read: {error}") from None
        if len(originals) != 1:
            raise Cannot(f"the mailbox has {len(originals)} mails with the Message-ID that asked for the invoice")
        pdf = self.pdf(front.words("books"), front.number("record"))
        name = safe_name(f"{pdf.number.replace('/', '-')}.pdf", set()) or "invoice.pdf"
        kept = self.attachments.keep(
            pdf.content, name=name, media_type="application/pdf", task=task.id,
            origin=f"printed by the books {front.words('books')} from record {front.number('record')}, {pdf.number}",
        )  # fmt: skip
        try:
            reply, _ = reply_action(
                masked(read(originals[0]))[0], account=account, sender=sender,
                own_addresses=self.settings.own_addresses, text=later.text(task.note) or GREETING,
            )  # fmt: skip
            fields = {**reply.fields(), "attachments": [kept.model_dump(mode="json")]}
            made = action_of(fields, text=reply.text, quote=reply.quote)
        except (NoReplyAddress, ValueError) as error:
            raise Cannot(f"no answer can be made: {error}") from None
        return made, self._strange(task, reply), ()

    def _strange(self, task: Task, reply: SendMail) -> tuple[str, ...]:
        """An invoice that goes to somebody the books do not know as its customer."""
        name, record = task.note.front.words("books"), task.note.front.number("record")
        try:
            books = self.books(name)
            content = books.state(record).content
            known = {books.books.partner(int(content[who][0])) for who in ("partner", "commercial_partner")}
        except (BooksError, VaultError, KeyError, TypeError, ValueError) as error:
            raise NotYet(f"the books cannot be read: {error}") from None
        addresses = {partner.email.strip().lower() for partner in known if partner.email}
        if {box.address.lower() for box in (*reply.to, *reply.cc)} <= addresses:
            return ()
        whose = sorted(partner.name for partner in known)[0]
        return (f"The books have another address for {whose}: is this who should get their invoice?",)

    def _payment(self, task: Task) -> Asked:
        name, record = task.note.front.words("books"), task.note.front.number("record")
        try:
            books = self.books(name)
            state, journals = books.state(record), books.journals()
            if not journals:
                raise Cannot("the books have no bank or cash journal")
            action = payment_of(
                state, name, journal=journals[0], amount=Decimal(str(state.content["residual"])), on=self._now().date()
            )
        except (BooksError, VaultError) as error:
            raise NotYet(f"the books cannot be read: {error}") from None
        except (BadAction, KeyError) as error:
            raise Cannot(f"no payment can be proposed: {error}") from None
        if (paid := self._transfer(action)) is not None:
            return paid, self.transfers(paid, ()).warnings, ()
        unknowns = ("whether this was paid: registering it moves no money", f"whether it left by {action.journal.name}")
        return action, self.check(action, ()).warnings, unknowns

    def _transfer(self, bill: RegisterPayment) -> PayTransfer | None:
        """The transfer that pays a bill, where an account pays from here and the bill says where to."""
        iban = re.sub(r"\s", "", bill.bank_account).upper()
        if not self.settings.payments or bill.direction != "outbound" or iban_fault(iban):
            return None
        words = f"{bill.reference or bill.document}"
        fields = {
            "type": "pay_transfer", "account": self.settings.payments[0].name, "creditor": bill.partner.name[:70],
            "iban": iban, "amount": bill.amount, "currency": bill.currency, "reference": words[:140],
            "end_to_end": re.sub(r"[^A-Za-z0-9-]", "-", bill.document).strip("-")[:35] or "NOTPROVIDED",
            "execution": bill.date,
        }  # fmt: skip
        try:
            made = action_of(fields)
        except BadAction:
            return None
        return made if isinstance(made, PayTransfer) else None

    def _now(self) -> datetime:
        return self.vault.journal.clock.now()


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_line(text) for text in texts))
