"""The owner's service, the payments MCP server in its own process, and a bill that is paid by a file for the bank."""

from __future__ import annotations

from services.local_agent.tests import test_books_service
from services.local_agent.tests.test_books_service import Office, hours

from vault_protocol import request
from vault_protocol.action import PayTransfer
from vault_protocol.later import Then
from vault_protocol.task import Stage

mail, office = test_books_service.mail, test_books_service.office


def test_where_an_account_pays_a_posted_bill_leads_to_a_transfer_that_becomes_one_file(office: Office) -> None:
    world, bank = office.world, office.world.folder / "bank"
    config = world.home.config
    account = f'\n[[payments]]\nname = "main"\nholder = "Ann"\niban = "DE02120300000000202051"\nfolder = "{bank}"\n'
    config.write_text(config.read_text(encoding="utf-8") + account, encoding="utf-8")
    first = office.asks_to_post(hours(office, "in_invoice", 2), Then.PAYMENT)
    with world.service():
        assert world.approve(first, "--yes").code == 0
        second = office.second(first)
        asked = request.read(second.note)
        assert asked is not None
        assert isinstance(asked.action, PayTransfer)
        assert (asked.action.amount, asked.action.iban) == ("276.00", "DE02120300000000202051")
        assert any(warning.startswith("New payee") for warning in asked.warnings)
        assert not bank.exists()
        assert world.approve(second.id, "--yes").code == 0
        office.at(second.id, Stage.DONE)
    (made,) = bank.iterdir()
    assert b"<EndToEndId>BILL-2026-11-0001</EndToEndId>" in made.read_bytes()
    assert office.odoo.records.payments == [], "the books are told when the bank shows it"
