"""What the weekly briefing is made of: the books, read by Local itself, and the vault."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

from accounting import alerts, goals
from accounting.briefing import Ended, Facts, Slow, Unavailable
from books.errors import BooksError
from books.odoo import OdooBooks
from books.values import Figure, Owed
from local_agent.assemble import Local
from local_agent.mcp.posting import Posting
from vault_protocol import layout
from vault_protocol.canonical import moment
from vault_protocol.errors import VaultError
from vault_protocol.task import Stage, Task

EXPECTED = timedelta(hours=24)
"""How long a task may take from its arrival to its end."""

MONTHS = 6
T = TypeVar("T")


def collect(local: Local, now: datetime) -> Facts:
    """Everything but the suggestions, which are raised from it."""
    today = now.date()
    wanted = goals.read((local.vault.journal.read(layout.GOALS) or b"").decode("utf-8", "replace"), today=today)
    books = _Asked(local)
    monday = today - timedelta(days=today.weekday())
    week = books.ask(lambda b: b.revenue(monday - timedelta(days=7), monday - timedelta(days=1)))
    month = books.ask(lambda b: b.revenue(today.replace(day=1), today))
    year = books.ask(lambda b: b.revenue(date(today.year, 1, 1), today))
    owed = books.ask(lambda b: b.receivables(today=today))
    found = alerts.alerts(wanted, today=today, month=_known(month), year=_known(year), owed=_known(owed))
    return Facts(
        today=today, week=week, month=month, year=year, owed=owed,
        months=books.ask(lambda b: tuple(_months(b, today))),
        cash=books.ask(lambda b: b.cash(on=today)),
        goals=wanted, ended=tuple(_ended(local, now)), slow=tuple(_slow(local, now)), alerts=found,
    )  # fmt: skip


def posting_of(local: Local) -> Posting:
    """The owner's books. Raises VaultError when there are none, BooksError for a key that cannot be read."""
    if not local.settings.books:
        raise VaultError("no books are set up on this machine")
    return local.books.open(local.settings.books[0].name)


class _Asked:
    """The books, asked one thing at a time; after one answer that did not come, nothing more is asked."""

    def __init__(self, local: Local) -> None:
        self._local, self._away = local, ""

    def ask(self, question: Callable[[OdooBooks], T]) -> T | Unavailable:
        if self._away:
            return Unavailable(self._away)
        try:
            return question(posting_of(self._local).books)
        except (BooksError, VaultError) as error:
            self._away = f"the books ({type(error).__name__}: {error})"
            return Unavailable(self._away)


def _known(found: T | Unavailable) -> T | None:
    return None if isinstance(found, Unavailable) else found


def _months(books: OdooBooks, today: date) -> Iterator[tuple[str, Figure]]:
    year, number = today.year, today.month
    spans: list[tuple[date, date]] = []
    for _ in range(MONTHS):
        last = min(today, date(year, number, monthrange(year, number)[1]))
        spans.append((date(year, number, 1), last))
        year, number = (year, number - 1) if number > 1 else (year - 1, 12)
    for first, last in reversed(spans):
        yield f"{first:%Y-%m}", books.revenue(first, last)


def _ended(local: Local, now: datetime) -> Iterator[Ended]:
    for task in _done_since(local, now - timedelta(days=7)):
        assert task.finished is not None
        front = task.note.front
        took = task.finished - (_since(task) or task.finished)
        yield Ended(
            link_of(task), front.words("action") or front.words("type"), front.words("result") or "closed", took
        )


def _slow(local: Local, now: datetime) -> Iterator[Slow]:
    found = [
        Slow(link_of(task), EXPECTED, (task.finished or now) - since, task.finished is None)
        for task in (*_done_since(local, now - timedelta(days=7)), *local.vault.tasks(Stage.NEEDS_ACTION,
                     Stage.IN_PROGRESS, Stage.PENDING_APPROVAL, Stage.APPROVED, Stage.QUARANTINE))
        if (since := _since(task)) is not None
    ]  # fmt: skip
    yield from sorted((s for s in found if s.actual > s.expected), key=lambda s: s.actual, reverse=True)


def _done_since(local: Local, since: datetime) -> Iterator[Task]:
    """Done fans out by month: only the folders of the span are read."""
    months = {layout.month(since), layout.month(local.clock.now())}
    journal = local.vault.journal
    for path in sorted(journal.where.values()):
        if path.startswith(tuple(f"{Stage.DONE.value}/{month}/" for month in months)):
            try:
                task = local.vault.get(path.rpartition("/")[2][:16])
            except VaultError:
                continue
            if task.finished is not None and task.finished >= since:
                yield task


def link_of(task: Task) -> str:
    return layout.path_of(task).removesuffix(".md")


def _since(task: Task) -> datetime | None:
    try:
        return moment(task.note.front.words("received"))
    except ValueError:
        return None


def late(owed: tuple[Owed, ...], days: int) -> tuple[Owed, ...]:
    return tuple(one for one in owed if one.days_over > days and one.residual.amount > 0)
