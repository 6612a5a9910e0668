"""Dashboard.md: a pure function of the tree and the agents' Updates. Local alone writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from pydantic import ValidationError

from local_agent.home import LOCAL
from local_agent.life import told_silent
from social.calendar import holds
from vault_protocol import layout
from vault_protocol.approval import Approval, SignedApproval
from vault_protocol.canonical import moment
from vault_protocol.hub import CommitId, Edits
from vault_protocol.journal import Journal
from vault_protocol.plain import one_line
from vault_protocol.task import AgentId, Stage, Task
from vault_protocol.updates import Update, parse, spending
from vault_protocol.vault import Vault

UNDONE_WITHIN = timedelta(minutes=5)
"""An approval that holds from later on waits for more than to be taken back."""
RECENT = 15
"""Updates shown; the others are in Updates/ and in the history."""

SHOWN = (Stage.PENDING_APPROVAL, Stage.APPROVED, Stage.NEEDS_ACTION, Stage.IN_PROGRESS, Stage.QUARANTINE)
HEADINGS = {
    Stage.PENDING_APPROVAL: "Waiting for you",
    Stage.APPROVED: "Approved, on its way out",
    Stage.NEEDS_ACTION: "Waiting for an agent",
    Stage.IN_PROGRESS: "Being worked on",
    Stage.QUARANTINE: "Set aside",
}


REMEDIES = {
    "no-note": "begin it with front matter between two lines `---`",
    "too-large": "keep it under 16 KB",
    "empty": "write what you want, or delete it",
    "unknown-network": "write `linkedin`, or `mastodon` and the name of your account there",
    "unknown-cadence": "write `2 a week` or `once a month`",
    "unknown-time": "write `9:00 Europe/Berlin`",
    "named-twice": "one line for each account",
    "unknown-value": "write `Link: https://…`, `Language: de` or `Picture: shop.jpg | what it shows`",
    "cron-or-at": "give it either `cron` or `at`, not both",
    "bad-cron": "give `cron` five fields, such as `0 8 * * *`",
    "too-often": "leave a quarter of an hour between two runs",
    "never-due": "choose a day that exists",
    "unknown-time-zone": "name a time zone such as `Europe/Berlin`",
    "bad-at": "write `at` as `2026-12-01 09:00`",
    "unknown-task": "let `task` be `digest` or `remind`",
}
"""By the word with which Cloud says why a schedule does not run, or what else of the owner's notes it cannot use."""


def render(
    tasks: Mapping[Stage, Sequence[Task]], ended: Mapping[Stage, int], updates: Mapping[AgentId, Sequence[Update]],
    alarms: Sequence[str] = (), unread: Iterable[tuple[str, str]] = (), warnings: Iterable[str] = (),
    notes: Iterable[Update] = (), leaves: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """The whole note. Tasks are named by their file, so no text from outside stands in it.

    `unread`: name and reason of each schedule that an agent cannot read.
    `leaves`: when each approved task leaves that was given a time, in UTC.
    `notes`: what an agent cannot use of the goals and objectives.
    `warnings`: what of its budget for models an agent used up today, and posts whose entry is gone, moved or empty.
    `alarms` are what only this machine knows; with them the note is shown in the folder and never published.
    """
    lines = ["# Dashboard", "", "_Written by Countersign; what you write here is replaced._", ""]
    lines += _alarms(alarms, told_silent(updates.get(LOCAL, ())))
    waiting = len(tasks.get(Stage.PENDING_APPROVAL, ()))
    counts = f"{ended.get(Stage.DONE, 0)} done · {ended.get(Stage.REJECTED, 0)} rejected"
    lines += [f"**{waiting} waiting for you** · {counts}", ""]
    lines += [line for told in warnings for line in (f"> [!warning] {one_line(told, 200)}", "")]
    for stage in SHOWN:
        standing = sorted(tasks.get(stage, ()), key=lambda task: (_RANK.get(_word(task, "priority"), 1), task.id))
        if standing or stage is Stage.PENDING_APPROVAL:
            lines += [f"## {HEADINGS[stage]}", "", *(_row(task, (leaves or {}).get(task.id, "")) for task in standing)]
            lines += ["" if standing else "Nothing. Enjoy your day.\n"]
    lines += _unread_rules(updates)
    rows = [f"- `{name}`: {why}; {REMEDIES.get(why, 'look at it')}" for name, why in sorted(set(unread))]
    lines += ["## Schedules that do not run", "", "In Schedules/:", "", *rows, ""] if rows else []
    lines += _unread_notes(notes)
    lines += ["## Lately", "", *_lately(updates), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def of_vault(vault: Vault, alarms: Sequence[str] = ()) -> str:
    """The dashboard of the head this vault stands at."""
    tasks = {stage: tuple(vault.tasks(stage)) for stage in SHOWN}
    ended = {stage: _count(vault.journal.where.values(), stage) for stage in layout.BY_MONTH}
    journal = vault.journal
    warnings = (*_over_budget(journal), *_entry_gone(journal, tasks[Stage.APPROVED]))
    unread, notes = _unread_schedules(journal), _of_each(journal, "notes.md")
    leaves = dict(_leaves(journal, tasks[Stage.APPROVED]))
    return render(tasks, ended, _updates(journal), alarms, unread, warnings, notes, leaves)


def write(vault: Vault) -> None:
    """Publish the dashboard of the very head it lands on, unless that one has it already."""

    def build(_head: CommitId | None) -> Edits:
        shown = of_vault(vault).encode("utf-8")
        return {} if vault.journal.read(layout.DASHBOARD) == shown else {layout.DASHBOARD: shown}

    vault.journal.publish("dashboard", "as of the last changes", build, exact=True)


def _unread_schedules(journal: Journal) -> Iterable[tuple[str, str]]:
    for line in _of_each(journal, "schedules.md"):
        facts = dict(line.facts)
        if line.event == "schedule-unread":
            yield facts.get("name", "?"), facts.get("why", "?")


def _of_each(journal: Journal, name: str) -> Iterable[Update]:
    """The lines of this file of every agent."""
    head: CommitId | None = journal.head
    files = journal.store.paths(head, "Updates") if head else ()
    for path, _ in files:
        if path.endswith(f"/{name}"):
            yield from parse(journal.read(path) or b"")


def _over_budget(journal: Journal) -> Iterable[str]:
    """Caps that refused something on the last day an agent told of; it tells again when a day begins."""
    head: CommitId | None = journal.head
    files = journal.store.paths(head, "Updates") if head else ()
    for path, _ in files:
        if path.endswith("/spending.md"):
            facts = spending(journal.read(path))
            caps = sorted(key.removeprefix("refused-") for key in facts if key.startswith("refused-"))
            if caps:
                day = facts.get("day", "?")
                yield f"{path.split('/')[1]} used up {', '.join(caps)} on {day}: past that it drafts offline"


def _entry_gone(journal: Journal, approved: Iterable[Task]) -> Iterable[str]:
    """Posts that go out though the entry of the calendar that planned them does not any more."""
    for task in approved:
        planned = task.note.front.words("calendar")
        if not layout.in_calendar(planned):
            continue
        content = journal.read(planned)
        if not holds(content, journal.identity.vault, planned, task.id):
            why = "is gone" if content is None else "was moved or emptied since"
            yield (
                f"{task.id} ({task.slug}) is approved and goes out, but its entry of the calendar {why}: "
                f"countersign undo {task.id}"
            )


def _updates(journal: Journal) -> dict[AgentId, tuple[Update, ...]]:
    head: CommitId | None = journal.head
    if head is None:
        return {}
    files = (path for path, _ in journal.store.paths(head, "Updates") if path.endswith("/recent.md"))
    return {AgentId(path.split("/")[1]): parse(journal.read(path) or b"") for path in files}


def _alarms(alarms: Sequence[str], silent: Iterable[str]) -> list[str]:
    quiet = [f"Nothing is heard of {agent}: it is down, or the hub keeps it back." for agent in sorted(silent)]
    if not quiet and not alarms:
        return []
    told = [f"> - {one_line(words, 400)}" for words in (*alarms, *quiet)]
    return ["> [!danger] Look at `countersign status`", *told, ""]


def _unread_rules(updates: Mapping[AgentId, Sequence[Update]]) -> list[str]:
    """The lines of the handbook that an agent did not understand, of the version it read last."""
    found = set()
    for told in updates.values():
        read = next((dict(u.facts).get("version") for u in reversed(told) if u.event == "handbook-read"), None)
        facts = [dict(update.facts) for update in told if read and update.event == "handbook-unread"]
        found |= {
            (int(f["line"]), f.get("why", ""))
            for f in facts
            if f.get("version") == read and f.get("line", "").isdigit()
        }
    if not found:
        return []
    rows = [f"- line {line}: {why}" for line, why in sorted(found)]
    return ["## Rules that are not understood", "", f"In [[{layout.HANDBOOK.removesuffix('.md')}]]:", "", *rows, ""]


def _unread_notes(lines: Iterable[Update]) -> list[str]:
    """By note: lines of the goals, accounts for which they have no words left, and objectives."""
    goals, objectives = set[str](), set[str]()
    for line in lines:
        facts, why = dict(line.facts), dict(line.facts).get("why", "?")
        if line.event == "goals-unread":
            goals.add(f"- line {facts.get('line', '?')}: {why}; {REMEDIES.get(why, 'look at it')}")
        elif line.event == "goals-used-up":
            place = f"{facts.get('network', '?')} (account {facts.get('account', '?')})"
            goals.add(f"- no words are left for {place}: write new ones below *Posts*")
        elif line.event == "objective-unread":
            objectives.add(f"- `{facts.get('name', '?')}`: {why}; {REMEDIES.get(why, 'look at it')}")
    shown = ["## Posts that are not proposed", "", "In [[Business_Goals]]:", "", *sorted(goals), ""] if goals else []
    if objectives:
        shown += ["## Plans that do not begin", "", "In Objectives/:", "", *sorted(objectives), ""]
    return shown


def _leaves(journal: Journal, approved: Sequence[Task]) -> Iterable[tuple[str, str]]:
    """(task, when it leaves at the earliest) of each that waits longer than to be taken back."""
    head: CommitId | None = journal.head
    named = {f"{task.id}-r{task.revision}": task.id for task in approved}
    newest: dict[str, Approval] = {}
    for path, _ in journal.store.paths(head, "Approvals") if head and named else ():
        task = named.get(path.rpartition("/")[2].rpartition("-")[0])
        if task:
            with suppress(ValidationError):
                given = SignedApproval.model_validate_json(journal.read(path) or b"").approval
                if task not in newest or newest[task].decided_at < given.decided_at:
                    newest[task] = given
    for one, given in newest.items():
        if moment(given.not_before) - moment(given.decided_at) > UNDONE_WITHIN:
            yield one, given.not_before


def _row(task: Task, leaves: str = "") -> str:
    path = layout.path_of(task).removesuffix(".md")
    facts = [_word(task, "priority"), _word(task, "action")]
    warnings = task.note.front.get("warnings")
    if isinstance(warnings, int) and warnings > 0:
        facts.append(f"⚠ {warnings}")
    if task.lease:
        facts.append(f"{task.lease.owner}, attempt {task.attempt}")
    if leaves:
        facts.append(f"waits until {leaves}")
    known = " · ".join(fact for fact in facts if fact)
    return f"- [[{path}|{task.slug or task.id}]]" + (f" — {known}" if known else "")


def _lately(updates: Mapping[AgentId, Sequence[Update]]) -> list[str]:
    events = sorted(((u.at, agent, u) for agent, found in updates.items() for u in found), key=lambda e: e[:2])
    if not events:
        return ["Nothing yet."]
    rows = [
        f"| {at} | {agent} | {update.event} | {' '.join(f'{k}={v}' for k, v in update.facts)} |"
        for at, agent, update in reversed(events[-RECENT:])
    ]
    return ["| when | who | what | |", "|---|---|---|---|", *rows]


def _word(task: Task, key: str) -> str:
    """A front-matter value only if it is one plain word."""
    value = task.note.front.words(key)
    return value if value.isascii() and value.replace("_", "").isalnum() and len(value) <= 30 else ""


def _count(paths: Iterable[str], stage: Stage) -> int:
    prefix = f"{stage.value}/"
    return sum(path.startswith(prefix) for path in paths)


_RANK = {"high": 0, "normal": 1, "low": 2}
