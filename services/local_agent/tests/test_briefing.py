"""The weekly briefing over a server that behaves like Odoo: true figures, suggestions that can be decided, alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import World

from accounting.briefing import week_of
from demo.odoo import moves
from demo.odoo.server import Server
from local_agent.weekly import Weekly, path_of
from vault_protocol import fences, request
from vault_protocol.action import SendMail
from vault_protocol.task import Stage, Task
from vault_protocol.testing import TestClock


@pytest.fixture
def odoo() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], odoo: Server) -> World:
    world = World(tmp_path, capsys.readouterr)
    accounts, password = tmp_path / "accounts.toml", tmp_path / "password"
    password.write_text("x", encoding="utf-8")
    accounts.write_text(
        f'[[accounts]]\nname = "business"\naddress = "owner@home.example"\nuser = "u"\npassword_file = "{password}"\n'
        'imap_host = "127.0.0.1"\nimap_port = 1\nimap_tls = "none"\nsubmission_host = "127.0.0.1"\n'
        'submission_port = 1\nsubmission_tls = "none"\n',
        encoding="utf-8",
    )
    assert world.init("--account-file", str(accounts)).code == 0
    key = tmp_path / "books-key"
    key.write_text("local-key", encoding="utf-8")
    with world.home.config.open("a", encoding="utf-8") as config:
        config.write(
            f'\n[[books]]\nname = "books"\nurl = "{odoo.url}"\ndatabase = "books"\nlogin = "local"\n'
            f'key_file = "{key}"\n'
        )
    return world


def sold(odoo: Server, days_ago: int, price: float, *, due_ago: int | None = None) -> dict[str, Any]:
    day = (datetime.now(UTC) - timedelta(days=days_ago)).date()
    due = day if due_ago is None else (datetime.now(UTC) - timedelta(days=due_ago)).date()
    move = odoo.records.enter(
        "out_invoice", 1, ("Consulting", 1.0, price), invoice_date=day.isoformat(), invoice_date_due=due.isoformat()
    )
    odoo.records.post(move)
    return move


def waiting(world: World) -> dict[str, list[Task]]:
    found: dict[str, list[Task]] = {}
    for task in world.local.vault.tasks(Stage.PENDING_APPROVAL):
        front = task.note.front
        kind = "reminder" if front.words("action") == "send_mail" else front.words("type")
        found.setdefault(kind, []).append(task)
    return found


def test_the_figures_are_those_of_the_books_and_every_suggestion_can_be_decided(world: World, odoo: Server) -> None:
    late = sold(odoo, 60, 1000.0, due_ago=40)
    paid = sold(odoo, 0, 10.0)
    odoo.records.pay(paid, 3, Decimal("11.50"), datetime.now(UTC).date().isoformat())
    ran = world.run("briefing", "--json")
    assert ran.code == 0, ran.err
    text = ran.json["text"]
    income = sum(
        -item["balance"]
        for move in odoo.records.moves.values() for item in move["items"]
        if item["account_id"] == moves.INCOME and move["date"][:4] == str(datetime.now(UTC).year)
    )  # fmt: skip
    assert f"This year to date: **{income:.2f} EUR**" in text
    assert "In bank and cash: **11.50 EUR**" in text
    assert "Open: **1150.00 EUR** in 1 items" in text
    assert fences.active(text) == ()
    (reminder,) = waiting(world)["reminder"]
    assert f"Remind Ada Lovelace Ltd of {late['name']}, 1150.00 EUR, 40 days late → [[Pending_Approval/" in text
    found = request.read(reminder.note)
    assert found is not None
    assert isinstance(found.action, SendMail)
    assert [box.address for box in found.action.to] == ["ada@customer.example"]
    (alert,) = waiting(world)["alert"]
    assert f"{late['name']} of Ada Lovelace Ltd, 1150.00 EUR, is 40 days late." in alert.note.front.words("reason")
    assert world.run("ack", alert.id).code == 0


def test_a_second_briefing_raises_nothing_twice_and_nothing_that_was_decided(world: World, odoo: Server) -> None:
    sold(odoo, 60, 1000.0, due_ago=40)
    assert world.run("briefing").code == 0
    first = waiting(world)
    assert world.run("reject", first["reminder"][0].id, "--why", "they will pay").code == 0
    assert world.run("briefing").code == 0
    again = waiting(world)
    assert [task.id for task in again["alert"]] == [task.id for task in first["alert"]]
    assert "reminder" not in again
    assert "→" not in world.run("briefing", "--show", "--json").json["text"].partition("## Suggestions")[2]


def test_books_that_do_not_answer_are_said_to_be_unavailable(world: World, odoo: Server) -> None:
    odoo.stop()
    try:
        ran = world.run("briefing", "--json")
    finally:
        odoo.start()
    assert ran.code == 0
    assert "**Unavailable:** the books" in ran.json["text"]
    assert "This month to date: unavailable" in ran.json["text"]
    assert waiting(world) == {}


def test_it_is_written_once_a_week_on_monday_or_when_the_machine_wakes(world: World, odoo: Server) -> None:
    local = world.local
    clock = TestClock(datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    local.vault.journal.clock = clock
    object.__setattr__(local, "clock", clock)
    weekly = Weekly(local)
    weekly.step()
    sunday = path_of(clock.now())
    assert local.vault.journal.read(sunday) is not None, "this week's was missing"
    clock.tick(timedelta(hours=2))
    weekly.step()
    assert local.vault.journal.read(path_of(clock.now())) is None, "Monday, and too early"
    clock.tick(timedelta(hours=6))
    weekly.step()
    head = local.vault.journal.head
    assert week_of(clock.now().date()) in path_of(clock.now())
    assert local.vault.journal.read(path_of(clock.now())) is not None
    clock.tick(timedelta(days=3))
    weekly.step()
    assert local.vault.journal.head == head
