"""What the hub holds a changeset against beyond the zones: leases, secrets, and what enters Approved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vault_protocol import layout, notes, request, scan, sshsig
from vault_protocol.approval import NAMESPACE, SignedApproval
from vault_protocol.changeset import Changeset
from vault_protocol.errors import MalformedNote, Refused
from vault_protocol.hub import Change
from vault_protocol.layout import Place
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import Stage, Task
from vault_protocol.zones import Read

LONGEST_LEASE = timedelta(days=1, minutes=10)
"""From now; a lease is at most a day, and clocks differ."""

CLOUDS = "it holds a secret of the cloud machine"


@dataclass(frozen=True)
class Rules:
    """`owner_key` is what approvals are signed with. `secrets` are Cloud's own, the only ones the hub may learn."""

    vault: str
    owner_key: PublicKey
    secrets: Callable[[], scan.OwnSecrets] = lambda: scan.NO_SECRETS

    def judge(
        self, found: Changeset, changes: Sequence[Change], *, before: Read, after: Read, now: datetime
    ) -> None:  # fmt: skip
        """Raises Refused. `now` is the hub's own clock. The zones were judged before."""
        gone = {place.id: (change.path, place) for change, place in _places(changes) if change.new is None}
        for change, place in _places(changes):
            if change.new is None:
                continue
            path, source = gone.get(place.id, (change.path if change.old else None, place if change.old else None))
            if place.stage is Stage.IN_PROGRESS:
                _lease(_read(change.path, after), change.path, now)
            if source is not None and source.owner not in (None, found.agent) and path is not None:
                _expired(_read(path, before), path, now)
            if place.stage is Stage.APPROVED and (source is None or source.stage is not Stage.APPROVED):
                self._approved(place, change.path, changes, after)
        for change in changes:
            if change.new is not None and change.new != change.old:
                old = before(change.path) if change.old is not None else None
                self._secrets(change.path, _added(old or b"", after(change.path) or b""))

    def judge_words(self, words: str) -> None:
        """Raises Refused for what a message says in its author's own words. Forms of providers were judged before."""
        if self.secrets().found_in(words.encode("utf-8", "replace")):
            raise Refused("secret", "the commit message", CLOUDS)

    def _approved(self, place: Place, path: str, changes: Sequence[Change], after: Read) -> None:
        papers = [c.path for c in changes if c.new and not c.old and c.path.startswith("Approvals/")]
        task = _read(path, after)
        try:
            asked = request.read(task.note, path) if task else None
        except MalformedNote as error:
            raise Refused("approval", path, error.reason) from None
        for paper in papers:
            try:
                signed = SignedApproval.model_validate_json(after(paper) or b"")
                sshsig.verify(
                    self.owner_key, signed.approval.canonical(), signed.signature, namespace=NAMESPACE
                )  # fmt: skip
            except (ValueError, sshsig.BadSignature):
                raise Refused("approval", paper, "it is not signed by the owner's key") from None
            about = signed.approval
            if (about.vault, about.task, about.revision) == (self.vault, place.id, place.revision):
                if asked is None or about.digest != asked.action.digest:
                    raise Refused("approval", paper, "it is for another action than the note holds")
                return
        raise Refused("approval", path, "it enters Approved without the owner's signed approval beside it")

    def _secrets(self, path: str, new: bytes) -> None:
        if self.secrets().found_in(path.encode("utf-8") + b"\n" + new):
            raise Refused("secret", path, CLOUDS)
        kinds = scan.provider_secrets(new.decode("utf-8", "replace"))
        if kinds:
            raise Refused("secret", path, f"it holds what looks like a {kinds[0]}")


def _added(old: bytes, new: bytes) -> bytes:
    """What was put behind the old content, from the beginning of a line; all of it when it did not only grow."""
    return new[old.rfind(b"\n") + 1 :] if new.startswith(old) else new


def _places(changes: Sequence[Change]) -> list[tuple[Change, Place]]:
    return [(change, place) for change in changes if (place := layout.place_of(change.path)) is not None]


def _lease(task: Task | None, path: str, now: datetime) -> None:
    if task is not None and task.lease is not None and task.lease.until > now + LONGEST_LEASE:
        raise Refused("lease", path, "a lease ends within a day")


def _expired(task: Task | None, path: str, now: datetime) -> None:
    if task is not None and task.lease is not None and task.lease.until > now:
        left = int((task.lease.until - now).total_seconds())
        raise Refused("lease", path, f"{task.lease.owner} holds it for {left} more seconds by the hub's clock")


def _read(path: str, read: Read) -> Task | None:
    try:
        return notes.read(path, read(path) or b"")
    except MalformedNote:
        return None
