"""A transfer as a file for the bank: valid by its schema, the same bytes every time, once, and never made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree
from services.local_agent.tests.transferring import OTHER_IBAN, Desk, Died, by_file, transfer

from accounting.pain001 import NAMESPACE, Debtor, document
from local_agent.effects import Done, Refusal, Unsure
from local_agent.payees import Payees
from vault_protocol.action import BadAction, PayTransfer, action_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SCHEMA = etree.XMLSchema(etree.fromstring((files("sepaxml") / "schemas" / "pain.001.001.09.xsd").read_bytes()))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = by_file(tmp_path)
    yield made
    for ledger in made.ledgers:
        ledger.close()


def files_of(desk: Desk) -> list[Path]:
    return sorted((desk.folder / "bank").glob("*")) if (desk.folder / "bank").exists() else []


@pytest.mark.parametrize(
    "changes",
    [{}, {"bic": ""}, {"reference": ""}, {"currency": "CHF", "iban": "CH9300762011623852957", "bic": ""},
     {"creditor": "Müller & Söhne <GmbH>", "reference": "Ärger ]]> & Co"}],
)  # fmt: skip
def test_the_file_is_valid_by_the_schema_of_the_standard_and_says_what_was_approved(changes: dict[str, str]) -> None:
    action = transfer(**changes)
    content = document(action, Debtor("Ann Owner", "DE02120300000000202051"), message_id="a" * 32, at=NOW)
    root = etree.fromstring(content)
    SCHEMA.assertValid(root)
    said = {name: root.findtext(f".//{{{NAMESPACE}}}{name}") for name in ("InstdAmt", "EndToEndId", "Ustrd", "MsgId")}
    assert said == {
        "InstdAmt": action.amount, "EndToEndId": action.end_to_end, "Ustrd": action.reference or None, "MsgId": "a" * 32
    }  # fmt: skip
    names = {"p": NAMESPACE}
    assert root.findtext(".//p:Cdtr/p:Nm", namespaces=names) == action.creditor
    assert root.findtext(".//p:CdtrAcct/p:Id/p:IBAN", namespaces=names) == action.iban
    assert root.find(".//p:InstdAmt", names).get("Ccy") == action.currency
    assert content == document(action, Debtor("Ann Owner", "DE02120300000000202051"), message_id="a" * 32, at=NOW)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [("iban", "DE89370400440532013001", "check digits"), ("iban", "DE8937040044053201300", "22 characters"),
     ("iban", "DE89 3704 0044 0532 0130 00", "no IBAN"), ("bic", "COBADEF", "no BIC"), ("amount", "0.00", "no amount"),
     ("amount", "1.005", "no amount"), ("amount", "-1.00", "no amount"), ("amount", "1e3", "spelled"),
     ("end_to_end", "x" * 36, "reference"), ("end_to_end", "/x", "reference"), ("end_to_end", "ü", "reference"),
     ("creditor", "", "at least 1"), ("creditor", "Paper\u200b Mill", "U\\+200B"), ("execution", "24.11.2026", "date"),
     ("currency", "eur", "pattern")],
)  # fmt: skip
def test_what_no_bank_would_take_is_no_action(field: str, value: str, reason: str) -> None:
    with pytest.raises(BadAction, match=f"(?i){field}.*{reason}|{field}.*[Ii]nvalid"):
        action_of({**transfer().fields(), field: value})


def test_an_approved_transfer_is_one_file_however_often_it_is_asked_for(desk: Desk) -> None:
    signed = desk.approve(transfer())
    answers = [desk.execute(transfer(), signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers)
    (path,) = files_of(desk)
    SCHEMA.assertValid(etree.fromstring(path.read_bytes()))
    assert path.name.startswith("2026-11-24-paper-mill-gmbh-")
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_approval_without_step_up_pays_nothing(desk: Desk) -> None:
    answer = desk.execute(transfer(), desk.approve(transfer(), step_up="none"))
    assert isinstance(answer, Refusal)
    assert answer.rule == "step_up"
    assert files_of(desk) == []


def test_an_approval_that_claims_a_touch_by_a_key_that_has_none_pays_nothing(desk: Desk) -> None:
    answer = desk.execute(transfer(), desk.approve(transfer(), step_up="fido"))
    assert isinstance(answer, Refusal)
    assert answer.rule == "step_up"


@pytest.mark.parametrize("step", ["started", "performed", "outcome", "copied"])
def test_a_death_at_any_step_leads_to_one_file_or_to_none_and_a_word(desk: Desk, step: str) -> None:
    signed = desk.approve(transfer())
    desk.die_at = step
    with pytest.raises(Died):
        desk.execute(transfer(), signed)
    desk.die_at = ""
    before = files_of(desk)
    answers = [desk.execute(transfer(), signed) for _ in range(2)]
    assert files_of(desk) == before
    assert all(isinstance(answer, Refusal if step == "started" else Done) for answer in answers)


def test_a_file_that_the_owner_took_away_before_anybody_wrote_down_that_it_is_there_is_asked_about(desk: Desk) -> None:
    signed = desk.approve(transfer())
    desk.die_at = "performed"
    with pytest.raises(Died):
        desk.execute(transfer(), signed)
    desk.die_at = ""
    files_of(desk)[0].unlink()
    assert isinstance(desk.execute(transfer(), signed), Unsure)
    assert files_of(desk) == []


def test_a_folder_that_takes_nothing_ends_the_approval_and_never_tries_again(desk: Desk) -> None:
    (desk.folder / "bank").write_text("a file where the folder should be", encoding="utf-8")
    signed = desk.approve(transfer())
    assert isinstance(desk.execute(transfer(), signed), Refusal)
    (desk.folder / "bank").unlink()
    answer = desk.execute(transfer(), signed)
    assert isinstance(answer, Refusal)
    assert "never tried again" in answer.reason
    assert files_of(desk) == []


def test_who_was_paid_is_remembered_once_by_name_and_account(desk: Desk) -> None:
    signed = desk.approve(transfer())
    for _ in range(2):
        desk.execute(transfer(), signed)
    payees = Payees(desk.folder / "payees.sqlite")
    assert payees.known(transfer(creditor="PAPER  MILL gmbh")).accounts == (transfer().iban,)
    assert payees.known(transfer(iban=OTHER_IBAN)).accounts == (transfer().iban,)
    assert payees.known(transfer(creditor="Somebody")).names == ("Paper Mill GmbH",)
    assert payees.known(transfer(creditor="Рареr Mill GmbH", iban=OTHER_IBAN)).accounts == ()


def test_every_field_is_in_the_digest() -> None:
    base = transfer()
    others = {"creditor": "Mill", "iban": OTHER_IBAN, "bic": "", "amount": "119.01", "currency": "USD",
              "reference": "x", "end_to_end": "x", "execution": "2026-11-25", "account": "other"}  # fmt: skip
    digests = {base.model_copy(update={name: value}).digest for name, value in others.items()}
    assert len(digests | {base.digest}) == len(others) + 1
    assert set(others) | {"type"} == set(PayTransfer.model_fields)
