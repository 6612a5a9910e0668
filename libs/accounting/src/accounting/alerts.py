"""What the owner wanted to be told of: each rule of Business_Goals.md held against the figures there are."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounting.goals import Goals
from books.values import Figure, Owed

UNUSED_DAYS, ROSE_BY = 30, Decimal("1.2")
DUE_SOON, SPENT = 7, Decimal("0.8")


@dataclass(frozen=True)
class Alert:
    """`key` is the same as long as it is the same thing; `words` are for the owner."""

    key: str
    words: str


def alerts(
    goals: Goals, *, today: date, month: Figure | None, year: Figure | None, owed: Sequence[Owed] | None
) -> tuple[Alert, ...]:
    """A figure that is None is not there: what needs it is not judged."""
    return (*_revenue(goals, today, month, year), *_owed(goals, owed or ()), *_projects(goals, today))


def questions(goals: Goals) -> Iterator[tuple[str, str]]:
    """(subscription, why to question it)."""
    for one in goals.subscriptions:
        if one.unused_days is not None and one.unused_days > UNUSED_DAYS:
            yield one.name, f"not used for {one.unused_days} days, {one.price} a month"
        if one.before and one.before.currency == one.price.currency and one.price.value > one.before.value * ROSE_BY:
            yield one.name, f"rose from {one.before} to {one.price} a month"
        twin = next(
            (o for o in goals.subscriptions if o is not one and o.purpose and _same(o.purpose, one.purpose)), None
        )
        if twin:
            yield one.name, f"for the same as {twin.name}: {one.purpose}"


def _revenue(goals: Goals, today: date, month: Figure | None, year: Figure | None) -> Iterator[Alert]:
    wanted = goals.month
    if (
        wanted
        and wanted.share
        and month
        and month.value.currency == wanted.target.currency
        and today.day > wanted.after
    ):
        reached = month.value.amount / wanted.target.value
        if reached < wanted.share:
            yield Alert(
                f"month {today:%Y-%m}",
                f"Revenue this month is {month.value}, {reached:.0%} of {wanted.target}; "
                f"you wanted to know below {wanted.share:.0%}.",
            )
    wanted = goals.year
    if wanted and wanted.behind and year and year.value.currency == wanted.target.currency:
        passed = Decimal((today - date(today.year, 1, 1)).days + 1) / (
            366 if monthrange(today.year, 2)[1] == 29 else 365
        )
        due = wanted.target.value * passed
        if year.value.amount < due * (1 - wanted.behind):
            yield Alert(
                f"year {today:%Y-%m}",
                f"Revenue this year is {year.value}; by today {due:.2f} of {wanted.target} would be on course.",
            )


def _owed(goals: Goals, owed: Sequence[Owed]) -> Iterator[Alert]:
    for one in owed:
        if goals.late_days is not None and one.days_over > goals.late_days:
            yield Alert(
                f"late {one.move}", f"{one.number} of {one.name}, {one.residual}, is {one.days_over} days late."
            )
    if goals.open_limit and owed:
        total = sum((one.residual.amount for one in owed), Decimal(0))
        if owed[0].residual.currency == goals.open_limit.currency and total > goals.open_limit.value:
            yield Alert(
                "open", f"Open invoices are {total} {goals.open_limit.currency}; you wanted {goals.open_limit} at most."
            )


def _projects(goals: Goals, today: date) -> Iterator[Alert]:
    for project in goals.projects:
        left = (project.due - today).days
        if left <= DUE_SOON and project.status not in ("review", "in review", "done"):
            yield Alert(
                f"due {project.name}",
                f"Project {project.name} is due on {project.due}, in {left} days: {project.status}.",
            )
        if project.budget and project.spent and project.spent.value >= project.budget.value * SPENT:
            yield Alert(
                f"spent {project.name}", f"Project {project.name} has spent {project.spent} of {project.budget}."
            )


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
