"""The audit logs of all agents as one story, with each agent's chain verified."""

from __future__ import annotations

from vault_protocol import audit
from vault_protocol.audit import BrokenChain, Record
from vault_protocol.journal import Journal


def read_logs(journal: Journal) -> tuple[list[Record], dict[str, int], dict[str, str]]:
    """(all readable records by time, whole chains and their length, broken chains and where)."""
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
