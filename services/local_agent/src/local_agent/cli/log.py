"""`log`: what every agent wrote down, by time, with each agent's chain verified."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from local_agent.assemble import Local
from local_agent.cli import words
from local_agent.cli.session import HomeOption, JsonOption, Session
from vault_protocol import audit
from vault_protocol.audit import BrokenChain, Record
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
    records, verified, broken = read_logs(local)
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


def read_logs(local: Local) -> tuple[list[Record], dict[str, int], dict[str, str]]:
    """(all readable records by time, whole chains and their length, broken chains and where)."""
    journal = local.vault.journal
    files: dict[str, list[str]] = {}
    for path, _ in journal.store.paths(journal.head, "Logs") if journal.head else ():
        files.setdefault(path.split("/")[1], []).append(path)
    records: list[Record] = []
    verified: dict[str, int] = {}
    broken: dict[str, str] = {}
    for agent, paths in files.items():
        lines = [line for path in sorted(paths) for line in _lines(journal.read(path))]
        try:
            last = audit.verify(lines)
            verified[agent] = last.sequence if last else 0
        except BrokenChain as error:
            broken[agent] = str(error)
        for line in lines:
            try:
                records.append(audit.parse(line))
            except BrokenChain:
                continue
    return sorted(records, key=lambda record: (record.timestamp, record.actor, record.sequence)), verified, broken


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode("utf-8", "replace").splitlines()


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
