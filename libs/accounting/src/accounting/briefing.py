"""The weekly briefing as a note. Every figure names its query; what could not be asked is said to be unavailable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from accounting import alerts
from accounting.alerts import Alert
from accounting.goals import Goals
from books.values import Figure, Owed
from vault_protocol.plain import fenced, one_line

BAR = 30
AGES = ((0, "not due"), (30, "1 to 30 days over"), (60, "31 to 60 days over"), (90, "61 to 90 days over"))
OLDEST = "more than 90 days over"


@dataclass(frozen=True)
class Unavailable:
    """A source that did not answer; no figure is put in its place."""

    why: str


@dataclass(frozen=True)
class Ended:
    """A task that was done in the week. `link` is its path without `.md`."""

    link: str
    kind: str
    result: str
    took: timedelta


@dataclass(frozen=True)
class Slow:
    """What took, or takes, longer than expected."""

    link: str
    expected: timedelta
    actual: timedelta
    waiting: bool


@dataclass(frozen=True)
class Suggestion:
    """Something to decide. `link` is the note in Pending_Approval that asks it."""

    words: str
    link: str


@dataclass(frozen=True)
class Facts:
    """What the briefing is made of, and nothing else."""

    today: date
    week: Figure | Unavailable
    month: Figure | Unavailable
    year: Figure | Unavailable
    months: tuple[tuple[str, Figure], ...] | Unavailable
    cash: Figure | Unavailable
    owed: tuple[Owed, ...] | Unavailable
    goals: Goals
    ended: tuple[Ended, ...] = ()
    slow: tuple[Slow, ...] = ()
    alerts: tuple[Alert, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


OWED_QUERY = "amount_residual of posted, unreconciled journal items on receivable accounts, by date_maturity"


def render(facts: Facts) -> str:
    """The body. Nothing in it renders as more than text, tables and links inside the vault."""
    return "\n".join(_lines(facts)).rstrip("\n") + "\n"


def week_of(day: date) -> str:
    """`2026-W48`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def by_age(owed: Sequence[Owed]) -> tuple[tuple[str, Decimal], ...]:
    """What is open in each age; every item is in exactly one."""
    sums = dict.fromkeys([name for _, name in AGES] + [OLDEST], Decimal(0))
    for one in owed:
        name = next((name for most, name in AGES if one.days_over <= most), OLDEST)
        sums[name] += one.residual.amount
    return tuple(sums.items())


def bars(rows: Sequence[tuple[str, Decimal]]) -> str:
    """A chart of letters: readable in any viewer, and nothing that a viewer would run."""
    most = max((abs(value) for _, value in rows), default=Decimal(0))
    width = max((len(label) for label, _ in rows), default=0)
    lines = []
    for label, value in rows:
        length = int((abs(value) / most * BAR).to_integral_value()) if most else 0
        lines.append(f"{label:<{width}}  {('█' if value >= 0 else '░') * length:<{BAR}}  {value:>14,.2f}")
    return "\n".join(lines)


def _lines(facts: Facts) -> Iterator[str]:
    yield from ("", f"# Briefing {week_of(facts.today)}", "", *_summary(facts))
    yield from ("", "## Revenue", "", *_revenue(facts))
    yield from ("", "## Receivables", "", *_receivables(facts))
    yield from ("", "## Cash", "", _figure("In bank and cash", facts.cash))
    yield from ("", f"## Completed tasks ({len(facts.ended)})", "", *_ended(facts))
    yield from ("", "## Bottlenecks", "", *_slow(facts))
    yield from ("", "## Subscriptions to question", "", *_subscriptions(facts))
    yield from ("", "## Deadlines", "", *_deadlines(facts))
    yield from ("", "## Suggestions", "", *_suggestions(facts))
    if facts.goals.unread or facts.goals.unmeasured:
        yield from ("", "## Not understood in [[Business_Goals]]", "")
        yield from (f"- {one_line(line)}" for line in facts.goals.unread)
        yield from (f"- {one_line(metric)}: nothing here measures it" for metric in facts.goals.unmeasured)


def _summary(facts: Facts) -> Iterator[str]:
    yield f"{len(facts.ended)} tasks done, {len(facts.suggestions)} suggestions, {len(facts.alerts)} alerts."
    missing = {value.why for value in _sources(facts) if isinstance(value, Unavailable)}
    for why in sorted(missing):
        yield f"\n**Unavailable:** {one_line(why)}. What rests on it is not in this briefing."
    for alert in facts.alerts:
        yield f"\n**Alert:** {one_line(alert.words)}"


def _sources(facts: Facts) -> tuple[object, ...]:
    return (facts.week, facts.month, facts.year, facts.months, facts.cash, facts.owed)


def _figure(label: str, figure: Figure | Unavailable) -> str:
    if isinstance(figure, Unavailable):
        return f"- {label}: unavailable"
    return f"- {label}: **{figure.value}** — {one_line(figure.query)}"


def _revenue(facts: Facts) -> Iterator[str]:
    yield _figure("Last week", facts.week)
    yield _figure("This month to date", facts.month)
    wanted = facts.goals.month
    if wanted and isinstance(facts.month, Figure):
        if wanted.target.currency == facts.month.value.currency:
            yield f"- Of the goal of {wanted.target}: **{facts.month.value.amount / wanted.target.value:.0%}**"
        else:
            yield f"- The goal is in {wanted.target.currency}, the books in {facts.month.value.currency}: not compared"
    yield _figure("This year to date", facts.year)
    if isinstance(facts.months, Unavailable):
        yield "- Trend: unavailable"
        return
    yield from ("", fenced(bars([(label, figure.value.amount) for label, figure in facts.months])).rstrip("\n"))
    if facts.months:
        yield from ("", f"Each month: {one_line(facts.months[0][1].query.partition(',')[0])}.")


def _receivables(facts: Facts) -> Iterator[str]:
    if isinstance(facts.owed, Unavailable):
        yield "- unavailable"
        return
    total = sum((one.residual.amount for one in facts.owed), Decimal(0))
    currency = facts.owed[0].residual.currency if facts.owed else ""
    yield f"- Open: **{total:.2f} {currency}** in {len(facts.owed)} items — {OWED_QUERY}".replace("  ", " ")
    yield from ("", fenced(bars(by_age(facts.owed))).rstrip("\n"))


def _ended(facts: Facts) -> Iterator[str]:
    if not facts.ended:
        yield "None."
        return
    yield from ("| task | what | result | took |", "|---|---|---|---|")
    for one in facts.ended[:50]:
        yield f"| [[{one.link}]] | {one_line(one.kind, 40)} | {one_line(one.result, 60)} | {_span(one.took)} |"
    if len(facts.ended) > 50:
        yield from ("", f"… and {len(facts.ended) - 50} more in Done/.")


def _slow(facts: Facts) -> Iterator[str]:
    if not facts.slow:
        yield "None."
        return
    yield from ("| task | expected | actual | delay | |", "|---|---|---|---|---|")
    for one in facts.slow[:20]:
        state = "still waiting" if one.waiting else "done"
        delay = _span(one.actual - one.expected)
        yield f"| [[{one.link}]] | {_span(one.expected)} | {_span(one.actual)} | {delay} | {state} |"


def _subscriptions(facts: Facts) -> Iterator[str]:
    found = [f"- {one_line(name)}: {one_line(why)}" for name, why in alerts.questions(facts.goals)]
    yield from found or ["None."]


def _deadlines(facts: Facts) -> Iterator[str]:
    soon = sorted((p for p in facts.goals.projects if (p.due - facts.today).days <= 30), key=lambda p: p.due)
    yield from [f"- {p.due}: {one_line(p.name)} for {one_line(p.customer)}, {one_line(p.status)}" for p in soon] or [
        "None."
    ]


def _suggestions(facts: Facts) -> Iterator[str]:
    yield from [f"- {one_line(s.words)} → [[{s.link}]]" for s in facts.suggestions] or ["None."]


def _span(passed: timedelta) -> str:
    hours = max(0, round(passed.total_seconds() / 3600))
    return f"{hours // 24} d {hours % 24} h" if hours >= 48 else f"{hours} h"
