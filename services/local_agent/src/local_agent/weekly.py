"""The weekly briefing: written on Monday, or when asked; its suggestions and alerts are tasks for the owner."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from accounting import alerts
from accounting.briefing import Facts, Suggestion, Unavailable, render, week_of
from accounting.reminding import reminder
from books.errors import BooksError
from books.values import Owed
from local_agent.assemble import Local
from local_agent.follow_up import FOR_LOCAL
from local_agent.home import LOCAL
from local_agent.weekly_facts import collect, late, link_of, posting_of
from vault_protocol import request
from vault_protocol.action import Address, BadAction
from vault_protocol.audit import Record
from vault_protocol.canonical import utc
from vault_protocol.errors import VaultError
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced, one_line, slug, visible
from vault_protocol.request import Request
from vault_protocol.task import Domain, Stage, Task, task_id
from vault_protocol.updates import Update
from vault_protocol.vault import Also

log = structlog.get_logger()

HOUR = 6
"""UTC, on Mondays. A machine that slept then writes it when it wakes, once for each week."""

LATE_DAYS = 14
"""From when on an invoice is suggested to be reminded of, unless Business_Goals.md says otherwise."""


class Weekly:
    """`step` writes the briefing of this week when it is time and it is not there."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._looked: datetime | None = None

    def step(self) -> None:
        now = self._local.clock.now()
        if self._looked is not None and now - self._looked < timedelta(minutes=10):
            return
        self._looked = now
        monday = now.date() - timedelta(days=now.weekday())
        begins = now.replace(year=monday.year, month=monday.month, day=monday.day, hour=HOUR, minute=0, second=0)
        if now >= begins and self._local.vault.journal.read(path_of(now)) is None:
            log.info("briefing.written", path=write(self._local))


def path_of(now: datetime) -> str:
    return f"Briefings/{week_of(now.date())}.md"


def write(local: Local) -> str:
    """Collect, raise what is to be decided, publish; the path. A second one in a week replaces the first."""
    now = local.clock.now()
    facts = collect(local, now)
    for alert in facts.alerts:
        _raise(
            local,
            "alert",
            f"{alert.key} {week_of(facts.today)}" if alert.key == "open" else alert.key,
            alert.words,
            now,
        )
    facts = replace(facts, suggestions=tuple(_suggestions(local, facts, now)))
    missing = sum(isinstance(part, Unavailable) for part in (facts.week, facts.owed, facts.cash))
    front = FrontMatter().put(type="briefing", week=week_of(facts.today), created=utc(now), unavailable=missing or None)
    note = Note(front, render(facts))
    record = Record.of(
        "briefing.written", actor=LOCAL, target=week_of(facts.today), at=now, result="published",
        parameters={"alerts": len(facts.alerts), "suggestions": len(facts.suggestions), "unavailable": missing},
    )  # fmt: skip
    update = Update.of("briefing", now, week=week_of(facts.today).lower(), alerts=len(facts.alerts))
    local.vault.write("briefing", week_of(facts.today), {path_of(now): note.content()}, Also([record], [update]))
    return path_of(now)


def _suggestions(local: Local, facts: Facts, now: datetime) -> Iterator[Suggestion]:
    """Each with the note that asks for the decision, ready to be approved, acknowledged or rejected."""
    waiting = {
        (task.note.front.words("action"), str(task.note.front.get("record") or "")): task
        for task in local.vault.tasks(Stage.PENDING_APPROVAL)
    }
    if not isinstance(facts.owed, Unavailable):
        days = LATE_DAYS if facts.goals.late_days is None else facts.goals.late_days
        for owed in late(facts.owed, days):
            there = waiting.get(("send_mail", str(owed.move))) or _remind(local, owed, now)
            if there is not None:
                words = f"Remind {owed.name} of {owed.number}, {owed.residual}, {owed.days_over} days late"
                yield Suggestion(words, link_of(there))
    for (action, _), task in sorted(waiting.items(), key=lambda item: item[1].id):
        if action == "register_payment":
            yield Suggestion(f"Say whether {task.note.front.words('document') or 'a bill'} was paid", link_of(task))
    for name, why in alerts.questions(facts.goals):
        there = _raise(
            local, "suggestion", f"subscription {name} {why}", f"Question the subscription {name}: {why}", now
        )
        if there is not None:
            yield Suggestion(f"Question {name}: {why}", link_of(there))


def _remind(local: Local, owed: Owed, now: datetime) -> Task | None:
    """The reminder as a request of Local's own; None when there is nobody to write to, or nothing to write from."""
    if not local.settings.accounts:
        return None
    account = local.settings.accounts[0]
    try:
        books = posting_of(local).books
        move = books.invoice(owed.move)
        if move.partner is None:
            return None
        sender = Address(name=local.settings.owner, address=account.address)
        action = reminder(move, books.partner(move.partner.id), account=account.name, sender=sender)
    except (BooksError, VaultError, BadAction, ValueError):
        return None  # the alert says that it is late; there is nobody to write to
    key = f"remind {owed.move} {owed.days_over // 30}"
    task = _task(local, "reminder", key, f"{owed.number} is {owed.days_over} days late", now)
    note = task.note.put(record=owed.move, subject=f"Overdue: {one_line(owed.number, 60)}")
    return _put_up(local, task, request.put(note, Request(secrets.token_hex(8), action)).put(type="approval"), now)


def _raise(local: Local, kind: str, key: str, words: str, now: datetime) -> Task | None:
    """A note for the owner to acknowledge or send back; None when they have dealt with it."""
    task = _task(local, kind, key, words, now)
    return _put_up(local, task, task.note, now)


def _task(local: Local, kind: str, key: str, words: str, now: datetime) -> Task:
    id_ = task_id(local.home.secret_bytes(), mailbox=kind, message_id=key, content_sha256="")
    front = FrontMatter().put(
        **{"for": FOR_LOCAL}, type=kind, subject=one_line(words, 120), received=utc(now), created=utc(now),
        priority="high" if kind == "alert" else "normal", reason=one_line(words),
    )  # fmt: skip
    body = f"\n# {'An alert' if kind == 'alert' else 'A suggestion'}\n\n## Original\n\n{fenced(visible(words))}"
    return Task(
        id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.ACCOUNTING, slug=slug(f"{kind} {key}"), note=Note(front, body)
    )


def _put_up(local: Local, task: Task, note: Note, now: datetime) -> Task | None:
    """Add, claim and submit; after a kill in between the next run goes on where that one was."""
    vault = local.vault
    record = Record.of(
        "suggestion.raised", actor=LOCAL, target=task.id, at=now, parameters={"type": task.note.front.words("type")}
    )
    vault.add(task)
    if vault.get(task.id).stage is Stage.IN_PROGRESS:
        for mine in vault.mine():
            vault.release(mine)
    held = vault.claim_next([Domain.ACCOUNTING], fit=lambda one: one.id == task.id)
    if held is not None:
        return vault.submit(held, note, Also([record]))
    there = vault.get(task.id)
    return there if there.stage is Stage.PENDING_APPROVAL else None
