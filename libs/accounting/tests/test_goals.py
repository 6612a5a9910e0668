"""Business_Goals.md as typed values: the note that `init` writes is understood, and what is not is told."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounting import alerts, goals
from accounting.briefing import Facts, Unavailable, bars, by_age, render, week_of
from accounting.goals import Goals
from accounting.money import Money
from books.values import Figure, Owed
from books.values import Money as BooksMoney
from vault_protocol import fences

TODAY = date(2026, 11, 23)
FIRST = Path(__file__).parents[3] / "services/local_agent/src/local_agent/setup/notes/Business_Goals.md"


def first(**changes: str) -> Goals:
    text = FIRST.read_text(encoding="utf-8")
    for mark, day in (("@@TODAY@@", 0), ("@@DUE_SOON@@", 30), ("@@DUE_LATER@@", 75)):
        text = text.replace(mark, (TODAY + timedelta(days=day)).isoformat())
    for old, new in changes.items():
        text = text.replace(old, new)
    return goals.read(text, today=TODAY)


def figure(amount: str, currency: str = "USD") -> Figure:
    return Figure(BooksMoney(Decimal(amount), currency), "−sum(balance) of posted items, of a span")


def owed(days: int, amount: str = "100.00", move: int = 1) -> Owed:
    due = TODAY - timedelta(days=days)
    return Owed(1, "Ada", move, f"INV/{move}", due, BooksMoney(Decimal(amount), "USD"), days)


def test_the_first_goals_are_understood_whole() -> None:
    found = first()
    assert found.unread == ()
    assert found.month
    assert (found.month.target, found.month.share, found.month.after) == (
        Money(Decimal(10000), "USD"),
        Decimal("0.6"),
        20,
    )
    assert found.year
    assert found.year.behind == Decimal("0.1")
    assert (found.open_limit, found.late_days) == (Money(Decimal(3000), "USD"), 14)
    assert [p.name for p in found.projects] == ["Website relaunch", "Spring newsletter"]
    assert [(s.name, s.unused_days) for s in found.subscriptions] == [("Mail and calendar", 1), ("Accounting", 7)]
    assert found.unmeasured == ("Time to answer a customer", "Customers who write back", "Software subscriptions")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("| Revenue this month | a lot | |", "a revenue target of “a lot”"),
        ("| Revenue this month | $5 | when I feel like it |", "an alert when “when I feel like it”"),
        ("| Open invoices | few | |", "open invoices “few”"),
    ],
)
def test_a_line_that_is_not_understood_is_reported(row: str, told: str) -> None:
    text = f"## Targets\n\n| Metric | Target | Alert when |\n|---|---|---|\n{row}\n"
    assert goals.read(text, today=TODAY).unread == (told,)


def judged(found: Goals, **given: Any) -> list[str]:
    facts: dict[str, Any] = {"month": None, "year": None, "owed": None, "today": TODAY}
    return [alert.key for alert in alerts.alerts(found, **{**facts, **given})]


def test_thresholds_are_crossed_and_not_crossed_where_the_owner_drew_them() -> None:
    found = first()
    assert judged(found, month=figure("5999.99")) == ["month 2026-11"]
    assert judged(found, month=figure("6000.00")) == []
    assert judged(found, month=figure("1.00"), today=date(2026, 11, 20)) == [], "the 20th is not over"
    assert judged(found, month=figure("1.00", "EUR")) == [], "another currency is not compared"
    assert judged(found, year=figure("90000.00")) == ["year 2026-11"]
    assert judged(found, year=figure("107507.00")) == []
    assert judged(found, owed=[owed(15), owed(14, move=2)]) == ["late 1"]
    assert judged(found, owed=[owed(0, "3000.01")]) == ["open"]
    assert judged(found, owed=None) == judged(found) == []


def test_projects_and_subscriptions_are_questioned() -> None:
    soon = (TODAY + timedelta(days=30)).isoformat()
    found = first(**{soon: "2026-11-30", "$0 | planned": "$480 | planned"})
    assert judged(found) == ["due Website relaunch", "spent Spring newsletter"]
    changes = {"daily": "2026-10-01", "$25": "$25 (was $20)", "invoices, taxes": "mail"}
    asked = list(alerts.questions(first(**changes)))
    assert ("Mail and calendar", "not used for 53 days, 12.00 USD a month") in asked
    assert ("Accounting", "rose from 20.00 USD to 25.00 USD a month") in asked
    assert ("Accounting", "for the same as Mail and calendar: mail") in asked
    assert len(asked) == 4
    assert list(alerts.questions(first(**{"$25": "$25 (was $21)"}))) == []


def facts(**changes: Any) -> Facts:
    given: dict[str, Any] = {
        "today": TODAY, "week": figure("10.00"), "month": figure("2500.00"), "year": figure("3.00"),
        "months": (("2026-10", figure("100.00")), ("2026-11", figure("50.00"))), "cash": figure("7.00"),
        "owed": (owed(-3), owed(30, "1.00", 2), owed(31, "2.00", 3), owed(91, "4.00", 4)), "goals": first(),
    }  # fmt: skip
    return Facts(**{**given, **changes})


def test_every_figure_names_its_query_and_the_goal_its_share() -> None:
    text = render(facts())
    assert "# Briefing 2026-W48" in text
    for amount in ("10.00 USD", "2500.00 USD", "3.00 USD", "7.00 USD"):
        line = next(line for line in text.splitlines() if f"**{amount}**" in line)
        assert "−sum(balance) of posted items" in line
    assert "Of the goal of 10,000.00 USD: **25%**" in text
    assert "**107.00 USD** in 4 items — amount_residual of posted" in text


def test_a_source_that_did_not_answer_is_unavailable_and_no_number_stands_in_its_place() -> None:
    away = Unavailable("the books (BooksUnreachable: no answer)")
    text = render(facts(week=away, month=away, year=away, months=away, cash=away, owed=away))
    assert "**Unavailable:** the books (BooksUnreachable: no answer)" in text
    assert text.count("unavailable") >= 6
    assert "0.00" not in text.partition("## Deadlines")[0]


def test_every_open_item_is_in_exactly_one_age() -> None:
    assert dict(by_age([owed(d, "1.00") for d in (-5, 0, 1, 30, 31, 60, 61, 90, 91, 400)])) == {
        "not due": 2, "1 to 30 days over": 2, "31 to 60 days over": 2, "61 to 90 days over": 2,
        "more than 90 days over": 2,
    }  # fmt: skip


def test_a_chart_is_letters_and_the_note_holds_nothing_that_a_viewer_runs() -> None:
    shown = bars([("a", Decimal(10)), ("bb", Decimal(-5)), ("c", Decimal(0))])
    assert [line.count("█") + line.count("░") for line in shown.splitlines()] == [30, 15, 0]
    hostile = first(
        **{"Website relaunch": "![x](http://evil.example/x.png) <img src=x>", "Jane Example": "`= dv.pages()`"}
    )
    assert fences.active(render(facts(goals=hostile))) == ()


@pytest.mark.parametrize(("day", "week"), [(date(2026, 11, 23), "2026-W48"), (date(2027, 1, 1), "2026-W53")])
def test_the_week_is_that_of_the_calendar(day: date, week: str) -> None:
    assert week_of(day) == week
