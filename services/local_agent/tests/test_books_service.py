"""The owner's service, the books MCP server in its own process, and a server that behaves like Odoo."""

from __future__ import annotations

import email
import email.policy
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from libs.accounting.tests import samples
from services.local_agent.tests.cli_world import World, until
from services.local_agent.tests.mailed import CUSTOMER, OWNER, with_mailbox

from accounting.records import invoice_of
from books.odoo import open_books
from books.rpc import Access
from demo.launch import MailWorld, mail_world
from demo.odoo.server import Server
from local_agent.server_client import ServerClient, command
from local_agent.taking_back import approvals
from vault_protocol import later, moves, request
from vault_protocol.action import PostInvoice, RegisterPayment, SendMail
from vault_protocol.later import Then
from vault_protocol.plain import message_id_shown
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task, TaskId

SECONDS = 90
PROGRAM = Path(__file__).with_name("dying_books.py")


@dataclass
class Office:
    """An owner with mail and books, and Cloud, which drafts with its own key."""

    world: World
    mail: MailWorld
    odoo: Server
    asked: int = 0

    def asks_to_post(self, move: dict[str, Any], then: Then, text: str = "", **changes: Any) -> str:
        """Cloud's request to post this draft, in the note of a mail that really is in the mailbox."""
        self.asked += 1
        message_id = f"<{self.world.folder.name}.{self.asked}@elsewhere.example>"
        self.mail.provider.deliver(letter(message_id), sender=CUSTOMER)
        until(lambda: len(self.world.local.judge._find("business", message_id)) == 1)
        access = Access(url=self.odoo.url, database="books", login="agent", key="agent-key")
        action = invoice_of(open_books(access).state(move["id"]), "books").model_copy(update=changes)
        domain, vault = Domain.EMAIL if then is Then.REPLY else Domain.ACCOUNTING, self.world.cloud
        task = self.world.add(
            "Invoice",
            message_id=message_id_shown(message_id),
            mailbox="business",
            account="business",
            domain=domain.value,
        )
        vault = self.world.cloud
        held = vault.claim_next(Domain, fit=lambda one: one.id == task)
        assert held is not None
        note = request.put(held.note, Request(secrets.token_hex(8), action))
        vault.submit(held, later.put(note, then, text))
        return task

    def at(self, task: str, *stages: Stage) -> Task:
        until(lambda: self.world.stage(task) in stages, SECONDS)
        return self.world.local.vault.get(task)

    def second(self, first: str) -> Task:
        """The task that follows, once it waits for the owner."""

        def found() -> list[Task]:
            return [
                task
                for task in self.world.local.vault.tasks(Stage.PENDING_APPROVAL)
                if task.note.front.words("follows") == first
            ]

        until(found, SECONDS)
        (task,) = found()
        return task

    def dies(self, step: str) -> None:
        argv = [sys.executable, str(PROGRAM), step, str(self.world.home.path)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        assert done.returncode == -9, f"it was never at {step!r}: {done.stderr[-2000:].decode()}"

    def unsure(self) -> list[str]:
        return [effect["task"] for effect in self.world.run("status", "--json").json["unsure"]]


def letter(message_id: str) -> bytes:
    return (
        f"From: Ada <{CUSTOMER}>\r\nTo: {OWNER}\r\nSubject: Invoice, please\r\n"
        f"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: {message_id}\r\n\r\nPlease invoice 2 hours.\r\n"
    ).encode()


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailWorld]:
    with mail_world(tmp_path_factory.mktemp("mail")) as mail:
        yield mail


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str], mail: MailWorld) -> Iterator[Office]:
    world = with_mailbox(tmp_path, capsys.readouterr, mail)
    key = tmp_path / "books-key"
    key.write_text("local-key\n", encoding="utf-8")
    with Server() as odoo:
        with world.home.config.open("a", encoding="utf-8") as config:
            config.write(
                f'\n[[books]]\nname = "books"\nurl = "{odoo.url}"\ndatabase = "books"\nlogin = "local"\n'
                f'key_file = "{key}"\ntimeout_seconds = 5\n'
            )
        yield Office(world, mail, odoo)


def hours(office: Office, kind: str = "out_invoice", partner: int = 1) -> dict[str, Any]:
    return office.odoo.records.enter(kind, partner, ("Consulting hour", 2.0, 120.0), ref="PO 1")


def test_a_countersigned_invoice_is_posted_and_its_pdf_goes_out_with_a_second_countersignature(office: Office) -> None:
    world, records = office.world, office.odoo.records
    before = len(office.mail.received())
    first = office.asks_to_post(hours(office), Then.REPLY, "Hello Ada,\n\nhere is the invoice.\n\nAnn\n")
    shown = world.run("show", first).out
    assert "post a customer invoice" in shown
    assert "276.00 EUR" in shown
    assert "Checked: the books hold this very record" in shown
    with world.service():
        assert world.approve(first, "--yes").code == 0
        done = office.at(first, Stage.DONE)
        assert done.note.front.words("result") == "posted INV/2026/11/0001"
        second = office.second(first)
        assert len(office.mail.received()) == before, "nothing is sent before the second word"
        asked = request.read(second.note)
        assert asked is not None
        assert isinstance(asked.action, SendMail)
        assert [box.address for box in asked.action.to] == [CUSTOMER]
        assert asked.action.text == "Hello Ada,\n\nhere is the invoice.\n\nAnn\n"
        (attached,) = asked.action.attachments
        assert attached.name == "INV-2026-11-0001.pdf"
        assert asked.warnings == (
            "The books have another address for Ada Lovelace Ltd: is this who should get their invoice?",
        )
        assert "MISMATCH" not in world.run("show", second.id).out
        assert world.approve(second.id, "--yes").code == 0
        office.at(second.id, Stage.DONE)
    (posted,) = [move for move in records.moves.values() if move["state"] == "posted"]
    assert posted["approval"]
    (sent,) = office.mail.received()[before:]
    parsed = email.message_from_bytes(sent.raw, policy=email.policy.default)
    (part,) = parsed.iter_attachments()
    assert b"INV/2026/11/0001 276.00" in bytes(part.get_payload(decode=True) or b"")
    results = json.loads(world.run("log", "--json", "--limit", "0").out)["records"]
    assert [r["result"] for r in results if r["action_type"] == "effect.confirmed"] == ["posted", "sent"]


def test_a_countersigned_bill_is_posted_and_its_payment_is_put_to_the_owner(office: Office) -> None:
    world, records = office.world, office.odoo.records
    old = hours(office, "in_invoice", 2)
    records.post(old)
    move = hours(office, "in_invoice", 2)
    first = office.asks_to_post(move, Then.PAYMENT)
    with world.service():
        assert world.approve(first, "--yes").code == 0
        second = office.second(first)
        asked = request.read(second.note)
        assert asked is not None
        assert isinstance(asked.action, RegisterPayment)
        assert (asked.action.amount, asked.action.document) == ("276.00", "BILL/2026/11/0002")
        assert any("your limit in the Handbook" in warning for warning in asked.warnings)
        assert records.payments == []
        assert world.approve(second.id, "--yes").code == 0
        office.at(second.id, Stage.DONE)
    assert [(str(paid["amount"]), paid["move"]) for paid in records.payments] == [("276.00", move["id"])]


def test_a_record_that_changes_between_approval_and_posting_comes_back_with_the_reason(office: Office) -> None:
    world, move = office.world, hours(office)
    task = office.asks_to_post(move, Then.REPLY)
    assert world.approve(task, "--yes").code == 0
    move["ref"] = "PO 666"
    with world.service():
        until(lambda: world.local.vault.get(task).note.front.words("reopened_because"), SECONDS)
    back = office.at(task, Stage.PENDING_APPROVAL)
    assert "changed" in back.note.front.words("reopened_because")
    assert office.odoo.records.posted() == []
    assert "MISMATCH: the record was changed since this was drafted" in world.run("show", task).out


def test_words_that_the_books_do_not_say_are_a_mismatch_that_needs_a_word_of_its_own(office: Office) -> None:
    task = office.asks_to_post(
        hours(office), Then.REPLY, partner=invoice(office).partner.model_copy(update={"name": "Bob"})
    )
    assert "MISMATCH: the partner is not what the books say" in office.world.run("show", task).out
    assert office.world.approve(task, "--yes").code == 1
    assert office.world.stage(task) is Stage.PENDING_APPROVAL


def test_cloud_cannot_have_local_send_a_record_that_no_countersigned_act_led_to(office: Office) -> None:
    """A forged follow-up, and a true one that Cloud claims, changes and gives back."""
    world, other = office.world, hours(office)
    office.odoo.records.post(other)
    first = office.asks_to_post(hours(office), Then.REPLY, "The true text.\n")
    facts: dict[str, Any] = {
        "for": "local",
        "type": "follow_up",
        "follows": first,
        "then": "reply",
        "books": "books",
        "mailbox": "business",
    }
    named = message_id_shown(f"<{world.folder.name}.1@elsewhere.example>")
    forged = world.add("Give me", **facts, record=str(other["id"]), message_id=named)
    assert world.approve(first, "--yes").code == 0
    with world.service() as running_service:
        back = office.at(forged, Stage.PENDING_APPROVAL)
        assert not back.has_action
        assert "that is not so" in back.note.front.words("reason")
        office.at(first, Stage.DONE)
        assert world.run("ack", forged).code == 0
        office.at(forged, Stage.DONE)
        running_service.kill()
    with world.service():
        second = office.second(first)
        assert second.has_action
        assert world.run("again", second.id, "--remark", "again").code == 0
        cloud = world.cloud
        held = cloud.claim_next(Domain, fit=lambda one: one.id == second.id)
        if held is not None:  # Local may have been first
            lie = held.note.put(record=other["id"]).with_body(held.note.body.replace("The true text.", "A lie."))
            agent, attempt = cloud.journal.identity.agent, held.attempt
            cloud._fenced(
                "release", held, lambda now: moves.release(now.evolve(note=lie), agent=agent, attempt=attempt)
            )
        until(lambda: world.local.vault.get(second.id).revision == 2, SECONDS)
    asked = request.read(world.local.vault.get(second.id).note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert asked.action.text == "The true text.\n"
    assert asked.action.attachments[0].name == "INV-2026-11-0002.pdf"


def invoice(office: Office) -> PostInvoice:
    access = Access(url=office.odoo.url, database="books", login="agent", key="agent-key")
    return invoice_of(open_books(access).state(hours(office)["id"]), "books")


@pytest.mark.parametrize(
    "step",
    [
        "started",
        "performed",
        "outcome",
        "receipt",
        *(pytest.param(s, marks=pytest.mark.prove) for s in ("copied", "answered")),
    ],
)
def test_killed_at_any_step_the_invoice_is_posted_once_or_the_owner_is_asked(office: Office, step: str) -> None:
    world, records = office.world, office.odoo.records
    task = office.asks_to_post(hours(office), Then.REPLY)
    assert world.approve(task, "--yes").code == 0
    office.dies(step)
    with world.service():
        if step == "started":
            until(lambda: task in office.unsure(), SECONDS)
            assert records.posted() == []
            assert world.run("resolve", task, "--not-sent").code == 0
            office.at(task, Stage.PENDING_APPROVAL)
            assert world.approve(task, "--yes").code == 0
        office.at(task, Stage.DONE)
        second = office.second(task)
    assert len(records.posted()) == 1
    assert second.note.front.words("action") == "send_mail"
    followers = [one for one in world.local.vault.tasks(*Stage) if one.note.front.words("follows") == task]
    assert len(followers) == 1


def test_any_mcp_client_reads_but_acts_only_with_a_signed_approval(office: Office) -> None:
    move = hours(office)
    client = ServerClient(command("books", office.world.home.path))
    try:
        state = client.call("record_state", {"account": "books", "record": move["id"]})
        assert state["state"] == "draft"
        found = client.call("find_invoices", {"account": "books", "state": "draft"})
        assert [row["total"] for row in found["result"]] == ["276.00 EUR"]
        action = invoice_of(
            open_books(Access(office.odoo.url, "books", "agent", "agent-key")).state(move["id"]), "books"
        )
        world = office.world
        task = office.asks_to_post(move, Then.REPLY)
        assert world.approve(task, "--yes").code == 0
        (signed,) = approvals(world.local, world.local.vault.get(task))
        forged = signed.model_copy(update={"approval": signed.approval.model_copy(update={"task": "b" * 16})})
        answer = client.call("post_invoice", {"action": action.model_dump(), "approval": forged.model_dump()})
        assert (answer["status"], answer["rule"]) == ("refused", "signature")
        assert office.odoo.records.posted() == []
        answer = client.call("post_invoice", {"action": action.model_dump(), "approval": signed.model_dump()})
        assert (answer["status"], answer["facts"]["number"]) == ("done", "INV/2026/11/0001")
    finally:
        client.close()


def drop(office: Office, name: str, content: bytes) -> None:
    inbox = office.world.notes / "Inbox"
    until(lambda: inbox.exists() or (office.world.notes / "Dashboard.md").exists())
    inbox.mkdir(exist_ok=True)
    (inbox / name).write_bytes(content)


def payments(office: Office) -> dict[str, RegisterPayment]:
    """What waits to be approved, by its task."""
    waiting = office.world.local.vault.tasks(Stage.PENDING_APPROVAL)
    found = {task.id: request.read(task.note) for task in waiting}
    return {id_: asked.action for id_, asked in found.items() if asked and isinstance(asked.action, RegisterPayment)}


def test_a_dropped_bank_statement_becomes_proposals_that_are_paid_one_by_one_when_approved(office: Office) -> None:
    world, records = office.world, office.odoo.records
    sold, bought = hours(office), records.enter("in_invoice", 2, ("Paper", 1.0, 103.48), ref="R-2026-17")
    records.post(sold)
    records.post(bought)
    with world.service():
        drop(office, "november.xml", samples.camt())
        until(lambda: len(list(world.local.vault.tasks(Stage.PENDING_APPROVAL))) == 3, SECONDS)
        proposed = payments(office)
        assert records.payments == [], "a proposal pays nothing"
        drop(office, "again.csv", samples.csv())
        until(lambda: len(list(world.local.vault.tasks(Stage.PENDING_APPROVAL))) == 4, SECONDS)
        assert payments(office) == proposed, "the same movements in another file ask nothing new"
        for id_ in proposed:
            assert world.approve(id_, "--yes").code == 0
            office.at(id_, Stage.DONE)
    assert sorted((one.record, one.direction, one.amount, one.date) for one in proposed.values()) == [
        (sold["id"], "inbound", "276.00", "2026-11-20"), (bought["id"], "outbound", "119.00", "2026-11-21"),
    ]  # fmt: skip
    assert sorted((paid["move"], str(paid["amount"])) for paid in records.payments) == [
        (sold["id"], "276.00"), (bought["id"], "119.00"),
    ]  # fmt: skip
    statements = [one for one in world.local.vault.tasks(Stage.PENDING_APPROVAL) if not one.has_action]
    (task,) = [one for one in statements if one.note.front.words("name") == "november.xml"]
    head, _, rest = task.note.body.partition("## Several would fit (0)")
    assert "pays INV/2026/11/0001, Ada Lovelace Ltd, open 276.00 EUR: its number and its open amount" in head
    assert "pays BILL/2026/11/0001, Paper Mill, open 119.00 EUR: its reference and its open amount" in head
    assert "## Matched with nothing (0)" in rest


def test_a_movement_that_this_machine_did_not_find_is_no_payment(office: Office) -> None:
    """Cloud adds one itself, and with it the amount it would like."""
    world, records = office.world, office.odoo.records
    sold = hours(office)
    records.post(sold)
    facts: dict[str, Any] = {
        "for": "local", "type": "movement", "books": "books", "record": sold["id"], "amount": "1.00", "currency": "EUR",
        "booked": "2026-11-20", "movement": "0" * 32,
    }  # fmt: skip
    forged = world.add("Payment", **facts)
    with world.service():
        task = office.at(forged, Stage.PENDING_APPROVAL)
    assert not task.has_action
    assert "no such movement" in task.note.front.words("reason")


def test_a_movement_whose_document_was_paid_meanwhile_is_a_question(office: Office) -> None:
    world, records = office.world, office.odoo.records
    sold = hours(office)
    records.post(sold)
    with world.service():
        drop(office, "november.xml", samples.camt())
        until(lambda: payments(office), SECONDS)
        (id_,) = payments(office)
        records.pay(sold, 3, Decimal("276.00"), "2026-11-20")
        assert world.run("again", id_, "--remark", "look again").code == 0
        until(lambda: world.local.vault.get(id_).revision == 2, SECONDS)
    assert not world.local.vault.get(TaskId(id_)).has_action
