"""Business_Goals.md as typed values. A line that says nothing this program understands is reported, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from accounting import money, tables
from accounting.money import Money

_DAYS = {"daily": 1, "weekly": 7, "monthly": 30}
_SHARE = re.compile(r"under (\d{1,3}) ?% of the target after the (\d{1,2})(?:st|nd|rd|th)", re.IGNORECASE)
_BEHIND = re.compile(r"over (\d{1,3}) ?% behind", re.IGNORECASE)
_LATE = re.compile(r"one is over (\d{1,3}) days late", re.IGNORECASE)
_PRICE = re.compile(r"(.+?)\s*\(was (.+)\)", re.IGNORECASE)


@dataclass(frozen=True)
class Revenue:
    """A target for a month or a year, and when it is worth an alert."""

    target: Money
    share: Decimal | None = None
    """Alert below this share of the target …"""
    after: int = 0
    """… once this day of the month is over."""
    behind: Decimal | None = None
    """Alert when this share behind where the year should be."""


@dataclass(frozen=True)
class Project:
    """What is promised."""

    name: str
    customer: str
    due: date
    budget: Money | None
    spent: Money | None
    status: str


@dataclass(frozen=True)
class Subscription:
    """What is paid for every month."""

    name: str
    price: Money
    purpose: str
    unused_days: int | None = None
    """Since it was last used, at the least; None when the note does not say."""
    before: Money | None = None


@dataclass(frozen=True)
class Goals:
    """What was understood. `unread` and `unmeasured` are told to the owner."""

    month: Revenue | None = None
    year: Revenue | None = None
    open_limit: Money | None = None
    late_days: int | None = None
    projects: tuple[Project, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    unread: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = field(default=())
    """Metrics that no source of this program measures."""


def read(text: str, *, today: date) -> Goals:
    unread: list[str] = []
    unmeasured: list[str] = []
    found: dict[str, object] = {}
    for row in tables.table(text, "Targets"):
        metric, target, alert = (*row, "", "", "")[:3]
        match metric.casefold():
            case "revenue this month":
                found["month"] = _revenue(target, alert, unread)
            case "revenue this year":
                found["year"] = _revenue(target, alert, unread)
            case "open invoices":
                found["open_limit"] = _limit(target, unread)
                late = _LATE.fullmatch(alert)
                found["late_days"] = int(late[1]) if late else None
                if alert and not late:
                    unread.append(f"Open invoices: alert when “{alert}”")
            case _:
                unmeasured.append(metric)
    projects = tuple(p for row in tables.table(text, "Projects") if (p := _project(row, unread)))
    subscriptions = tuple(s for row in tables.table(text, "Subscriptions") if (s := _subscription(row, today, unread)))
    return Goals(
        **found, projects=projects, subscriptions=subscriptions, unread=tuple(unread),  # type: ignore[arg-type]
        unmeasured=tuple(unmeasured),
    )  # fmt: skip


def _revenue(target: str, alert: str, unread: list[str]) -> Revenue | None:
    amount = money.read(target)
    if amount is None:
        unread.append(f"a revenue target of “{target}”")
        return None
    share, behind = _SHARE.fullmatch(alert), _BEHIND.fullmatch(alert)
    if alert and not share and not behind:
        unread.append(f"an alert when “{alert}”")
    return Revenue(
        amount,
        Decimal(share[1]) / 100 if share else None,
        int(share[2]) if share else 0,
        Decimal(behind[1]) / 100 if behind else None,
    )


def _limit(target: str, unread: list[str]) -> Money | None:
    amount = money.read(target.removeprefix("under ").strip())
    if amount is None:
        unread.append(f"open invoices “{target}”")
    return amount


def _project(row: tuple[str, ...], unread: list[str]) -> Project | None:
    name, customer, due, budget, spent, status = (*row, *[""] * 6)[:6]
    try:
        return Project(
            name, customer, date.fromisoformat(due), money.read(budget), money.read(spent), status.casefold()
        )
    except ValueError:
        unread.append(f"project {name}: due “{due}”")
        return None


def _subscription(row: tuple[str, ...], today: date, unread: list[str]) -> Subscription | None:
    name, price, purpose, used = (*row, *[""] * 4)[:4]
    raised = _PRICE.fullmatch(price)
    now, before = money.read(raised[1] if raised else price), money.read(raised[2]) if raised else None
    if now is None or (raised and before is None):
        unread.append(f"subscription {name}: “{price}”")
        return None
    days: int | None = _DAYS.get(used.casefold())
    if days is None and used:
        try:
            days = (today - date.fromisoformat(used)).days
        except ValueError:
            unread.append(f"subscription {name}: last used “{used}”")
    return Subscription(name, now, purpose, days, before)
