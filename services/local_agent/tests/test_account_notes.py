"""Bank statements as notes in Accounting/: sums by currency, IBANs checked, earlier movements told apart."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from libs.accounting.tests import samples
from services.local_agent.tests.cli_world import World, until

from accounting.statement import Entry
from local_agent.account_notes import Seen, note_of, path_of
from vault_protocol import fences
from vault_protocol.note import Note
from vault_protocol.task import Stage

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GOOD, BAD = "DE89 3704 0044 0532 0130 00", "DE89370400440532013001"


def entry(amount: str, text: str = "rent", day: int = 20, currency: str = "EUR", account: str = "") -> Entry:
    return Entry(date(2026, 11, day), Decimal(amount), currency, text, "Paper Mill", account)


def shown(entries: list[Entry], earlier: tuple[bool, ...] | None = None) -> str:
    return note_of("a.csv", "f" * 64, entries, earlier or (False,) * len(entries), NOW).body


def test_amounts_are_summed_by_currency_to_the_cent() -> None:
    body = shown([*[entry("0.10")] * 3, entry("-1000000.01"), entry("5.00", currency="USD")])
    assert "EUR: 0.30 came in, 1,000,000.01 went out.\n" in body
    assert "USD: 5.00 came in, 0.00 went out.\n" in body
    assert "-1,000,000.01 EUR" in body


def test_an_account_with_wrong_check_digits_is_marked_and_a_number_of_another_kind_is_not() -> None:
    body = shown([entry("1", account=GOOD), entry("2", account=BAD), entry("3", account="0532013000")])
    assert "**1 accounts have wrong check digits**" in body
    assert f"+2.00 EUR  Paper Mill  {BAD}  rent  ! the check digits" in body
    assert f"+1.00 EUR  Paper Mill  {GOOD}  rent\n" in body


def test_a_movement_of_an_earlier_statement_is_told_and_not_summed_again(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "seen", b"s" * 32)
    november = [entry("10.00"), entry("10.00"), entry("7.00")]
    assert seen.earlier("a" * 64, november) == (False, False, False), "two equal ones of a statement are two"
    overlapping = [entry("10.00"), entry("10.0"), entry("10.00"), entry("8.00"), entry("7.00", "other words")]
    found = seen.earlier("b" * 64, overlapping)
    assert found == (True, True, False, False, False)
    assert seen.earlier("b" * 64, overlapping) == found, "after a kill the same file is asked about again"
    assert "EUR: 25.00 came in" in shown(overlapping, found)
    assert b"rent" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*.json"))


def test_what_strangers_write_into_a_movement_stays_in_the_fence() -> None:
    text = "```\n<script>alert(1)</script> ![x](https://evil.example/a.png) ghp_" + "a" * 36 + " \u202eevil"
    body = shown([entry("1.00", text)])
    assert fences.active(body) == ()
    assert "ghp_" not in body
    assert "\u202e" not in body
    assert "1 secrets were taken out" in body


def test_a_long_statement_is_cut_and_its_sums_are_whole() -> None:
    body = shown([entry("1.00")] * 2_500)
    assert "EUR: 2,500.00 came in" in body
    assert "and 500 more\n" in body
    assert len(body) < 500_000


def gone(path: Path) -> bool:
    return not path.exists()


def test_a_dropped_statement_is_a_note_without_any_books(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    with world.service():
        until(lambda: (world.notes / "Dashboard.md").exists(), 90)
        (world.notes / "Inbox").mkdir(exist_ok=True)
        for name, content in (("november.xml", samples.camt()), ("again.csv", samples.csv())):
            (world.notes / "Inbox" / name).write_bytes(content)
            until(partial(gone, world.notes / "Inbox" / name), 90)
        until(lambda: len(list((world.notes / "Accounting").glob("*.md"))) == 2, 90)
    notes = [Note.parse(path.read_bytes()) for path in (world.notes / "Accounting").glob("*.md")]
    first, second = (
        note.body for name in ("november.xml", "again.csv") for note in notes if note.front.words("name") == name
    )
    assert "EUR: 276.00 came in, 119.00 went out." in first
    assert "+276.00 EUR  Ada Lovelace Ltd  INV/2026/11/0001 thank you\n" in first
    assert "2 movements. 2 of them were in an earlier statement" in second
    assert len(list(world.local.vault.tasks(Stage.NEEDS_ACTION))) == 2, "each file is still a task"
    assert path_of("f" * 64, [entry("1"), entry("1", day=21)]) == (
        "Accounting/statement-2026-11-20-2026-11-21-ffffffff.md"
    )
