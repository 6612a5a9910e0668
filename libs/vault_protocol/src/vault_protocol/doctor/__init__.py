"""The invariants, looked for in a real vault: its history, its head, its objects. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vault_protocol import layout, notes, remote, request, scan
from vault_protocol.doctor.finding import Finding, finding
from vault_protocol.doctor.papers import Papers
from vault_protocol.doctor.past import Past
from vault_protocol.errors import MalformedNote, UntrustedHead
from vault_protocol.follow import Trust
from vault_protocol.hub import CommitId, Store
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import Stage, Task

__all__ = ["Finding", "examine", "fsck"]


def examine(
    store: Store, head: CommitId, *, trust: Trust | None = None, approval_key: PublicKey | None = None
) -> tuple[Finding, ...]:
    """What is wrong with the vault at `head` and on the way there.

    Without `trust` no signature of a changeset is judged, without `approval_key` none of an approval.
    """
    found = [*Past(store, trust, approval_key).walk(head)]
    tasks: list[Task] = []
    try:
        for path, blob in store.paths(head):
            content = store.blob(blob)
            kinds = dict.fromkeys(scan.provider_secrets(content.decode("utf-8", "replace")))
            found += [finding("I9", path, f"it holds what looks like a {kind}") for kind in kinds]
            found += _note(path, content, tasks)
        found += Papers.read(store, head, trust).agree(tasks, approval_key)
    except UntrustedHead as error:
        found.append(finding("I11", error.commit, error.reason))
    return tuple(found)


def fsck(repository: Path) -> tuple[Finding, ...]:
    """What git itself finds wrong with the objects of a bare repository."""
    return tuple(finding("I11", str(repository), line) for line in remote.fsck(repository))


def _note(path: str, content: bytes, tasks: list[Task]) -> Iterator[Finding]:
    """Whether a task's note reads; `tasks` takes it up."""
    place = layout.place_of(path)
    if place is None or place.stage is Stage.QUARANTINE:
        return
    try:
        task = notes.read(path, content)
        if place.stage in layout.REVISED:
            request.read(task.note, path)
        tasks.append(task)
    except MalformedNote as error:
        yield finding("I7", path, error.reason)
