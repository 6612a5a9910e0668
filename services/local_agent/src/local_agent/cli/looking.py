"""`list` and `show`."""

from __future__ import annotations

import itertools
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from local_agent import ages
from local_agent.assemble import Local
from local_agent.cli import words
from local_agent.cli.chat_words import words_kept_here
from local_agent.cli.session import HomeOption, IdArgument, JsonOption, Session
from local_agent.cli.show_draft import show_draft
from local_agent.drafts import Draft, as_json, check_state, open_draft
from vault_protocol.canonical import Json
from vault_protocol.task import Stage, Task

OPEN = (Stage.PENDING_APPROVAL, Stage.APPROVED, Stage.QUARANTINE, Stage.NEEDS_ACTION, Stage.IN_PROGRESS)
COLOURS = {"ok": "green", "mismatch": "bold red", "malformed": "bold red", "unchecked": "yellow", "warnings": "yellow"}


def list_(
    home: HomeOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every stage, not only what waits for you.")] = False,
    json_: JsonOption = False,
) -> None:
    """What waits for you, most urgent first."""
    session = Session(home, json_)
    local = session.look()
    stages = tuple(Stage) if everything else (Stage.PENDING_APPROVAL,)
    drafts = _drafts(local, stages)
    unreadable = [error.path for error in local.vault.malformed(*stages)]
    if session.as_json:
        session.answer({"tasks": [as_json(local, draft) for draft in drafts], "unreadable": unreadable})
        return
    if not drafts:
        session.say("Nothing waits for you.")
    else:
        session.show(_table(local, drafts, everything))
    for path in unreadable:
        session.warn(f"{path} cannot be read; the service will set it aside")


def show(id_: IdArgument, home: HomeOption = None, json_: JsonOption = False) -> None:
    """One draft in full, with its warnings, Local's own check, and the original."""
    session = Session(home, json_)
    local = session.look()
    draft = open_draft(local, id_)
    if not session.as_json:
        show_draft(session, local, draft)
        return
    session.answer({**as_json(local, draft), **_whole(draft), **words_kept_here(local, draft)})


def short_ids(local: Local) -> int:
    """How many letters tell every task here from every other, six at least."""
    ids = sorted(local.vault.journal.where)
    shared = 0
    for one, other in itertools.pairwise(ids):
        same = next((i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), 16)
        shared = max(shared, same)
    return max(6, shared + 1)


def _drafts(local: Local, stages: tuple[Stage, ...]) -> list[Draft]:
    """Stage by stage. When the mailbox does not answer once, the others are not tried."""
    drafts: list[Draft] = []
    reachable = True
    for stage in sorted(stages, key=(*OPEN, Stage.REJECTED, Stage.DONE).index):
        for task in sorted(local.vault.tasks(stage), key=ages.urgency):
            fresh = reachable and stage is Stage.PENDING_APPROVAL and local.judge.known(task) is None
            draft = _draft(local, task, fresh)
            if fresh and draft.check is not None and not draft.check.original:
                reachable = "could not be read" not in draft.check.reason
            drafts.append(draft)
    return drafts


def _draft(local: Local, task: Task, fresh: bool) -> Draft:
    draft = open_draft(local, task.id, look=False)
    if fresh and draft.request is not None:
        return Draft(draft.task, draft.request, local.judge.check(task), draft.edit)
    return draft


def _table(local: Local, drafts: list[Draft], everything: bool) -> Table:
    now, letters = local.clock.now(), short_ids(local)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("ID", no_wrap=True, min_width=letters)
    if everything:
        table.add_column("Stage", no_wrap=True)
    table.add_column("Prio", no_wrap=True)
    table.add_column("From", max_width=30)
    table.add_column("Subject", max_width=46)
    table.add_column("Asks", no_wrap=True)
    for heading in ("Age", "!", "Check"):
        table.add_column(heading, no_wrap=True)
    for draft in drafts:
        task, front = draft.task, draft.task.note.front
        priority, state = front.words("priority") or "normal", check_state(draft)
        waits = task.stage is Stage.PENDING_APPROVAL
        old = " stale" if waits and ages.stale(task, now) else ""
        cells = [Text(task.id[:letters], style="cyan")]
        if everything:
            cells.append(Text(task.stage.value))
        warnings = len(draft.request.warnings) if draft.request else 0
        cells += [
            words.line(priority, "bold" if priority == "high" else ""),
            words.line(front.words("from")),
            words.line(front.words("subject") or front.words("name") or task.slug),
            Text(draft.request.action.type if draft.request else ("" if not draft.fault else "unreadable")),
            Text(ages.age(ages.since(task), now) + old, style="yellow" if old else ""),
            Text(str(warnings) if warnings else "", style="yellow"),
            Text(state + (" edited" if draft.edit else ""), style=COLOURS.get(state, "")),
        ]
        table.add_row(*cells)
    return table


def _whole(draft: Draft) -> dict[str, Json]:
    check, asked, edit = draft.check, draft.request, draft.edit
    return {
        "action": asked.action.model_dump(mode="json") if asked else None,
        "digest": asked.action.digest if asked else None,
        "unknowns": list(asked.unknowns) if asked else [],
        "mismatches": list(check.mismatches) if check else [],
        "check_warnings": list(check.warnings) if check else [],
        "check_reason": check.reason if check else "not checked yet",
        "folder_edit": {"diff": edit.diff, "fault": edit.fault} if edit else None,
        "note": draft.task.note.content().decode("utf-8"),
    }
