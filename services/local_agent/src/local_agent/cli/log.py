"""`log`: what every agent wrote down, by time, with each agent's chain verified."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from local_agent.cli import words
from local_agent.cli.session import HomeOption, JsonOption, Session
from local_agent.trail import read_logs
from vault_protocol.audit import Record
from vault_protocol.errors import NoSuchTask, VaultError

SHOWN_PARAMETERS = ("revision", "how", "edited", "rule", "message_id", "sent_at", "verdict")


def log(
    task: Annotated[str, typer.Option("--task", metavar="ID", help="Only what was done about this task.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="The newest so many; 0 for all.")] = 50,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """The audit log of all agents, oldest first. Ends with 1 when a chain is broken."""
    session = Session(home, json_)
    local = session.look()
    records, verified, broken = read_logs(local.vault.journal)
    if task:
        records = [record for record in records if record.target.startswith(task)]
        if not records:
            raise NoSuchTask(f"the log has nothing about {task!r}")
    shown = records[-limit:] if limit else records
    if session.as_json:
        rows = [{**asdict(record), "hash": record.hash} for record in shown]
        session.answer({"records": rows, "chains": verified, "broken": broken})
    else:
        session.show(_table(shown))
        if len(shown) < len(records):
            session.say(f"{len(records) - len(shown)} older ones: --limit 0", "dim")
        for agent, count in verified.items():
            session.say(f"The chain of {agent} is whole: {count} records.", "green")
    if broken:
        raise VaultError(f"the audit log is broken: {'; '.join(f'{agent}: {why}' for agent, why in broken.items())}")


def _table(records: list[Record]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Time", "Who", "What", "About", "Result", "By", ""):
        table.add_column(heading, no_wrap=heading != "", overflow="ellipsis" if heading else "fold")
    for record in records:
        facts = {key: record.parameters[key] for key in SHOWN_PARAMETERS if key in record.parameters}
        told = " ".join(
            f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in facts.items()
        )
        table.add_row(
            words.line(record.timestamp, "dim"), words.line(record.actor), words.line(record.action_type, "bold"),
            words.line(record.target[:16], "cyan"), words.line(record.result), words.line(record.approved_by),
            Text(words.exactly(told), style="dim"),
        )  # fmt: skip
    return table
