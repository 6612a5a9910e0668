"""Local's books server, in its own process, over the interface that the settings name: JSON-2 as from Odoo 19 on."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World

from accounting.records import invoice_of, payment_of
from books.drafts import Key, NewLine, NewMove
from books.memory.odoo import MemoryOdoo
from books.odoo import OdooBooks
from books.rpc import Access, connect
from books.testing import DATABASE, Server, serving
from books.values import Kind
from local_agent.executor_id import executor_id
from local_agent.server_client import ServerClient, command
from vault_protocol import keys, sshsig
from vault_protocol.action import Journal, PostInvoice, RegisterPayment
from vault_protocol.approval import NAMESPACE, grant

CUSTOMER, VENDOR = 1, 2
DAY = date(2026, 11, 20)


@dataclass
class Counter:
    """The books server of a set-up home, and the server in which Cloud has drafted."""

    world: World
    odoo: Server
    client: ServerClient
    agent: OdooBooks

    def draft(self, kind: Kind, partner: int) -> int:
        new = NewMove(kind, partner, (NewLine("Work", Decimal("119.50"), taxes=()),), issued=DAY, reference="R 1")
        return self.agent.draft(Key(f"json2-{secrets.token_hex(4)}"), new).id

    def posting(self, record: int) -> PostInvoice:
        return invoice_of(self.agent.state(record), "books")

    def act(self, tool: str, action: PostInvoice | RegisterPayment) -> Any:
        """With the owner's word, as their machine gives it."""
        home, now = self.world.home, datetime.now(UTC)
        key = keys.load(home.approval_key, PASSPHRASE)
        signed = grant(
            action, vault=home.settings().vault, executor=executor_id(home.executor), task=secrets.token_hex(8),
            revision=1, by="owner", now=now, not_before=now, nonce=secrets.token_hex(16),
            sign=lambda message: sshsig.sign(key, message, namespace=NAMESPACE),
        )  # fmt: skip
        return self.client.call(tool, {"action": action.model_dump(), "approval": signed.model_dump(mode="json")})


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Counter]:
    world = World(tmp_path, capsys.readouterr)
    ran = world.init("--no-dry-run")
    assert ran.code == 0, ran.err
    key = tmp_path / "books-key"
    key.write_text("local-key\n", encoding="utf-8")
    with serving(Server(MemoryOdoo(), {"agent-key": "agent", "local-key": "local"})) as odoo:
        with world.home.config.open("a", encoding="utf-8") as config:
            config.write(
                f'\n[[books]]\nname = "books"\nurl = "{odoo.url}"\ndatabase = "{DATABASE}"\nlogin = "local"\n'
                f'key_file = "{key}"\ninterface = "json-2"\n'
            )
        access = Access(odoo.url, DATABASE, "agent", "agent-key", interface="json-2")
        with closing(connect(access)) as agent, closing(ServerClient(command("books", world.home.path))) as client:
            yield Counter(world, odoo, client, OdooBooks(agent))


def test_an_approved_invoice_is_posted_once_and_printed_over_json_2(counter: Counter) -> None:
    action = counter.posting(counter.draft(Kind.INVOICE, CUSTOMER))
    answer = counter.act("post_invoice", action)
    assert answer["status"] == "done", answer
    again = counter.act("post_invoice", action)
    assert again["facts"]["number"] == answer["facts"]["number"]
    state = counter.client.call("record_state", {"account": "books", "record": action.record})
    assert (state["state"], state["approval"]) == ("posted", action.digest)
    printed = counter.client.call("invoice_pdf", {"account": "books", "record": action.record})
    assert printed["number"] == answer["facts"]["number"] != ""
    assert base64.b64decode(printed["pdf"]).startswith(b"%PDF-")
    assert counter.odoo.calls.count("account.move.countersign_post") == 1
    assert counter.odoo.spoken == {"json-2"}


def test_an_approved_payment_is_registered_once_over_json_2(counter: Counter) -> None:
    bill = counter.posting(counter.draft(Kind.BILL, VENDOR))
    assert counter.act("post_invoice", bill)["status"] == "done"
    (journal,) = counter.client.call("journals", {"account": "books"})["result"]
    state = counter.agent.state(bill.record)
    payment = payment_of(state, "books", journal=Journal(**journal), amount=Decimal("50.00"), on=DAY)
    assert counter.act("register_payment", payment)["status"] == "done"
    other = payment.model_copy(update={"amount": "60.00"})
    assert counter.act("register_payment", other)["status"] == "refused", "the record is another since it was paid"
    assert counter.agent.state(bill.record).payments == (payment.digest,)
    assert counter.odoo.calls.count("account.move.countersign_register_payment") == 1
    assert counter.odoo.spoken == {"json-2"}


def test_what_changed_since_it_was_approved_is_refused_over_json_2(counter: Counter) -> None:
    record = counter.draft(Kind.INVOICE, CUSTOMER)
    action = counter.posting(record)
    new = NewMove(Kind.INVOICE, CUSTOMER, (NewLine("Work", Decimal(1), taxes=()),), issued=DAY, reference="R 1")
    counter.agent.change(record, new)
    answer = counter.act("post_invoice", action)
    assert answer["status"] == "refused"
    assert "changed" in answer["reason"]
    assert "account.move.countersign_post" not in counter.odoo.calls
    assert counter.odoo.spoken == {"json-2"}
