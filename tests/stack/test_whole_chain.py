"""From a mail that asks for an invoice to the mail that carries it, and from a bill to its payment: the real programs
and a real Odoo, with real mail on both sides."""

from __future__ import annotations

import email
import email.policy
import io
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from email.message import EmailMessage
from itertools import count
from pathlib import Path

import pytest
from libs.accounting.tests import samples
from pypdf import PdfReader

from demo.letters import OWNER
from demo.processes import eventually
from demo.received import Received
from demo.tail import Tail
from demo.world import World, world
from tests.stack.books import DATABASE, Stack
from tests.stack.faulty import Relay, relaying
from vault_protocol import request
from vault_protocol.action import PostInvoice, RegisterPayment, SendMail
from vault_protocol.canonical import sha256
from vault_protocol.task import Stage, Task

pytestmark = pytest.mark.stack

CUSTOMER, VENDOR = "ada@customer.test", "sales@vendor.test"
VENDORS_BANK = "GB33BUKB20201555555555"
PATIENCE = 120.0
NUMBERS = count(1)


@dataclass
class Office:
    """Both agents at work, each with its own key to the same Odoo; the lines of both can be held."""

    world: World
    tail: Tail
    stack: Stack
    cloud: Relay
    local: Relay

    def receives(self, subject: str, text: str, sender: str, *, bill: bytes = b"", name: str = "") -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, OWNER, subject
        mail["Date"], mail["Message-ID"] = (
            "Mon, 23 Nov 2026 09:00:00 +0000",
            f"<{subject.replace(' ', '.')}@chain.test>",
        )
        mail.set_content(text)
        if bill:
            mail.add_attachment(bill, maintype="application", subtype=name.partition(".")[2], filename=name)
        self.world.mail.provider.deliver(mail.as_bytes(policy=email.policy.SMTP), sender=sender)

    def at(self, subject: str, stage: Stage) -> Task:
        """The task of this mail, once it is there."""
        return self._found(subject, lambda task: task.stage is stage and "follows" not in task.note.front)

    def second(self, first: Task, stage: Stage) -> Task:
        """What follows from it, once it is there."""
        name = first.note.front.words("subject")
        return self._found(name, lambda task: task.stage is stage and task.note.front.words("follows") == first.id)

    def followers(self, first: Task) -> int:
        self.tail.new()
        return sum(task.note.front.words("follows") == first.id for task in self.tail.tasks())

    def approve(self, task: Task) -> None:
        self.world.with_passphrase("approve", task.id, "--yes")

    def sent(self, subject: str) -> list[Received]:
        """What the outside server took in answer to it."""
        return [mail for mail in self.world.mail.received() if f"Re: {subject}".encode() in mail.raw]

    def moves(self, reference: str) -> list[list[str]]:
        """Every document of the database that has this reference: its state, number, total and approval."""
        fields = "state, name, amount_total, coalesce(countersign_approval, ''), id"
        return self.stack.sql(f"SELECT {fields} FROM account_move WHERE ref = '{reference}'")

    def kill_cloud(self) -> None:
        """As by a power cut; a new process goes on."""
        assert self.world.cloud is not None
        self.world.kill(self.world.cloud)
        assert self.world.cloud.returncode == -signal.SIGKILL
        self.cloud.release.set()
        self.world.start_cloud()

    def kill_local(self) -> None:
        """Its servers with it. Nobody starts it again here."""
        assert self.world.local is not None
        self.world.kill(self.world.local)
        assert self.world.local.returncode == -signal.SIGKILL
        self.local.release.set()

    def healthy(self) -> None:
        """`doctor` ends with an error when any commit, task or approval breaks an invariant."""
        assert json.loads(self.world.countersign("doctor", "--json"))["findings"] == []
        assert json.loads(self.world.countersign("status", "--json"))["unsure"] == []

    def _found(self, subject: str, fits: object) -> Task:
        def look() -> Task | None:
            self.tail.new()
            tasks = [t for t in self.tail.tasks() if t.note.front.words("subject") == subject and fits(t)]  # type: ignore[operator]
            return tasks[0] if tasks else None

        found = eventually(look, f"{subject!r}, as the test wants it", seconds=PATIENCE)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def office(books_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("chain")
    with (
        relaying(Relay(books_stack.url)) as cloud,
        relaying(Relay(books_stack.url)) as local,
        world(folder, resident=True) as made,
    ):
        made.set_up(undo_seconds=0, settle_seconds=0.3)
        keep_books(made.cloud_config, "[books]", cloud.url, "agent", books_stack)
        keep_books(made.local_home / "config.toml", "[[books]]", local.url, "local", books_stack)
        made.start_cloud()
        made.start_local()
        yield Office(made, made.tail(), books_stack, cloud, local)


def keep_books(config: Path, table: str, url: str, login: str, stack: Stack) -> None:
    key = config.with_name("books-key")
    key.touch(0o600)
    key.write_text(stack.keys[login], encoding="utf-8")
    values = {"name": "books", "url": url, "database": DATABASE, "login": login, "key_file": str(key)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    with config.open("a", encoding="utf-8") as settings:
        settings.write("\n".join(["", table, *lines, "timeout_seconds = 120", ""]))


def asks_for_invoice(office: Office) -> tuple[str, str]:
    """The subject of the mail, and the reference that the invoice will have."""
    number = next(NUMBERS)
    subject, reference = f"Hours of month {number}", f"PO-CHAIN-{number}"
    text = f"Hello,\n\nplease send us an invoice for 3 hours of consulting.\nOur PO number is {reference}.\n\nAda\n"
    office.receives(subject, text, CUSTOMER)
    return subject, reference


def brings_its_pdf(office: Office, subject: str, second: Task, number: str) -> None:
    """Exactly one mail, and in it exactly the file that was approved, which is the print of this invoice."""
    (sent,) = office.sent(subject)
    asked = request.read(second.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    (approved,) = asked.action.attachments
    mail = email.message_from_bytes(sent.raw, policy=email.policy.default)
    (part,) = mail.iter_attachments()
    content = bytes(part.get_payload(decode=True) or b"")
    assert sha256(content) == approved.sha256
    assert sent.envelope.recipients == (CUSTOMER,)
    assert approved.name == f"{number.replace('/', '-')}.pdf"
    assert len(PdfReader(io.BytesIO(content)).pages) == 1


def test_a_mail_that_asks_for_an_invoice_ends_with_one_posted_invoice_and_one_mail_that_carries_it(
    office: Office,
) -> None:
    subject, reference = asks_for_invoice(office)
    first = office.at(subject, Stage.PENDING_APPROVAL)
    asked = request.read(first.note)
    assert asked is not None
    assert isinstance(asked.action, PostInvoice)
    assert asked.action.reference == reference
    ((state, *_),) = office.moves(reference)
    assert state == "draft"
    office.approve(first)
    office.at(subject, Stage.DONE)
    ((state, number, total, approval, record),) = office.moves(reference)
    assert (state, approval, int(record)) == ("posted", asked.action.digest, asked.action.record)
    assert Decimal(total) == Decimal(asked.action.total)
    second = office.second(first, Stage.PENDING_APPROVAL)
    assert office.sent(subject) == [], "nothing goes out before the second word"
    office.approve(second)
    office.second(first, Stage.DONE)
    brings_its_pdf(office, subject, second, number)
    office.healthy()


def test_each_agent_killed_in_the_middle_of_a_call_to_the_books_still_makes_one_invoice_and_one_mail(
    office: Office,
) -> None:
    """Odoo has done what was asked each time, and whoever asked never hears of it."""
    office.cloud.hold("countersign_draft")
    subject, reference = asks_for_invoice(office)
    assert office.cloud.reached.wait(PATIENCE), "Cloud drafts"
    office.kill_cloud()
    first = office.at(subject, Stage.PENDING_APPROVAL)
    assert len(office.moves(reference)) == 1

    office.local.hold("countersign_post")
    office.approve(first)
    assert office.local.reached.wait(PATIENCE), "Local posts"
    office.kill_local()
    ((state, number, *_),) = office.moves(reference)
    assert state == "posted"
    office.local.hold("countersign_pdf")
    office.world.start_local()
    office.at(subject, Stage.DONE)
    assert office.local.reached.wait(PATIENCE), "Local has the invoice printed"
    office.kill_local()
    office.world.start_local()
    second = office.second(first, Stage.PENDING_APPROVAL)
    office.kill_local()
    office.approve(second)
    assert office.sent(subject) == []
    office.world.start_local()
    office.second(first, Stage.DONE)

    assert [move[:2] for move in office.moves(reference)] == [["posted", number]]
    assert office.followers(first) == 1
    brings_its_pdf(office, subject, second, number)
    office.healthy()


def e_invoice(number: str) -> bytes:
    return samples.ubl(number=number, iban=VENDORS_BANK).replace(b"EUR", b"USD")


def printed(number: str) -> bytes:
    lines = [line.replace("EUR", "USD").replace("R-2026-17", number) for line in samples.PRINTED[:-1]]
    return samples.printed([*lines, f"IBAN {VENDORS_BANK}"])


@pytest.mark.parametrize(("made", "name"), [(e_invoice, "bill.xml"), (printed, "bill.pdf")])
def test_a_vendors_bill_ends_as_a_posted_bill_and_one_payment_each_by_a_word_of_its_own(
    office: Office, made: Callable[[str], bytes], name: str
) -> None:
    number = f"R-CHAIN-{next(NUMBERS)}"
    office.receives(f"Bill {number}", "Our bill is attached.\n", VENDOR, bill=made(number), name=name)
    first = office.at(f"Bill {number}", Stage.PENDING_APPROVAL)
    asked = request.read(first.note)
    assert asked is not None
    assert isinstance(asked.action, PostInvoice)
    assert (asked.action.move_type, asked.action.partner.name, asked.action.untaxed) == (
        "in_invoice", "Paper Mill", "100.00",
    )  # fmt: skip
    assert asked.action.bank_account == VENDORS_BANK
    assert any(warning.startswith("Read from a PDF") for warning in asked.warnings) is (name == "bill.pdf")
    office.approve(first)
    second = office.second(first, Stage.PENDING_APPROVAL)
    ((state, _, _, approval, record),) = office.moves(number)
    assert (state, approval) == ("posted", asked.action.digest)
    payments = f"SELECT countersign_payment_approval FROM account_payment WHERE countersign_invoice_id = {record}"
    assert office.stack.sql(payments) == [], "a proposal pays nothing"
    files = f"SELECT count(*) FROM ir_attachment WHERE res_model = 'account.move' AND res_id = {record}"
    assert office.stack.sql(files) == [["1"]]
    proposed = request.read(second.note)
    assert proposed is not None
    assert isinstance(proposed.action, RegisterPayment)
    office.approve(second)
    office.second(first, Stage.DONE)
    assert office.stack.sql(payments) == [[proposed.action.digest]]
    office.healthy()


def test_a_movement_of_a_bank_statement_ends_as_one_payment_of_the_document_it_names(office: Office) -> None:
    subject, reference = asks_for_invoice(office)
    first = office.at(subject, Stage.PENDING_APPROVAL)
    office.approve(first)
    office.at(subject, Stage.DONE)
    ((_, number, total, _, record),) = office.moves(reference)
    inbox = office.world.vault_folder / "Inbox"
    inbox.mkdir(exist_ok=True)
    statement = f"Date,Name,Description,Amount,Currency\n2026-11-24,Ada Lovelace Ltd,{number} thanks,{total},USD\n"
    (inbox / f"statement-{record}.csv").write_text(statement, encoding="utf-8")
    paid = office.at(f"Payment of {number}", Stage.PENDING_APPROVAL)
    asked = request.read(paid.note)
    assert asked is not None
    assert isinstance(asked.action, RegisterPayment)
    assert (asked.action.record, asked.action.direction, asked.action.date) == (int(record), "inbound", "2026-11-24")
    office.approve(paid)
    office.at(f"Payment of {number}", Stage.DONE)
    payments = (
        f"SELECT countersign_payment_approval, amount FROM account_payment WHERE countersign_invoice_id = {record}"
    )
    ((approval, amount),) = office.stack.sql(payments)
    assert (approval, Decimal(amount)) == (asked.action.digest, Decimal(total))
    office.healthy()
