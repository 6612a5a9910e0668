"""*Now*: what each agent is doing, how both machines are, and how much waits where."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from local_agent import ages
from local_agent.approvals.answering import Ask
from local_agent.approvals.waiting import switches
from local_agent.assemble import Local
from local_agent.chats.pairing_code import BAN, HOW, code_in, path, squares
from local_agent.effects import Ledger
from vault_protocol import layout, updates
from vault_protocol.task import AgentId, Stage, Task

QUEUES = (
    (Stage.NEEDS_ACTION, "wait for an agent"), (Stage.IN_PROGRESS, "are being worked on"),
    (Stage.PENDING_APPROVAL, "wait for you"), (Stage.APPROVED, "are on their way"), (Stage.QUARANTINE, "are set aside"),
)  # fmt: skip


@dataclass(frozen=True)
class Agent:
    """One pinned agent: when it last gave a word, by its own clock, and what it holds."""

    name: str
    heard: str
    silent: bool
    holds: tuple[Task, ...]


@dataclass(frozen=True)
class Phone:
    """A WhatsApp account that waits to be paired: `dark` is an SVG path on `size` units, or empty."""

    name: str
    code: str
    dark: str
    size: int


def now(ask: Ask) -> Response:
    with ask.page.vault() as (local, trouble):
        told = _told(local)
        head, moment = local.vault.journal.head, local.clock.now()
        age = ages.span(moment - local.store.when(head)) if head else "nobody knows how long"
        places = [layout.place_of(path) for path in local.vault.journal.where.values()]
        queues = [(sum(p is not None and p.stage is stage for p in places), words) for stage, words in QUEUES]
        with closing(Ledger(local.home.ledger)) as ledger:
            unsure = [(effect.task, effect.detail) for effect in ledger.unknown()]
        return ask.show(
            "now.html", trouble=trouble, age=age, queues=queues, agents=_agents(local, told, moment), unsure=unsure,
            phones=_phones(local), ban=BAN, how=HOW, troubles=list(_troubles(told)), switches=switches(local),
            notices=_rows(told, "notices", 3)[-5:],
        )  # fmt: skip


def _phones(local: Local) -> list[Phone]:
    accounts = [one.name for one in local.settings.whatsapp if one.way == "linked"]
    codes = [(name, code) for name in accounts if (code := code_in(local.home.whatsapp / name))]
    return [Phone(name, code, path(found), len(found)) for name, code in codes for found in [squares(code)]]


def _agents(local: Local, told: dict[str, Any], moment: datetime) -> list[Agent]:
    silent = {row[1] for row in _rows(told, "silences", 4)}
    held: dict[str, list[Task]] = {}
    for task in local.vault.tasks(Stage.IN_PROGRESS):
        if task.lease:
            held.setdefault(task.lease.owner, []).append(task)
    found = []
    for name in (*local.home.cloud_agents(local.settings.vault), AgentId("local")):
        paths = updates.both_paths(name)
        word = updates.last_word(*(local.vault.journal.read(path) for path in paths))
        said = f"{ages.span(max(moment - word, timedelta(0)))} ago" if word else "never"
        found.append(Agent(name, said, name in silent, tuple(held.get(name, ()))))
    return found


def _troubles(told: dict[str, Any]) -> list[str]:
    """What the running service says is wrong."""
    single = [
        str(told.get(key, "ok")) for key in ("untrusted", "disk", "inbox") if told.get(key, "ok") not in ("", "ok")
    ]
    silences = [row[3] for row in _rows(told, "silences", 4)]
    hidden = [f"A mail in your inbox has no note: {row[0]}, received {row[1]}" for row in _rows(told, "hidden_mail", 2)]
    unsynced = [f"{row[0]} stays on this machine: {row[1]}" for row in _rows(told, "unsynced", 2)]
    return [*single, *silences, *hidden, *unsynced]


def _rows(told: dict[str, Any], key: str, width: int) -> list[list[str]]:
    """Rows of that many words; the file is ours, and still read as if it were not."""
    found = told.get(key, [])
    rows = [row for row in found if isinstance(row, list) and len(row) == width] if isinstance(found, list) else []
    return [[str(word)[:400] for word in row] for row in rows]


def _told(local: Local) -> dict[str, Any]:
    try:
        found = json.loads(local.home.status.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
