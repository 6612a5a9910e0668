"""The daily digest: what waits, for how long, and what was done since the day before. Counts and ids alone."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from vault_protocol import updates
from vault_protocol.canonical import moment, utc
from vault_protocol.front_matter import FrontMatter
from vault_protocol.layout import path_of as place
from vault_protocol.note import Note
from vault_protocol.task import Stage, Task
from vault_protocol.vault import Vault

SHOWN = 20
TOLD = ("received", "drafted", "asked", "closed", "quarantined", "scheduled")


def path_of(due: str) -> str:
    """Raises ValueError for what is no moment: it stands in a note, and here it names a file."""
    return f"Briefings/digest-{moment(due):%Y-%m-%d}.md"


def note_of(vault: Vault, due: str, now: datetime) -> bytes:
    """`due`: the moment of the run, which names the note."""
    waiting = sorted(vault.tasks(Stage.PENDING_APPROVAL), key=_age)
    counts = Counter(task.domain.value for task in waiting)
    front = FrontMatter().put(type="digest", created=utc(now), waiting=len(waiting))
    lines = [f"\n# Digest of {due[:10]}\n", f"\n{len(waiting)} wait for you", *_list(counts), ".\n"]
    urgent = [task for task in waiting if task.note.front.words("priority") == "high"]
    if waiting:
        lines.append("\n## The most urgent\n\n")
        chosen = dict.fromkeys(task.id for task in (*urgent, *waiting))
        by_id = {task.id: task for task in waiting}
        lines += [_row(by_id[one], now) for one in list(chosen)[:SHOWN]]
    lines.append(f"\n## Since the day before\n\n{_since(vault, now)}\n")
    others = {stage: sum(1 for _ in vault.tasks(stage)) for stage in (Stage.NEEDS_ACTION, Stage.QUARANTINE)}
    lines.append(f"\n{others[Stage.NEEDS_ACTION]} not begun, {others[Stage.QUARANTINE]} set aside.\n")
    return Note(front, "".join(lines)).content()


def _list(counts: Counter[str]) -> list[str]:
    return [": " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))] if counts else []


def _row(task: Task, now: datetime) -> str:
    hours = int(max((now - _age(task)).total_seconds(), 0) // 3600)
    high = ", urgent" if task.note.front.words("priority") == "high" else ""
    return f"- [[{place(task).removesuffix('.md')}|{task.slug or task.id}]], {hours} hours{high}\n"


def _age(task: Task) -> datetime:
    """What cannot be read is taken for old, so that it is seen."""
    try:
        return moment(task.note.front.words("created"))
    except ValueError:
        return moment("1970-01-01T00:00:00Z")


def _since(vault: Vault, now: datetime) -> str:
    agent, counts = vault.journal.identity.agent, Counter[str]()
    for line in updates.parse(vault.journal.read(updates.path(agent)) or b""):
        try:
            recent = now - moment(line.at) < timedelta(days=1)
        except ValueError:
            continue
        counts[line.event] += recent
    told = ", ".join(f"{counts[event]} {event}" for event in TOLD if counts[event])
    return (told or "nothing new") + "."
