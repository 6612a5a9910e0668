"""What the owner wants passed on, and to whom: kept on this machine, so that no note and no mail can ask for it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from correspondence.mailbox import safe_address
from local_agent.follow_up import FOR_LOCAL
from vault_protocol.canonical import sha256
from vault_protocol.errors import NoSuchTask, VaultError
from vault_protocol.files import write_private
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import hidden_or_control, message_id_meant
from vault_protocol.task import Domain, Stage, Task, task_id
from vault_protocol.vault import Vault

KIND = "forward"
MOST = 10
"""Recipients of one forward."""
LONGEST_NOTE = 20_000

_ENDED = frozenset({Stage.DONE, Stage.REJECTED, Stage.QUARANTINE})


@dataclass(frozen=True)
class Wish:
    """One mail to be passed on. `first` is the task it came as, `task` the one that this is; `account` and
    `message_id` say where the mail lies, `sha256` what its bytes were when it came, when that is known."""

    task: str
    first: str
    to: tuple[str, ...]
    note: str
    account: str
    message_id: str
    sha256: str


_WISH = TypeAdapter(Wish)


class Forwards:
    """A private folder with a file for each wish. Nothing in it is ever synced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wish(self, task: str) -> Wish | None:
        """What the owner asked this task for; None when they did not."""
        try:
            found = _WISH.validate_json((self._folder / f"{task}.json").read_bytes())
        except (OSError, ValidationError):
            return None
        return found if found.task == task else None

    def earlier(self, first: str) -> Iterator[Wish]:
        """All that was ever asked for about this task."""
        for path in sorted(self._folder.glob("*.json")):
            found = self.wish(path.stem)
            if found is not None and found.first == first:
                yield found

    def keep(self, wish: Wish) -> None:
        write_private(self._folder / f"{wish.task}.json", json.dumps(asdict(wish)).encode("utf-8"))


def ask(vault: Vault, forwards: Forwards, first: Task, *, to: Sequence[str], note: str, secret: bytes) -> Task:
    """Put up a task that passes the mail of `first` on; Local drafts it, and the owner approves it like any other.

    One that was asked for and has not ended is given back instead of a second. Raises VaultError when `first` came by
    no mail that can be found again, or an address or the note cannot be written.
    """
    front = first.note.front
    account, message_id = front.words("mailbox"), message_id_meant(front.words("message_id"))
    if not account or not message_id:
        raise VaultError(f"task {first.id} came by no mail that can be found again in your mailbox")
    boxes = _addresses(to)
    if (fault := hidden_or_control(note, pictures=True)) or len(note) > LONGEST_NOTE:
        raise VaultError(f"the note cannot be sent: {fault or f'it is longer than {LONGEST_NOTE} characters'}")
    for known in forwards.earlier(first.id):
        if set(known.to) == set(boxes) and (there := _standing(vault, known.task)) is not None:
            if note.strip() != known.note.strip():
                if there.stage is not Stage.NEEDS_ACTION:
                    raise VaultError(f"task {there.id} passes it on to them with another note: edit it, or reject it")
                forwards.keep(replace(known, note=note))
            return there
    mark = sha256("\n".join((*boxes, secrets.token_hex(16))).encode("utf-8"))
    id_ = task_id(secret, mailbox="forward", message_id=first.id, content_sha256=mark)
    forwards.keep(Wish(id_, first.id, boxes, note, account, message_id, front.words("sha256")))
    head = FrontMatter().put(**{"for": FOR_LOCAL}, type=KIND, forwards=first.id, priority="normal")
    task = Task(
        id=id_, stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL, slug=first.slug,
        note=Note(head, f"\n# To be passed on\n\nThe mail of {first.id}; your machine makes the draft.\n"),
    )  # fmt: skip
    vault.add(task)
    return task


def _standing(vault: Vault, task: str) -> Task | None:
    try:
        found = vault.get(task)
    except NoSuchTask:
        return None
    return None if found.stage in _ENDED else found


def _addresses(to: Sequence[str]) -> tuple[str, ...]:
    """Each once, its domain in small letters. Raises VaultError."""
    found: dict[str, str] = {}
    for one in to:
        address = safe_address(one.strip())
        if address is None:
            raise VaultError(f"{one.strip()!r} is no address that mail can be sent to")
        found.setdefault(address.lower(), address)
    if not 1 <= len(found) <= MOST:
        raise VaultError(f"name the address it goes to, {MOST} at most")
    return tuple(found.values())
